import { Fault } from '../../shared/errors.js';
import type { ImageRef } from '../../shared/image-ref.js';
import { mirroredRefs, registryName, repositoryIn, type RegistryMirrors } from '../../shared/registry-mirrors.js';

/** Reads from the mirrors of an image's registry, in order. What a mirror does not have or cannot give is never a fault. */
export interface MirrorReading {
  /** The first answer of a mirror; undefined when there is no mirror, or none that can tell: the registry itself is to be asked then. */
  first<T>(ref: ImageRef, read: (mirrored: ImageRef) => Promise<T | undefined>): Promise<T | undefined>;
}

/** `warn` gets one line for each mirror that failed, in one run once. */
export function createMirrorReading(mirrors: RegistryMirrors, warn: (message: string) => void): MirrorReading {
  const warned = new Set<string>();

  return {
    async first(ref, read) {
      for (const mirrored of mirroredRefs(ref, mirrors)) {
        let why = `it does not have ${repositoryIn(ref)}`;
        try {
          const found = await read(mirrored);
          if (found !== undefined) return found;
        } catch (error) {
            // An abort is none.
          if (!(error instanceof Fault)) throw error;
          why = error.message;
        }
        if (warned.has(mirrored.registry)) continue;
        warned.add(mirrored.registry);
        warn(`the mirror ${mirrored.registry} of ${registryName(ref)} is passed over: ${why}`);
      }
      return undefined;
    },
  };
}
