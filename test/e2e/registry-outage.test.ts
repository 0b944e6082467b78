import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { removeImages } from '../support/engine-fixture.js';
import { startFaultyRegistry, type Fault, type FaultyRegistry } from '../support/faulty-registry.js';
import { openProxiedScenario } from '../support/proxied-scenario.js';
import { startRegistry, type RegistryFixture } from '../support/registry-fixture.js';
import { openScenario, type Ended, type Scenario } from '../support/scenario.js';

const NOTHING = /Nothing was built or changed\./;

describe('a registry in trouble before the first build', () => {
  let scenario: Scenario;
  let tls: RegistryFixture;
  let silent: Server;
  const lines: FaultyRegistry[] = [];
  const hosts = new Set<string>();
  /** When the requests of each case came. */
  const askedAt = new Map<string, readonly number[]>();
  const outcomes = new Map<string, Promise<Ended>>();

  /** Runs the program against a host of its own; all cases at once, since they mostly wait. */
  function against(name: string, host: string, more = '', verb: readonly string[] = [], idle = 1): void {
    scenario.write(`${name}.yaml`, `registry: ${host}\nnamespace: ${name}\npublish: true\nallowed_sources: ["*"]\ntimeouts: { connect: 1, idle: ${idle} }\n${more}`);
    hosts.add(host);
    outcomes.set(name, scenario.run([...verb, '-c', `${name}.yaml`]));
  }
  const localImages = async (name: string): Promise<readonly string[]> => (await scenario.docker('images', '--format', '{{.Repository}}')).split('\n').filter((repository) => repository.endsWith(`/${name}/base`) && hosts.has(repository.split('/')[0]!));
  /** `idle`: of those that get as far as the engine, which has its own work here, more than a second. */
  async function behind(name: string, fault: Fault, idle?: number): Promise<void> {
    const line = await startFaultyRegistry(scenario.registry);
    lines.push(line);
    const asked: number[] = [];
    askedAt.set(name, asked);
    line.fail({ when: () => asked.push(Date.now()) === 0, instead: 'hang' });
    line.fail(fault);
    against(name, line.host, '', [], idle);
  }

  beforeAll(async () => {
    scenario = await openScenario();
    scenario.define('base', { versions: ['1.0-1'], lines: ['RUN echo base > /base'] });
    silent = createServer(() => undefined).listen(0, '127.0.0.1');
    const refusing = createServer().listen(0, '127.0.0.1');
    await Promise.all([silent, refusing].map((server) => new Promise((resolve) => server.once('listening', resolve))));
    const { port } = refusing.address() as AddressInfo;
    await new Promise((resolve) => refusing.close(resolve));
    tls = await startRegistry({ tls: true });
    scenario.write('ca.pem', tls.ca!);

    against('refused', `127.0.0.1:${port}`);
    against('silent', `127.0.0.1:${(silent.address() as AddressInfo).port}`);
    against('unknown-ca', tls.host);
    against('known-ca', tls.host, 'ca_bundle: ca.pem\n', ['plan'], 10);
    against('no-such-host', 'registry.invalid:5000');
    await behind('hangs', { instead: 'hang' });
    await behind('always-500', { instead: { status: 500 } });
    await behind('once-503', { times: 1, instead: { status: 503 } }, 10);
    await behind('busy', { times: 1, instead: { status: 429, headers: { 'retry-after': '2' } } }, 10);
    await behind('too-busy', { instead: { status: 429, headers: { 'retry-after': '3600' } } });
    await behind('portal', { instead: { status: 404, body: '<h1>Not Found</h1>' } });
    await behind('forbidding', { when: (_, path) => path.includes('/manifests/'), instead: { status: 403 } });
  }, 60_000);
  afterAll(async () => {
    await Promise.allSettled(outcomes.values());
    for (const host of hosts) await removeImages(`${host}/`);
    await Promise.all(lines.map((line) => line.stop()));
    silent.close();
    await tls.stop();
    await scenario.close();
  }, 60_000);

  it.each([
    ['that nobody listens for', 'refused', /^127\.0\.0\.1:\d+ does not answer \(connect: refused, 4 tries in \d+s\)/],
    ['that accepts connections and says nothing', 'silent', /^127\.0\.0\.1:\d+ does not answer \(.*timed out, 4 tries in \d+s\)/],
    ['that takes requests and never answers', 'hangs', /^127\.0\.0\.1:\d+ does not answer \(no byte for 1s, 4 tries in \d+s\)/],
    ['whose name nobody knows', 'no-such-host', /^registry\.invalid:5000 (?:cannot be used: no host has that name|does not answer \(connect: its name cannot be looked up now)/],
    ['that answers 500 always', 'always-500', /^127\.0\.0\.1:\d+ answers 500 Internal Server Error \(4 tries in \d+s\)/],
    ['that asks to wait an hour', 'too-busy', /^127\.0\.0\.1:\d+ answers 429 Too Many Requests \(1 try, \d+s, asks to wait 3600s\)/],
    ['behind something that answers 404 by itself', 'portal', /^127\.0\.0\.1:\d+: answers 404 for portal\/base:latest, but not as a registry does; so it is unknown whether it is there/],
    ['that shows nothing to us', 'forbidding', /^127\.0\.0\.1:\d+ refuses to show forbidding\/base:latest: 403 Forbidden/],
    ['whose CA is unknown', 'unknown-ca', /^127\.0\.0\.1:\d+ is not trusted: its certificate is refused: its CA is not one that this machine trusts/],
  ])('one %s is exit 5, one line and what to try; nothing is built', async (_, name, message) => {
    const { code, stdout, stderr, took } = await outcomes.get(name)!;
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.split('\n')[0]).toMatch(NOTHING);
    expect(stderr).toMatch(/^ {2}try: curl -v https?:\/\/\S+\/v2\/$/m);
    expect(took).toBeLessThan(40_000);
    expect(await localImages(name)).toEqual([]);
  }, 90_000);

  it('a CA of ca_bundle is trusted, as the hint of an unknown one says', async () => {
    expect((await outcomes.get('unknown-ca')!).stderr).toMatch(/try: ca_bundle in the config names a file of CAs/);
    const { code, stdout } = await outcomes.get('known-ca')!;
    expect(code).toBe(0);
    expect(stdout).toMatch(/base\s+–\s+1\.0-1\s+build\s+not in the registry yet/);
  }, 60_000);

  it.each([
    ['503 once', 'once-503', 450],
    ['429 with Retry-After', 'busy', 1_950],
  ])('one that answers %s is asked again, and all is published', async (_, name, least) => {
    const { code, stdout, stderr } = await outcomes.get(name)!;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/1 published in .*:latest moved for 1 image\./);
    const [first, second] = askedAt.get(name)!;
    expect(second! - first!).toBeGreaterThanOrEqual(least);
    expect(await localImages(name)).not.toEqual([]);
  }, 90_000);

  it('a run that failed before its first build leaves no journal', async () => {
    await Promise.all(outcomes.values());
    expect(scenario.journal().filter(({ type }) => type === 'run-started')).toHaveLength(2);
  }, 60_000);
});

describe('a registry that goes away in the middle', () => {
  let scenario: Scenario;
  let again: RegistryFixture | undefined;
  beforeAll(async () => {
    scenario = await openScenario();
    const gate = join(scenario.directory, 'go');
    scenario.define('base', { versions: ['1.0-1'] });
    scenario.define('web', { versions: ['1.0-1'], from: 'base', lines: ['RUN echo web > /web'], test: `until [ -e ${gate} ]; do sleep 0.1; done` });
    scenario.define('tool', { versions: ['1.0-1'], from: 'web' });
    scenario.define('zebra', { versions: ['1.0-1'], from: 'base' });
  }, 60_000);
  afterAll(async () => {
    await again?.stop();
    await scenario.close();
  }, 60_000);

  it('fails that step, starts nothing new, and is exit 5; the next run goes on from what is published', async () => {
    const run = scenario.start(['--jobs', '1']);
    await run.waitFor(/web\s+built/);
    await scenario.registry.kill();
    scenario.write('go', '');
    const { code, stdout } = await run.ended;
    expect(code).toBe(5);
    expect(stdout).toMatch(/base\s+published 1\.0-1/);
    expect(stdout).toMatch(/web\s+FAILED\s+127\.0\.0\.1:\d+ does not answer \(connect: refused, 4 tries in \d+s\)/);
    expect(stdout).toMatch(/tool\s+blocked\s+by web/);
    expect(stdout).toMatch(/zebra\s+not done\s+the registry is gone/);
    expect(stdout).not.toMatch(/zebra\s+build/);
    expect(stdout).toMatch(/base\s+note\s+:latest was not moved: the registry is gone; the next run moves it/);
    expect(stdout).toMatch(/1 published, 1 failed, 1 blocked, 1 not done in /);

    again = await startRegistry({ port: scenario.registry.port, storage: scenario.registry.storage });
    expect(await scenario.digest('base', 'latest')).toBeUndefined();
    const second = await scenario.run([]);
    expect(second.code).toBe(0);
    expect(second.stdout).not.toMatch(/base\s+build/);
    expect(second.stdout).toMatch(/3 published in .*:latest moved for 4 images\./);
  }, 120_000);
});

describe('a registry that refuses what the engine pushes', () => {
  it('is exit 5 when it has only 500 for it, and the next run tries again without a build', async () => {
    const { scenario, line } = await openProxiedScenario();
    try {
      scenario.define('base', { versions: ['1.0-1'], lines: ['RUN echo base > /base'] });
      line.fail({ when: (method, path) => method === 'PUT' && path.includes('/manifests/'), instead: { status: 500 } });
      const first = await scenario.run([], { timeout: 100_000 });
      expect(first.code).toBe(5);
      expect(first.stdout).toMatch(/base\s+FAILED\s+\S+\/test\/base:1\.0-1 could not be pushed|base\s+FAILED\s+\S+\/test\/base:1\.0-1 was refused by the registry/);
      line.mend();
      const second = await scenario.run([]);
      expect(second.code).toBe(0);
      expect(second.stdout).toMatch(/base\s+publish\s+not in the registry yet; built here from this definition/);
      expect(await scenario.digest('base', 'latest')).toBe(await scenario.digest('base', '1.0-1'));
    } finally {
      await scenario.close();
      await line.stop();
    }
  }, 120_000);
});
