import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultyRegistry } from '../support/faulty-registry.js';
import { openProxiedScenario } from '../support/proxied-scenario.js';
import { openScenario, type Running, type Scenario } from '../support/scenario.js';
import { until } from '../support/until.js';

let scenario: Scenario;
const held = (): string => join(scenario.directory, 'held');
/** Body of a test.sh that stands still until the gate is opened. */
const gated = (): string => `touch ${held()}; until [ -e ${held()}.go ]; do sleep 0.1; done`;
const openGate = (): void => scenario.write('held.go', '');
const closeGate = (): void => [held(), `${held()}.go`].forEach((path) => rmSync(path, { force: true }));
/** Starts a run; resolves when its test stands at the gate. */
async function startHeld(args: readonly string[] = []): Promise<Running> {
  const run = scenario.start(args);
  await Promise.race([
    until('the test stands at the gate', () => existsSync(held())),
    run.ended.then(({ stdout, stderr }) => Promise.reject(new Error(`ended before the gate:\n${stdout}${stderr}`))),
  ]);
  return run;
}

describe('while one run is at work', () => {
  let holder: Running;
  beforeAll(async () => {
    scenario = await openScenario();
    scenario.define('held', { versions: ['1.0-1'], test: gated() });
    scenario.define('other', { versions: ['1.0-1'], lines: ['RUN echo other > /other'] });
    holder = await startHeld(['--jobs', '2']);
    await holder.waitFor(/other\s+published/);
  }, 120_000);
  afterAll(() => scenario.close(), 60_000);

  it('a second one is exit 75 and says who holds the lock, since when, and how far it is', async () => {
    const { code, stdout, stderr } = await scenario.run([]);
    expect({ code, stdout }).toEqual({ code: 75, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^another run is at work on ${scenario.host}/test: run \\d{8}-\\d{4}, pid ${holder.child.pid}, since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC, 1 of 2 images done\\n {2}try: `));
  }, 60_000);

  it('promote is refused the same way', async () => {
    expect(await scenario.run(['promote', 'other'])).toMatchObject({ code: 75, stderr: expect.stringMatching(/^another run is at work/) });
  }, 60_000);

  it('plan, list, render and --dry-run go on: they take no lock', async () => {
    const plan = await scenario.run(['plan']);
    expect(plan.code).toBe(0);
    expect(plan.stdout).toMatch(/other\s+–\s+1\.0-1\s+promote\s+published, but there is no :latest yet/);
    for (const args of [['list'], ['render', 'other'], ['--dry-run']]) expect(await scenario.run(args)).toMatchObject({ code: 0, stderr: '' });
  }, 60_000);

  it('a run that publishes nothing goes on beside it, and leaves the other run what it needs', async () => {
    scenario.define('local', { versions: ['1.0-1'], lines: ['RUN echo local > /local'] });
    const { code, stdout } = await scenario.run(['--no-publish', '--select', '*/local:*']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/local\s+kept here\s+as 1\.0-1 \(not publishing\)/);
    expect(await scenario.tags('local')).toEqual([]);
    expect((await scenario.localTags()).filter((tag) => tag.includes(':untested-'))).toHaveLength(1);
  }, 60_000);

  it('and once it has ended, the next one works', async () => {
    openGate();
    expect((await holder.ended).code).toBe(0);
    const { code, stdout } = await scenario.run([]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/local\s+publish\s+not in the registry yet; built here/);
    expect(stdout).toMatch(/1 published, 2 kept/);
  }, 60_000);

  it('kill -9 frees its lock at once, though its test lives on', async () => {
    closeGate();
    scenario.define('held', { versions: ['1.0-2', '1.0-1'], test: gated() });
    const killed = await startHeld();
    killed.child.kill('SIGKILL');
    await killed.ended;
    const next = scenario.start([]);
    await next.waitFor(/held\s+build/);
    openGate();
    expect((await next.ended).code).toBe(0);
  }, 60_000);
});

describe('when somebody else writes to the registry meanwhile', () => {
  let line: FaultyRegistry;
  beforeEach(async () => {
    ({ scenario, line } = await openProxiedScenario());
  }, 60_000);
  afterEach(async () => {
    await scenario.close();
    await line.stop();
  }, 60_000);

  it('a :latest that moved since the plan is left where it is, said, and exit 1; the others move', async () => {
    scenario.define('web', { versions: ['1.0-1'], test: gated() });
    scenario.define('other', { versions: ['1.0-1'], lines: ['RUN echo other > /other'] });
    const run = await startHeld(['--jobs', '2']);
    const theirs = await scenario.registry.pushImage('test/web', 'latest', { labels: { theirs: 'yes' } });
    openGate();
    const { code, stdout } = await run.ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`web\\s+FAILED\\s+:latest was moved by someone else since this run began \\(to ${theirs.slice(0, 19)}…?\\) and was left there; build-images plan says what it is`));
    expect(stdout).toMatch(/other\s+:latest\s+→ 1\.0-1/);
    expect(await scenario.digest('web', 'latest')).toBe(theirs);
    expect(await scenario.digest('web', '1.0-1')).toBeDefined();
    expect(scenario.journal().filter(({ type, image }) => image === 'test/web' && type === 'promotion-intended')).toEqual([]);
    expect(scenario.journal().at(-1)).toMatchObject({ type: 'run-finished', exit: 1 });

    const plan = await scenario.run(['plan']);
    expect(plan.stdout).toMatch(/web\s.*is none of the versions in the changelog: left; build-images promote forces it/);
    expect((await scenario.run(['promote', 'web'])).code).toBe(0);
    expect(await scenario.digest('web', 'latest')).toBe(await scenario.digest('web', '1.0-1'));
  }, 120_000);

  it('a version that they published is not overwritten; nothing stands on ours', async () => {
    scenario.define('web', { versions: ['1.0-1'], test: gated() });
    scenario.define('tool', { versions: ['1.0-1'], from: 'web' });
    const run = await startHeld();
    const theirs = await scenario.registry.pushImage('test/web', '1.0-1', { labels: { theirs: 'yes' } });
    openGate();
    const { code, stdout } = await run.ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(/web\s+FAILED\s+\S+\/test\/web:1\.0-1 was published by someone else since this run began; run again/);
    expect(stdout).toMatch(/tool\s+blocked\s+by web/);
    expect(await scenario.digest('web', '1.0-1')).toBe(theirs);
    expect(await scenario.digest('web', 'latest')).toBeUndefined();
    expect(await scenario.tags('tool')).toEqual([]);
  }, 120_000);

  it('a push that they overwrite at once is seen by its digest, and :latest does not move to theirs', async () => {
    scenario.define('web', { versions: ['1.0-1'], lines: ['RUN echo web > /web'] });
    let release!: () => void;
    const checked = new Promise<void>((resolve) => (release = resolve));
    let pushed = false;
    // The look at the digest behind the push waits until the test has overwritten what was pushed.
    const isPush = (method: string, path: string): boolean => method === 'PUT' && path.endsWith('/test/web/manifests/1.0-1');
    line.fail({ when: (method, path) => (pushed ||= isPush(method, path)) && method === 'HEAD' && path.endsWith('/test/web/manifests/1.0-1'), instead: { until: checked } });
    const run = scenario.start([]);
    await run.meets(line.saw(isPush));
    await until('the push has arrived', async () => (await scenario.tags('web')).includes('1.0-1'));
    const theirs = await scenario.registry.pushImage('test/web', '1.0-1', { labels: { theirs: 'yes' } });
    release();
    const { code, stdout } = await run.ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`web\\s+FAILED\\s+\\S+/test/web:1\\.0-1 is ${theirs.slice(0, 19)}\\S* in the registry right after sha256:\\S+ was pushed: somebody else writes to it; run again`));
    expect(await scenario.digest('web', 'latest')).toBeUndefined();
  }, 120_000);
});
