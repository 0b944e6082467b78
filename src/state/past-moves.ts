import type { Digest } from '../shared/digest.js';
import type { ImageName } from '../shared/image-ref.js';

/** One move of `:latest` that a run of this machine made, as its journal tells it. */
export type PastMove = {
  readonly image: ImageName;
  /** `registry/namespace/name`; undefined: the journal does not tell. */
  readonly repository: string | undefined;
  /** What it moved to. */
  readonly tag: string;
  readonly digest: Digest;
  /** What it was; undefined: there was none. */
  readonly from: Digest | undefined;
  /** What people call that. */
  readonly was: string | undefined;
  /** The tag that moved, where it is not `latest`. */
  readonly moving: string | undefined;
  /** Set: the run took it back, and this tag marks what it left. */
  readonly withdrew: string | undefined;
  /** Whether the run told that it moved. A killed one may have told of its intent alone. */
  readonly isTold: boolean;
};

/** What one run moved, in its order. */
export type PastRun = { readonly run: string; readonly moves: readonly PastMove[] };
