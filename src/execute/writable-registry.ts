import type { Digest } from '../shared/digest.js';
import type { ImageRef } from '../shared/image-ref.js';
import type { PublishedImages } from '../state/published-images.js';

/** What executing a plan needs of a registry beside reading it. */
export interface WritableRegistry extends PublishedImages {
  /**
   * Proves the right to push to a repository: an upload begun and cancelled (OCI distribution spec, "Pushing blobs").
   * Rejects with a RegistryError of status 401 or 403 when it is refused.
   */
  probePush(ref: ImageRef, signal: AbortSignal): Promise<void>;
  /** The names by which an engine can pull a manifest, `name@digest`: a mirror's first, if one has it just now; the registry's own last. */
  namesOf(ref: ImageRef, digest: Digest, signal: AbortSignal): Promise<readonly string[]>;
  /**
   * Gives a manifest that the repository has another tag: its bytes are fetched and PUT under the new tag, no layer moves, and
   * the digest that the registry then answers for the tag is compared.
   */
  putTag(ref: ImageRef, digest: Digest, tag: string, signal: AbortSignal): Promise<void>;
}
