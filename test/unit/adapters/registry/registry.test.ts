import { afterEach, describe, expect, it } from '@jest/globals';
import { createRegistry, type RegistryOptions } from '../../../../src/adapters/registry/registry.js';
import { digestOf } from '../../../../src/shared/digest.js';
import type { ImageRef } from '../../../../src/shared/image-ref.js';
import { startFaultyRegistry } from '../../../support/faulty-registry.js';
import { startFakeRegistry, type FakeOptions, type FakeRegistry } from '../../../support/fake-registry.js';
import { never, registryContract, testOptions } from '../../../support/registry-contract.js';

registryContract('a registry in memory', () => startFakeRegistry());
registryContract('a registry in memory that wants tokens', () => startFakeRegistry({ tokens: 'anyone' }));

describe('a registry with manners of its own', () => {
  const stops: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });
  async function fake(options: FakeOptions = {}): Promise<FakeRegistry> {
    const started = await startFakeRegistry(options);
    stops.push(() => started.stop());
    return started;
  }
  function client(more: Partial<RegistryOptions> = {}): ReturnType<typeof createRegistry> {
    const registry = createRegistry(testOptions(more));
    stops.push(() => registry.close());
    return registry;
  }
  const at = (registry: FakeRegistry, repository = 'ns/web', tag = '1'): ImageRef => ({ registry: registry.host, repository, tag });

  it('a published tag costs one request', async () => {
    const registry = await fake();
    await registry.pushImage('ns/web', '1');
    await client().digestOf(at(registry), never());
    expect(registry.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['HEAD /v2/ns/web/manifests/1']);
  });

  it('a manifest that came with its tag is not asked for again', async () => {
    const registry = await fake();
    const digest = await registry.pushImage('ns/web', '1', { labels: { title: 'web' } });
    const one = client();
    expect(await one.manifestOf(at(registry), never())).toBe(digest);
    expect(await one.configOf(at(registry), digest, never())).toMatchObject({ labels: { title: 'web' } });
    expect(registry.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /v2/ns/web/manifests/1', expect.stringMatching(/^GET \/v2\/ns\/web\/blobs\/sha256:/)]);
  });

  it('OCI and docker types, images and indexes, are all asked for', async () => {
    const registry = await fake();
    await client().digestOf(at(registry), never());
    expect(registry.requests[0]!.headers.accept!.split(', ').sort()).toEqual([
      'application/vnd.docker.distribution.manifest.list.v2+json',
      'application/vnd.docker.distribution.manifest.v2+json',
      'application/vnd.oci.image.index.v1+json',
      'application/vnd.oci.image.manifest.v1+json',
    ]);
  });

  it('a digest that the registry does not tell is computed from the bytes', async () => {
    const registry = await fake({ noDigestHeader: true });
    const digest = await registry.pushImage('ns/web', '1');
    expect(await client().digestOf(at(registry), never())).toBe(digest);
  });

  it('a tag list in pages is read to its end', async () => {
    const registry = await fake({ pageSize: 2 });
    for (const tag of ['1', '2', '3', '4', '5']) await registry.pushImage('ns/web', tag);
    expect(await client().tagsOf(at(registry), never())).toEqual(['1', '2', '3', '4', '5']);
  });

  it('blobs that are kept on another host are read there, without the login', async () => {
    const store = await fake();
    const registry = await fake({ blobsAt: store.url, tokens: { username: 'builder', password: 's3cret' } });
    const login = { username: 'builder', password: 's3cret' };
    const digest = await registry.pushImage('ns/web', '1', { labels: { is: 'there' } });
    await store.pushImage('ns/web', '1', { labels: { is: 'there' } });

    const config = await client({ credentialsFor: () => Promise.resolve(login) }).configOf(at(registry), digest, never());

    expect(config.labels).toEqual({ is: 'there' });
    const [atStore, ...more] = store.requests;
    expect(more).toEqual([]);
    expect(atStore!.path).toMatch(/signature=secret$/);
    expect(atStore!.headers.authorization).toBeUndefined();
  });

  it('a redirect to plain HTTP on another machine is refused', async () => {
    const registry = await fake({ blobsAt: 'http://blobs.example.org' });
    const digest = await registry.pushImage('ns/web', '1');
    await expect(client().configOf(at(registry), digest, never())).rejects.toThrow(/redirects to an address without TLS$/);
  });

  it('redirects in a circle end', async () => {
    const registry = await fake({ blobsAt: '' });
    const digest = await registry.pushImage('ns/web', '1');
    await expect(client().configOf(at(registry), digest, never())).rejects.toThrow(/redirects in circles$/);
  });

  it.each(['manifest', 'config'])('a %s with other bytes than its digest says is an error', async (which) => {
    const registry = await fake();
    const digest = await registry.pushImage('ns/web', '1');
    const manifest = JSON.parse((await registry.send('GET', '/v2/ns/web/manifests/1')).body.toString()) as { config: { digest: string } };
    registry.corrupt(which === 'manifest' ? digest : manifest.config.digest, '{"config":{"Labels":{"is":"forged"}}}');
    await expect(client().configOf(at(registry), digest, never())).rejects.toThrow(/what it sends as ns\/web@sha256:[0-9a-f]{12}… has another digest$/);
  });

  it('an artifact without an image config has no labels', async () => {
    const registry = await fake();
    const manifest = JSON.stringify({ schemaVersion: 1, name: 'ns/web' });
    await registry.send('PUT', '/v2/ns/web/manifests/1', manifest, { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' });
    expect((await client().configOf(at(registry), digestOf(manifest), never())).labels).toEqual({});
  });

  it('an upload that begins on another host is cancelled here, where the login is for', async () => {
    const registry = await fake({ uploadsAt: 'http://elsewhere.example.org' });
    await client().probePush(at(registry), never());
    expect(registry.requests.map(({ method }) => method)).toEqual(['POST', 'DELETE']);
  });

  it('a moved tag that the registry then answers with another digest is an error', async () => {
    const registry = await fake();
    const digest = await registry.pushImage('ns/web', '1');
    const other = await registry.pushImage('ns/web', 'latest', { labels: { is: 'other' } });
    const lying = await startFaultyRegistry(registry);
    stops.push(() => lying.stop());
    lying.fail({ when: (method) => method === 'PUT', instead: { status: 201 } });
    const ref = { registry: lying.host, repository: 'ns/web', tag: '1' };
    await expect(client().putTag(ref, digest, 'latest', never())).rejects.toThrow(`was set to ${digest.slice(0, 19)}… but is ${other.slice(0, 19)}…`);
  });

  it('tokens are asked for once per right and repository, and never with a wrong login twice', async () => {
    const login = { username: 'builder', password: 's3cret' };
    const registry = await fake({ tokens: login });
    const good = client({ credentialsFor: () => Promise.resolve(login) });
    for (const tag of ['1', '2', '3']) await good.digestOf(at(registry, 'ns/web', tag), never());
    expect(registry.requests.filter(({ path }) => path.startsWith('/token'))).toHaveLength(1);
    const bad = client({ credentialsFor: () => Promise.resolve({ username: 'builder', password: 'wr0ng' }) });
    await expect(bad.digestOf(at(registry), never())).rejects.toMatchObject({ status: 401, message: `${registry.host} refuses the login of builder (401)` });
    expect(registry.requests.filter(({ path }) => path.startsWith('/token'))).toHaveLength(2);
  });
});
