import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { changelog, openScenario, PROGRAM, type Ended, type Scenario } from '../support/scenario.js';

describe('definitions and configs that are wrong', () => {
  let scenario: Scenario;
  let config: string;
  beforeAll(async () => {
    scenario = await openScenario();
    config = readFileSync(join(scenario.directory, 'config.yaml'), 'utf8');
  }, 120_000);
  afterAll(() => scenario.close());
  beforeEach(() => {
    rmSync(join(scenario.directory, 'images'), { recursive: true, force: true });
    mkdirSync(join(scenario.directory, 'images'));
    writeFileSync(join(scenario.directory, 'config.yaml'), config);
  });

  /** The run was refused for the definitions, and neither engine nor registry was touched. */
  async function refused(args: readonly string[] = [], exit = 3): Promise<Ended> {
    const ended = await scenario.run(args);
    expect({ code: ended.code, stdout: ended.stdout, stderr: ended.stderr }).toMatchObject({ code: exit, stdout: '' });
    expect(scenario.journal()).toEqual([]);
    expect(await scenario.localTags()).toEqual([]);
    return ended;
  }

  it('are all reported in one run, each with its place and what was probably meant', async () => {
    scenario.define('good', { versions: ['1'] });
    scenario.define('bad-version', { versions: ['1:2+3'] });
    scenario.define('bad-changelog', { versions: ['1'] });
    scenario.write('images/bad-changelog/changelog', 'bad-changelog 1.0 trixie\n');
    scenario.define('bad-control', { versions: ['1'], control: ['Depends: good (>> 1'] });
    scenario.define('undefined-variable', { versions: ['1'], lines: ['RUN true', 'RUN echo {{ nothing }}'] });
    scenario.define('unclosed', { versions: ['1'], lines: ['RUN true', '{% if true %}', 'RUN true'] });
    scenario.define('unknown-filter', { versions: ['1'], lines: ['RUN {{ "vim" | apt_instal }}'] });
    scenario.define('unknown-image', { versions: ['1'], from: 'goood' });
    scenario.define('link', { versions: ['1'] });
    symlinkSync('nowhere', join(scenario.directory, 'images/link/gone'));
    scenario.write('images/not-yaml/rootfs.yaml', 'suite: [trixie\n');
    scenario.write('images/odd-key/rootfs.yaml', 'suite: trixie\nincludes: [vim]\n');
    scenario.write('images/no-key/rootfs.yaml', 'suite: trixie\nrepositories:\n  x:\n    uri: https://apt.example.org\n    suites: [trixie]\n    key: x.asc\n');
    scenario.define('ring-a', { versions: ['1'], from: 'ring-b' });
    scenario.define('ring-b', { versions: ['1'], from: 'ring-a' });

    const { stderr } = await refused();
    expect(stderr).toMatch(/^images\/bad-version\/changelog:1: version "1:2\+3" cannot be an image tag: ":" is not allowed/m);
    expect(stderr).toMatch(/^images\/bad-changelog\/changelog:1: no heading/m);
    expect(stderr).toMatch(/^images\/bad-control\/control:2: /m);
    expect(stderr).toMatch(/^images\/undefined-variable\/Dockerfile\.template:3: "nothing" is not defined$/m);
    expect(stderr).toMatch(/^images\/unclosed\/Dockerfile\.template:3: template syntax: unexpected end of input/m);
    expect(stderr).toMatch(/^images\/unknown-filter\/Dockerfile\.template:2: "apt_instal" is not a filter \(near: apt_install\)$/m);
    expect(stderr).toMatch(/^images\/unknown-image\/Dockerfile\.template:1: no tree and no base_images entry has an image "goood" \(near: good\)$/m);
    expect(stderr).toMatch(/^images\/link\/gone: this link leads nowhere$/m);
    expect(stderr).toMatch(/^images\/not-yaml\/rootfs\.yaml:\d: not YAML: /m);
    expect(stderr).toMatch(/^images\/odd-key\/rootfs\.yaml:2: includes is not a key of rootfs\.yaml \(near: include\)$/m);
    expect(stderr).toMatch(/^images\/no-key\/rootfs\.yaml:6: repositories: key "x\.asc": there is no such file$/m);
    expect(stderr).toMatch(/^images\/ring-a: stands on itself: test\/ring-a → test\/ring-b → test\/ring-a/m);
    expect(stderr).toMatch(/12 problems in 12 definitions; nothing was built\.\n$/);
  });

  it('may be a cycle alone: its members are named in order', async () => {
    for (const [name, from] of [['one', 'two'], ['two', 'three'], ['three', 'one']] as const) scenario.define(name, { versions: ['1'], from });
    const { stderr } = await refused();
    expect(stderr).toBe('images/one: stands on itself: test/one → test/two → test/three → test/one (each needs the next)\n\n1 problem in 1 definition; nothing was built.\n');
  });

  it('may be files that no build context can hold', async () => {
    for (const name of ['pipe', 'leaves']) scenario.define(name, { versions: ['1'] });
    await new Promise((resolve, reject) => execFile('mkfifo', [join(scenario.directory, 'images/pipe/queue')], (error) => (error === null ? resolve(undefined) : reject(error))));
    symlinkSync('/etc/hostname', join(scenario.directory, 'images/leaves/host'));
    const { stderr } = await refused();
    expect(stderr).toContain('images/pipe/queue: neither a file nor a folder nor a link');
    expect(stderr).toContain('images/leaves/host: this link leads out of the source tree');
    expect((await refused(['plan'])).stderr).toContain('2 problems in 2 definitions');
  });

  it('may be a folder that cannot be read: its path is named', async () => {
    scenario.define('good', { versions: ['1'] });
    const locked = join(scenario.directory, 'images/locked');
    mkdirSync(locked);
    chmodSync(locked, 0o000);
    // Root reads everything: it must give that right up first.
    const bounds = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : [];
    const [command, ...args] = [...bounds, process.execPath, PROGRAM, 'list'];
    const ended = await new Promise<{ readonly code: unknown; readonly stderr: string }>((resolve) => {
      execFile(command!, args, { cwd: scenario.directory }, (error, _, stderr) => resolve({ code: error?.code, stderr }));
    });
    chmodSync(locked, 0o755);
    expect(ended).toEqual({ code: 3, stderr: 'images/locked: cannot read this folder: permission denied\n\n1 problem in 1 definition; nothing was built.\n' });
  });

  it('may be two of one name', async () => {
    scenario.define('one', { versions: ['1'] });
    scenario.define('two', { versions: ['1'] });
    scenario.write('images/two/changelog', changelog('one', ['2']));
    scenario.write('images/two/control', 'Package: one\n');
    expect((await refused()).stderr).toContain('images/two/changelog: the name "one" is taken by images/one/changelog\n');
  });

  it('may stand on an image that allowed_sources does not allow', async () => {
    scenario.define('fine', { versions: ['1'] });
    scenario.define('strays', { versions: ['1'], lines: ['FROM elsewhere.example.org/x:1', 'COPY --from=other.example.org/y /a /b'] });
    writeFileSync(join(scenario.directory, 'config.yaml'), config.replace('["*"]', '["127.0.0.1:*"]'));
    const { stderr } = await refused();
    expect(stderr).toContain('images/strays/Dockerfile.template:1: FROM elsewhere.example.org/x:1 is not among the allowed_sources of config.yaml\n');
    expect(stderr).toContain('images/strays/Dockerfile.template:2: COPY --from other.example.org/y is not among the allowed_sources of config.yaml\n');
    expect(stderr).not.toContain('images/fine');
  });

  it('are errors under --strict, though without it they are only warned about', async () => {
    scenario.define('web', { versions: ['1'], control: ['Depends: wbe-base'] });
    scenario.define('web-base', { versions: ['1'] });
    const warned = await scenario.run(['list']);
    expect(warned).toMatchObject({ code: 0, stderr: 'images/web/control:2: Depends names "wbe-base", which no tree defines (near: web-base)  [warning]\n' });
    // Built all the same: it may be an image of another tree.
    const plan = await scenario.run(['plan']);
    expect(plan).toMatchObject({ code: 0, stderr: warned.stderr });
    expect(plan.stdout).toMatch(/web +– +1 +build +not in the registry yet/);
    const { stderr } = await refused(['--strict']);
    expect(stderr).toBe('images/web/control:2: Depends names "wbe-base", which no tree defines (near: web-base)\n\n1 problem in 1 definition; nothing was built.\n');
  });

  it.each([
    ['is no YAML', 'registry: [x\n', /^config\.yaml:\d+: not YAML: /],
    ['lacks the registry, and has a key near it', 'registri: x.example.org\n', /^config\.yaml:1: unknown key "registri" is taken as a template variable \(near: registry\) {2}\[warning\]\nconfig\.yaml: registry is missing/],
    ['has a password without a user', 'registry: x.example.org\npassword: open-sesame\n', /^config\.yaml:2: password is set, but username is not/],
    ['says one thing twice', 'registry: x.example.org\njobs: 1\njobs: 2\n', /^config\.yaml:3: key "jobs" stands already on line 2\n/],
    ['has nothing where a mapping should be', 'registry: x.example.org\nknown_uid_mappings:\n', /^config\.yaml:2: known_uid_mappings must be a mapping \("key: value"\), not nothing\n/],
    ['has several faults', 'registry: https://x.example.org\njobs: many\npublish: perhaps\n', /^config\.yaml:1: .*URL.*\nconfig\.yaml:3: publish.*\nconfig\.yaml:2: jobs.*\n3 problems/s],
  ])('may be a config that %s', async (_, text, expected) => {
    scenario.define('good', { versions: ['1'] });
    writeFileSync(join(scenario.directory, 'config.yaml'), text);
    const { stderr } = await refused();
    expect(stderr).toMatch(expected);
    expect(stderr).not.toContain('open-sesame');
  });
});

describe('command lines that are wrong', () => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await openScenario();
    scenario.define('good', { versions: ['1'] });
  }, 120_000);
  afterAll(() => scenario.close());

  it.each([
    [['-c', 'nope.yaml'], /^nope\.yaml: there is no such file\n {2}try: name the config with -c FILE\n$/],
    [['bild'], /^"bild" is neither a verb nor a directory \(near: build\)\n/],
    [['iamges'], /^"iamges" is neither a verb nor a directory \(near: images\)\n/],
    [['plan', 'nowhere'], /^nowhere is not a directory\n$/],
    [['--publsh'], /^there is no option --publsh \(near: --publish\)\n {2}try: build-images build --help\n$/],
    [['--no-publsh'], /^there is no option --no-publsh \(near: --no-publish\)\n/],
    [['plan', '--jobs', '3'], /^--jobs is no option of plan\n/],
    [['--jobs', '0'], /^--jobs takes a whole number from 1\n/],
    [['--on-error', 'never'], /^--on-error takes continue or stop, not "never"\n/],
    [['--rebuild'], /^--rebuild needs --select/],
    [['--select'], /^--select needs a value\n/],
    [['render'], /^render which image\?/],
    [['render', 'god'], /^there is no image "god" in the tree \(near: good\)\n$/],
    [['promote', 'goood'], /^there is no image "goood" in the tree \(near: good\)\n$/],
    [['plan', 'images', 'more'], /^"more" is one word too many\n/],
  ])('%j is exit 2 and says what was probably meant', async (args, expected) => {
    const ended = await scenario.run(args);
    expect(ended.stderr).toMatch(expected);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(scenario.journal()).toEqual([]);
  });

  it('a directory without definitions is said, and nothing is done', async () => {
    mkdirSync(join(scenario.directory, 'empty'));
    const ended = await scenario.run(['empty']);
    expect(ended.code).toBe(0);
    expect(ended.stderr).toMatch(/^empty: there is no definition in it/);
  });
});
