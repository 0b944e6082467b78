import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRegistry, type RegistryFixture } from '../support/registry-fixture.js';
import { changelog, openScenario, type Ended, type Scenario } from '../support/scenario.js';
import { until } from '../support/until.js';

const LATER = 180_000;
const PASSWORD = 'a-password-of-theirs';
const TREES = ['-c', 'trees.yaml'];

let ours: Scenario;
/** The other tree's registry, which asks for a login that only the other tree's config has. */
let theirs: RegistryFixture;
const run = (...args: readonly string[]): Promise<Ended> => ours.run([...TREES, ...args]);

/** An image of the other tree: versioned if it has versions, else rolling. */
function define(name: string, from: string, versions: readonly string[] = [], test?: string): void {
  ours.write(`their/images/${name}/Dockerfile.template`, `FROM ${from}\nRUN echo ${name} > /${name}\n`);
  ours.write(`their/images/${name}/control`, `Package: ${name}\n${versions.length === 0 ? 'Rolling: yes\n' : ''}`);
  if (versions.length > 0) ours.write(`their/images/${name}/changelog`, changelog(name, versions));
  if (test !== undefined) ours.write(`their/images/${name}/test.sh`, `#!/bin/bash\n${test}\n`, 0o755);
}

function configureTheirs(...bases: readonly string[]): void {
  ours.write('their/config.yaml', `registry: ${theirs.host}\nnamespace: test\nusername: builder\npassword: ${PASSWORD}\nallowed_sources: ["*"]\nbase_images: ${JSON.stringify([`${ours.host}/test/plain`, ...bases])}\n`);
}

async function theirDigest(name: string, tag: string): Promise<string | undefined> {
  const answer = await theirs.send('HEAD', `/v2/test/${name}/manifests/${tag}`, undefined, { accept: 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json' });
  return answer.status === 200 ? String(answer.headers['docker-content-digest']) : undefined;
}

beforeAll(async () => {
  ours = await openScenario();
  theirs = await startRegistry({ users: { builder: PASSWORD } });
  ours.write('trees.yaml', 'trees:\n  - { name: ours, directory: images, config: config.yaml }\n  - { name: theirs, directory: their/images, config: their/config.yaml }\njobs: 2\n');
  configureTheirs();
  ours.define('plain', { versions: ['1'] });
  ours.define('base', { versions: ['1.0-1'], lines: ['RUN echo one > /base'] });
  ours.define('same', { versions: ['1'], from: 'base', lines: ['RUN echo ours > /same'] });
  define('same', '{{ "base" | image_tag }}', ['1']);
  define('plain-child', '{{ "plain" | image_tag }}', ['1']);
  define('web', `{{ "base" | image_tag }}`, ['2.0']);
  define('roller', `${ours.host}/test/base:latest`);
}, LATER);
afterAll(async () => {
  const tags = (await ours.docker('images', '--filter', `reference=${theirs.host}/*/*`, '--format', '{{.Repository}}:{{.Tag}}')).split('\n').filter((tag) => tag !== '' && !tag.endsWith('<none>'));
  if (tags.length > 0) await ours.docker('rmi', ...tags);
  await ours.close();
  await theirs.stop();
}, LATER);

describe('two trees with a registry each', () => {
  it('are listed as one, parents first, images of one name under their full names', async () => {
    const listed = JSON.parse((await run('list', '--json')).stdout) as { tree: string; image: string; ref: string; parents: string[] }[];
    const [our, their] = [`${ours.host}/test`, `${theirs.host}/test`];
    expect(listed.map(({ tree, image, ref, parents }) => [tree, image, ref, parents]).sort()).toEqual([
      ['ours', `${our}/same`, `${our}/same:1`, [`${our}/base:1.0-1`]],
      ['ours', 'test/base', `${our}/base:1.0-1`, [ours.base]],
      ['ours', 'test/plain', `${our}/plain:1`, [ours.base]],
      ['theirs', `${their}/same`, `${their}/same:1`, [`${our}/base:1.0-1`]],
      ['theirs', 'test/plain-child', `${their}/plain-child:1`, [`${our}/plain:1`]],
      ['theirs', 'test/roller', `${their}/roller:latest`, [`${our}/base:1.0-1`]],
      ['theirs', 'test/web', `${their}/web:2.0`, [`${our}/base:1.0-1`]],
    ].sort());
    const order = listed.map(({ ref }) => ref);
    for (const { ref, parents } of listed) for (const parent of parents) expect(order.indexOf(parent)).toBeLessThan(order.indexOf(ref));
  }, LATER);

  it('are published in one run, each where its config says', async () => {
    const { code, stdout, stderr } = await run();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').slice(0, 2).map((line) => line.slice(9))).toEqual([`publishing to ${ours.host}/test`, `publishing to ${theirs.host}/test as builder`]);
    expect(stdout).toMatch(/7 published in .*:latest moved for 7 images/);
    for (const name of ['base', 'same']) expect(await ours.digest(name, 'latest')).toBe(await ours.digest(name, name === 'base' ? '1.0-1' : '1'));
    for (const [name, version] of [['same', '1'], ['web', '2.0']] as const) expect([await theirDigest(name, 'latest'), await ours.digest('web', 'latest')]).toEqual([await theirDigest(name, version), undefined]);
    expect(await theirDigest('same', '1')).not.toBe(await ours.digest('same', '1'));
    expect(ours.kept() + stdout).not.toContain(PASSWORD);
  }, LATER);

  it('do nothing the second time', async () => {
    const { code, stdout } = await run();
    expect([code, stdout]).toEqual([0, `publishing to ${ours.host}/test\npublishing to ${theirs.host}/test as builder\n\nNothing to do: 7 up to date.\n`]);
  }, LATER);

  it('plan what an update of the one means for the other, and do it', async () => {
    ours.define('base', { versions: ['1.0-2', '1.0-1'], lines: ['RUN echo two > /base'] });
    const planned = JSON.parse((await run('plan', '--json')).stdout) as { publishing: unknown; steps: { image: string; action: string; reasons: unknown[] }[] };
    expect(planned.publishing).toEqual([{ tree: 'ours', publish: true, to: `${ours.host}/test` }, { tree: 'theirs', publish: true, to: `${theirs.host}/test`, as: 'builder' }]);
    expect(Object.fromEntries(planned.steps.map(({ image, action }) => [image, action]))).toEqual({ 'test/base': 'build', [`${ours.host}/test/same`]: 'keep', [`${theirs.host}/test/same`]: 'keep', 'test/plain': 'keep', 'test/plain-child': 'keep', 'test/roller': 'build', 'test/web': 'keep' });
    expect(planned.steps.find(({ image }) => image === 'test/roller')!.reasons).toEqual([{ why: 'parent-builds', parent: 'test/base' }]);
    const { code, stdout } = await run();
    expect(code).toBe(0);
    expect(stdout).toMatch(/test\/roller +build +test\/base is built in this run/);
    expect(stdout).toMatch(/2 published, 5 kept in .*:latest moved for 2 images/);
    const manifest = JSON.parse((await theirs.send('GET', '/v2/test/roller/manifests/latest', undefined, { accept: 'application/vnd.docker.distribution.manifest.v2+json' })).body.toString()) as { config: { digest: string } };
    const config = JSON.parse((await theirs.send('GET', `/v2/test/roller/blobs/${manifest.config.digest}`)).body.toString()) as { config: { Labels: Record<string, string> } };
    expect(JSON.parse(config.config.Labels['build-images.parents']!)).toEqual({ [`${ours.host}/test/base:1.0-2`]: await ours.digest('base', '1.0-2') });
  }, LATER);

  it('are selected by full references', async () => {
    const { code, stdout } = await run('list', '--select', `${theirs.host}/*`, '--json');
    expect([code, (JSON.parse(stdout) as { tree: string }[]).map(({ tree }) => tree)]).toEqual([0, Array<string>(4).fill('theirs')]);
  }, LATER);

  it('want to know which image is meant by a name that both have', async () => {
    for (const verb of ['render', 'promote']) expect(await run(verb, 'same')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(`"same" could be ${[ours.host, theirs.host].sort().map((host) => `${host}/test/same`).join(' or ')}`) });
    expect(await run('promote', `${theirs.host}/test/same`)).toMatchObject({ code: 0, stdout: expect.stringMatching(new RegExp(`^publishing to ${theirs.host}/test as builder\n`)) });
  }, LATER);

  it('hold a lock each while a run is at work, and none once another run has one', async () => {
    const held = join(ours.directory, 'held');
    define('gated', '{{ "base" | image_tag }}', ['1'], `touch ${held}; until [ -e ${held}.go ]; do sleep 0.1; done`);
    const holder = ours.start(TREES);
    await holder.meets(until('the test stands at the gate', () => existsSync(held)));
    for (const [args, host] of [[[], ours.host], [['-c', 'their/config.yaml', 'their/images'], theirs.host]] as const) {
      expect(await ours.run(args)).toMatchObject({ code: 75, stderr: expect.stringMatching(new RegExp(`^another run is at work on ${host}/test: run .* 0 of 1 images done`)) });
    }
    ours.write('held.go', '');
    expect((await holder.ended).code).toBe(0);
    expect(await ours.run([])).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing to do: 3 up to date.') });
  }, LATER);

  it('are as they are when each is built alone, with the other in its base_images', async () => {
    const rendered = (args: readonly string[]): Promise<Ended> => ours.run(['render', 'plain-child', ...args]);
    const planned = async (...args: readonly string[]): Promise<unknown> => (JSON.parse((await ours.run(['plan', '--json', ...args])).stdout) as { steps: { image: string; action: string; reasons: { why: string }[] }[] }).steps.find(({ image }) => image === 'test/plain-child');
    const together = [(await rendered(TREES)).stdout, await planned(...TREES)];
    expect(together).toEqual([`FROM ${ours.host}/test/plain:latest\nRUN echo plain-child > /plain-child\n`, expect.objectContaining({ action: 'keep', reasons: [{ why: 'published', digest: await theirDigest('plain-child', '1') }] })]);
    expect(await ours.run(['-c', 'their/config.yaml', 'plan', 'their/images'])).toMatchObject({ code: 3, stderr: expect.stringContaining('no tree and no base_images entry has an image "base"') });
    configureTheirs(`${ours.host}/test/base`);
    const alone = ['-c', 'their/config.yaml', 'their/images'];
    const { parents, ...step } = together[1] as { parents: readonly string[] };
    expect([(await rendered(alone)).stdout, await planned(...alone)]).toEqual([together[0], { ...step, parents: [`${ours.host}/test/plain:latest`] }]);
    expect(parents).toEqual([`${ours.host}/test/plain:1`]);
  }, LATER);
});

describe('update of two trees', () => {
  const changelogs = (): readonly string[] => ['images/base', 'images/same', 'their/images/same', 'their/images/web'].map((path) => readFileSync(join(ours.directory, path, 'changelog'), 'utf8').split('\n')[0]!);
  const before = ['base (1.0-2)', 'same (1)', 'same (1)', 'web (2.0)'].map((line) => expect.stringMatching(`^${line.replace(/[()]/g, '\\$&')} trixie;`));
  beforeAll(async () => {
    for (const args of [['init', '-q'], ['config', 'user.name', 'Tester'], ['config', 'user.email', 'tester@example.org'], ['add', 'images', 'their'], ['commit', '-q', '-m', 'all']]) await ours.git(...args);
    ours.write('their/config.yaml', `${readFileSync(join(ours.directory, 'their/config.yaml'), 'utf8').replace(/base_images.*\n/, '')}distribution: theirs\nupdate_id: t\nbase_images: ["${ours.host}/test/plain"]\n`);
  });

  it('bumps what stands on an image in both, each as its own config says, in one commit', async () => {
    const { code, stderr } = await run('update', 'base', '--reason', 'Newer', '--commit');
    expect([code, stderr.split('\n')[0]]).toEqual([0, '']);
    expect(changelogs()).toEqual(['base (1.0-2-s1) wikimedia; urgency=high', 'same (1-s1) wikimedia; urgency=high', 'same (1-t1) theirs; urgency=high', 'web (2.0-t1) theirs; urgency=high']);
    expect((await ours.git('show', '--stat=200', '--format=%s')).split('\n').filter((line) => line.includes('|')).map((line) => line.trim().split(' ')[0])).toEqual(expect.arrayContaining(['images/base/changelog', 'their/images/web/changelog']));
    expect(await ours.git('status', '--porcelain', '--', '*changelog')).toBe('');
  }, LATER);

  it('writes nothing when one commit cannot hold it', async () => {
    await ours.git('reset', '-q', '--hard', 'HEAD~1');
    for (const args of [['init', '-q', 'their'], ['-C', 'their', 'add', '.'], ['-C', 'their', 'commit', '-q', '-m', 'theirs']]) await ours.git(...args);
    const { code, stderr } = await run('update', 'base', '--reason', 'Newer', '--commit');
    expect([code, stderr]).toEqual([1, expect.stringContaining('the changelogs lie in several git work trees')]);
    expect(changelogs()).toEqual(before);
    expect((await run('update', 'base', '--reason', 'Newer')).code).toBe(0);
    expect(changelogs()[3]).toMatch(/^web \(2\.0-s1\)/);
  }, LATER);
});

describe('a tree that does not publish below one that does', () => {
  beforeAll(() => {
    ours.write('private/config.yaml', `registry: ${ours.host}\nnamespace: private\nallowed_sources: ["*"]\npublish: false\n`);
    ours.write('private/images/inner/Dockerfile.template', `FROM ${ours.base}\nRUN echo inner > /inner\n`);
    ours.write('private/images/inner/changelog', changelog('inner', ['1']));
    ours.write('public/config.yaml', `registry: ${ours.host}\nnamespace: public\nallowed_sources: ["*"]\npublish: true\n`);
    ours.write('public/images/outer/Dockerfile.template', 'FROM {{ "inner" | image_tag }}\nRUN cat /inner > /outer\n');
    ours.write('public/images/outer/changelog', changelog('outer', ['1']));
    ours.write('public/images/lone/Dockerfile.template', `FROM ${ours.base}\nRUN echo lone > /lone\n`);
    ours.write('public/images/lone/changelog', changelog('lone', ['1']));
    ours.write('mixed.yaml', 'trees:\n  - { name: private, directory: private/images, config: private/config.yaml }\n  - { name: public, directory: public/images, config: public/config.yaml }\n');
  });

  it('keeps what stands on it on this engine, and says so; the rest is published, and a second run does nothing', async () => {
    const { code, stdout } = await ours.run(['-c', 'mixed.yaml']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^\\S+ not publishing to ${ours.host}/private: publish: false in private/config\\.yaml\n\\S+ publishing to ${ours.host}/public\n`));
    expect(stdout).toMatch(/public\/outer +build +not in the registry yet; it stays here with private\/inner, whose tree does not publish/);
    expect(stdout).toMatch(/1 published, 2 built and kept here in .*:latest moved for 1 image\./);
    const tagsOf = async (name: string): Promise<number> => (await ours.registry.send('GET', `/v2/${name}/tags/list`)).status;
    expect([await tagsOf('public/lone'), await tagsOf('public/outer'), await tagsOf('private/inner')]).toEqual([200, 404, 404]);
    expect((await ours.run(['-c', 'mixed.yaml'])).stdout).toMatch(/Nothing to do: 3 up to date\./);
  }, LATER);
});

describe('a wrong list of trees is exit 3 before anything is asked', () => {
  it('images of one full name in two trees', async () => {
    ours.write('faulty/config.yaml', `registry: ${theirs.host}\nnamespace: test\n`);
    ours.write('faulty/images/web/changelog', changelog('web', ['9']));
    ours.write('faulty/images/web/Dockerfile.template', 'FROM scratch\n');
    ours.write('faulty.yaml', 'trees:\n  - { name: theirs, directory: their/images, config: their/config.yaml }\n  - { name: faulty, directory: faulty/images, config: faulty/config.yaml }\n');
    expect(await ours.run(['-c', 'faulty.yaml'])).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining(`faulty/images/web/changelog: the image ${theirs.host}/test/web is that of their/images/web/changelog`) });
  });

  it('a cycle through two trees, its members named', async () => {
    ours.write('round/config.yaml', `registry: ${theirs.host}\nnamespace: round\n`);
    ours.write('round/images/back/changelog', changelog('back', ['1']));
    ours.write('round/images/back/Dockerfile.template', 'FROM {{ "forth" | image_tag }}\n');
    ours.write('square/config.yaml', `registry: ${ours.host}\nnamespace: square\n`);
    ours.write('square/images/forth/changelog', changelog('forth', ['1']));
    ours.write('square/images/forth/Dockerfile.template', `FROM ${theirs.host}/round/back:1\n`);
    ours.write('round.yaml', 'trees:\n  - { name: round, directory: round/images, config: round/config.yaml }\n  - { name: square, directory: square/images, config: square/config.yaml }\n');
    expect(await ours.run(['-c', 'round.yaml', 'list'])).toMatchObject({ code: 3, stderr: expect.stringContaining('round/images/back: stands on itself: round/back → square/forth → round/back') });
  });

  it('DIRECTORY beside it is exit 2, and what is of that tree alone is said', async () => {
    expect(await run('list', 'images')).toMatchObject({ code: 2, stderr: 'trees.yaml names its trees: leave images out\n  try: build-images -c config.yaml images   is of one tree alone\n' });
    expect(await run('list', './their')).toMatchObject({ code: 2, stderr: 'trees.yaml names its trees: leave ./their out\n' });
    expect(await run('list', 'their/images/')).toMatchObject({ code: 2, stderr: expect.stringContaining('try: build-images -c their/config.yaml their/images/ ') });
  });
});

describe("docker-pkg's file of the user", () => {
  it.each([['XDG_CONFIG_HOME', 'xdg/docker-pkg.yaml'], ['HOME', 'xdg/.config/docker-pkg.yaml']])('is found through %s, lies below the config, and --verbose says so', async (variable, path) => {
    ours.write(path, 'flavour: theirs\nnamespace: nobody\n');
    const env = { [variable]: join(ours.directory, 'xdg') };
    const { code, stdout, stderr } = await ours.run(['list', '--verbose'], { env });
    expect([code, stdout.split('\n')[0], stderr.split('\n')[0]]).toEqual([0, expect.stringMatching(`^${ours.host}/test/base:1.0-2`), `config config.yaml; what it does not say: ${join(ours.directory, path)}`]);
    ours.write(path, '\njobs: none\n');
    expect(await ours.run(['list'], { env })).toMatchObject({ code: 3, stderr: expect.stringContaining(`${join(ours.directory, path)}:2: jobs must be a whole number of at least 1, not text`) });
  });

  it.each([['a folder', 'there/docker-pkg.yaml/x', 'there'], ['below what is no folder', 'file', 'file'], ['nowhere', 'there/x', 'nowhere']])('is none where it is %s', async (_, path, place) => {
    ours.write(path, 'jobs: none\n');
    expect(await ours.run(['list', '--verbose'], { env: { XDG_CONFIG_HOME: join(ours.directory, place) } })).toMatchObject({ code: 0, stderr: '' });
  });

  it('may have the password of a user that the config names', async () => {
    ours.write('their/half.yaml', `registry: ${theirs.host}\nnamespace: test\nusername: builder\n`);
    ours.write('xdg/docker-pkg.yaml', `password: ${PASSWORD}\n`);
    ours.write('half/web/changelog', changelog('web', ['2.0']));
    ours.write('half/web/Dockerfile.template', 'FROM scratch\n');
    const { code, stdout } = await ours.run(['plan', '-c', 'their/half.yaml', 'half'], { env: { XDG_CONFIG_HOME: join(ours.directory, 'xdg') } });
    // The registry tells nobody else that it has the version.
    expect([code, stdout]).toEqual([0, expect.stringMatching(new RegExp(`^publishing to ${theirs.host}/test as builder\n.*changed without a new changelog entry`, 's'))]);
    expect(await ours.run(['plan', '-c', 'their/half.yaml', 'half'])).toMatchObject({ code: 3, stderr: expect.stringContaining('their/half.yaml:3: username is set, but password is not') });
  }, LATER);
});
