import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRegistry, type RegistryOptions } from '../../../../src/adapters/registry/registry.js';
import type { ImageRef } from '../../../../src/shared/image-ref.js';
import { startFakeRegistry, type FakeRegistry } from '../../../support/fake-registry.js';
import { startFaultyRegistry, type FaultyRegistry } from '../../../support/faulty-registry.js';
import { quickClock, type QuickClock } from '../../../support/quick-clock.js';
import { never, testOptions } from '../../../support/registry-contract.js';

let registry: FakeRegistry;
let mirror: FakeRegistry;
let line: FaultyRegistry;
let clock: QuickClock;
let client: ReturnType<typeof createRegistry>;
const warnings: string[] = [];
beforeEach(async () => {
  registry = await startFakeRegistry();
  mirror = await startFakeRegistry();
  line = await startFaultyRegistry(mirror);
  clock = quickClock(0);
  warnings.length = 0;
  client = connect();
});
afterEach(async () => {
  client.close();
  await Promise.all([registry.stop(), mirror.stop(), line.stop()]);
});
function connect(more: Partial<RegistryOptions> = {}): ReturnType<typeof createRegistry> {
  return createRegistry(testOptions({ clock, mirrors: { [registry.host]: [`${line.host}/hub`] }, publishes: ({ repository }) => repository.startsWith('ours/'), warn: (message) => void warnings.push(message), ...more }));
}
const at = (repository: string, tag = '1'): ImageRef => ({ registry: registry.host, repository, tag });
/** The same image in both. */
async function push(repository: string): Promise<Awaited<ReturnType<FakeRegistry['pushImage']>>> {
  await mirror.pushImage(`hub/${repository}`, '1', { labels: { is: 'there' } });
  return registry.pushImage(repository, '1', { labels: { is: 'there' } });
}

describe('a mirror', () => {
  it('tells what the tag of an outside image is; the registry is not asked', async () => {
    const digest = await push('other/web');
    expect(await client.digestOf(at('other/web'), never())).toBe(digest);
    expect([registry.requests.length, line.requests.map(({ path }) => path)]).toEqual([0, ['/v2/hub/other/web/manifests/1']]);
  });

  it('is not asked what a tag of the tree is, nor which tags there are', async () => {
    await mirror.pushImage('hub/ours/web', '1', { labels: { is: 'stale' } });
    expect(await client.digestOf(at('ours/web'), never())).toBeUndefined();
    expect(await client.tagsOf(at('ours/web'), never())).toEqual([]);
    expect(line.requests).toEqual([]);
  });

  it('gives manifests and configs by their digest, of the tree and others', async () => {
    for (const name of ['ours/web', 'other/web']) expect((await client.configOf(at(name), await push(name), never())).labels).toEqual({ is: 'there' });
    expect([registry.requests.length, line.requests.length]).toEqual([0, 4]);
  });

  it('that sends other bytes is passed over', async () => {
    const digest = await push('ours/web');
    mirror.corrupt(digest, '{"config":{}}');
    expect((await client.configOf(at('ours/web'), digest, never())).labels).toEqual({ is: 'there' });
    expect(warnings).toEqual([expect.stringMatching(/^the mirror \S+ of \S+ is passed over: .* has another digest$/)]);
  });

  it('is never written to', async () => {
    const digest = await push('ours/web');
    await client.probePush(at('ours/web'), never());
    await client.putTag(at('ours/web'), digest, 'latest', never());
    expect(line.requests).toEqual([]);
  });

  it.each<[string, (name: string) => void | Promise<void>, RegExp]>([
    ['does not have it', () => undefined, /passed over: it does not have other\/web$/],
    ['is in trouble', () => line.fail({ instead: { status: 503 } }), /passed over: \S+ answers 503 Service Unavailable \(1 try, 0s\)$/],
    ['asks to wait', () => line.fail({ instead: { status: 429, headers: { 'retry-after': '5' } } }), /passed over: \S+ answers 429 /],
    ['answers 404 by itself', () => line.fail({ instead: { status: 404, body: '<html>' } }), /passed over: .* not as a registry does/],
    ['wants a login', () => line.fail({ instead: { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } } }), /passed over: \S+ asks for a login, and there is none for it/],
    ['is away', () => line.stop(), /passed over: \S+ does not answer \(connect: refused, 1 try/],
  ])('that %s is asked once, said once, and the registry tells', async (_, prepare, warning) => {
    const digest = await registry.pushImage('other/web', '1');
    await prepare('other/web');
    for (let times = 0; times < 3; times++) expect(await client.digestOf(at('other/web'), never())).toBe(digest);
    expect((await client.configOf(at('other/web'), digest, never())).labels).toEqual({});
    expect(warnings).toEqual([expect.stringMatching(warning)]);
    expect(clock.waits).toEqual([]);
  });

  it('is asked behind another that cannot tell', async () => {
    const digest = await push('other/web');
    client.close();
    client = connect({ mirrors: { [registry.host]: ['127.0.0.1:1', `${line.host}/hub`] } });
    expect(await client.digestOf(at('other/web'), never())).toBe(digest);
    expect(registry.requests).toEqual([]);
    expect(warnings).toHaveLength(1);
  });

  it('of another registry is not asked', async () => {
    client.close();
    client = connect({ mirrors: { 'docker.io': [line.host] } });
    await client.digestOf(at('other/web'), never());
    expect(line.requests).toEqual([]);
  });

  it('a question that is stopped is not asked again elsewhere', async () => {
    line.fail({ instead: 'hang' });
    const stop = new AbortController();
    const asked = client.digestOf(at('other/web'), stop.signal);
    await line.saw(() => true);
    stop.abort(new Error('interrupted'));
    await expect(asked).rejects.toThrow('interrupted');
    expect([registry.requests, warnings]).toEqual([[], []]);
  });
});

describe('the names to pull by', () => {
  it('are the mirror\'s, if it has that digest, and the registry\'s', async () => {
    const digest = await push('ours/web');
    expect(await client.namesOf(at('ours/web'), digest, never())).toEqual([`${line.host}/hub/ours/web@${digest}`, `${registry.host}/ours/web@${digest}`]);
  });
  it('without a mirror that has it are the registry\'s alone', async () => {
    const digest = await registry.pushImage('ours/web', '1');
    expect(await client.namesOf(at('ours/web'), digest, never())).toEqual([`${registry.host}/ours/web@${digest}`]);
  });
  it('of Docker Hub are spelled out at the mirror', async () => {
    const digest = await mirror.pushImage('hub/library/debian', '12');
    client.close();
    client = connect({ mirrors: { 'docker.io': [`${line.host}/hub`] } });
    expect(await client.namesOf({ registry: '', repository: 'debian', tag: '12' }, digest, never())).toEqual([`${line.host}/hub/library/debian@${digest}`, `debian@${digest}`]);
  });
});
