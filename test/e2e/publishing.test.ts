import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openScenario, type Ended, type Scenario } from '../support/scenario.js';

const LATER = 180_000;

describe('--no-publish, then publish', () => {
  let scenario: Scenario;
  const tests = (): number => readFileSync(join(scenario.directory, 'tests'), 'utf8').split('\n').length - 1;
  beforeAll(async () => {
    scenario = await openScenario();
    scenario.define('lone', { versions: ['1'], lines: ['RUN echo lone > /lone'], test: `echo lone >> ${join(scenario.directory, 'tests')}` });
    scenario.define('child', { versions: ['1'], from: 'lone', lines: ['RUN cat /lone > /seen'] });
    scenario.define('roller', { from: 'lone', lines: ['RUN cat /lone > /seen'] });
  }, LATER);
  afterAll(() => scenario.close());

  it('keeps what it built on this engine, and the registry as it was', async () => {
    const ended = await scenario.run(['--no-publish']);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/^\S+ not publishing: --no-publish\n/);
    expect(ended.stdout).toMatch(/lone +kept here +as 1 \(not publishing\)/);
    expect(ended.stdout).toMatch(/3 built and kept here in/);
    for (const name of ['lone', 'child', 'roller']) expect(await scenario.tags(name)).toEqual([]);
    const kept = (await scenario.localTags()).filter((tag) => tag.includes('/test/'));
    expect(kept.map((tag) => tag.slice(scenario.host.length).replace(/:\d{8}$/, ':DAY'))).toEqual(['/test/child:1', '/test/lone:1', '/test/roller:DAY']);
  }, LATER);

  it('does nothing the second time', async () => {
    const ended = await scenario.run(['--no-publish']);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/Nothing to do: 3 up to date\./);
    expect(tests()).toBe(1);
  }, LATER);

  it('publishes what is good without building it, tests it again, and rebuilds what stood on an image that was never pushed', async () => {
    const id = await scenario.docker('image', 'inspect', '--format', '{{.Id}}', `${scenario.host}/test/lone:1`);
    const ended = await scenario.run([]);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/lone +publish +not in the registry yet; built here from this definition and these parents/);
    expect(ended.stdout).not.toMatch(/lone +built /);
    expect(ended.stdout).toMatch(/lone +tested/);
    for (const name of ['child', 'roller']) expect(ended.stdout).toMatch(new RegExp(`${name} +built `));
    expect(ended.stdout).toMatch(/3 published in .*:latest moved for 3 images/);
    expect(tests()).toBe(2);
    expect(await scenario.docker('image', 'inspect', '--format', '{{.Id}}', `${scenario.host}/test/lone:1`)).toBe(id);
    for (const name of ['child', 'roller']) {
      const parents = JSON.parse((await scenario.labels(name, 'latest'))['build-images.parents']!) as Record<string, string>;
      expect(Object.values(parents)).toEqual([await scenario.digest('lone', '1')]);
    }
    expect((await scenario.run([])).stdout).toMatch(/Nothing to do: 3 up to date\./);
  }, LATER);

  it('builds again what is on the engine when its definition changed since', async () => {
    scenario.define('later', { versions: ['1'], lines: ['RUN echo one > /state'] });
    expect((await scenario.run(['--no-publish'])).code).toBe(0);
    scenario.define('later', { versions: ['1'], lines: ['RUN echo two > /state'] });
    const ended = await scenario.run([]);
    expect(ended.stdout).toMatch(/later +build +not in the registry yet\n/);
    expect(await scenario.fileIn('later', '1', '/state')).toBe('two\n');
  }, LATER);

  it('is said in the first line, and why', async () => {
    const config = readFileSync(join(scenario.directory, 'config.yaml'), 'utf8');
    const first = async (more: string, args: readonly string[] = []): Promise<string> => {
      writeFileSync(join(scenario.directory, 'config.yaml'), config.replace('publish: true\n', more));
      return (await scenario.run(['plan', ...args])).stdout.split('\n')[0]!;
    };
    expect(await first('')).toBe('not publishing: neither "publish: true" nor username and password in config.yaml; --publish publishes');
    expect(await first('publish: false\n')).toBe('not publishing: publish: false in config.yaml');
    expect(await first('publish: false\n', ['--publish'])).toBe(`publishing to ${scenario.host}/test`);
    expect(await first('username: builder\npassword: open-sesame\n')).toBe(`publishing to ${scenario.host}/test as builder`);
    expect(await first('username: builder\npassword: open-sesame\n', ['--no-publish'])).toBe('not publishing: --no-publish');
    writeFileSync(join(scenario.directory, 'config.yaml'), config);
  }, LATER);
});

describe('secrets', () => {
  const PASSWORD = 'Tr0ub4dor-and-3';
  const PROXY = 'proxy-pass-77';
  const TOKEN = 'ghp-remote-token-5';
  let scenario: Scenario;
  const said: string[] = [];
  const run = async (...args: readonly string[]): Promise<Ended> => {
    const ended = await scenario.run(args, { env: { DOCKER_CONFIG: join(scenario.directory, 'no-docker') } });
    said.push(ended.stdout, ended.stderr);
    return ended;
  };
  beforeAll(async () => {
    scenario = await openScenario({ registry: { users: { builder: PASSWORD } } });
    mkdirSync(join(scenario.directory, 'no-docker'));
    scenario.configure(`username: builder\npassword: ${PASSWORD}\nhttp_proxy: http://me:${PROXY}@127.0.0.1:9`);
    await scenario.git('init', '--quiet');
    await scenario.git('remote', 'add', 'origin', `https://me:${TOKEN}@git.example.org/images.git`);
    scenario.define('web', { versions: ['1'], lines: ['RUN echo "proxy is $http_proxy" && echo {{ http_proxy }} > /proxy'], test: `echo "proxy of the test: $http_proxy"; cat ${join(scenario.directory, 'config.yaml')}; exit 1` });
    await scenario.git('add', 'images');
    await scenario.git('commit', '--quiet', '-m', 'first');
  }, LATER);
  afterAll(() => scenario.close());

  it('of config, proxy and remote are nowhere to be found: not in what is printed or kept, not in the image', async () => {
    expect((await run('plan', '--verbose')).code).toBe(0);
    expect((await run('render', '--all', '--json')).code).toBe(0);
    expect((await run('--verbose')).code).toBe(1);
    scenario.write('images/web/test.sh', '#!/bin/bash\nenv\n', 0o755);
    expect((await run('--json', '--verbose')).code).toBe(0);
    expect((await run('plan', '--json', '--all')).code).toBe(0);
    expect(said.join('')).toContain('password: ***');
    expect(scenario.kept()).toContain('proxy is http://127.0.0.1:9');

    const image = `${scenario.host}/test/web:1`;
    said.push(scenario.kept(), await scenario.docker('history', '--no-trunc', image), await scenario.docker('image', 'inspect', image), await scenario.fileIn('web', '1', '/proxy'));
    const blobs = readdirSync(scenario.registry.storage, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    said.push(...blobs.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')));
    const secrets = [PASSWORD, PROXY, TOKEN, ...[PASSWORD, PROXY, TOKEN].map(encodeURIComponent), Buffer.from(`builder:${PASSWORD}`).toString('base64'), Buffer.from(PASSWORD).toString('base64')];
    for (const secret of secrets) expect(said.filter((text) => text.includes(secret))).toEqual([]);
  }, LATER);

  it('are no template variables', async () => {
    scenario.define('leaks', { versions: ['1'], lines: ['RUN echo {{ password }} {{ username }}'] });
    const ended = await run('render', '--all');
    expect(ended.code).toBe(3);
    expect(ended.stderr).toMatch(/^images\/leaks\/Dockerfile\.template:2: "password" is not defined/m);
    rmSync(join(scenario.directory, 'images/leaks'), { recursive: true });
  }, LATER);
});

describe('labels of a published image', () => {
  let scenario: Scenario;
  let first: string;
  beforeAll(async () => {
    scenario = await openScenario();
    await scenario.git('init', '--quiet');
    await scenario.git('remote', 'add', 'origin', 'https://user:token@git.example.org/images.git');
    scenario.define('base', { versions: ['1.0'], lines: ['LABEL custom=kept'], control: ['Maintainer: The Builders <builders@example.org>', 'Description: What all stand on'] });
    scenario.define('roller', { from: 'base' });
    await scenario.git('add', 'images');
    await scenario.git('commit', '--quiet', '-m', 'first');
    first = await scenario.git('rev-parse', 'HEAD');
    scenario.define('web', { versions: ['2.0', '1.9'], from: 'base', lines: ['COPY --from={{ "roller" | image_tag }} /bin/true /true'] });
    await scenario.git('add', 'images');
    await scenario.git('commit', '--quiet', '-m', 'second');
    expect((await scenario.run([])).code).toBe(0);
  }, LATER);
  afterAll(() => scenario.close());

  it('say what it is, from which commit of its own folder, and what it stands on', async () => {
    const outside = /^sha256:[0-9a-f]{64}$/;
    expect(await scenario.labels('base', '1.0')).toEqual({
      custom: 'kept',
      'build-images.definition': expect.stringMatching(outside),
      'build-images.parents': expect.stringMatching(new RegExp(`^\\{"${scenario.base}":"sha256:[0-9a-f]{64}"\\}$`)),
      'org.opencontainers.image.title': 'base',
      'org.opencontainers.image.version': '1.0',
      'org.opencontainers.image.created': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      'org.opencontainers.image.revision': first,
      'org.opencontainers.image.source': 'https://git.example.org/images.git',
      'org.opencontainers.image.description': 'What all stand on',
      'org.opencontainers.image.vendor': 'The Builders',
      'org.opencontainers.image.base.name': scenario.base,
      'org.opencontainers.image.base.digest': expect.stringMatching(outside),
    });
    const base = `${scenario.host}/test/base:1.0`;
    const web = await scenario.labels('web', 'latest');
    expect(web).toMatchObject({
      'org.opencontainers.image.title': 'web',
      'org.opencontainers.image.version': '2.0',
      'org.opencontainers.image.revision': await scenario.git('rev-parse', 'HEAD'),
      'org.opencontainers.image.base.name': base,
      'org.opencontainers.image.base.digest': await scenario.digest('base', '1.0'),
    });
    expect(JSON.parse(web['build-images.parents']!)).toEqual({ [base]: await scenario.digest('base', '1.0'), [`${scenario.host}/test/roller:latest`]: await scenario.digest('roller', 'latest') });
  }, LATER);

  it('of a rolling image name no version, nor anything else of its base', async () => {
    const labels = await scenario.labels('roller', 'latest');
    expect(labels['org.opencontainers.image.title']).toBe('roller');
    // An engine hands labels down: what is not the child's own can only be emptied.
    for (const key of ['version', 'description', 'vendor']) expect(labels[`org.opencontainers.image.${key}`] ?? '').toBe('');
    expect(labels['org.opencontainers.image.revision']).toBe(first);
  }, LATER);
});
