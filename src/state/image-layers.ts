import type { LayerRecord, LayerRecording } from '../packages/layer-record.js';
import type { PackageFiles } from '../packages/package-files.js';
import type { Digest } from '../shared/digest.js';
import type { ImageRef } from '../shared/image-ref.js';

/** One layer of an image, as its registry keeps it. */
export type ImageLayer = {
  readonly digest: Digest;
  /** Bytes, as the manifest says. */
  readonly size: number;
  /** Digest of its tar (OCI image spec, "Layer DiffID"), as the config says. */
  readonly diffId: Digest;
  /** Where it is if the registry does not have it (OCI image spec, "Non-Distributable Layers"). */
  readonly urls: readonly string[];
};

/** A layer as it was read, and the digest that its tar has. */
export type ReadLayer = { readonly diffId: Digest; readonly record: LayerRecord };

/** Where layers of published images are. Each promise rejects with a RegistryError, an UnreadableImage or, of what a layer holds, an OddLayer. */
export interface ImageLayers {
  /** Lowest first; of an index, those of the wanted platform. */
  layersOf(ref: ImageRef, digest: Digest, signal: AbortSignal): Promise<readonly ImageLayer[]>;
  /** Reads a layer to its end; its bytes have the digest it goes by. `begin` is called for each try. */
  readLayer(ref: ImageRef, layer: ImageLayer, begin: () => LayerRecording, signal: AbortSignal): Promise<ReadLayer>;
}

/** What was read of images and layers before. Losing it, or a part of it, costs time. */
export interface PackageCache {
  image(digest: Digest): PackageFiles | undefined;
  keepImage(digest: Digest, files: PackageFiles): void;
  /** `roots`: what the record was made for. */
  layer(diffId: Digest, roots: readonly string[]): LayerRecord | undefined;
  keepLayer(diffId: Digest, roots: readonly string[], record: LayerRecord): void;
}

/** Images that an engine on this side of the network may have. */
export interface ImageFilesOnEngine {
  /**
   * Lets `use` look at an image's files by `record`, which records them as one layer; undefined when the engine does not have the image
   * for the wanted platform. Rejects with an EngineError when it is not there.
   * @param ref with a digest
   */
  withImage<T>(ref: string, use: (record: (roots: readonly string[], recording: LayerRecording) => Promise<void>) => Promise<T>, signal: AbortSignal): Promise<T | undefined>;
  /** Takes away what readings that were killed left behind. */
  removeLeftovers(signal: AbortSignal): Promise<void>;
}
