import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultyRegistry } from '../support/faulty-registry.js';
import { openProxiedScenario } from '../support/proxied-scenario.js';
import type { Running, Scenario } from '../support/scenario.js';
import { until } from '../support/until.js';

/** Whether a process with this command line is at work, in whatever container. */
const isAtWork = (command: string): boolean => execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' }).split('\n').some((line) => line.trim() === command);
const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
const temporaryTags = async (scenario: Scenario): Promise<readonly string[]> => (await scenario.localTags()).filter((tag) => /:(?:untested|run)-/.test(tag));
const typesOf = (scenario: Scenario, run: number): readonly unknown[] => runsOf(scenario)[run]!.map(({ type }) => type);
const last = (scenario: Scenario): Readonly<Record<string, unknown>> => scenario.journal().at(-1)!;

/** The journals' events, run by run. */
function runsOf(scenario: Scenario): Readonly<Record<string, unknown>>[][] {
  const runs: Readonly<Record<string, unknown>>[][] = [];
  for (const event of scenario.journal()) {
    if (event['type'] === 'run-started') runs.push([]);
    runs.at(-1)!.push(event);
  }
  return runs;
}

async function killed(run: Running, signal: NodeJS.Signals): Promise<void> {
  run.child.kill(signal);
  await run.ended;
}

describe('a run that is killed with -9', () => {
  let scenario: Scenario;
  let line: FaultyRegistry;
  beforeAll(async () => {
    ({ scenario, line } = await openProxiedScenario());
  }, 60_000);
  afterAll(async () => {
    await scenario.close();
    await line.stop();
  }, 60_000);

  it('in the middle of a build leaves no lock, and what it left on the engine is removed by the next run, which completes the work', async () => {
    scenario.define('base', { versions: ['1.0-1'], lines: ['RUN echo base > /base'] });
    const nap = `sleep 6.0${process.pid}`;
    scenario.define('slow', { versions: ['1.0-1'], from: 'base', lines: [`RUN ${nap}`] });
    const run = scenario.start([]);
    await run.waitFor(/slow\s+build/);
    await run.meets(until('sleep runs', () => isAtWork(nap)));
    await killed(run, 'SIGKILL');
    expect(await temporaryTags(scenario)).toHaveLength(2);
    expect(last(scenario)).toMatchObject({ type: 'step-started', image: 'test/slow' });

    const again = await scenario.run([]);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).not.toMatch(/base\s+build/);
    expect(again.stdout).toMatch(/slow\s+build\s+not in the registry yet/);
    expect(again.stdout).toMatch(/1 published.*:latest moved for 2 images\./);
    expect(await temporaryTags(scenario)).toEqual([]);
    for (const name of ['base', 'slow']) expect(await scenario.digest(name, 'latest')).toBe(await scenario.digest(name, '1.0-1'));
  }, 180_000);

  it('between a build and its push publishes nothing; the next run builds again', async () => {
    const gate = join(scenario.directory, 'go');
    scenario.define('tested', { versions: ['1.0-1'], lines: ['RUN echo tested > /tested'], test: `touch ${gate}.began; until [ -e ${gate} ]; do sleep 0.1; done` });
    const run = scenario.start([]);
    await run.waitFor(/tested\s+built/);
    await run.meets(until('the test runs', () => existsSync(`${gate}.began`)));
    await killed(run, 'SIGKILL');
    expect(await scenario.tags('tested')).toEqual([]);
    scenario.write('go', '');

    const again = await scenario.run([]);
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/tested\s+build\s+not in the registry yet\n/);
    expect(await scenario.tags('tested')).toEqual(['1.0-1', 'latest']);
    expect(await temporaryTags(scenario)).toEqual([]);
  }, 180_000);

  it('in the middle of a push publishes nothing; the next run publishes what the engine has, after another test', async () => {
    scenario.define('pushed', { versions: ['1.0-1'], lines: ['RUN echo pushed > /pushed'], test: 'true' });
    const isPush = (method: string, path: string): boolean => method === 'PUT' && path.endsWith('/test/pushed/manifests/1.0-1');
    line.fail({ when: isPush, times: 1, instead: 'hang' });
    const run = scenario.start([]);
    await run.meets(line.saw(isPush));
    await killed(run, 'SIGKILL');
    expect(await scenario.tags('pushed')).toEqual([]);

    const again = await scenario.run([]);
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/pushed\s+publish\s+not in the registry yet; built here from this definition and these parents/);
    expect(again.stdout).toMatch(/pushed\s+tested/);
    expect(runsOf(scenario).at(-1)!.map(({ type }) => type)).toEqual(['run-started', 'step-started', 'tested', 'published', 'promotion-intended', 'promoted', 'run-finished']);
    expect(await scenario.tags('pushed')).toEqual(['1.0-1', 'latest']);
  }, 180_000);

  it('between push and promotion leaves :latest where it was; the next run moves it and builds nothing', async () => {
    scenario.define('moved', { versions: ['1.0-1'], lines: ['RUN echo 1 > /version'] });
    expect((await scenario.run([])).code).toBe(0);
    const before = await scenario.digest('moved', 'latest');
    scenario.define('moved', { versions: ['1.0-2', '1.0-1'], lines: ['RUN echo 2 > /version'] });
    const isPromotion = (method: string, path: string): boolean => method === 'PUT' && path.endsWith('/test/moved/manifests/latest');
    line.fail({ when: isPromotion, times: 1, instead: 'hang' });
    const seen = line.requests.length;
    const run = scenario.start([]);
    await run.meets(until(':latest is about to move', () => line.requests.slice(seen).some(({ method, path }) => isPromotion(method, path))));
    await killed(run, 'SIGKILL');
    expect(await scenario.digest('moved', 'latest')).toBe(before);
    expect(await scenario.digest('moved', '1.0-2')).toBeDefined();
    expect(last(scenario)).toMatchObject({ type: 'promotion-intended', image: 'test/moved', tag: '1.0-2', from: before });

    const plan = JSON.parse((await scenario.run(['plan', '--json'])).stdout) as { steps: { image: string; action: string; reasons: { why: string }[] }[] };
    expect(plan.steps.find(({ image }) => image === 'test/moved')).toMatchObject({ action: 'promote', reasons: [{ why: 'promotion-pending', from: '1.0-1' }] });
    const again = await scenario.run([]);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).toMatch(/moved\s+:latest\s+→ 1\.0-2 \(was 1\.0-1\)/);
    expect(typesOf(scenario, runsOf(scenario).length - 1)).toEqual(['run-started', 'promotion-intended', 'promoted', 'run-finished']);
    expect(await scenario.digest('moved', 'latest')).toBe(await scenario.digest('moved', '1.0-2'));
  }, 180_000);
});

describe('a run that is asked to end', () => {
  let scenario: Scenario;
  let line: FaultyRegistry;
  beforeAll(async () => {
    ({ scenario, line } = await openProxiedScenario());
    scenario.define('base', { versions: ['1.0-1'] });
  }, 60_000);
  afterAll(async () => {
    await scenario.close();
    await line.stop();
  }, 60_000);

  /** Nothing of the run is left: on the engine, on the way to the registry, or held. */
  async function expectCleanEnd(name: string, run: Running, since: number, exit: number, words: string): Promise<string> {
    const { code, stdout, stderr } = await run.ended;
    expect({ code, stderr }).toEqual({ code: exit, stderr: `${words}: stopping what is under way; once more ends it at once\n${words}: what was published stays; run again to go on\n` });
    expect(Date.now() - since).toBeLessThan(5_000);
    expect(stdout).toMatch(new RegExp(`${name}\\s+not done\\s+interrupted`));
    expect(await temporaryTags(scenario)).toEqual([]);
    expect(await scenario.tags(name)).toEqual([]);
    expect(runsOf(scenario).at(-1)).toContainEqual(expect.objectContaining({ type: 'not-started', image: `test/${name}`, because: 'interrupted' }));
    expect(last(scenario)).toMatchObject({ type: 'run-finished', exit });
    return stdout;
  }
  /** One slow image alone, and the shared parent. */
  const select = (name: string): readonly string[] => ['--select', `*/${name}:*`];

  it.each([
    ['SIGINT', 130, 'interrupted'],
    ['SIGTERM', 143, 'terminated'],
    ['SIGHUP', 129, 'hung up'],
  ] as const)('by %s in the middle of a build stops the build on the engine too, and exits %i', async (signal, exit, words) => {
    const name = signal.toLowerCase();
    scenario.define(name, { versions: ['1.0-1'], from: 'base', lines: [`RUN sleep 600.${exit}${process.pid}`] });
    scenario.define(`${name}-child`, { versions: ['1.0-1'], from: name });
    const run = scenario.start([...select(name), ...select(`${name}-child`)]);
    await run.waitFor(new RegExp(`${name}\\s+build`));
    await run.meets(until('sleep runs', () => isAtWork(`sleep 600.${exit}${process.pid}`)));
    const since = Date.now();
    run.child.kill(signal);
    const stdout = await expectCleanEnd(name, run, since, exit, words);
    expect(stdout).toMatch(new RegExp(`${name}-child\\s+not done\\s+interrupted`));
    expect(stdout).toMatch(/\b2 not done\b/);
    await until('the build has ended on the engine', () => !isAtWork(`sleep 600.${exit}${process.pid}`), 10);
  }, 120_000);

  it('during a test that hangs ends the test with all it started', async () => {
    const pids = join(scenario.directory, 'pids');
    scenario.define('hangs', { versions: ['1.0-1'], test: `sleep 601 & echo $$ $! > ${pids}.new; mv ${pids}.new ${pids}; wait` });
    const run = scenario.start(select('hangs'));
    await run.meets(until('the test runs', () => existsSync(pids)));
    const since = Date.now();
    run.child.kill('SIGINT');
    const stdout = await expectCleanEnd('hangs', run, since, 130, 'interrupted');
    expect(stdout).toMatch(/hangs\s+built/);
    for (const pid of readFileSync(pids, 'utf8').trim().split(' ')) await until('the test has ended', () => !isAlive(Number(pid)), 5);
  }, 120_000);

  it('during a push publishes nothing', async () => {
    scenario.define('push', { versions: ['1.0-1'], lines: ['RUN echo push > /push'] });
    const isPush = (method: string, path: string): boolean => method === 'PUT' && path.endsWith('/test/push/manifests/1.0-1');
    line.fail({ when: isPush, times: 1, instead: 'hang' });
    const run = scenario.start(select('push'));
    await run.meets(line.saw(isPush));
    const since = Date.now();
    run.child.kill('SIGINT');
    await expectCleanEnd('push', run, since, 130, 'interrupted');
  }, 120_000);

  it('between push and promotion says that :latest was not moved', async () => {
    const gate = join(scenario.directory, 'never');
    scenario.define('ready', { versions: ['1.0-1'], lines: ['RUN echo ready > /ready'] });
    scenario.define('waits', { versions: ['1.0-1'], test: `touch ${gate}; sleep 602` });
    const run = scenario.start([...select('ready'), ...select('waits')]);
    await run.waitFor(/ready\s+published/);
    await run.meets(until('the test runs', () => existsSync(gate)));
    const since = Date.now();
    run.child.kill('SIGINT');
    const stdout = await expectCleanEnd('waits', run, since, 130, 'interrupted');
    expect(stdout).toMatch(/ready\s+note\s+:latest was not moved: interrupted; the next run moves it/);
    expect(await scenario.tags('ready')).toEqual(['1.0-1']);
  }, 120_000);

  it('while :latest moves waits for that, but not for ever; the next run looks again', async () => {
    scenario.define('moves', { versions: ['1.0-1'], lines: ['RUN echo moves > /moves'] });
    const isPromotion = (method: string, path: string): boolean => method === 'PUT' && path.endsWith('/test/moves/manifests/latest');
    // All of them: one whose connection broke is asked again, and rightly so.
    line.fail({ when: isPromotion, instead: 'hang' });
    const run = scenario.start(select('moves'));
    await run.meets(line.saw(isPromotion));
    const since = Date.now();
    run.child.kill('SIGINT');
    expect((await run.ended).code).toBe(130);
    expect(Date.now() - since).toBeLessThan(6_000);
    expect(await scenario.tags('moves')).toEqual(['1.0-1']);
    line.mend();
    expect(await scenario.run(select('moves'))).toMatchObject({ code: 0, stdout: expect.stringMatching(/moves\s+:latest\s+→ 1\.0-1/) });
  }, 120_000);

  it('while the registry is asked ends at once', async () => {
    line.fail({ instead: 'hang' });
    const run = scenario.start(['plan']);
    await run.meets(until('the registry was asked', () => line.requests.at(-1)?.faulty === true));
    const since = Date.now();
    run.child.kill('SIGINT');
    expect((await run.ended).code).toBe(130);
    expect(Date.now() - since).toBeLessThan(2_000);
    line.mend();
  }, 60_000);

  it('twice ends at once, with what its test had started', async () => {
    const told = join(scenario.directory, 'told');
    scenario.define('stubborn', { versions: ['1.0-1'], test: `trap 'touch ${told}' TERM; echo $$ > ${told}.pid; while :; do sleep 0.1; done` });
    const run = scenario.start(select('stubborn'));
    await run.meets(until('the test runs', () => existsSync(`${told}.pid`)));
    run.child.kill('SIGTERM');
    await until('the test was asked to end', () => existsSync(told));
    run.child.kill('SIGTERM');
    const { code, stderr } = await run.ended;
    expect({ code, stderr }).toEqual({ code: 143, stderr: 'terminated: stopping what is under way; once more ends it at once\n' });
    expect(last(scenario)).toMatchObject({ type: 'built', image: 'test/stubborn' });
    await until('the test has ended', () => !isAlive(Number(readFileSync(`${told}.pid`, 'utf8'))), 5);
    expect(await temporaryTags(scenario)).not.toEqual([]);
    expect((await scenario.run(select('push'))).code).toBe(0);
    expect(await temporaryTags(scenario)).toEqual([]);
  }, 120_000);
});
