import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { changelog, openScenario, type Scenario } from '../support/scenario.js';

/** Builds an image with the docker client alone, as another tool would: no label of ours is on it. */
async function buildElsewhere(scenario: Scenario, lines: readonly string[], tags: readonly string[]): Promise<void> {
  scenario.write('elsewhere/Dockerfile', `${lines.join('\n')}\n`);
  await scenario.docker('build', '--quiet', ...tags.flatMap((tag) => ['--tag', tag]), join(scenario.directory, 'elsewhere'));
}

const ref = (scenario: Scenario, name: string, tag: string): string => `${scenario.host}/test/${name}:${tag}`;

describe('a checkout that is older than the registry', () => {
  let scenario: Scenario;
  let first: string;
  const latest = async (...names: readonly string[]): Promise<readonly (string | undefined)[]> => Promise.all(names.map((name) => scenario.digest(name, 'latest')));
  beforeAll(async () => {
    scenario = await openScenario();
    const commit = async (message: string): Promise<string> => {
      await scenario.git('add', 'images');
      await scenario.git('commit', '--quiet', '-m', message);
      return scenario.git('rev-parse', 'HEAD');
    };
    await scenario.git('init', '--quiet');
    scenario.define('roll', { lines: ['RUN echo first > /state'] });
    scenario.define('parent', { versions: ['1'], lines: ['RUN echo one > /one'] });
    scenario.define('child', { from: 'parent' });
    first = await commit('first');
    expect((await scenario.run([])).code).toBe(0);
    scenario.define('roll', { lines: ['RUN echo second > /state'] });
    scenario.define('parent', { versions: ['2', '1'], lines: ['RUN echo two > /two'] });
    await commit('second');
    expect((await scenario.run([])).code).toBe(0);
    await scenario.git('checkout', '--quiet', first);
  }, 240_000);
  afterAll(() => scenario.close());

  it('moves nothing backwards, neither versioned nor rolling nor what stands on them, and says so', async () => {
    const before = await latest('roll', 'parent', 'child');
    const ended = await scenario.run([]);
    expect(ended.stdout).toMatch(/not moving :latest of 3 images \(see below\)/);
    expect(ended.stdout).toMatch(/parent +2 +– +blocked +your checkout is older than the registry \(:latest is 2\)/);
    expect(ended.stdout).toMatch(/roll +\d{8}(-2)? +– +blocked +your checkout is older than the registry \(:latest is of commit [0-9a-f]{12}, which is not in this git tree\)/);
    expect(ended.stdout).toMatch(/child +\d{8}(-2)? +– +blocked +it would step back: parent is older here than in the registry/);
    expect(ended.stdout).toMatch(/\n3 blocked\. {3}Update your checkout; promote IMAGE, or --rebuild of a rolling image, forces it\.\n$/);
    expect(ended.code).toBe(0);
    expect(await latest('roll', 'parent', 'child')).toEqual(before);
  }, 120_000);

  it('may be forced: --rebuild for a rolling image, promote for a versioned one', async () => {
    const ended = await scenario.run(['--rebuild', '--select', '*/roll:*']);
    expect(ended.code).toBe(0);
    expect(await scenario.fileIn('roll', 'latest', '/state')).toBe('first\n');
    const promoted = await scenario.run(['promote', 'parent']);
    expect(promoted.code).toBe(0);
    expect(promoted.stdout).toMatch(/parent +:latest +→ 1 \(was 2\)/);
    expect(promoted.stdout).not.toMatch(/nothing to do/);
    expect(await scenario.digest('parent', 'latest')).toBe(await scenario.digest('parent', '1'));
    expect((await scenario.run(['promote', 'parent'])).stdout).toMatch(/Nothing to do/);
  }, 120_000);

  it('publishes a version that it alone has, but :latest stays', async () => {
    await scenario.run(['--select', '*/beside:*']).catch(() => undefined);
    scenario.define('beside', { versions: ['3', '1'] });
    expect((await scenario.run(['--select', '*/beside:*'])).code).toBe(0);
    scenario.define('beside', { versions: ['1.1', '1'] });
    const ended = await scenario.run(['--select', '*/beside:*']);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/beside +build +not in the registry yet; your checkout is older than the registry \(:latest is 3\)/);
    expect(await scenario.tags('beside')).toEqual(['1.1', '3', 'latest']);
    expect(await scenario.digest('beside', 'latest')).toBe(await scenario.digest('beside', '3'));
  }, 120_000);
});

describe('what an image stands on', () => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await openScenario();
    scenario.define('parent', { versions: ['1'], lines: ['RUN echo right > /parent'] });
    expect((await scenario.run([])).code).toBe(0);
  }, 120_000);
  afterAll(() => scenario.close());

  it('is what the registry has, whatever the engine has under its tags', async () => {
    await buildElsewhere(scenario, [`FROM ${scenario.base}`, 'RUN echo wrong > /parent && echo wrong > /outside'], [ref(scenario, 'parent', '1'), ref(scenario, 'parent', 'latest'), scenario.base]);
    scenario.define('child', { versions: ['1'], from: 'parent', lines: ['RUN cat /parent > /seen'] });
    scenario.define('on-latest', { versions: ['1'], lines: [`FROM ${scenario.host}/test/parent`, 'RUN cat /parent > /seen'] });
    scenario.define('copies', { versions: ['1'], lines: [`FROM ${scenario.base}`, 'COPY --from={{ "parent" | image_tag }} /parent /seen', 'RUN ls / > /listing'] });
    const ended = await scenario.run([]);
    expect(ended.code).toBe(0);
    for (const name of ['child', 'on-latest', 'copies']) expect(await scenario.fileIn(name, '1', '/seen')).toBe('right\n');
    expect(await scenario.fileIn('copies', '1', '/listing')).not.toContain('outside');
    const published = await scenario.digest('parent', '1');
    expect(JSON.parse((await scenario.labels('child', '1'))['build-images.parents']!)).toEqual({ [ref(scenario, 'parent', '1')]: published });
  }, 120_000);

  it('is the engine\'s own under --no-pull, and then only published when that is the registry\'s', async () => {
    scenario.define('offline', { versions: ['1'], lines: ['RUN ls / > /listing'] });
    scenario.define('on-offline', { versions: ['1'], from: 'offline' });
    const stale = await scenario.run(['--no-pull']);
    expect(stale.code).toBe(0);
    expect(stale.stdout).toMatch(new RegExp(`offline +kept here +as 1 \\(it stands on the engine's ${scenario.base}, which is not the registry's \\(--no-pull\\)\\)`));
    expect(stale.stdout).toMatch(/on-offline +kept here +as 1 \(it stands on test\/offline, which is on this engine only\)/);
    expect(stale.stdout).toMatch(/2 built and kept here, \d+ kept in \S+\. {3}run/);
    for (const name of ['offline', 'on-offline']) expect(await scenario.tags(name)).toEqual([]);

    await scenario.docker('pull', '--quiet', scenario.base);
    const fresh = await scenario.run(['--no-pull']);
    expect(fresh.code).toBe(0);
    expect(fresh.stdout).toMatch(/^\S+ offline +published +1 /m);
    expect(fresh.stdout).toMatch(/on-offline +published +1 /);
    expect(await scenario.fileIn('offline', '1', '/listing')).not.toContain('outside');
  }, 120_000);
});

describe('a rolling image', () => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await openScenario();
    scenario.define('root', { lines: ['COPY page /page'], files: { page: 'old bytes\n' } });
    scenario.define('leaf', { from: 'root', lines: ['RUN cat /page > /seen'], test: 'true' });
    scenario.define('fixed', { versions: ['1'], from: 'root', lines: ['COPY page /own'], files: { page: 'old bytes\n' } });
    expect((await scenario.run([])).code).toBe(0);
  }, 120_000);
  afterAll(() => scenario.close());

  /** Other bytes of the same size, at the same time as far as the file's date tells. */
  const swap = (path: string, text: string): void => {
    const file = join(scenario.directory, path);
    const { size, atime, mtime } = statSync(file);
    writeFileSync(file, text);
    utimesSync(file, atime, mtime);
    expect([statSync(file).size, statSync(file).mtimeMs]).toEqual([size, mtime.getTime()]);
  };

  it.each([['new bytes\n', []], ['neo bytes\n', ['--use-cache']]] as const)('holds other bytes of the same size and date, and so does its child: %j %j', async (text, args) => {
    utimesSync(join(scenario.directory, 'images/root/page'), 1_700_000_000, 1_700_000_000);
    swap('images/root/page', text);
    const before = await scenario.digest('fixed', 'latest');
    const ended = await scenario.run(args);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/root +build +its definition changed/);
    expect(ended.stdout).toMatch(/leaf +build +root is built in this run/);
    expect(await scenario.fileIn('root', 'latest', '/page')).toBe(text);
    expect(await scenario.fileIn('leaf', 'latest', '/seen')).toBe(text);
    // What is versioned stays: a moved parent is no reason.
    expect(ended.stdout).toMatch(/1 kept/);
    expect(await scenario.digest('fixed', 'latest')).toBe(before);
  }, 120_000);

  it('that failed after its parent was published is built by the next run', async () => {
    scenario.define('root', { lines: ['COPY page /page'], files: { page: 'third\n' } });
    scenario.write('images/leaf/test.sh', '#!/bin/bash\nexit 9\n', 0o755);
    const before = await scenario.digest('leaf', 'latest');
    const failed = await scenario.run([]);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toMatch(/1 published, 1 failed, 1 kept in/);
    expect(await scenario.digest('leaf', 'latest')).toBe(before);

    scenario.write('images/leaf/test.sh', '#!/bin/bash\ntrue\n', 0o755);
    const mended = await scenario.run([]);
    expect(mended.code).toBe(0);
    expect(mended.stdout).toMatch(/leaf +build +root moved \(sha256:\w+… → sha256:\w+…\)/);
    expect(await scenario.fileIn('leaf', 'latest', '/seen')).toBe('third\n');
  }, 120_000);

  it('is not built again when an equal one is there: :latest moves to it', async () => {
    scenario.define('root', { lines: ['COPY page /page'], files: { page: 'neo bytes\n' } });
    utimesSync(join(scenario.directory, 'images/root/page'), 1_700_000_000, 1_700_000_000);
    const ended = await scenario.run(['--select', '*/root:*']);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/root +:latest +→ \d{8}(-\d+)? \(was \d{8}-\d+\)/);
    expect(ended.stdout).toMatch(/1 promoted.*:latest moved for 1 image/);
    expect(await scenario.fileIn('root', 'latest', '/page')).toBe('neo bytes\n');
  }, 120_000);
});

describe('a versioned image', () => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await openScenario();
    scenario.define('web', { versions: ['1'], lines: ['COPY page /page'], files: { page: 'old bytes\n' } });
    expect((await scenario.run([])).code).toBe(0);
  }, 120_000);
  afterAll(() => scenario.close());

  it('whose definition changed without a new entry is kept and said; under --strict it is exit 3', async () => {
    const before = await scenario.digest('web', '1');
    scenario.write('images/web/page', 'new bytes\n');
    const ended = await scenario.run([]);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/web +1 +1 +keep +published, but its definition changed without a new changelog entry/);
    expect(await scenario.digest('web', 'latest')).toBe(before);
    const strict = await scenario.run(['--strict']);
    expect(strict).toMatchObject({ code: 3, stdout: '' });
    expect(strict.stderr).toMatch(/^images\/web\/changelog:1: 1 is published, and the definition changed since without a new changelog entry\n/);
  }, 60_000);

  it('with a new entry holds the new bytes', async () => {
    scenario.write('images/web/changelog', changelog('web', ['2', '1']));
    expect((await scenario.run([])).code).toBe(0);
    expect(await scenario.fileIn('web', 'latest', '/page')).toBe('new bytes\n');
    expect(await scenario.fileIn('web', '1', '/page')).toBe('old bytes\n');
  }, 120_000);
});

describe('a published version whose parent has a new one', () => {
  it('stays on the old one, which the plan says', async () => {
    const scenario = await openScenario();
    try {
      scenario.define('base', { versions: ['1'], lines: ['RUN echo 1 > /base'] });
      scenario.define('web', { versions: ['1'], from: 'base' });
      expect((await scenario.run([])).code).toBe(0);
      const [base, web] = [await scenario.digest('base', '1'), await scenario.digest('web', 'latest')];
      scenario.define('base', { versions: ['2', '1'], lines: ['RUN echo 2 > /base'] });
      const before = await scenario.run(['plan', '--all']);
      expect(before.stdout).toMatch(/web +1 +1 +keep +published; base is built in this run\n/);
      expect((await scenario.run([])).code).toBe(0);
      const after = await scenario.run([]);
      expect(after.code).toBe(0);
      expect(after.stdout).toMatch(/\nNothing to do: 2 up to date\.\n1 published version stands on what a parent was before \(plan --all says which\): a new changelog entry builds it on what it is\.\n$/);
      const short = (digest: string | undefined): string => `${digest!.slice(0, 19)}…`;
      expect((await scenario.run(['plan', '--all'])).stdout).toContain(`published; base moved (${short(base)} → ${short(await scenario.digest('base', '2'))})`);
      expect(await scenario.digest('web', 'latest')).toBe(web);
      scenario.define('web', { versions: ['2', '1'], from: 'base' });
      expect((await scenario.run([])).code).toBe(0);
      expect(await scenario.fileIn('web', 'latest', '/base')).toBe('2\n');
      expect((await scenario.run(['plan'])).stdout).toMatch(/\nNothing to do: 2 up to date\.\n$/);
    } finally {
      await scenario.close();
    }
  }, 180_000);
});

describe('a tree that another tool published, without labels', () => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await openScenario();
    const push = async (name: string, tags: readonly string[]): Promise<void> => {
      const refs = tags.map((tag) => ref(scenario, name, tag));
      await buildElsewhere(scenario, [`FROM ${scenario.base}`, `RUN echo ${name} ${tags[0]!} > /made`], refs);
      for (const one of refs) await scenario.docker('push', '--quiet', one);
      await scenario.docker('rmi', ...refs);
    };
    await push('base', ['1.0', 'latest']);
    await push('web', ['2.0', 'latest']);
    await push('odd', ['5.0']);
    await push('odd', ['latest']);
    scenario.define('base', { versions: ['1.0'] });
    scenario.define('web', { versions: ['2.0'], from: 'base' });
    scenario.define('odd', { versions: ['5.0', '4.0'] });
  }, 240_000);
  afterAll(() => scenario.close());

  it('is kept; nothing is claimed about it, and a :latest that is none of its versions is said', async () => {
    const ended = await scenario.run(['plan', '--all', '--check']);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    for (const name of ['base', 'web']) expect(ended.stdout).toMatch(new RegExp(`${name} .* keep +published, origin unknown: kept`));
    expect(ended.stdout).toMatch(/odd .* keep +:latest \(sha256:\w+…\) is none of the versions in the changelog: left; build-images promote forces it/);
    expect(ended.stdout).toMatch(/^publishing to \S+ +not moving :latest of 1 image \(see below\)/);
  }, 60_000);

  it('goes on with its first bump: the new version stands on what is published, and :latest moves', async () => {
    scenario.define('web', { versions: ['2.1', '2.0'], from: 'base', lines: ['RUN cat /made > /seen'] });
    scenario.define('odd', { versions: ['5.1', '5.0', '4.0'] });
    const odd = await scenario.digest('odd', 'latest');
    const ended = await scenario.run([]);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/web +:latest +→ 2\.1 \(was 2\.0\)/);
    expect(await scenario.digest('web', 'latest')).toBe(await scenario.digest('web', '2.1'));
    expect(await scenario.fileIn('web', 'latest', '/seen')).toBe('base 1.0\n');
    // What nobody knows is left, and said, and promote moves it.
    expect(ended.stdout).toMatch(/odd +build +not in the registry yet; :latest \(sha256:\w+…\) is none of the versions/);
    expect(await scenario.digest('odd', 'latest')).toBe(odd);
    expect(await scenario.tags('odd')).toEqual(['5.0', '5.1', 'latest']);
    expect((await scenario.run(['promote', 'odd'])).code).toBe(0);
    expect(await scenario.digest('odd', 'latest')).toBe(await scenario.digest('odd', '5.1'));
  }, 120_000);

  it('that also lacks its :latest gets one', async () => {
    await scenario.registry.pushImage('test/lone', '1');
    scenario.define('lone', { versions: ['1'] });
    const ended = await scenario.run([]);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/lone +:latest +→ 1/);
    expect(await scenario.digest('lone', 'latest')).toBe(await scenario.digest('lone', '1'));
    expect(readFileSync(join(scenario.directory, 'images/lone/changelog'), 'utf8')).toContain('(1)');
    rmSync(join(scenario.directory, 'images/lone'), { recursive: true });
  }, 60_000);
});
