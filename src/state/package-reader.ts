import type { PackageFiles } from '../packages/package-files.js';
import type { Digest } from '../shared/digest.js';
import { EXIT, Fault } from '../shared/errors.js';
import type { ImageRef } from '../shared/image-ref.js';

/** Reads what published images say of their packages, without starting a container. What was read once is kept on disk. */
export interface PackageReader {
  /**
   * The files of a manifest that is there; of an index, those of the wanted platform. Images whose files are
   * equal have one and the same map. Rejects with an UnreadableImage, which is about this image alone, or with a RegistryError.
   */
  filesOf(ref: ImageRef, digest: Digest, signal: AbortSignal): Promise<PackageFiles>;
}

/** An image is there, and what it consists of is not as an image should be. */
export class UnreadableImage extends Fault {
  constructor(message: string) {
    super(EXIT.registry, message);
  }
}
