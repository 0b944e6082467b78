import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { removeImages } from '../support/engine-fixture.js';
import { startFaultyRegistry } from '../support/faulty-registry.js';
import { openScenario, type Scenario } from '../support/scenario.js';

/** Neither a temporary tag nor a container of this scenario's images is left on the engine. */
async function expectNoLeftovers(scenario: Scenario): Promise<void> {
  expect((await scenario.localTags()).filter((tag) => /:(?:untested|run)-/.test(tag))).toEqual([]);
  const used = (await scenario.docker('ps', '--all', '--format', '{{.Image}}')).split('\n');
  expect(used.filter((image) => image.startsWith(scenario.host))).toEqual([]);
}

const rewriteConfig = (scenario: Scenario, from: string | RegExp, to: string): void => {
  const path = join(scenario.directory, 'config.yaml');
  writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
};

describe('a RUN that fails in a parent', () => {
  let scenario: Scenario;
  const names = ['parent', 'child-a', 'child-b', 'sibling'] as const;
  const define = (version: string, run: string): void => {
    const versions = version === '1' ? ['1'] : [version, '1'];
    scenario.define('parent', { versions, lines: ['RUN echo fine', `RUN ${run}`] });
    for (const name of ['child-a', 'child-b']) scenario.define(name, { versions, from: 'parent' });
    scenario.define('sibling', { versions, lines: ['RUN echo sibling > /sibling'] });
  };
  const latest = async (): Promise<Readonly<Record<string, string | undefined>>> => Object.fromEntries(await Promise.all(names.map(async (name) => [name, await scenario.digest(name, 'latest')] as const)));

  beforeAll(async () => {
    scenario = await openScenario();
    define('1', 'true');
    expect(await scenario.run([])).toMatchObject({ code: 0, stderr: '' });
  }, 180_000);
  afterAll(() => scenario.close());

  it('blocks its children and nothing else: the sibling is published, their :latest stay', async () => {
    const before = await latest();
    define('2', 'echo "E: Unable to locate package nano-tiny"; exit 100');
    const ended = await scenario.run([]);

    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/^\d\d:\d\d:\d\d sibling +published +2 \(sha256:/m);
    const failed = /^\d\d:\d\d:\d\d parent +FAILED +(.*) {3}log: (\S+)$/m.exec(ended.stdout)!;
    expect(failed[1]).toMatch(/RUN echo "E: Unable to locate.*exit 100/);
    expect(readFileSync(failed[2]!, 'utf8')).toContain('E: Unable to locate package nano-tiny');
    expect(ended.stdout).toMatch(/^ +E: Unable to locate package nano-tiny$/m);
    expect(ended.stdout).toMatch(/^ +images\/parent\/Dockerfile\.template.*3/m);
    for (const child of ['child-a', 'child-b']) expect(ended.stdout).toMatch(new RegExp(`^\\S+ ${child} +blocked +by parent$`, 'm'));
    expect(ended.stdout).toMatch(/\n1 published, 1 failed, 2 blocked in \S+\. {3}:latest moved for 1 image\..*\n$/);

    const after = await latest();
    expect(after).toEqual({ ...before, sibling: await scenario.digest('sibling', '2') });
    for (const name of ['parent', 'child-a', 'child-b']) expect(await scenario.tags(name)).toEqual(['1', 'latest']);
    await expectNoLeftovers(scenario);
  }, 120_000);

  it('is tried again by the next run, and what was published meanwhile is kept', async () => {
    const ended = await scenario.run(['--json']);
    expect(ended.code).toBe(1);
    const events = ended.stdout.trim().split('\n').map((line) => JSON.parse(line) as { readonly type: string; readonly image?: string });
    expect(events.filter(({ type }) => type === 'step-started').map(({ image }) => image)).toEqual(['test/parent']);
    expect(events.filter(({ type }) => type === 'blocked').map(({ image }) => image).sort()).toEqual(['test/child-a', 'test/child-b']);
  }, 120_000);

  it('ends the run under --on-error stop: what had not begun is not begun', async () => {
    scenario.define('sibling', { versions: ['3', '2', '1'] });
    const ended = await scenario.run(['--on-error', 'stop', '--jobs', '1']);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/sibling +not done +test\/parent failed, and --on-error is stop|sibling +not done +parent failed, and --on-error is stop/);
    expect(ended.stdout).toMatch(/1 failed, 2 blocked, 1 not done in/);
    expect(await scenario.tags('sibling')).not.toContain('3');
  }, 120_000);

  it('is mended by mending it: with --jobs 1 one image after the other, the longest chain first', async () => {
    define('2', 'true');
    scenario.define('sibling', { versions: ['3', '2', '1'] });
    const ended = await scenario.run(['--jobs', '1', '--json']);
    expect(ended.code).toBe(0);
    const events = ended.stdout.trim().split('\n').map((line) => JSON.parse(line) as { readonly type: string; readonly image?: string });
    const told = events.filter(({ type }) => type === 'step-started' || type === 'published').map(({ type, image }) => `${type} ${image!}`);
    expect(told).toEqual(['parent', 'child-a', 'child-b', 'sibling'].flatMap((name) => [`step-started test/${name}`, `published test/${name}`]));
    for (const name of ['parent', 'child-a', 'child-b']) expect(await scenario.digest(name, 'latest')).toBe(await scenario.digest(name, '2'));
  }, 120_000);
});

describe('a test that fails', () => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await openScenario();
  }, 120_000);
  afterAll(() => scenario.close());

  it('keeps its image and what stands on it unpublished, again and again, until it passes', async () => {
    const define = (test: string): void => scenario.define('service', { versions: ['1'], lines: ['RUN echo up > /state'], test });
    define('echo "500 from /healthz"; exit 3');
    scenario.define('on-service', { versions: ['1'], from: 'service' });
    for (const _ of ['first', 'second']) {
      const ended = await scenario.run([]);
      expect(ended.code).toBe(1);
      expect(ended.stdout).toMatch(/service +FAILED +its test failed: exit 3 {3}log: \S+\n +500 from \/healthz\n/);
      expect(ended.stdout).toMatch(/on-service +blocked +by service/);
      expect(ended.stdout).toMatch(/\n1 failed, 1 blocked in/);
      expect([await scenario.tags('service'), await scenario.tags('on-service')]).toEqual([[], []]);
      expect((await scenario.localTags()).filter((tag) => tag.includes('/service:'))).toEqual([]);
      await expectNoLeftovers(scenario);
    }
    define('test "$(docker run --rm "$1" cat /state)" = up');
    const ended = await scenario.run([]);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/2 published/);
    expect(await scenario.tags('service')).toEqual(['1', 'latest']);
  }, 180_000);

  it('may not be executable, or hang: it is ended, and said', async () => {
    scenario.define('plain', { versions: ['1'] });
    scenario.write('images/plain/test.sh', '#!/bin/bash\ntrue\n');
    const pidFile = join(scenario.directory, 'pid');
    scenario.define('hangs', { versions: ['1'], test: `echo waiting; echo $$ > ${pidFile}; sleep 600` });
    rewriteConfig(scenario, 'test: 30', 'test: 2');
    const ended = await scenario.run([]);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/plain +FAILED +its test failed: exit 126 .*\n.*Permission denied/);
    expect(ended.stdout).toMatch(/hangs +FAILED +its test did not end within 2 s {3}log: \S+\n +waiting\n/);
    expect([await scenario.tags('plain'), await scenario.tags('hangs')]).toEqual([[], []]);
    expect(existsSync(`/proc/${readFileSync(pidFile, 'utf8').trim()}`)).toBe(false);
    for (const name of ['plain', 'hangs']) rmSync(join(scenario.directory, 'images', name), { recursive: true });
    rewriteConfig(scenario, 'test: 2', 'test: 30');
  }, 120_000);

  it('may be a verify_command that is not there: a failure, not a pass', async () => {
    scenario.define('unverified', { versions: ['1'], test: 'true' });
    scenario.define('on-unverified', { versions: ['1'], from: 'unverified' });
    scenario.configure('verify_command: /opt/checks/verify');
    const ended = await scenario.run([]);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/unverified +FAILED +its test could not be started: there is no \/opt\/checks\/verify/);
    expect(ended.stdout).toMatch(/on-unverified +blocked +by unverified/);
    expect([await scenario.tags('unverified'), await scenario.tags('on-unverified')]).toEqual([[], []]);
  }, 120_000);
});

describe('a push that is denied', () => {
  let scenario: Scenario | undefined;
  afterAll(() => scenario?.close());

  it('for want of a login, or of a right one, ends the run before any build and names where logins were looked for', async () => {
    scenario = await openScenario({ registry: { users: { builder: 'open-sesame-1' } } });
    scenario.define('web', { versions: ['1'] });
    const elsewhere = join(scenario.directory, 'no-docker');
    mkdirSync(elsewhere);
    const without = await scenario.run([], { env: { DOCKER_CONFIG: elsewhere } });
    expect(without.code).toBe(5);
    expect(without.stderr).toContain(`${scenario.host} asks for a login, and there is none for it (401). Nothing was built or changed.\n  try: check the login in ${elsewhere}/config.json: credentials were looked for there\n`);
    expect(without.stderr).toContain(`docker login ${scenario.host}`);

    const auth = Buffer.from('builder:guessed-wrong-2').toString('base64');
    writeFileSync(join(elsewhere, 'config.json'), JSON.stringify({ auths: { [scenario.host]: { auth } } }));
    const wrong = await scenario.run(['--verbose'], { env: { DOCKER_CONFIG: elsewhere } });
    expect(wrong.code).toBe(5);
    expect(wrong.stderr).toContain(`${scenario.host} refuses the login of builder (401)`);
    expect(wrong.stderr).toContain(`${elsewhere}/config.json`);
    for (const said of [wrong.stdout, wrong.stderr, scenario.kept()]) {
      expect(said).not.toContain('guessed-wrong-2');
      expect(said).not.toContain(auth);
    }
    expect(scenario.journal()).toEqual([]);
    expect(await scenario.run([])).toMatchObject({ code: 0, stderr: '' });

    // It asks for a login to read, too: with one all is found again, without one nothing is taken for unpublished.
    expect((await scenario.run([])).stdout).toMatch(/Nothing to do: 1 up to date\./);
    for (const verb of ['build', 'plan']) {
      const unread = await scenario.run([verb], { env: { DOCKER_CONFIG: join(scenario.directory, 'nowhere') } });
      expect(unread).toMatchObject({ code: 5, stdout: '', stderr: expect.stringContaining(`${scenario.host} asks for a login, and there is none for it (401)`) });
    }
  }, 120_000);

  it('by a registry that is read-only is found out before any build', async () => {
    const readOnly = await openScenario({ registry: { readOnly: true } });
    try {
      readOnly.define('web', { versions: ['1'] });
      const ended = await readOnly.run([]);
      expect(ended.code).toBe(5);
      expect(ended.stderr).toMatch(new RegExp(`^${readOnly.host} refuses a push to test/web: 405 `));
      expect(ended.stdout).not.toMatch(/nothing to do|up to date/i);
      expect(readOnly.journal().map(({ type }) => type)).not.toContain('step-started');
      expect(await readOnly.localTags()).toEqual([]);
    } finally {
      await readOnly.close();
    }
  }, 120_000);

  it('only when the image arrives fails that image: the others are published, exit 1', async () => {
    const behind = await openScenario();
    const proxy = await startFaultyRegistry(behind.registry);
    try {
      rewriteConfig(behind, `registry: ${behind.host}`, `registry: ${proxy.host}`);
      proxy.fail({
        when: (method, path) => method === 'PUT' && path.startsWith('/v2/test/denied/manifests/'),
        instead: { status: 403, headers: { 'content-type': 'application/json' }, body: '{"errors":[{"code":"DENIED","message":"quota of project test is used up"}]}' },
      });
      behind.define('denied', { versions: ['1'] });
      behind.define('on-denied', { versions: ['1'], from: 'denied' });
      behind.define('other', { versions: ['1'], lines: ['RUN echo other > /other'] });
      const ended = await behind.run([]);
      expect(ended.code).toBe(1);
      expect(ended.stdout).toMatch(/denied +FAILED .*(?:denied|quota of project test is used up)/);
      expect(ended.stdout).toMatch(/on-denied +blocked +by denied/);
      expect(ended.stdout).toMatch(/1 published, 1 failed, 1 blocked in .*:latest moved for 1 image/);
      expect(await behind.tags('denied')).toEqual([]);
      expect(await behind.tags('other')).toEqual(['1', 'latest']);
      await expectNoLeftovers(behind);
    } finally {
      await removeImages(`${proxy.host}/`);
      await proxy.stop();
      await behind.close();
    }
  }, 180_000);
});
