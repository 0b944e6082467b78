import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeCertificate } from '../support/certificate.js';
import { pythonWithDockerPkg } from '../support/python-with-docker-pkg.js';
import { openScenario, PROGRAM, type Scenario } from '../support/scenario.js';

/** How a program ended. */
type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs a program as a person would. */
function call(program: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env: { ...env }, maxBuffer: 1 << 26 }, (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }));
  });
}

/** The programs of package.json's bin, linked into a folder as npm does. */
function binaries(folder: string): string {
  const root = dirname(dirname(PROGRAM));
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: Record<string, string> };
  mkdirSync(folder);
  for (const [name, path] of Object.entries(bin)) symlinkSync(join(root, path), join(folder, name));
  return folder;
}

const CHILD = 'FROM {{ "parent" | image_tag }}';
const IMAGES = ['parent', 'child', 'other'];
const PASSWORD = 'sekret-word';

/** A stage of a tree's life: what is called, and the lines that standard output must have below its headings, in any order. */
type Stage = {
  readonly name: string;
  readonly args: readonly string[];
  /** Definitions that are written before it: version and Dockerfile.template. */
  readonly define?: Readonly<Record<string, readonly [version: string, template: string]>>;
  readonly builds?: readonly string[];
  readonly fails?: readonly string[];
  readonly publishes?: readonly string[];
  /** What is said where nothing is published. */
  readonly says?: string;
  /** All that is printed, where it is no build. */
  readonly lines?: readonly string[];
  /** Ours, where it is another than docker-pkg's 0. */
  readonly code?: number;
};

/** What an update prints. */
function updating(...names: readonly string[]): readonly string[] {
  return ['== Step 0: scanning CWD/images', 'Will update the following images: ', ...names.map((name) => `* REGISTRY/${name}`), '== Step 1: adding updates'];
}

/** What a pruning prints. */
function pruning(...refs: readonly string[]): readonly string[] {
  return ['== Step 0: scanning CWD/images ==', 'Will prune old versions of the following images:', ...refs.map((ref) => `* REGISTRY/${ref}`), '== Step 1: pruning images', ...refs.map((ref) => `* Pruning old versions of REGISTRY/${ref}`)];
}

const LIFE: readonly Stage[] = [
  { name: 'a first build', args: ['build', 'images'], define: { parent: ['1', 'FROM BASE\nRUN cat /proc/uptime > /made'], child: ['1', `${CHILD}\nRUN cat /made`] }, builds: ['parent:1', 'child:1'], publishes: ['parent:1', 'child:1'] },
  { name: 'a second one, with nothing to do', args: ['build', 'images'] },
  { name: 'a nightly build', args: ['build', '--nightly', 'images'], builds: ['parent:1-DAY', 'child:1-DAY'], publishes: ['parent:1-DAY', 'child:1-DAY'] },
  { name: 'a snapshot of a child, with its parent', args: ['build', '--snap', '--sel=*/child:*', 'images'], builds: ['parent:1-NOW', 'child:1-NOW'], publishes: ['parent:1-NOW', 'child:1-NOW'] },
  { name: 'what is selected, its log on the terminal', args: ['--info', 'build', 'images', '--select', '*child*'], define: { child: ['2', CHILD], other: ['1', CHILD] }, builds: ['child:2'], publishes: ['child:2'] },
  { name: 'without credentials', args: ['-c', 'local.yaml', 'build', 'images'], builds: ['other:1'], says: 'NOT publishing images as we have no auth setup' },
  { name: 'what was built without them', args: ['build', 'images'], publishes: ['other:1'] },
  { name: 'a pruning', args: ['prune', 'images'], lines: pruning('child:2', 'other:1', 'parent:1') },
  { name: 'a pruning of what is selected, but for a night', args: ['prune', '--select=*other*', '--nightly', '20200102', 'images'], lines: pruning('other:1-DAY') },
  { name: 'an update of an image and what stands on it', args: ['update', 'parent', '--reason', 'two words', 'images'], lines: updating('child', 'other', 'parent') },
  { name: 'an update of what a glob matches', args: ['update', '--reason=why', '*her', 'images'], lines: updating('other') },
  {
    name: 'a failing build, and what stands on it',
    args: ['build', 'images'],
    define: { parent: ['2', `FROM BASE\nRUN echo ${PASSWORD}; exit 3`], child: ['3', CHILD], other: ['2', 'FROM BASE'] },
    builds: ['other:2'],
    fails: ['parent:2', 'child:3'],
    publishes: ['other:2'],
    code: 1,
  },
];

function expected({ args, builds = [], fails = [], publishes = [], says, lines }: Stage): readonly string[] {
  return lines ?? [
    '== Step 0: scanning CWD/images ==',
    'Will build the following images:',
    ...[...builds, ...fails].map((ref) => `* REGISTRY/${ref}`).sort(),
    '== Step 1: building images ==',
    ...[...builds.map((ref) => `* Built image REGISTRY/${ref}`), ...fails.map((ref) => ` ERROR: image REGISTRY/${ref.split(':')[0]!} failed to build, see logs for details`)].sort(),
    '== Step 2: publishing ==',
    ...(says === undefined ? publishes.map((ref) => `Successfully published image REGISTRY/${ref}`).sort() : [says]),
    '== Build done! ==',
    ...(args.includes('--info') ? [] : ['You can see the logs at ./docker-pkg-build.log']),
  ];
}

/** Standard output with the lines below each heading in the order of the alphabet, and without what differs between two runs. */
function linesOf({ stdout }: Ended, cwd: string, registry: string): readonly string[] {
  const neutral = stdout.replaceAll(cwd, 'CWD').replaceAll(registry, 'REGISTRY').replace(/-\d{8}-\d{6}$/gm, '-NOW').replace(/-\d{8}$/gm, '-DAY');
  const parts: string[][] = [];
  for (const line of neutral.trimEnd().split('\n')) {
    // docker-pkg removes parents before their children, and images by an id that two tags share.
    if (line.startsWith('* Errors pruning') && registry.endsWith('/theirs')) continue;
    if (parts.length === 0 || /^(==|Will|You)/.test(line)) parts.push([line], []);
    else parts.at(-1)!.push(line);
  }
  return parts.flatMap((part) => part.sort());
}

describe('docker-pkg, as it is typed for years', () => {
  const address = `127.${[60, 0, 0].map((from) => from + Math.floor(Math.random() * 190) + 1).join('.')}`;
  let folder: string;
  let scenario: Scenario;
  const ended = { ours: new Map<string, Ended>(), theirs: new Map<string, Ended>() };
  const pruned: Partial<Record<'ours' | 'theirs', readonly string[]>> = {};
  const plans: Partial<Record<'ours' | 'theirs', Ended>> = {};
  let env: Readonly<Record<string, string>>;
  const changelogs: Record<'ours' | 'theirs', string[]> = { ours: [], theirs: [] };
  const at = (who: 'ours' | 'theirs', path = '.'): string => join(scenario.directory, who, path);

  const write = (who: 'ours' | 'theirs', path: string, text: string): void => {
    mkdirSync(dirname(at(who, path)), { recursive: true });
    writeFileSync(at(who, path), text);
  };
  const defineOne = (who: 'ours' | 'theirs', image: string, version: string, template: string): void => {
    write(who, `images/${image}/Dockerfile.template`, `${template.replace('BASE', `${address}/test-base/tiny:1`)}\n`);
    const versions = Array.from({ length: Number(version) }, (_, before) => Number(version) - before);
    write(who, `images/${image}/changelog`, versions.map((one) => `${image} (${one}) trixie; urgency=medium\n\n  * Change.\n\n -- Tester <tester@example.org>  Fri, 20 Nov 2026 09:00:00 +0000\n`).join('\n'));
    write(who, `images/${image}/control`, `Package: ${image}\n${template.startsWith(CHILD) ? 'Depends: parent\n' : ''}`);
  };
  const live = async (who: 'ours' | 'theirs', program: string, env: Readonly<Record<string, string>>, ourEnv = env): Promise<void> => {
    const config = `registry: ${address}\nnamespace: ${who}\nca_bundle: ${join(folder, 'ca.pem')}\nbase_images: [${address}/test-base/tiny:1]\nallowed_sources: ["*"]\n`;
    write(who, 'config.yaml', `${config}username: builder\npassword: ${PASSWORD}\n`);
    write(who, 'local.yaml', config);
    for (const { name, args, define = {} } of LIFE) {
      for (const [image, [version, template]] of Object.entries(define)) {
        defineOne(who, image, version, template);
      }
      ended[who].set(name, await call(program, args, at(who), env));
      if (name === 'a first build') plans[who] = await call('build-images', ['plan', '--check', '--all'], at(who), ourEnv);
      if (name === 'a pruning') pruned[who] = (await scenario.localTags()).filter((tag) => tag.startsWith(`${address}/${who}/`));
      if (args.includes('update')) changelogs[who].push(...IMAGES.map((image) => readFileSync(at(who, `images/${image}/changelog`), 'utf8').replace(/^ -- .*/gm, ' -- signed')));
    }
  };
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'build-images-docker-pkg-'));
    // docker-pkg knows no registry with a port, and none without TLS.
    const certificate = makeCertificate(folder, `IP:${address}`);
    scenario = await openScenario({ host: address, registry: { certificate, address, port: 443 } });
    env = { ...scenario.environment, PATH: `${binaries(join(folder, 'bin'))}:${process.env['PATH']!}`, TZ: 'UTC' };
    const python = pythonWithDockerPkg();
    await Promise.all([live('ours', 'docker-pkg', env), python === undefined ? undefined : live('theirs', join(dirname(python), 'docker-pkg'), { ...env, PATH: process.env['PATH']! }, env)]);
    // No package index to be had: then only ours is compared with what docker-pkg 4.0.4 printed when this was written.
    if (python === undefined) console.warn('docker-pkg could not be installed: it was not asked again');
  }, 600_000);
  afterAll(async () => {
    // docker-pkg leaves the container of a failed build behind.
    const left = await scenario.docker('ps', '-aq', '--filter', `ancestor=${address}/test-base/tiny:1`);
    if (left !== '') await scenario.docker('rm', '-f', ...left.split('\n'));
    await scenario.close();
    rmSync(folder, { recursive: true });
  });

  it.each(LIFE)('$name has the lines of docker-pkg', (stage) => {
    for (const who of ['ours', 'theirs'] as const) {
      const one = ended[who].get(stage.name);
      if (who === 'theirs' && one === undefined) continue;
      expect({ who, lines: linesOf(one!, at(who), `${address}/${who}`) }).toEqual({ who, lines: expected(stage) });
    }
  });
  it.each(LIFE)('$name: the exit code tells the truth', ({ name, code = 0 }) => expect(ended.ours.get(name)!.code).toBe(code));
  it('a pruning leaves what is current', () => expect(pruned.ours).toEqual(['child:2', 'child:latest', 'other:1', 'other:latest', 'parent:1', 'parent:latest'].map((ref) => `${address}/ours/${ref}`)));
  it('what docker-pkg has published is published to build-images, its origin unknown', () => {
    if (plans.theirs === undefined) return;
    expect(plans.theirs).toMatchObject({ code: 0, stdout: expect.stringContaining('\nNothing to do: 2 up to date.') });
    expect(plans.theirs.stdout.match(/origin unknown/g)).toHaveLength(2);
  });
  it('who takes over from docker-pkg moves the :latest that it left', async () => {
    const who = ended.theirs.size > 0 ? 'theirs' : 'ours';
    defineOne(who, 'other', '3', 'FROM BASE');
    expect(await call('docker-pkg', ['build', '--select', '*/other:*', 'images'], at(who), env)).toMatchObject({ code: 0 });
    const manifests = await Promise.all(['latest', '3', '2'].map(async (tag) => (await scenario.registry.send('GET', `/v2/${who}/other/manifests/${tag}`, undefined, { accept: 'application/vnd.docker.distribution.manifest.v2+json' })).body.toString()));
    expect(manifests[0]).toBe(manifests[1]);
    expect(manifests[0]).not.toBe(manifests[2]);
  }, 60_000);
  it('updates leave the same changelogs, but for our mark, and for a glob that is taken for a parent', () => {
    expect(changelogs.ours).toHaveLength(6);
    const ours = changelogs.ours.map((text) => text.replaceAll('   (build-images update)\n', ''));
    if (ended.theirs.size > 0) expect(changelogs.theirs.map((text) => text.replaceAll('   Refresh for update in parent image *her:\n', ''))).toEqual(ours);
  });
  it('why it failed is on standard error', () => expect(ended.ours.get('a failing build, and what stands on it')!.stderr).toMatch(/parent +FAILED +RUN echo \*\*\*; exit 3: exit 3 .*\n.*\n[^]*child +blocked +by parent\n$/));
  it('the log has a line for all that happened and all that builds printed, and no password', () => {
    const log = readFileSync(at('ours', 'docker-pkg-build.log'), 'utf8');
    const lines = log.trimEnd().split('\n');
    expect(lines.filter((line) => !/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[docker-pkg-build\] (INFO|WARNING|ERROR) - .* \([^ ]+\)$/.test(line))).toEqual([]);
    // One run after the other, in one file.
    expect(lines.filter((line) => /published +1 /.test(line))).toHaveLength(3);
    expect(log).toMatch(/ERROR - parent +FAILED/);
    expect(log).toContain(' INFO - #2 *** (ours/parent)\n');
    expect(log).not.toContain(PASSWORD);
  });
  it('with --info the log is on standard error, and not in the file', () => {
    const { stderr } = ended.ours.get('what is selected, its log on the terminal')!;
    expect(stderr).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[docker-pkg-build\] INFO - publishing to \S+ as builder \(build-images\)\n/);
    expect(readFileSync(at('ours', 'docker-pkg-build.log'), 'utf8')).not.toMatch(/child +published +2 /);
  });
});

describe('the program docker-pkg', () => {
  let folder: string;
  let scenario: Scenario;
  /** A line as it is typed into a shell, in the checkout. */
  const type = (line: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> => call('/bin/sh', ['-c', line], scenario.directory, { ...scenario.environment, PATH: `${join(folder, 'bin')}:${process.env['PATH']!}`, ...env });
  const log = (): string => readFileSync(join(scenario.directory, 'docker-pkg-build.log'), 'utf8');
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'build-images-docker-pkg-'));
    binaries(join(folder, 'bin'));
    scenario = await openScenario();
    // As in a checkout: no credentials, and nothing that docker-pkg does not know.
    scenario.write('config.yaml', `registry: ${scenario.host}\nnamespace: test\nbase_images: [${scenario.base}]\n`);
    scenario.define('myimage-base', { versions: ['1'] });
    scenario.define('myimage', { versions: ['2'], from: 'myimage-base', control: ['Depends: myimage-base'] });
    scenario.define('other', { versions: ['3'] });
    scenario.write('wrong/Dockerfile.template', `FROM ${scenario.base}\n`);
    scenario.write('wrong/changelog', 'rubbish\n');
  }, 60_000);
  afterAll(async () => {
    await scenario.close();
    rmSync(folder, { recursive: true });
  });

  it('tests a rebuild on a workstation: all images, or some of them', async () => {
    const some = await type("docker-pkg -c config.yaml build images --select '*myimage*'");
    expect(some).toMatchObject({ code: 0, stderr: '' });
    expect(some.stdout.match(/^\* Built image .*$/gm)).toEqual([`* Built image ${scenario.host}/test/myimage-base:1`, `* Built image ${scenario.host}/test/myimage:2`]);
    const all = await type('docker-pkg -c config.yaml build images');
    expect(all).toMatchObject({ code: 0, stderr: '' });
    expect(all.stdout.match(/^\* Built image .*$/gm)).toEqual([`* Built image ${scenario.host}/test/other:3`]);
    expect(all.stdout).toContain('NOT publishing images as we have no auth setup\n');
    expect(await Promise.all(['myimage-base', 'myimage', 'other'].map(scenario.tags))).toEqual([[], [], []]);
  }, 60_000);
  it('is called by a wrapper of its own, with a config outside of the tree', async () => {
    const config = join(folder, 'etc/config.yaml');
    mkdirSync(dirname(config));
    writeFileSync(config, `${readFileSync(join(scenario.directory, 'config.yaml'), 'utf8')}username: builder\npassword: ${PASSWORD}\n`);
    writeFileSync(join(folder, 'bin/build-production-images'), `#!/bin/sh -e\nexec docker-pkg --info -c ${config} build "$@" images\n`, { mode: 0o755 });
    const ended = await type("build-production-images --select '*other*'");
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain(`\nSuccessfully published image ${scenario.host}/test/other:3\n== Build done! ==\n`);
    expect(await scenario.tags('other')).toEqual(['3', 'latest']);
  }, 60_000);
  it('is started in the folder of an image, where its log grows while the image is built', async () => {
    scenario.define('alone', { versions: ['1'], lines: ['COPY . /all'] });
    const ended = await type('cd images/alone; docker-pkg -c ../../config.yaml build .');
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining(`== Step 0: scanning ${join(scenario.directory, 'images/alone')}/. ==\n`) });
    expect(ended.stdout).toContain(`\n* Built image ${scenario.host}/test/alone:1\n`);
  }, 60_000);
  it('says where the log is not, and builds all the same', async () => {
    mkdirSync(join(scenario.directory, 'elsewhere/docker-pkg-build.log'), { recursive: true });
    const ended = await type("cd elsewhere; docker-pkg -c ../config.yaml build --select '*other*' ../images");
    expect(ended).toMatchObject({ code: 0, stderr: './docker-pkg-build.log cannot be written (it is a directory): the run goes on without it\n' });
    expect(ended.stdout).toMatch(/\n== Build done! ==\n$/);
  }, 60_000);
  it.each<[string, string, number, RegExp]>([
    ['a glob without a match', "docker-pkg build --select 'nothing' images", 2, /--select 'nothing' matches no image/],
    ['no directory', 'docker-pkg build nowhere', 2, /nowhere is not a directory/],
    ['no config', 'docker-pkg -c nowhere.yaml build images', 2, /nowhere\.yaml: there is no such file/],
    ['a definition that is wrong', 'docker-pkg build wrong', 3, /wrong\/changelog:1: /],
    ['no engine', 'docker-pkg build images', 4, /Nothing was built or changed/],
  ])('%s is one line, on standard error and in the log, and an exit code', async (_, line, code, message) => {
    rmSync(join(scenario.directory, 'docker-pkg-build.log'), { force: true });
    const ended = await type(line, code === 4 ? { DOCKER_HOST: 'unix:///nowhere.sock' } : {});
    expect(ended).toMatchObject({ code, stderr: expect.stringMatching(message) });
    expect(ended.stdout).not.toContain('Build done!');
    expect(log()).toMatch(message);
    expect(log()).toContain(' [docker-pkg-build] ERROR - ');
  }, 60_000);
  it('a command line that is wrong is said with the usage, and leaves no log behind', async () => {
    const ended = await type('mkdir empty; cd empty; docker-pkg build');
    expect(ended).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^usage: docker-pkg build \[-h\][^]*\ndocker-pkg build: error: the following arguments are required: DIRECTORY\n$/) });
    expect(existsSync(join(scenario.directory, 'empty/docker-pkg-build.log'))).toBe(false);
  });
  it('is installed with build-images', async () => {
    const installed = await call('npm', ['install', '--global', '--offline', '--ignore-scripts', '--prefix', join(folder, 'usr'), dirname(dirname(PROGRAM))], folder, { ...scenario.environment });
    expect(installed.code).toBe(0);
    for (const name of ['build-images', 'docker-pkg']) expect(await type(`${join(folder, 'usr/bin', name)} --help`)).toMatchObject({ code: 0, stdout: expect.stringMatching(/ -c,? /) });
  }, 60_000);
});
