import { gzipSync } from 'node:zlib';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLayerSource } from '../../../../src/adapters/package-files/layer-source.js';
import { createPackageCache } from '../../../../src/adapters/package-files/package-cache.js';
import { createRegistry } from '../../../../src/adapters/registry/registry.js';
import type { PackageFiles } from '../../../../src/packages/package-files.js';
import type { Digest } from '../../../../src/shared/digest.js';
import { createPackageReader } from '../../../../src/state/read-package-files.js';
import { layerTar, type LayerTree } from '../../../support/layer-tar.js';
import { never, testOptions } from '../../../support/registry-contract.js';
import { startRegistry, type RegistryFixture } from '../../../support/registry-fixture.js';
import type { TinyLayer } from '../../../support/tiny-image.js';

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
async function read(repository: string, digest: Digest): Promise<PackageFiles> {
  const client = createRegistry(testOptions());
  try {
    return await createPackageReader(createLayerSource(client), createPackageCache(folder, Date.now)).filesOf({ registry: registry.host, repository }, digest, never());
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
