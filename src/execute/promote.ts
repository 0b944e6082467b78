import { parseImageRef, withTag, type ImageName, type ImageRef } from '../shared/image-ref.js';
import { shortDigest, type Digest } from '../shared/digest.js';
import type { Ports } from './ports.js';
import { StepFailure } from './step-failure.js';

/** One move of `:latest`. */
export type Promotion = {
  readonly image: ImageName;
  /** The immutable tag, full: `registry/namespace/name:tag`. */
  readonly ref: string;
  readonly digest: Digest;
  /** What `:latest` was when this was planned. */
  readonly from: Digest | undefined;
  /** What people call that. */
  readonly was: string | undefined;
  /** The tag that moves; unset: `latest`. */
  readonly moving?: string | undefined;
  /** The tag that marks what `:latest` leaves as withdrawn, before it moves. */
  readonly withdraws?: string | undefined;
  /** The tag that marks what it moves to as withdrawn: it is set to another image, which lifts it. */
  readonly lifts?: string | undefined;
};

/** The image whose `:latest` could not be moved, and why; the others of its group are where they were, or it was told why not. */
export type PromotionFailure = { readonly image: ImageName; readonly error: unknown };

type Outside = Pick<Ports, 'registry' | 'tell'>;

/**
 * Moves `:latest` of images that belong together, by their manifests alone: all or none. All are looked at before the first
 * moves, the intent is told before the deed, and what moved is put back when one cannot. A kill in between leaves what the next
 * run's plan finds and completes. Images that somebody else moved meanwhile stay where they are.
 */
export async function promote(group: readonly Promotion[], outside: Outside, signal: AbortSignal): Promise<PromotionFailure | undefined> {
  const due: Promotion[] = [];
  for (const promotion of group) {
    try {
      if (await isDue(promotion, outside, signal)) due.push(promotion);
      if (group.length > 1 || promotion.withdraws !== undefined) await verifyTarget(promotion, outside, signal);
    } catch (error) {
      return { image: promotion.image, error };
    }
  }
  for (const { image, digest, from, ref, moving } of due) outside.tell({ type: 'promotion-intended', image, tag: tagOf(ref), digest, from, moving });
  for (const promotion of due) {
    try {
      await withdraw(promotion, outside, signal);
    } catch (error) {
      return { image: promotion.image, error };
    }
    await lift(promotion, outside, signal);
  }
  const moved: Promotion[] = [];
  for (const promotion of due) {
    try {
      await outside.registry.putTag(refOf(promotion), promotion.digest, movingOf(promotion), signal);
      moved.push(promotion);
    } catch (error) {
      for (const one of moved.reverse()) await putBack(one, promotion.image, outside, signal);
      return { image: promotion.image, error };
    }
  }
  for (const { image, digest, from, was, ref, moving } of group) outside.tell({ type: 'promoted', image, tag: tagOf(ref), digest, from, was, moving });
  return undefined;
}

async function isDue(promotion: Promotion, { registry }: Outside, signal: AbortSignal): Promise<boolean> {
  const now = await registry.digestOf(withTag(refOf(promotion), movingOf(promotion)), signal);
  if (now === promotion.digest) return false;
  if (now === promotion.from) return true;
  throw new StepFailure('promote', `:${movingOf(promotion)} was moved by someone else since this run began (to ${now === undefined ? 'nothing' : shortDigest(now)}) and was left there; build-images plan says what it is`);
}

async function verifyTarget(promotion: Promotion, { registry }: Outside, signal: AbortSignal): Promise<void> {
  const target = await registry.digestOf(refOf(promotion), signal);
  if (target !== promotion.digest) throw new StepFailure('promote', `${promotion.ref} is ${target === undefined ? 'not there' : shortDigest(target)} in the registry, not ${shortDigest(promotion.digest)}: somebody else writes to it; run again`);
}

/** Marks what `:latest` is about to leave. A kill behind this leaves a mark on what `:latest` is, which changes nothing. */
async function withdraw(promotion: Promotion, { registry, tell }: Outside, signal: AbortSignal): Promise<void> {
  const { image, from, withdraws } = promotion;
  if (withdraws === undefined || from === undefined) return;
  const marked = await registry.digestOf(withTag(refOf(promotion), withdraws), signal);
  // A registry that forbids to set a tag twice forbids it with the same image, too.
  if (marked !== from) await registry.putTag(refOf(promotion), from, withdraws, signal);
  tell({ type: 'withdrawn', image, tag: withdraws, digest: from });
}

/** Sets the mark on what `:latest` moves to elsewhere, before it moves: a kill in between leaves an image that the next run promotes, as it was asked. */
async function lift(promotion: Promotion, { registry, tell }: Outside, signal: AbortSignal): Promise<void> {
  const { image, from, lifts } = promotion;
  if (lifts === undefined || from === undefined) return;
  try {
    await registry.putTag(refOf(promotion), from, lifts, signal);
    tell({ type: 'lifted', image, tag: lifts });
  } catch (error) {
    tell({ type: 'warning', image, message: `the mark ${lifts} stays (${error instanceof Error ? error.message : String(error)}): it counts again should :${movingOf(promotion)} leave this image` });
  }
}

/** Moves `:latest` back to what it was, unless somebody moved it on. */
async function putBack(promotion: Promotion, because: ImageName, { registry, tell }: Outside, signal: AbortSignal): Promise<void> {
  const { image, from, digest, was } = promotion;
  const stays = (why: string): void => tell({ type: 'warning', image, message: `:${movingOf(promotion)} is ${tagOf(promotion.ref)} though ${because}, with which it moves, stayed: ${why}; the next run moves the rest` });
  if (from === undefined) return stays('there was none before, and a registry takes no tag away');
  try {
    const now = await registry.digestOf(withTag(refOf(promotion), movingOf(promotion)), signal);
    if (now !== digest) return stays('someone else moved it meanwhile');
    await registry.putTag(refOf(promotion), from, movingOf(promotion), signal);
    tell({ type: 'put-back', image, digest: from, was, because, moving: promotion.moving });
  } catch (error) {
    stays(`it could not be put back (${error instanceof Error ? error.message : String(error)})`);
  }
}

function movingOf({ moving }: Promotion): string {
  return moving ?? 'latest';
}

function refOf({ ref }: Promotion): ImageRef {
  return parseImageRef(ref)!;
}

/** Its tag; of what has none, the beginning of its digest. */
function tagOf(ref: string): string {
  const { tag, digest } = parseImageRef(ref)!;
  return tag ?? shortDigest(digest!);
}
