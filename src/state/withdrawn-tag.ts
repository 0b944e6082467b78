import type { Digest } from '../shared/digest.js';
import { TAG_PATTERN } from '../shared/image-ref.js';

const MARK = 'withdrawn-';

/** Characters of a digest that name an image which has no tag of its own. */
const SHORT = 12;

/** The tag that marks an image as withdrawn: `withdrawn-1.2-3`, `withdrawn-20261120-2`; by its digest where it has no name, or one too long. */
export function withdrawnTag(name: string | undefined, digest: Digest): string {
  const tag = `${MARK}${name ?? ''}`;
  return name !== undefined && TAG_PATTERN.test(tag) ? tag : `${MARK}${shortHex(digest)}`;
}

/** What such a tag says is withdrawn: a version, a dated tag or the beginning of a digest; undefined of any other tag. */
export function withdrawnName(tag: string): string | undefined {
  return tag.startsWith(MARK) ? tag.slice(MARK.length) : undefined;
}

/**
 * Whether a mark still holds: it is on the very image that it names. `promote` lifts it by setting it to another image, since
 * registries differ in what they delete with a tag, and some delete the image.
 * @param digest what the mark is
 * @param named what the tag is that it names; undefined: there is none
 */
export function isWithdrawn(tag: string, digest: Digest, named: Digest | undefined): boolean {
  const name = withdrawnName(tag);
  if (name === undefined) return false;
  return named === undefined ? !/^[0-9a-f]{12}$/.test(name) || name === shortHex(digest) : named === digest;
}

function shortHex(digest: Digest): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + SHORT);
}
