import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFaultyRegistry, type FaultyRegistry } from '../support/faulty-registry.js';
import { openProxiedScenario } from '../support/proxied-scenario.js';
import { startRegistry, type RegistryFixture } from '../support/registry-fixture.js';
import { openScenario, type Scenario } from '../support/scenario.js';

const LATER = 120_000;
const REPOSITORIES = 'docker/registry/v2/repositories';

/** A registry that holds what another one held just now, below `hub/`. */
async function mirrorOf({ storage }: RegistryFixture, folder: string): Promise<RegistryFixture> {
  const copy = join(folder, 'mirror');
  cpSync(join(storage, 'docker/registry/v2/blobs'), join(copy, 'docker/registry/v2/blobs'), { recursive: true });
  mkdirSync(join(copy, REPOSITORIES, 'hub'), { recursive: true });
  cpSync(join(storage, REPOSITORIES), join(copy, REPOSITORIES, 'hub'), { recursive: true });
  return startRegistry({ storage: copy });
}

describe('a mirror of a registry', () => {
  let scenario: Scenario;
  let line: FaultyRegistry;
  let mirror: RegistryFixture;
  /** Content of an image that the registry itself was asked for. */
  const contentAsked = (name: string): readonly string[] => line.requests.filter(({ method, path }) => method === 'GET' && path.includes(`/${name}/`) && path.includes('/sha256:')).map(({ path }) => path);
  beforeAll(async () => {
    ({ scenario, line } = await openProxiedScenario());
    mirror = await mirrorOf(scenario.registry, scenario.directory);
    scenario.configure(`registry_mirrors: { "${scenario.host}": [${mirror.host}/hub] }`);
    // The outside image under the name that the config's registry has.
    scenario.define('base', { versions: ['1.0-1'], lines: [`FROM ${scenario.host}/test-base/tiny:1`, 'RUN echo base > /base'] });
    scenario.define('web', { versions: ['1.0-1'], from: 'base', lines: ['RUN cat /base > /web'] });
  }, LATER);
  afterAll(async () => {
    const byDigest = (await scenario.docker('images', '--digests', '--filter', `reference=${mirror.host}/*/*/*`, '--format', '{{.Repository}}@{{.Digest}}')).split('\n').filter((name) => name.includes('@sha256:'));
    if (byDigest.length > 0) await scenario.docker('rmi', ...byDigest);
    await scenario.close();
    await mirror.stop();
    await line.stop();
  });

  it('gives parents to the engine; what is built on them names the registry itself, and all is published there', async () => {
    const ended = await scenario.run([]);
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' });
    expect(contentAsked('test-base/tiny')).toEqual([]);
    expect(mirror.log()).toMatch(/"(?:GET|HEAD) \/v2\/hub\/test-base\/tiny\/manifests\/sha256:[0-9a-f]+ HTTP[^\n]*"docker\//);
    const parents = JSON.parse((await scenario.labels('base', '1.0-1'))['build-images.parents']!) as Record<string, string>;
    expect(Object.keys(parents)).toEqual([`${scenario.host}/test-base/tiny:1`]);
    expect(await scenario.digest('web', 'latest')).toBeDefined();
    expect(mirror.log()).not.toMatch(/"(?:PUT|POST|PATCH|DELETE) /);
  }, LATER);

  it('that lags behind changes no plan; that it has not everything is said once', async () => {
    expect((await mirror.send('GET', '/v2/hub/test/web/tags/list')).status).toBe(404);
    const plan = await scenario.run(['plan'], { env: { XDG_CACHE_HOME: join(scenario.directory, 'another-cache') } });
    expect(plan.code).toBe(0);
    expect(plan.stdout).toMatch(/2 up to date/);
    expect(plan.stderr).toMatch(/^the mirror \S+ of \S+ is passed over: \S+ refuses to show hub\/test\/\w+@sha256:[0-9a-f]+…: 404 Not Found \(BLOB_UNKNOWN: blob unknown to registry\)\n$/);
  }, LATER);

  it('that is away is one warning, and all is built all the same', async () => {
    await mirror.kill();
    scenario.define('other', { versions: ['1.0-1'], lines: [`FROM ${scenario.host}/test-base/tiny:1`, 'RUN echo other > /other'] });
    const ended = await scenario.run([]);
    expect(ended.code).toBe(0);
    expect(ended.stderr).toMatch(/^the mirror \S+ of \S+ is passed over: \S+ does not answer \(connect: refused, 1 try, 0s\)\n$/);
    expect(ended.stdout).toMatch(/1 published, 2 kept in /);
  }, LATER);
});

it('a mirror that gives an old :latest of an image of the tree does not take it back', async () => {
  const scenario = await openScenario();
  try {
    scenario.define('web', { versions: ['1.0-1'] });
    expect((await scenario.run([])).code).toBe(0);
    const stale = await mirrorOf(scenario.registry, scenario.directory);
    const line = await startFaultyRegistry(stale);
    scenario.configure(`registry_mirrors: { "${scenario.host}": [${line.host}/hub] }`);
    scenario.define('web', { versions: ['1.0-2', '1.0-1'], lines: ['RUN echo two > /two'] });
    expect((await scenario.run([])).code).toBe(0);
    const plan = await scenario.run(['plan']);
    expect(plan.stdout).toMatch(/1 up to date/);
    expect(await scenario.digest('web', 'latest')).toBe(await scenario.digest('web', '1.0-2'));
    expect(line.requests.filter(({ path }) => /manifests\/(?:latest|1\.0)/.test(path) && path.includes('/test/'))).toEqual([]);
    await line.stop();
    await stale.stop();
  } finally {
    await scenario.close();
  }
}, LATER);
