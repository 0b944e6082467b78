import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packTar } from 'modern-tar';
import { createEngineConnection } from '../../src/adapters/engine/engine-connection.js';
import { createLayerPacking } from '../../src/adapters/engine/layer-packing.js';
import { imageArchive, imageManifest, type ArchiveLayer } from '../../src/execute/image-archive.js';
import { digestOf, type Digest } from '../../src/shared/digest.js';
import { EngineError } from '../../src/shared/errors.js';
import { engineAt, hasContainerdStore, removeImages, SHARED_SOCKET, uniqueName } from '../support/engine-fixture.js';
import { startRegistry, type RegistryFixture } from '../support/registry-fixture.js';

const EPOCH = 1_700_000_000_000;
/** A file capability as tar files hold it (GNU and BSD tar's SCHILY.xattr), and cap_net_raw=ep (linux/capability.h, vfs_cap_data). */
const CAPABILITY = 'SCHILY.xattr.security.capability';
const NET_RAW = Buffer.from('0100000200200000000000000000000000000000', 'hex').toString('latin1');
const never = new AbortController().signal;
const name = uniqueName('layers');
const engine = engineAt();
const isContainerd = hasContainerdStore();
let folder: string;
let registry: RegistryFixture;
let made: { readonly layerPath: string; readonly diffId: Digest; readonly size: number };

beforeAll(async () => {
  registry = await startRegistry();
  folder = await mkdtemp(join(tmpdir(), 'build-images-layers-'));
  const body = 'the same line again\n'.repeat(50_000);
  const layer = await packTar([
    { header: { name: 'much', size: body.length, mode: 0o644, mtime: new Date(EPOCH) }, body },
    { header: { name: 'ping', size: 2, mode: 0o755, mtime: new Date(EPOCH), pax: { [CAPABILITY]: NET_RAW } }, body: '#!' },
  ]);
  const layerPath = join(folder, 'layer.tar');
  await writeFile(layerPath, layer);
  made = { layerPath, diffId: digestOf(layer), size: layer.length };
});
afterAll(async () => {
  engine.close();
  await removeImages(name);
  await registry.stop();
  await rm(folder, { recursive: true });
}, 60_000);

async function packed(socketPath = SHARED_SOCKET): Promise<ArchiveLayer> {
  const connection = createEngineConnection({ via: 'unix', socketPath });
  try {
    return await createLayerPacking(connection, 5)(made, never);
  } finally {
    connection.close();
  }
}

const config = (): string => JSON.stringify({ created: '2023-11-14T22:13:20Z', architecture: 'amd64', os: 'linux', config: { Cmd: ['/much'] }, rootfs: { type: 'layers', diff_ids: [made.diffId] }, history: [{ created: '2023-11-14T22:13:20Z' }] });

describe('an image of one layer that we write', () => {
  it('has the same content on every engine, and reaches the registry compressed', async () => {
    const tag = `${registry.host}/${name}:1`;
    const layer = await packed();
    // Graph drivers compress when they push: packed, it would be unpacked for nothing.
    expect(layer.compression).toBe(isContainerd ? 'gzip' : 'none');
    await engine.load(imageArchive({ config: config(), layers: [layer], tag }), never);
    const manifest = imageManifest({ config: config(), layers: [layer] });
    expect((await engine.inspect(tag, never))?.id).toBe(digestOf(isContainerd ? manifest : config()));

    const digest = await engine.push(tag, never);
    if (isContainerd) expect(digest).toBe(digestOf(manifest));
    const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json';
    const pushed = JSON.parse((await registry.send('GET', `/v2/${name}/manifests/${digest}`, undefined, { accept })).body.toString()) as { config: { digest: string }; layers: { mediaType: string; size: number }[] };
    expect(pushed.config.digest).toBe(digestOf(config()));
    expect(pushed.layers).toEqual([expect.objectContaining({ mediaType: expect.stringMatching(/tar[.+]gzip$/) })]);
    expect(pushed.layers[0]!.size).toBeLessThan(made.size / 10);
  }, 60_000);

  it('keeps file capabilities', async () => {
    const tag = `${registry.host}/${name}:capable`;
    await engine.load(imageArchive({ config: config(), layers: [await packed()], tag }), never);
    const docker = (...args: readonly string[]): Buffer => execFileSync('docker', ['--host', `unix://${SHARED_SOCKET}`, ...args]);
    const container = docker('create', tag).toString().trim();
    try {
      expect(docker('cp', `${container}:/ping`, '-').toString('latin1')).toContain(`${CAPABILITY}=${NET_RAW}`);
    } finally {
      docker('rm', container);
    }
  }, 60_000);

  it('has the same digest when it is made, loaded and pushed again', async () => {
    const digests: Digest[] = [];
    for (const tag of [`${registry.host}/${name}:2`, `${registry.host}/${name}:3`]) {
      await engine.load(imageArchive({ config: config(), layers: [await packed()], tag }), never);
      digests.push(await engine.push(tag, never));
      await engine.remove(tag, never);
    }
    expect(digests[0]).toBe(digests[1]);
  }, 60_000);

  it('is packed by nobody when the engine does not answer', async () => {
    await expect(packed(join(folder, 'none.sock'))).rejects.toBeInstanceOf(EngineError);
  });
});
