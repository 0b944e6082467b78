import { withTag, type ImageRef } from '../shared/image-ref.js';
import { shortDigest, type Digest } from '../shared/digest.js';
import type { PublishedImages } from '../state/published-images.js';
import type { PruneStep } from '../plan/prune.js';
import type { Happening } from './event.js';

/** What deleting from a registry needs of it. Rejects with a RegistryError when it refuses or is gone. */
export interface DigestRemoval extends Pick<PublishedImages, 'digestOf' | 'tagsOf'> {
  /** Deletes a manifest with all of its tags (OCI distribution spec, "Deleting Manifests"). */
  deleteDigest(ref: ImageRef, digest: Digest, signal: AbortSignal): Promise<'deleted' | 'absent'>;
}

/** A repository as the plan saw it. */
export type PlannedRepository = {
  readonly ref: ImageRef;
  readonly tags: ReadonlyMap<string, Digest>;
  /** Whether a tag is one that moves; the others are set once. */
  moves(tag: string): boolean;
};

/**
 * Deletes one manifest after the other of a repository, each only if all tags are still what the plan saw: they are listed before
 * each, and those that may move, and the manifest's own, are asked for again; before the first one all are.
 */
export function createDigestDeletion({ ref, tags, moves }: PlannedRepository, registry: DigestRemoval, tell: (happening: Happening) => void): (step: PruneStep, signal: AbortSignal) => Promise<void> {
  const known = new Map(tags);
  let isFirst = true;

  /** What is not any more as the plan saw it. */
  const change = async (digest: string, signal: AbortSignal): Promise<string | undefined> => {
    const listed = new Set(await registry.tagsOf(ref, signal));
    const gone = [...known.keys()].find((tag) => !listed.has(tag));
    if (gone !== undefined) return `the tag ${gone} is gone`;
    const strange = [...listed].find((tag) => !known.has(tag));
    if (strange !== undefined) return `there is a new tag ${strange}`;
    const asked = [...known].filter(([tag, was]) => isFirst || was === digest || moves(tag));
    const moved = await Promise.all(asked.map(async ([tag, was]) => ({ tag, same: (await registry.digestOf(withTag(ref, tag), signal)) === was })));
    const first = moved.find(({ same }) => !same);
    return first === undefined ? undefined : `${first.tag} moved`;
  };

  return async ({ image, id, refs }, signal) => {
    const changed = await change(id, signal);
    isFirst = false;
    if (changed !== undefined) return tell({ type: 'kept', image, id, refs, because: `${changed} since this was planned; run it again` });
    const result = await registry.deleteDigest(ref, id as Digest, signal);
    for (const [tag, digest] of known) if (digest === id) known.delete(tag);
    tell(result === 'deleted' ? { type: 'deleted', image, id, refs } : { type: 'kept', image, id, refs, because: `${shortDigest(id)} is gone already` });
  };
}
