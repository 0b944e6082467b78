import type { Digest } from '../shared/digest.js';
import type { ImageRef } from '../shared/image-ref.js';

/** What an image's config says of it. */
export type PublishedConfig = {
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339, as written in the config. */
  readonly created: string | undefined;
  /** `linux/amd64`. */
  readonly platform: string;
};

/** What planning needs to know of a registry. Each promise rejects with a RegistryError on anything but a clear answer. */
export interface PublishedImages {
  /** The tag's digest; undefined only when the registry itself says that it is not there (OCI distribution spec, "Checking if content exists"). */
  digestOf(ref: ImageRef, signal: AbortSignal): Promise<Digest | undefined>;
  /** The same, at once with the manifest: the one question where the tag is likely not there, or where `configOf` is asked next. */
  manifestOf(ref: ImageRef, signal: AbortSignal): Promise<Digest | undefined>;
  /** The config of a manifest that is there; of an index, that of the wanted platform (default: `linux/` and this machine's architecture). No labels, where there is none. */
  configOf(ref: ImageRef, digest: Digest, signal: AbortSignal): Promise<PublishedConfig>;
  /** Every tag of a repository, in no promised order; empty when the registry says that there is no such repository. */
  tagsOf(ref: ImageRef, signal: AbortSignal): Promise<readonly string[]>;
}
