import { gzipSync } from 'node:zlib';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createLayerSource } from '../../../../src/adapters/package-files/layer-source.js';
import { createPackageCache } from '../../../../src/adapters/package-files/package-cache.js';
import { createRegistry, type RegistryOptions } from '../../../../src/adapters/registry/registry.js';
import { ACCEPTED_MANIFESTS } from '../../../../src/adapters/registry/registry-manifest.js';
import type { PackageFiles } from '../../../../src/packages/package-files.js';
import { digestOf, type Digest } from '../../../../src/shared/digest.js';
import { RegistryError } from '../../../../src/shared/errors.js';
import { UnreadableImage } from '../../../../src/state/package-reader.js';
import { createPackageReader } from '../../../../src/state/read-package-files.js';
import { startFaultyRegistry, type FaultyRegistry } from '../../../support/faulty-registry.js';
import { layerTar, type LayerTree } from '../../../support/layer-tar.js';
import { never, testOptions } from '../../../support/registry-contract.js';
import { startRegistry, type RegistryFixture } from '../../../support/registry-fixture.js';
import type { TinyLayer } from '../../../support/tiny-image.js';

jest.setTimeout(60_000);

let registry: RegistryFixture;
let folder: string;

beforeAll(async () => void (registry = await startRegistry()));
afterAll(() => registry.stop());
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'package-files-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const zstd = (bytes: Uint8Array): Uint8Array => execFileSync('zstd', ['-q', '-c'], { input: bytes });

const PACKINGS = { gzip: gzipSync, zstd, none: (bytes: Uint8Array) => bytes };

async function layer(tree: LayerTree, packing: keyof typeof PACKINGS = 'gzip'): Promise<TinyLayer> {
  const tar = await layerTar(tree);
  return { tar, bytes: PACKINGS[packing](tar) };
}

/** A reader as a new run has it; its cache is what earlier ones of this test left. */
async function read(repository: string, digest: Digest, host = registry.host, more: Partial<RegistryOptions> = {}, signal = never()): Promise<PackageFiles> {
  const client = createRegistry(testOptions(more));
  try {
    return await createPackageReader(createLayerSource(client), createPackageCache(folder, Date.now)).filesOf({ registry: host, repository }, digest, signal);
  } finally {
    client.close();
  }
}

const texts = (files: PackageFiles): Record<string, string> => Object.fromEntries([...files].map(([path, bytes]) => [path, Buffer.from(bytes).toString()]));

describe('package files of an image in a registry', () => {
  it.each(['gzip', 'zstd', 'none'] as const)('layers packed by %s', async (packing) => {
    const layers = [await layer({ 'var/lib/dpkg/status': 'Package: a\n', 'etc/apt/sources.list': 'deb a' }, packing), await layer({ 'etc/apt/.wh.sources.list': '' }, packing)];
    const digest = await registry.pushImage('packing', packing, { layers });
    expect(texts(await read('packing', digest))).toEqual({ '/var/lib/dpkg/status': 'Package: a\n' });
  });
  it.each([0, 1024])('a layer without entries, as a build that changes nothing makes: %i zeros', async (zeros) => {
    const empty = Buffer.alloc(zeros);
    const digest = await registry.pushImage('empty', String(zeros), { layers: [await layer({ 'etc/os-release': 'ID=a' }), { tar: empty, bytes: gzipSync(empty) }] });
    expect(texts(await read('empty', digest))).toEqual({ '/etc/os-release': 'ID=a' });
  });
  it.each(['oci', 'docker'] as const)('of an index (%s), those of the wanted platform', async (format) => {
    const images = [{ platform: 'linux/arm64', layers: [await layer({ 'etc/os-release': 'ID=arm' })] }, { platform: 'linux/amd64', layers: [await layer({ 'etc/os-release': 'ID=amd' })] }];
    expect(texts(await read('index', await registry.pushIndex('index', format, images, format)))).toEqual({ '/etc/os-release': 'ID=amd' });
  });
});

describe('a layer that cannot be had', () => {
  const good = layer({ 'etc/os-release': 'ID=good' });
  /** The blob of a layer, as a registry that deletes or changes it has it on its disk. */
  const blobOf = ({ bytes }: TinyLayer): string => {
    const hex = digestOf(bytes).slice('sha256:'.length);
    return join(registry.storage, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
  };
  const unreadable = async (repository: string, digest: Digest, message: RegExp): Promise<void> => {
    const reading = read(repository, digest);
    await expect(reading).rejects.toThrow(UnreadableImage);
    await expect(reading).rejects.toThrow(message);
  };

  it('that was changed in the registry: its image is unreadable, and nothing of it is kept', async () => {
    const changed = await layer({ 'etc/os-release': 'ID=right' }, 'none');
    const digest = await registry.pushImage('changed', '1', { layers: [await good, changed] });
    writeFileSync(blobOf(changed), Buffer.from(changed.bytes).fill(Buffer.from('ID=wrong'), Buffer.from(changed.bytes).indexOf('ID=right')));
    await unreadable('changed', digest, /sends as changed@sha256:\w+… has another digest$/);
    writeFileSync(blobOf(changed), changed.bytes);
    expect(texts(await read('changed', digest))).toEqual({ '/etc/os-release': 'ID=right' });
  });
  it('of which bytes follow behind its end', async () => {
    const padded = await layer({ 'etc/os-release': 'ID=padded' });
    const digest = await registry.pushImage('padded', '1', { layers: [padded] });
    writeFileSync(blobOf(padded), Buffer.concat([padded.bytes, Buffer.from('and more')]));
    await unreadable('padded', digest, /has another digest$/);
  });
  it('that unpacks to something else than the image says', async () => {
    const { bytes } = await layer({ 'etc/os-release': 'ID=other' });
    const digest = await registry.pushImage('lying', '1', { layers: [{ bytes, tar: (await good).tar }] });
    await unreadable('lying', digest, /it unpacks to something else than the image says$/);
  });
  it('that is no layer, however long', async () => {
    const noise = randomBytes(300_000);
    const digest = await registry.pushImage('noise', '1', { layers: [{ bytes: noise, tar: noise }] });
    await unreadable('noise', digest, /it is no good tar: /);
  });
  it('that is gone, while others are there', async () => {
    const gone = await layer({ 'etc/os-release': 'ID=gone' });
    const digest = await registry.pushImage('gone', '1', { layers: [await good, gone] });
    rmSync(blobOf(gone));
    await unreadable('gone', digest, /does not have the layer gone@sha256:\w+…$/);
  });
  it('that an image does not tell the unpacked digest of', async () => {
    const manifest = JSON.parse((await registry.send('GET', `/v2/good/manifests/${await registry.pushImage('good', '1', { layers: [await good] })}`, undefined, { accept: ACCEPTED_MANIFESTS })).body.toString()) as { readonly layers: readonly unknown[] };
    const text = JSON.stringify({ ...manifest, layers: [...manifest.layers, ...manifest.layers] });
    await registry.send('PUT', '/v2/good/manifests/2', text, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' });
    await unreadable('good', digestOf(text), /is no image of layers$/);
  });
  it('an index without the wanted platform', async () => {
    await unreadable('alien', await registry.pushIndex('alien', '1', [{ platform: 'linux/s390x' }]), /holds no image for linux\/amd64$/);
  });
});

describe('a registry behind a bad line', () => {
  let line: FaultyRegistry;
  beforeAll(async () => void (line = await startFaultyRegistry(registry)));
  afterAll(() => line.stop());

  it('what was cut is read again from its beginning', async () => {
    const big = await layer({ 'etc/apt/noise': randomBytes(300_000), 'etc/os-release': 'ID=big' });
    const digest = await registry.pushImage('big', '1', { layers: [big] });
    line.fail({ when: (_, path) => path.endsWith(digestOf(big.bytes)), times: 2, instead: 'cut' });
    const files = await read('big', digest, line.host);
    expect(Buffer.from(files.get('/etc/os-release')!).toString()).toBe('ID=big');
    expect(line.requests.filter(({ path }) => path.endsWith(digestOf(big.bytes))).map(({ faulty }) => faulty)).toEqual([true, true, false]);
  });
  it('a line that breaks each time is the registry\'s trouble', async () => {
    const one = await layer({ 'etc/apt/noise': randomBytes(300_000) });
    const digest = await registry.pushImage('cut', '1', { layers: [one] });
    line.fail({ when: (_, path) => path.endsWith(digestOf(one.bytes)), instead: 'cut' });
    const reading = read('cut', digest, line.host);
    await expect(reading).rejects.toThrow(RegistryError);
    await expect(reading).rejects.toThrow(/does not answer/);
    line.mend();
  });
  it('bytes that have no end are left where the layer\'s would', async () => {
    const one = await layer({ 'etc/os-release': 'ID=endless' });
    const digest = await registry.pushImage('endless', '1', { layers: [one] });
    line.fail({ when: (_, path) => path.endsWith(digestOf(one.bytes)), instead: { status: 200, headers: { 'content-length': '1000000000' }, body: 'x'.repeat(one.bytes.length + 1) } });
    await expect(read('endless', digest, line.host)).rejects.toThrow(UnreadableImage);
    line.mend();
  });
  it('an interrupt ends it where it is', async () => {
    const one = await layer({ 'etc/apt/noise': randomBytes(300_000) });
    const digest = await registry.pushImage('interrupted', '1', { layers: [one] });
    const isLayer = (_: string, path: string): boolean => path.endsWith(digestOf(one.bytes));
    line.fail({ when: isLayer, instead: 'stall' });
    const interrupt = new AbortController();
    const reading = read('interrupted', digest, line.host, {}, interrupt.signal);
    await line.saw(isLayer);
    interrupt.abort(new Error('interrupted'));
    await expect(reading).rejects.toThrow('interrupted');
    line.mend();
  });
  it('a refusal in between is tried again, as any request', async () => {
    const digest = await registry.pushImage('busy', '1', { layers: [await layer({ 'etc/os-release': 'ID=busy' })] });
    line.fail({ when: (_, path) => path.includes('/blobs/'), times: 1, instead: { status: 503 } });
    expect(texts(await read('busy', digest, line.host))).toEqual({ '/etc/os-release': 'ID=busy' });
  });
  it('layers come from a mirror, and one with other bytes is passed over', async () => {
    const one = await layer({ 'etc/os-release': 'ID=mirrored' });
    const digest = await registry.pushImage('mirrored', '1', { layers: [one] });
    const warnings: string[] = [];
    const mirrored = { mirrors: { [registry.host]: [line.host] }, warn: (message: string) => void warnings.push(message) };
    const before = line.requests.length;
    expect(texts(await read('mirrored', digest, registry.host, mirrored))).toEqual({ '/etc/os-release': 'ID=mirrored' });
    expect(line.requests.slice(before).map(({ path }) => path)).toContain(`/v2/mirrored/blobs/${digestOf(one.bytes)}`);
    rmSync(folder, { recursive: true });
    line.fail({ when: (_, path) => path.endsWith(digestOf(one.bytes)), instead: { status: 200, body: 'other bytes' } });
    expect(texts(await read('mirrored', digest, registry.host, mirrored))).toEqual({ '/etc/os-release': 'ID=mirrored' });
    expect(warnings).toEqual([expect.stringMatching(/^the mirror .* is passed over/)]);
    line.mend();
  });
});
