import type { Digest } from '../shared/digest.js';
import type { ImageName } from '../shared/image-ref.js';
import type { LocalImage } from './local-images.js';
import type { Provenance } from './labels.js';

/** One manifest that the registry has. */
export type PublishedImage = {
  readonly digest: Digest;
  /** What our labels say; undefined: of unknown origin. */
  readonly provenance: Provenance | undefined;
};

/** What the registry holds of one image. A field that is undefined means that the registry said: not there. */
export type ImageState = {
  /** What `:VERSION` is, for a versioned image; in a nightly build what its tag is. */
  readonly version: PublishedImage | undefined;
  readonly latest: PublishedImage | undefined;
};

/** A tagged image of a repository: a rolling image under a date, or one that is withdrawn. */
export type DatedImage = PublishedImage & { readonly tag: string };

/**
 * The outside, as far as it was read. Everything but `images` is read only when a plan turns on it: what is missing there was
 * not asked, and planning says so (see Need).
 */
export type State = {
  readonly images: ReadonlyMap<ImageName, ImageState>;
  /** Dated tags of rolling images, newest first. */
  readonly dated: ReadonlyMap<ImageName, readonly DatedImage[]>;
  /** What is withdrawn, each under its `withdrawn-` tag: of rolling images read with their dated tags, of versioned ones the newest version at most. */
  readonly withdrawn: ReadonlyMap<ImageName, readonly DatedImage[]>;
  /** Versions of the changelog, below the newest, whose tag has the digest of an unlabelled `:latest`: the first found, or null. */
  readonly olderVersion: ReadonlyMap<ImageName, string | null>;
  /** All tagged images of the engine. */
  readonly local: readonly LocalImage[] | undefined;
  /** Manifest digests of outside images by reference; null: the registry says it is not there. */
  readonly outside: ReadonlyMap<string, Digest | null>;
  /** Whether a commit is HEAD or an ancestor of it; undefined: not a git tree. */
  readonly ancestry: ReadonlyMap<string, boolean | undefined>;
};

/** What the registry holds of some images, and nothing else read yet. */
export function stateOf(images: State['images']): State {
  return { images, dated: new Map(), withdrawn: new Map(), olderVersion: new Map(), local: undefined, outside: new Map(), ancestry: new Map() };
}

/** A fact that a plan turns on and that was not read yet. */
export type Need =
  | { readonly need: 'dated-tags'; readonly image: ImageName }
  | { readonly need: 'older-version'; readonly image: ImageName }
  /** Whether a versioned image's newest version is withdrawn. */
  | { readonly need: 'withdrawn'; readonly image: ImageName }
  | { readonly need: 'local-images' }
  | { readonly need: 'outside-digest'; readonly ref: string }
  | { readonly need: 'ancestry'; readonly revision: string; /** Whose git is asked. */ readonly tree: string };
