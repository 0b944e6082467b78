import pLimit from 'p-limit';
import { collectFiles, type Collected } from '../packages/collect-files.js';
import { recordLayer, type LayerRecord } from '../packages/layer-record.js';
import { OddLayer } from '../packages/odd-layer.js';
import { PACKAGE_ROOTS } from '../packages/package-paths.js';
import type { PackageFiles } from '../packages/package-files.js';
import { shortDigest, type Digest } from '../shared/digest.js';
import { repositoryOf, type ImageRef } from '../shared/image-ref.js';
import type { ImageLayer, ImageLayers, PackageCache } from './image-layers.js';
import { UnreadableImage, type PackageReader } from './package-reader.js';

/** Layers that are unpacked at once: each keeps a core busy. */
const LAYERS_AT_ONCE = 4;

/** Links that lead to links that lead elsewhere: each costs another look at layers. */
const LOOKS = 5;

/** Reads images' package files from a registry's layers, each layer once, and from the cache what was read before. */
export function createPackageReader(source: ImageLayers, cache: PackageCache): PackageReader {
  const images = new Map<Digest, Promise<PackageFiles>>();
  const layers = new Map<string, Promise<LayerRecord>>();
  const limit = pLimit(LAYERS_AT_ONCE);

  /** What a layer does to some roots; reads what nobody has read yet. */
  function layerRecord(ref: ImageRef, layer: ImageLayer, roots: readonly string[], signal: AbortSignal): Promise<LayerRecord> {
    const key = [layer.diffId, ...roots].join('\n');
    let reading = layers.get(key);
    if (reading === undefined) {
      const kept = cache.layer(layer.diffId, roots);
      reading = kept === undefined ? limit(() => readAnew(ref, layer, roots, signal)) : Promise.resolve(kept);
      layers.set(key, reading);
    }
    return reading;
  }

  async function readAnew(ref: ImageRef, layer: ImageLayer, roots: readonly string[], signal: AbortSignal): Promise<LayerRecord> {
    signal.throwIfAborted();
    const { diffId, record } = await source.readLayer(ref, layer, () => recordLayer(roots), signal);
    // Else one image could say what is in another's layer.
    if (diffId !== layer.diffId) throw new OddLayer('it unpacks to something else than the image says');
    cache.keepLayer(diffId, roots, record);
    return record;
  }

  async function readFiles(ref: ImageRef, digest: Digest, signal: AbortSignal): Promise<PackageFiles> {
    const blobs = await source.layersOf(ref, digest, signal);
    let roots = PACKAGE_ROOTS;
    for (let looks = 1; ; looks++) {
      const records = await Promise.all(blobs.map((layer) => recordOf(ref, digest, layer, roots, signal)));
      const { files, beyond }: Collected = collectFiles(records, roots);
      if (beyond.length === 0 || looks === LOOKS) return files;
      roots = [...PACKAGE_ROOTS, ...new Set([...roots.slice(PACKAGE_ROOTS.length), ...beyond])].sort();
    }
  }

  async function recordOf(ref: ImageRef, digest: Digest, layer: ImageLayer, roots: readonly string[], signal: AbortSignal): Promise<LayerRecord> {
    try {
      return await layerRecord(ref, layer, roots, signal);
    } catch (error) {
      if (!(error instanceof OddLayer)) throw error;
      throw new UnreadableImage(`a layer of ${repositoryOf(ref)}@${shortDigest(digest)} cannot be read (${shortDigest(layer.digest)}): ${error.message}`);
    }
  }

  async function read(ref: ImageRef, digest: Digest, signal: AbortSignal): Promise<PackageFiles> {
    const kept = cache.image(digest);
    if (kept !== undefined) return kept;
    const files = await readFiles(ref, digest, signal);
    cache.keepImage(digest, files);
    // From the cache equal files are one object.
    return cache.image(digest) ?? files;
  }

  return {
    filesOf(ref, digest, signal) {
      let reading = images.get(digest);
      if (reading === undefined) images.set(digest, (reading = read(ref, digest, signal)));
      return reading;
    },
  };
}
