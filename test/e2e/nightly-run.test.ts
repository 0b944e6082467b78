import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startAptRepository, type AptRepository } from '../support/apt-repository.js';
import { statusOf } from '../support/packages-in-memory.js';
import { parsePrometheus } from '../support/prometheus-text.js';
import { openScenario, PROGRAM, type Running, type Scenario } from '../support/scenario.js';
import { nightCommand, unitSetting } from '../support/systemd-unit.js';
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

  it('tells nobody what the config keeps to itself', async () => {
    scenario.configure('username: builder\npassword: hunter2-of-mine');
    scenario.define('web', { versions: ['1.0-1'], lines: ['RUN echo hunter2-of-mine; exit 3'] });
    for (const args of [['--quiet', '--no-publish'], ['--json', '--no-publish']]) {
      const { code, stdout, stderr } = await scenario.run(['nightly', ...args]);
      expect([code, `${stdout}${stderr}`]).toEqual([1, expect.stringContaining('RUN echo ')]);
      expect(`${stdout}${stderr}`).not.toContain('hunter2-of-mine');
    }
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

describe('what a night removes', () => {
  const runs = (): readonly string[] => readdirSync(join(scenario.directory, 'state/build-images/runs'));
  beforeEach(async () => {
    scenario.define('web', { versions: ['1.0-1', '0.9-1'] });
    expect((await scenario.run([])).code).toBe(0);
    await scenario.docker('tag', `${scenario.host}/test/web:1.0-1`, `${scenario.host}/test/web:0.9-1`);
    scenario.write('old/Dockerfile', `FROM ${scenario.base}\nRUN echo old > /old\n`);
    await scenario.docker('build', '--quiet', '--tag', `${scenario.host}/test/web:0.8-1`, join(scenario.directory, 'old'));
    for (const name of ['20200101-0000', '20200101-0000b', 'mine']) mkdirSync(join(scenario.directory, 'state/build-images/runs', name));
  }, 60_000);
  const old = async (): Promise<boolean> => (await scenario.localTags()).includes(`${scenario.host}/test/web:0.8-1`);

  it('is nothing young, and no folder of a run, unless the config says so', async () => {
    expect((await scenario.run(['nightly'])).code).toBe(0);
    expect([await old(), runs().includes('20200101-0000')]).toEqual([true, true]);
  }, 60_000);
  it('is what is not current and older than nightly_keep, and folders of runs older than keep_runs', async () => {
    scenario.configure('nightly_keep: 0h\nkeep_runs: 90d');
    const { code, stdout } = await scenario.run(['nightly']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/2 old run folders removed\.\n\nEverything is up to date\. {2}\S+ {2}\d names? pruned\./)]);
    expect([await old(), runs().filter((name) => /^2020|mine/.test(name))]).toEqual([false, ['mine']]);
    expect(await scenario.localTags()).toContain(`${scenario.host}/test/web:1.0-1`);
  }, 60_000);
});

describe('a night with archives', () => {
  let archive: AptRepository;
  beforeEach(async () => {
    archive = await startAptRepository();
    await archive.addSuite('trixie-security', []);
  });
  afterEach(() => archive.close());
  /** Its packages are those of a file, whatever the archive has: a rebuild brings none. */
  const define = (name: string, packages: readonly string[], image: { readonly from?: string; readonly test?: string; readonly uri?: string } = {}): void =>
    scenario.define(name, {
      ...image,
      lines: ['COPY status /var/lib/dpkg/status', 'COPY sources.list /etc/apt/sources.list', 'RUN cat /proc/sys/kernel/random/uuid > /id'],
      files: { status: statusOf('dpkg 1', ...packages), 'sources.list': `deb [trusted=yes] ${image.uri ?? archive.uri} trixie-security main\n` },
    });

  it('refreshes what it can read, names what it cannot, and exits 6', async () => {
    define('web', ['php 8']);
    define('lost', ['php 8'], { uri: 'http://127.0.0.1:1/debian' });
    expect((await scenario.run([])).code).toBe(0);
    await archive.release('trixie-security', [{ name: 'php', version: '9' }]);
    const { code, stdout } = await scenario.run(['nightly', '--quiet', '--metrics-file', 'm.prom']);
    expect([code, stdout]).toEqual([6, expect.stringMatching(/: 0 refreshed, 1 built, 1 unknown, .*\n\nunknown +lost {2}\S.*\nnot brought {2}web {3}php 8 → 9 \(trixie-security\)\nbuilt: web\n1 security fix pending in 1 image; .*\n\nEverything else is up to date\./)]);
    expect(metrics()).toMatchObject({ images_unknown: 1, images_outdated: 1, images_built: 1, last_run_exit_code: 6 });
  }, 120_000);

  it('leaves a failing rolling image as it is, and refreshes what stands on it for its own packages; a newer package tries it again', async () => {
    const broken = join(scenario.directory, 'broken');
    define('bad', ['php 8'], { test: `[ ! -e ${broken} ]` });
    define('child', ['php 8', 'tar 5'], { from: 'bad' });
    expect((await scenario.run([])).code).toBe(0);
    const [bad, child] = [await scenario.digest('bad', 'latest'), await scenario.digest('child', 'latest')];
    await archive.release('trixie-security', [{ name: 'php', version: '9' }, { name: 'tar', version: '6' }]);
    scenario.write('broken', '');
    const first = await scenario.run(['nightly', '--quiet']);
    expect([first.code, first.stdout]).toEqual([1, expect.stringMatching(/failed {2}bad {2}its test failed: exit 1 \(first night; next try .*\)\nblocked: child\n3 security fixes pending in 2 images/)]);
    const second = await scenario.run(['nightly', '--quiet']);
    expect([second.code, second.stdout]).toEqual([1, expect.stringMatching(/failed {7}bad {4}its test failed: exit 1 \(first night;.*\nnot brought {2}child {2}tar 5 → 6 \(trixie-security\)\nbuilt: child\n/)]);
    expect(await scenario.digest('bad', 'latest')).toBe(bad);
    expect(await scenario.digest('child', 'latest')).not.toBe(child);
    rmSync(broken);
    await archive.release('trixie-security', [{ name: 'php', version: '10' }]);
    expect(await scenario.run(['nightly', '--quiet'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/not brought {2}child {2}tar 5 → 6 \(trixie-security\)\n {13}bad {4}php 8 → 10 \(trixie-security\)\nrebuilt on them: child\nbuilt: bad\n3 security fixes pending in 2 images; /) });
  }, 180_000);
});

describe('the service', () => {
  it('does its work by its own command line, with no more of root than it keeps', async () => {
    scenario.define('web', { versions: ['1.0-1'] });
    const [program, ...args] = nightCommand();
    expect(program).toBe('/usr/local/bin/build-images');
    const kept = unitSetting('build-images-nightly.service', 'Service', 'CapabilityBoundingSet')[0]!.split(' ').map((name) => `+${name.replace(/^CAP_/, '').toLowerCase()}`);
    // Wherever it runs, it is noon: 06:00 is not near.
    const TZ = `NOON${new Date().getUTCHours() - 12}`;
    const child = spawn('setpriv', ['--no-new-privs', '--inh-caps=-all', `--bounding-set=-all,${kept.join(',')}`, process.execPath, PROGRAM, ...args], { cwd: scenario.directory, env: { ...scenario.environment, TZ }, stdio: ['ignore', 'pipe', 'inherit'] });
    const said = await child.stdout.toArray();
    expect(Buffer.concat(said as Buffer[]).toString()).toMatch(/built: web\n\nEverything is up to date\./);
    expect(await scenario.digest('web', 'latest')).toBeDefined();
  }, 60_000);
});

describe('a night that is asked for way', () => {
  /** A night at work on `a`, with `b` to come, after somebody asked for way and was killed. */
  async function askedByTheKilled(): Promise<Running> {
    scenario.define('a', { versions: ['1.0-1'], test: gated() });
    scenario.define('b', { versions: ['1.0-1'] });
    const night = await startHeld(['nightly', '--jobs', '1']);
    const killed = scenario.start(['yield']);
    await killed.waitFor(/a night is at work/);
    killed.child.kill('SIGKILL');
    await killed.ended;
    return night;
  }

  it('goes on at once when who asked is killed, and who asked ends when the night is', async () => {
    const night = await askedByTheKilled();
    const asks = scenario.start(['yield']);
    await asks.waitFor(/a night is at work/);
    expect(await scenario.run(['--no-publish', '--select', '*/b:*'])).toMatchObject({ code: 0 });
    night.child.kill('SIGKILL');
    expect(await asks.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/it has ended: nothing to wait for\n$/) });
    openGate();
    expect(await scenario.run(['nightly', '--quiet'])).toMatchObject({ code: 0, stdout: expect.stringContaining('built: a, b\n') });
    expect(await scenario.run(['yield'])).toMatchObject({ code: 0, stdout: 'no night is at work: nothing to wait for\n' });
  }, 120_000);

  it('does not pause for who is gone', async () => {
    const night = await askedByTheKilled();
    openGate();
    const { code, stdout } = await night.ended;
    expect(code).toBe(0);
    expect(stdout).not.toContain('asked for way');
  }, 60_000);

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
