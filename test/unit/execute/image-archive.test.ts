import { describe, expect, it } from '@jest/globals';
import { unpackTar } from 'modern-tar';
import { imageArchive, imageManifest, type ArchiveImage, type ArchiveLayer } from '../../../src/execute/image-archive.js';
import { digestOf } from '../../../src/shared/digest.js';

function layerOf(text: string, compression: ArchiveLayer['compression'] = 'none'): ArchiveLayer {
  return {
    digest: digestOf(text),
    size: Buffer.byteLength(text),
    compression,
    async *read() {
      yield Buffer.from(text.slice(0, 3));
      yield Buffer.from(text.slice(3));
    },
  };
}

async function bytesOf(image: ArchiveImage): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of imageArchive(image)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function filesOf(image: ArchiveImage): Promise<Map<string, string>> {
  const entries = await unpackTar(await bytesOf(image), { strict: true });
  return new Map(entries.flatMap(({ header, data }) => (header.type === 'file' ? [[header.name, Buffer.from(data ?? []).toString()] as const] : [])));
}

const image: ArchiveImage = { config: '{"os":"linux"}', layers: [layerOf('lower'), layerOf('upper'.repeat(300))], tag: 'registry.example.org:5000/base/trixie:20261120' };

describe('imageArchive', () => {
  it('equal input gives equal bytes, in whole tar blocks', async () => {
    const bytes = await bytesOf(image);
    expect(bytes.equals(await bytesOf(image))).toBe(true);
    expect(bytes.length % 512).toBe(0);
  });
  it('every blob lies under its own digest', async () => {
    const blobs = [...(await filesOf(image))].filter(([name]) => name.startsWith('blobs/'));
    expect(blobs).toHaveLength(4);
    for (const [name, content] of blobs) expect(name).toBe(`blobs/${digestOf(content).replace(':', '/')}`);
  });
  it('the index leads to manifest, config and layers, and names the full tag for containerd', async () => {
    const files = await filesOf(image);
    const blob = (digest: string): string => files.get(`blobs/${digest.replace(':', '/')}`)!;
    expect(JSON.parse(files.get('oci-layout')!)).toEqual({ imageLayoutVersion: '1.0.0' });
    const [found] = JSON.parse(files.get('index.json')!).manifests;
    expect(found.annotations).toEqual({ 'io.containerd.image.name': image.tag, 'org.opencontainers.image.ref.name': '20261120' });
    expect(blob(found.digest)).toBe(imageManifest(image));
    expect(found.size).toBe(imageManifest(image).length);
    const manifest = JSON.parse(blob(found.digest));
    expect(blob(manifest.config.digest)).toBe(image.config);
    expect(manifest.layers.map((layer: { digest: string }) => blob(layer.digest).slice(0, 5))).toEqual(['lower', 'upper']);
  });
  it('manifest.json gives the graph drivers config, layers and tag', async () => {
    const files = await filesOf(image);
    const [entry] = JSON.parse(files.get('manifest.json')!);
    expect(entry.RepoTags).toEqual([image.tag]);
    expect(files.get(entry.Config)).toBe(image.config);
    expect(entry.Layers.map((path: string) => files.get(path)!.slice(0, 5))).toEqual(['lower', 'upper']);
  });
  it('a layer that occurs twice is stored once and named twice', async () => {
    const twice = { ...image, layers: [layerOf('same'), layerOf('same')] };
    const files = await filesOf(twice);
    const names = (await unpackTar(await bytesOf(twice))).map(({ header }) => header.name);
    expect(names).toEqual([...new Set(names)]);
    expect(JSON.parse(files.get('manifest.json')!)[0].Layers).toHaveLength(2);
  });
  it("a compressed layer's media type says so", () => {
    const types = JSON.parse(imageManifest({ ...image, layers: [layerOf('a'), layerOf('b', 'gzip')] })).layers.map((layer: { mediaType: string }) => layer.mediaType);
    expect(types).toEqual(['application/vnd.oci.image.layer.v1.tar', 'application/vnd.oci.image.layer.v1.tar+gzip']);
  });
  it.each([-1, 1])('a layer that is not as long as it says is refused (%i)', async (difference) => {
    const layer = layerOf('lower');
    await expect(bytesOf({ ...image, layers: [{ ...layer, size: layer.size + difference }] })).rejects.toThrow('bytes long');
  });
});
