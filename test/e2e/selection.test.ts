import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { changelog, openScenario, type Scenario } from '../support/scenario.js';

type PlanJson = { readonly publishing: unknown; readonly steps: readonly { readonly image: string; readonly ref: string; readonly tag: string; readonly action: string; readonly reasons: readonly { readonly why: string }[] }[] };

/** What a plan does, image by image, without what it leaves alone. */
const doings = (stdout: string): string[] => (JSON.parse(stdout) as PlanJson).steps.flatMap(({ image, action, tag }) => (action === 'keep' ? [] : [`${action} ${image}:${tag}`]));

const today = (): string => new Date().toISOString().slice(0, 10).replaceAll('-', '');

describe('--select', () => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await openScenario();
    scenario.define('base', { versions: ['1.0'], lines: ['RUN echo base > /base'] });
    scenario.define('middle', { versions: ['2.0'], from: 'base' });
    scenario.define('leaf', { versions: ['3.0'], from: 'middle' });
    scenario.define('roller', { from: 'base' });
    scenario.define('beside', { versions: ['4.0'] });
  }, 120_000);
  afterAll(() => scenario.close());

  it('without a match is exit 2, names near references and says that the tag is part of the pattern', async () => {
    for (const verb of ['build', 'plan', 'list']) {
      const ended = await scenario.run([verb, '--select', 'middle']);
      expect(ended).toMatchObject({ code: 2, stdout: '' });
      expect(ended.stderr).toBe(
        `--select 'middle' matches no image (near: ${scenario.host}/test/middle:2.0)\n  try: a glob is matched against the whole registry/namespace/name:tag, the tag is part of it: --select '*middle*'\n`,
      );
    }
    expect((await scenario.run(['plan', '--select', '*/midle:*'])).stderr).toContain(`(near: ${scenario.host}/test/middle:2.0)`);
    // One glob that matches does not excuse another.
    expect((await scenario.run(['plan', '--select', '*', '--select', '*/middle'])).code).toBe(2);
  }, 60_000);

  it('brings unpublished parents along, and never children', async () => {
    const plan = await scenario.run(['plan', '--json', '--select', '*/middle:*']);
    expect(doings(plan.stdout)).toEqual(['build test/base:1.0', 'build test/middle:2.0']);
    const ended = await scenario.run(['--select', '*/middle:*']);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/base +build +not in the registry yet; middle stands on it/);
    expect(ended.stdout).toMatch(/2 published/);
    expect([await scenario.tags('leaf'), await scenario.tags('roller'), await scenario.tags('beside')]).toEqual([[], [], []]);
  }, 120_000);

  it('leaves a published parent alone that has something to do itself', async () => {
    scenario.write('images/base/changelog', changelog('base', ['1.1', '1.0']));
    expect(doings((await scenario.run(['plan', '--json', '--select', '*/middle:2.0'])).stdout)).toEqual([]);
    scenario.write('images/base/changelog', changelog('base', ['1.0']));
  }, 60_000);

  it('may repeat, and crosses slashes', async () => {
    const plan = await scenario.run(['plan', '--json', '--select', '*roller:latest', '--select', '127*:4.0']);
    expect(doings(plan.stdout).sort()).toEqual(['build test/beside:4.0', `build test/roller:${today()}`]);
  }, 60_000);

  it('with --rebuild builds a published version as :VERSION-local, which is never pushed', async () => {
    const before = await scenario.digest('middle', '2.0');
    const ended = await scenario.run(['--rebuild', '--select', '*/middle:*']);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/middle +build +a rebuild was asked for/);
    expect(ended.stdout).toMatch(/middle +kept here +as 2\.0-local/);
    expect(ended.stdout).toMatch(/1 built and kept here/);
    expect(await scenario.tags('middle')).toEqual(['2.0', 'latest']);
    expect([await scenario.digest('middle', '2.0'), await scenario.digest('middle', 'latest')]).toEqual([before, before]);
    expect(await scenario.localTags()).toContain(`${scenario.host}/test/middle:2.0-local`);
    // What is only for its maker's eyes does not make the next run do anything.
    expect(doings((await scenario.run(['plan', '--json', '--select', '*/middle:*', '--select', '*/base:*'])).stdout)).toEqual([]);
  }, 120_000);

  it('with --rebuild pushes nothing of a version that is not published either, nor of what stands on it', async () => {
    scenario.define('fresh', { versions: ['1.0'], lines: ['RUN echo fresh > /fresh'] });
    scenario.define('fresh-child', { versions: ['1.0'], from: 'fresh', lines: ['RUN cat /fresh > /seen'] });
    const tried = await scenario.run(['--rebuild', '--select', '*/fresh*']);
    expect(tried).toMatchObject({ code: 0, stderr: '' });
    expect(tried.stdout).toMatch(/fresh-child +kept here as 1\.0-local/);
    expect([await scenario.tags('fresh'), await scenario.tags('fresh-child')]).toEqual([[], []]);
    expect((await scenario.run(['--select', '*/fresh*'])).stdout).toMatch(/^2 published, /m);
  }, 90_000);
  it('with --rebuild gives a rolling image a new dated tag', async () => {
    const day = today();
    await scenario.run(['--select', '*/roller:*']);
    const ended = await scenario.run(['--rebuild', '--select', '*/roller:*']);
    expect(ended.code).toBe(0);
    if (day !== today()) return; // Midnight in between: the tags are of two days.
    expect(ended.stdout).toMatch(new RegExp(`roller +published ${day}-2 `));
    expect(await scenario.tags('roller')).toEqual([day, `${day}-2`, 'latest']);
    expect(await scenario.digest('roller', 'latest')).toBe(await scenario.digest('roller', `${day}-2`));
  }, 120_000);
});

describe('looking', () => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await openScenario();
    scenario.define('base', { versions: ['1.0'], lines: ['RUN echo base > /base'] });
    scenario.define('roller', { from: 'base', lines: ['RUN cat /base'] });
    scenario.define('web', { versions: ['2.0', '1.9'], from: 'base' });
  }, 120_000);
  afterAll(() => scenario.close());

  const unreachable = { DOCKER_HOST: 'unix:///nonexistent/docker.sock' };

  it('list and render need neither registry nor engine', async () => {
    const list = await scenario.run(['list', '--json'], { env: unreachable });
    expect(list).toMatchObject({ code: 0, stderr: '' });
    const ref = (name: string, tag: string): string => `${scenario.host}/test/${name}:${tag}`;
    expect(JSON.parse(list.stdout)).toEqual([
      { path: 'base', tree: 'images', image: 'test/base', ref: ref('base', '1.0'), kind: 'production', parents: [scenario.base] },
      { path: 'roller', tree: 'images', image: 'test/roller', ref: ref('roller', 'latest'), kind: 'production', parents: [ref('base', '1.0')] },
      { path: 'web', tree: 'images', image: 'test/web', ref: ref('web', '2.0'), kind: 'production', parents: [ref('base', '1.0')] },
    ]);
    // An address that no packet reaches: asking it would take seconds, and fail.
    scenario.write('far.yaml', 'registry: 192.0.2.1:5000\nnamespace: test\nallowed_sources: ["*"]\n');
    for (const args of [['list'], ['render', 'web'], ['render', '--all', '--json']]) {
      const ended = await scenario.run([...args, '-c', 'far.yaml'], { env: unreachable });
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      expect(ended.took).toBeLessThan(9_000);
    }
    const all = await scenario.run(['render', '--all', '--json'], { env: unreachable });
    expect(JSON.parse(all.stdout)).toEqual({
      'test/base': `FROM ${scenario.base}\nRUN echo base > /base`,
      'test/roller': `FROM ${ref('base', '1.0')}\nRUN cat /base`,
      'test/web': `FROM ${ref('base', '1.0')}`,
    });
    expect((await scenario.run(['render', 'test/web'])).stdout).toBe(`FROM ${ref('base', '1.0')}\n`);
  }, 60_000);

  it('plan and --dry-run change nothing, and say it as JSON in one shape', async () => {
    const asked = [['plan', '--json'], ['--dry-run', '--json'], ['build', 'images', '--dry-run', '--json']];
    const said = await Promise.all(asked.map((args) => scenario.run(args)));
    const day = today();
    const ref = (name: string, tag: string): string => `${scenario.host}/test/${name}:${tag}`;
    for (const { code, stdout, stderr } of said) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toEqual({
        publishing: { publish: true, to: `${scenario.host}/test` },
        steps: [
          { image: 'test/base', ref: ref('base', '1.0'), tag: '1.0', kind: 'production', action: 'build', parents: [scenario.base], reasons: [{ why: 'not-published' }] },
          { image: 'test/roller', ref: ref('roller', day), tag: day, kind: 'production', action: 'build', parents: [ref('base', '1.0')], reasons: [{ why: 'not-published' }] },
          { image: 'test/web', ref: ref('web', '2.0'), tag: '2.0', kind: 'production', action: 'build', parents: [ref('base', '1.0')], reasons: [{ why: 'not-published' }] },
        ],
      });
    }
    expect((await scenario.run(['--dry-run'])).stdout).toMatch(/^publishing to \S+\n\n {2}image +now +will be +action +why\n {2}base +– +1\.0 +build +not in the registry yet\n[^]*\n3 to build\. {3}Run build-images to do it\.\n$/);
    expect(scenario.journal()).toEqual([]);
    expect(await scenario.localTags()).toEqual([]);
    for (const name of ['base', 'roller', 'web']) expect(await scenario.tags(name)).toEqual([]);
  }, 60_000);

  it('plan --check is exit 10 while work is pending, and 0 after it is done', async () => {
    expect((await scenario.run(['plan', '--check'])).code).toBe(10);
    const built = await scenario.run(['--json']);
    expect(built).toMatchObject({ code: 0, stderr: '' });
    for (const line of built.stdout.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ at: expect.any(Number), type: expect.any(String) });
    expect((await scenario.run(['plan', '--check'])).code).toBe(0);
    // All is published: the engine is not asked.
    const without = await scenario.run(['plan', '--json'], { env: unreachable });
    expect(without).toMatchObject({ code: 0, stderr: '' });
    expect((JSON.parse(without.stdout) as PlanJson).steps.map(({ action }) => action)).toEqual(['keep', 'keep', 'keep']);
    rmSync(join(scenario.directory, 'cache'), { recursive: true });
    expect(doings((await scenario.run(['plan', '--json'])).stdout)).toEqual([]);
  }, 120_000);
});
