import pLimit from 'p-limit';
import { collectFiles } from '../packages/collect-files.js';
import { recordLayer, type LayerRecord, type LayerRecording } from '../packages/layer-record.js';
import { OddLayer } from '../packages/odd-layer.js';
import { PACKAGE_ROOTS } from '../packages/package-paths.js';
import type { PackageFiles } from '../packages/package-files.js';
import { shortDigest, type Digest } from '../shared/digest.js';
import { EngineError, RegistryError } from '../shared/errors.js';
import { repositoryOf, type ImageRef } from '../shared/image-ref.js';
import type { ImageFilesOnEngine, ImageLayer, ImageLayers, PackageCache, ReadLayer } from './image-layers.js';
import { UnreadableImage, type PackageReader } from './package-reader.js';

/** Layers that are unpacked at once: each keeps a core busy. */
const LAYERS_AT_ONCE = 4;

/** An engine makes and unmakes the file system of each. */
const CONTAINERS_AT_ONCE = 2;

/** Bytes of layers, as they are packed, that take as long to read as a container takes to be looked into. */
const WORTH_A_CONTAINER = 24 * 1024 * 1024;

/** Links that lead to links that lead elsewhere: each costs another look at layers. */
const LOOKS = 5;

/** One that can be told of a layer before anybody asks for it. */
export interface RecordingReader extends PackageReader {
  /** Keeps the record of a layer that is at hand, if its tar has this digest. */
  keepLayer(diffId: Digest, read: (recording: LayerRecording) => Promise<ReadLayer>): Promise<void>;
}

/**
 * Reads images' package files from a registry's layers, each layer once, and from the cache what was read before. Where an engine has
 * an image whose layers are large and its own, it is looked at there. Without an engine, or with one that fails, nothing is amiss.
 */
export function createPackageReader(source: ImageLayers, cache: PackageCache, engine?: ImageFilesOnEngine): RecordingReader {
  const images = new Map<Digest, Promise<PackageFiles>>();
  const layers = new Map<string, Promise<LayerRecord>>();
  const limit = pLimit(LAYERS_AT_ONCE);
  const engineLimit = pLimit(CONTAINERS_AT_ONCE);
  const looking = new Set<Promise<unknown>>();
  /** By how many images of this run a layer was wanted. */
  const wanted = new Map<Digest, number>();
  let engineGone = false;
  let tidied: Promise<void> | undefined;

  const keyOf = (diffId: Digest, roots: readonly string[]): string => [diffId, ...roots].join('\n');
  const isKnown = (diffId: Digest): boolean => layers.has(keyOf(diffId, PACKAGE_ROOTS)) || cache.layer(diffId, PACKAGE_ROOTS) !== undefined;

  /** What a layer does to some roots; reads what nobody has read yet. */
  function layerRecord(ref: ImageRef, layer: ImageLayer, roots: readonly string[], signal: AbortSignal): Promise<LayerRecord> {
    const key = keyOf(layer.diffId, roots);
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

  async function fromLayers(ref: ImageRef, digest: Digest, blobs: readonly ImageLayer[], signal: AbortSignal): Promise<PackageFiles> {
    return lookUntilKnown((roots) => Promise.all(blobs.map((layer) => recordOf(ref, digest, layer, roots, signal))));
  }

  /** Undefined: the engine does not have it, or cannot tell; then the registry can. */
  async function fromEngine(ref: ImageRef, digest: Digest, signal: AbortSignal): Promise<PackageFiles | undefined> {
    if (engine === undefined || engineGone) return undefined;
    try {
      await (tidied ??= engine.removeLeftovers(signal));
      return await engineLimit(() =>
        engine.withImage(
          `${repositoryOf(ref)}@${digest}`,
          (record) => {
            const looked: LayerRecord[] = [];
            return lookUntilKnown(async (roots, more) => {
              const recording = recordLayer(roots);
              await record(more, recording);
              looked.push(recording.record());
              return looked;
            });
          },
          signal,
        ),
      );
    } catch (error) {
      signal.throwIfAborted();
      engineGone ||= error instanceof EngineError;
      return undefined;
    }
  }

  async function layersWanted(ref: ImageRef, digest: Digest, signal: AbortSignal): Promise<readonly ImageLayer[]> {
    try {
      const blobs = await source.layersOf(ref, digest, signal);
      for (const { diffId } of blobs) wanted.set(diffId, (wanted.get(diffId) ?? 0) + 1);
      return blobs;
    } catch (error) {
      // It went since its tag was asked for, or an index names what is not there: no other image's trouble.
      throw error instanceof RegistryError && error.status === 404 ? new UnreadableImage(error.message) : error;
    }
  }

  async function readFiles(ref: ImageRef, digest: Digest, signal: AbortSignal): Promise<PackageFiles> {
    const asking = layersWanted(ref, digest, signal);
    looking.add(asking);
    const blobs = await asking.finally(() => looking.delete(asking));
    // Only then is it known how many images share a layer.
    while (looking.size > 0) await Promise.allSettled(looking);
    const missing = blobs.filter(({ diffId }) => !isKnown(diffId));
    const share = missing.reduce((sum, { diffId, size }) => sum + size / wanted.get(diffId)!, 0);
    return (share > WORTH_A_CONTAINER ? await fromEngine(ref, digest, signal) : undefined) ?? fromLayers(ref, digest, blobs, signal);
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

    async keepLayer(diffId, read) {
      const layer = await read(recordLayer(PACKAGE_ROOTS));
      if (layer.diffId === diffId) cache.keepLayer(diffId, PACKAGE_ROOTS, layer.record);
    },
  };
}

/** Looks again, further, as long as links and sources lead to where nobody has looked; `more` are the roots that are new. */
async function lookUntilKnown(recordsOf: (roots: readonly string[], more: readonly string[]) => Promise<readonly LayerRecord[]>): Promise<PackageFiles> {
  let roots = PACKAGE_ROOTS;
  let more = roots;
  for (let looks = 1; ; looks++) {
    const { files, beyond } = collectFiles(await recordsOf(roots, more), roots);
    if (beyond.length === 0 || looks === LOOKS) return files;
    more = beyond;
    roots = [...roots, ...beyond].sort();
  }
}
