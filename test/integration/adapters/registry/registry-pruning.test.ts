import { describe, expect, it } from '@jest/globals';
import type { RegistryError } from '../../../../src/shared/errors.js';
import { startFaultyRegistry } from '../../../support/faulty-registry.js';
import { never } from '../../../support/registry-contract.js';
import { startedRegistries } from '../../../support/started-registries.js';

const { stops, started, client } = startedRegistries();
const fault = async (promise: Promise<unknown>): Promise<RegistryError> => (await promise.catch((error: unknown) => error)) as RegistryError;

describe('what a manifest leads to', () => {
  it('is the config of an image, and nothing below it', async () => {
    const { host, pushImage } = await started();
    const digest = await pushImage('ns/web', '1', { labels: { a: 'b' }, created: '2026-11-20T10:00:00Z' });
    expect(await client().contentOf({ registry: host, repository: 'ns/web' }, digest, never())).toEqual({ children: [], configs: [{ labels: { a: 'b' }, created: '2026-11-20T10:00:00Z', platform: 'linux/amd64' }] });
  });
  it('is every image of an index, those of an index in it too, whatever platform', async () => {
    const { host, pushIndex, pushImage, send } = await started();
    const inner = await pushIndex('ns/web', 'inner', [{ platform: 'linux/arm64' }]);
    const plain = await pushImage('ns/web', 'plain', { platform: 'linux/s390x' });
    const entry = (digest: string) => ({ mediaType: 'application/vnd.oci.image.index.v1+json', digest, size: 2 });
    const outer = await send('PUT', '/v2/ns/web/manifests/outer', JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [entry(inner), { ...entry(plain), mediaType: 'application/vnd.oci.image.manifest.v1+json' }] }), { 'content-type': 'application/vnd.oci.image.index.v1+json' });
    const registry = client();
    const ref = { registry: host, repository: 'ns/web' };
    const leaf = (await registry.contentOf(ref, inner, never())).children;
    const { children, configs } = await registry.contentOf(ref, String(outer.headers['docker-content-digest']) as `sha256:${string}`, never());
    expect([...children].sort()).toEqual([inner, plain, ...leaf].sort());
    expect(configs.map(({ platform }) => platform).sort()).toEqual(['linux/arm64', 'linux/s390x']);
  });
  it('leaves out what an index names and the registry does not have, and is nothing when the manifest itself is gone', async () => {
    const { host, pushIndex, pushImage } = await started();
    const index = await pushIndex('ns/web', 'index', [{ platform: 'linux/arm64' }, { platform: 'linux/amd64' }]);
    const gone = await pushImage('ns/web', 'gone', { format: 'oci', platform: 'linux/arm64' });
    const registry = client();
    const ref = { registry: host, repository: 'ns/web' };
    await registry.deleteDigest(ref, gone, never());
    const content = await registry.contentOf(ref, index, never());
    expect([content.children.includes(gone), content.configs.map(({ platform }) => platform)]).toEqual([true, ['linux/amd64']]);
    expect(await registry.contentOf(ref, gone, never())).toEqual({ children: [], configs: [] });
  });
});

describe('deleting a manifest', () => {
  it('takes all of its tags with it, and no other; a second time it is absent', async () => {
    const { host, pushImage } = await started();
    const [one, other] = [await pushImage('ns/web', '1'), await pushImage('ns/web', '2', { labels: { other: 'yes' } })];
    await pushImage('ns/web', '1.0');
    const registry = client();
    const ref = { registry: host, repository: 'ns/web' };
    expect(await registry.deleteDigest(ref, one, never())).toBe('deleted');
    expect(await registry.tagsOf(ref, never())).toEqual(['2']);
    expect(await registry.digestOf({ ...ref, tag: '2' }, never())).toBe(other);
    expect(await registry.deleteDigest(ref, one, never())).toBe('absent');
  });
  it.each([
    ['switched off', { deletion: false }, 405, /deletes nothing: 405 Method Not Allowed \(UNSUPPORTED/],
    ['a registry that is read-only', { readOnly: true }, 405, /deletes nothing: 405/],
  ])('%s is a refusal to delete anything', async (_, options, status, message) => {
    const registry = await started();
    const digest = await registry.pushImage('ns/web', '1');
    const refusing = await started({ ...options, storage: registry.storage });
    const error = await fault(client().deleteDigest({ registry: refusing.host, repository: 'ns/web' }, digest, never()));
    expect([error.status, error.message, error.hints.join()]).toEqual([status, expect.stringMatching(message), expect.stringMatching(/REGISTRY_STORAGE_DELETE_ENABLED/)]);
  });
  it.each([
    ['says UNSUPPORTED with another status', { status: 400, body: '{"errors":[{"code":"UNSUPPORTED"}]}' }, 405],
    ['has no manifest, but not as a registry says it', { status: 404, body: 'nothing here' }, 404],
    ['refuses', { status: 403, body: '{"errors":[{"code":"DENIED","message":"not you"}]}' }, 403],
  ])('fails where somebody in between %s', async (_, instead, status) => {
    const behind = await started();
    const digest = await behind.pushImage('ns/web', '1');
    const line = await startFaultyRegistry(behind);
    stops.push(() => line.stop());
    line.fail({ when: (method) => method === 'DELETE', instead });
    expect((await fault(client().deleteDigest({ registry: line.host, repository: 'ns/web' }, digest, never()))).status).toBe(status);
  });
});

describe('the repositories of a registry', () => {
  it('are told page by page', async () => {
    const behind = await started();
    for (const name of ['a/one', 'b/two', 'c/three']) await behind.pushImage(name, '1');
    const line = await startFaultyRegistry(behind);
    stops.push(() => line.stop());
    line.fail({ when: (_, path) => path === '/v2/_catalog?n=1000', instead: { status: 200, headers: { link: '</v2/_catalog?n=2>; rel="next"' }, body: '{"repositories":["z/first"]}' } });
    expect(await client().repositoriesOf(line.host, never())).toEqual(['z/first', 'a/one', 'b/two', 'c/three']);
    expect(line.requests.map(({ path }) => path)).toEqual(['/v2/_catalog?n=1000', '/v2/_catalog?n=2', '/v2/_catalog?last=b%2Ftwo&n=2']);
  });
  it.each([
    [401, ''],
    [403, '{"errors":[{"code":"DENIED"}]}'],
    [404, 'no such page'],
    [405, ''],
  ])('are unknown when it answers %d', async (status, body) => {
    const line = await startFaultyRegistry(await started());
    stops.push(() => line.stop());
    line.fail({ instead: { status, body } });
    expect(await client().repositoriesOf(line.host, never())).toBeUndefined();
  });
  it('are not unknown, but a fault, when it does not answer', async () => {
    const line = await startFaultyRegistry(await started());
    stops.push(() => line.stop());
    line.fail({ instead: { status: 503 } });
    expect((await fault(client().repositoriesOf(line.host, never()))).status).toBe(503);
  });
  it('are asked for with a token of their own, and are unknown when that gives no such right', async () => {
    const { host, ca, pushImage, tokenServer } = await started({ tls: true, users: { builder: 's3cret' }, tokens: {} });
    await pushImage('ns/web', '1');
    const registry = client({ ca, credentialsFor: () => Promise.resolve({ username: 'builder', password: 's3cret' }) });
    await registry.digestOf({ registry: host, repository: 'ns/web', tag: '1' }, never());
    expect(await registry.repositoriesOf(host, never())).toBeUndefined();
    expect(tokenServer!.asked.flatMap(({ scopes }) => scopes)).toEqual(['repository:ns/web:pull', 'registry:catalog:*']);
  });
});
