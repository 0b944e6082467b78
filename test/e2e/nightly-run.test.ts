import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parsePrometheus } from '../support/prometheus-text.js';
import { openScenario, type Running, type Scenario } from '../support/scenario.js';
import { until } from '../support/until.js';

let scenario: Scenario;
const held = (): string => join(scenario.directory, 'held');
/** Body of a test.sh that stands still until the gate is opened. */
const gated = (): string => `touch ${held()}; until [ -e ${held()}.go ]; do sleep 0.1; done`;
const openGate = (): void => scenario.write('held.go', '');
async function startHeld(args: readonly string[]): Promise<Running> {
  const run = scenario.start(args);
  await Promise.race([until('the test stands at the gate', () => existsSync(held())), run.ended.then(({ stdout, stderr }) => Promise.reject(new Error(`ended before the gate:\n${stdout}${stderr}`)))]);
  return run;
}
/** The values of metrics without labels. */
const metrics = (): Readonly<Record<string, number>> =>
  Object.fromEntries(parsePrometheus(readFileSync(join(scenario.directory, 'm.prom'), 'utf8')).filter(({ labels }) => Object.keys(labels).length === 0).map(({ name, value }) => [name.replace('build_images_nightly_', ''), value]));

beforeEach(async () => {
  scenario = await openScenario();
}, 60_000);
afterEach(() => scenario.close(), 60_000);

describe('a night without git', () => {
  it('builds what is due, says at the end what came of it, and gives a monitor its metrics; a second one does nothing', async () => {
    scenario.define('web', { versions: ['1.0-1'] });
    const { code, stdout, stderr } = await scenario.run(['nightly', '--metrics-file', 'm.prom']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/web\s+published 1\.0-1/);
    expect(stdout).toMatch(/\nbuild-images nightly on \S+: 0 refreshed, 1 built, 0 security fixes pending over 24 h\n\nbuilt: web\n\nEverything is up to date\. {2}\d.*\. {2}Undo: build-images rollback \d{8}-\d{4}\n$/);
    expect(metrics()).toMatchObject({ last_run_exit_code: 0, images_built: 1, images_failed: 0, images_unknown: 0, oldest_pending_security_fix_age_seconds: 0 });
    expect(Math.abs(metrics()['last_run_timestamp_seconds']! - Date.now() / 1000)).toBeLessThan(60);
    expect(statSync(join(scenario.directory, 'm.prom')).mode & 0o777).toBe(0o644);
    const digest = await scenario.digest('web', 'latest');
    const second = await scenario.run(['nightly', '--quiet']);
    expect(second).toMatchObject({ code: 0, stdout: expect.stringMatching(/^build-images nightly on \S+: 0 refreshed, 0 security fixes pending over 24 h\n\nEverything is up to date\. {2}\d.*\.\n$/) });
    expect(await scenario.digest('web', 'latest')).toBe(digest);
  }, 120_000);

  it('leaves an image that failed alone until its next try, and tries it at once when its test changed', async () => {
    scenario.define('bad', { versions: ['1.0-1'], test: 'exit 3' });
    scenario.define('child', { versions: ['1.0-1'], from: 'bad' });
    scenario.define('web', { versions: ['1.0-1'] });
    const first = await scenario.run(['nightly', '--quiet', '--metrics-file', 'm.prom']);
    expect(first.code).toBe(1);
    expect(first.stdout).toMatch(/failed {2}bad {2}its test failed: exit 3 \(first night; next try \d{4}-\d\d-\d\d\)\nbuilt: web\nblocked: child\n/);
    expect(parsePrometheus(readFileSync(join(scenario.directory, 'm.prom'), 'utf8'))).toContainEqual({ name: 'build_images_nightly_image_failed_nights', labels: { image: 'test/bad' }, value: 1 });
    const second = await scenario.run(['nightly']);
    expect(second.code).toBe(1);
    expect(second.stdout).not.toMatch(/bad\s+build/);
    expect(second.stdout).toMatch(/failed {2}bad {2}its test failed: exit 3 \(first night; next try /);
    scenario.define('bad', { versions: ['1.0-1'], test: 'exit 0' });
    const third = await scenario.run(['nightly']);
    expect(third).toMatchObject({ code: 0 });
    expect(await scenario.digest('child', 'latest')).toBeDefined();
  }, 120_000);

  it('begins nothing after its deadline, and says what it left', async () => {
    scenario.define('a', { versions: ['1.0-1'] });
    const { code, stdout } = await scenario.run(['nightly', '--deadline', '+0m', '--metrics-file', 'm.prom']);
    expect(code).toBe(10);
    expect(stdout).toMatch(/not begun \(the deadline has come.*\): a\n/);
    expect(await scenario.tags('a')).toEqual([]);
    expect(metrics()).toMatchObject({ last_run_exit_code: 10, images_left: 1 });
  }, 60_000);

  it('that cannot begin says so, and its metrics have the exit code', async () => {
    scenario.define('web', { versions: ['1.0-1'] });
    scenario.write('images/web/Dockerfile.template', 'FROM {{ nothing }}\n');
    const { code } = await scenario.run(['nightly', '--metrics-file', 'm.prom']);
    expect(code).toBe(3);
    expect(metrics()).toEqual({ last_run_exit_code: 3, last_run_duration_seconds: expect.any(Number), last_run_timestamp_seconds: expect.any(Number) });
    expect(await scenario.run(['nightly', '--metrics-file', 'nowhere/m.prom'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/^--metrics-file nowhere\/m\.prom cannot be written: there is no directory nowhere\n/) });
  }, 60_000);
});

describe('a night that is asked for way', () => {
  it('ends what is under way, lets the other run work, plans again and goes on', async () => {
    scenario.define('a', { versions: ['1.0-1'], test: gated() });
    scenario.define('b', { versions: ['1.0-1'] });
    const night = await startHeld(['nightly', '--jobs', '1']);
    const asks = scenario.start(['yield']);
    await asks.waitFor(/a night is at work: run \d{8}-\d{4}, pid \d+, since .*0 of 2 images done/);
    openGate();
    expect(await asks.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/it pauses\. Begin your run: the night goes on when that has ended, or at \d\d:\d\d UTC if none has begun\n$/) });
    scenario.define('c', { versions: ['1.0-1'] });
    expect(await scenario.run(['--select', '*/c:*'])).toMatchObject({ code: 0 });
    const { code, stdout } = await night.ended;
    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/b\s+not done\s+pid \d+.* asked for way/);
    expect(stdout).toMatch(/built: a, b\n/);
    expect(stdout).toMatch(/Undo: build-images rollback \S+, then build-images rollback \S+\n$/);
  }, 120_000);
});
