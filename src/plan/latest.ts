import type { Digest } from '../shared/digest.js';
import type { ImageName } from '../shared/image-ref.js';
import type { PublishedImage, State } from '../state/state.js';
import type { Reason } from './reason.js';

/** Whether `:latest` of a versioned image may move to its newest version. */
export type Move =
  /** It is there already. */
  | { readonly result: 'there' }
  | { readonly result: 'move' }
  /** Nobody can say what it is: it stays. */
  | { readonly result: 'left'; readonly reason: Reason }
  /** It is something newer than this checkout knows. */
  | { readonly result: 'refused'; readonly reason: Reason }
  /** It has no label of ours, and the older versions' tags were not read yet. */
  | { readonly result: 'unread' };

/**
 * The changelog decides and not Debian's order of versions: half of a real tree's changelogs contain a step that dpkg calls
 * a downgrade.
 * @param version the changelog's newest
 * @param older the changelog's other versions
 * @param digest what `:VERSION` is; undefined before it is published
 */
export function mayMoveLatest(image: ImageName, version: string, older: readonly string[], digest: Digest | undefined, latest: PublishedImage | undefined, olderVersion: State['olderVersion']): Move {
  if (latest === undefined) return { result: 'move' };
  if (latest.digest === digest) return { result: 'there' };
  const named = latest.provenance?.version;
  if (named === undefined) {
    const found = olderVersion.get(image);
    if (found === undefined) return { result: 'unread' };
    return found === null ? { result: 'left', reason: { why: 'latest-unknown', digest: latest.digest } } : { result: 'move' };
  }
  if (named === version || older.includes(named)) return { result: 'move' };
  return { result: 'refused', reason: { why: 'older-checkout', latest: named } };
}
