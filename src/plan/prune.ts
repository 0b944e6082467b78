import type { ImageName } from '../shared/image-ref.js';
import { sayNames, type Reason } from './reason.js';

/** What will be done to one image of an engine, or to one manifest of a registry. */
export type PruneStep = {
  readonly image: ImageName;
  readonly action: 'delete-local' | 'delete-digest' | 'keep';
  /** The engine's image id, or the manifest's digest. */
  readonly id: string;
  /** The names that are meant: full references. Of a manifest all of its tags, since they go with it. */
  readonly refs: readonly string[];
  /** Milliseconds since 1970. */
  readonly created: number | undefined;
  readonly reasons: readonly Reason[];
};

/** What a run of prune does, in this order; and where. */
export type PrunePlan = {
  /** `the engine`, or `registry.example.org/base`. */
  readonly of: string;
  readonly where: 'engine' | 'registry';
  readonly steps: readonly PruneStep[];
};

/** What of that which could go stays by its age. */
export type AgeRules = {
  /** How many of the newest of each image; undefined: none. */
  readonly keep: number | undefined;
  /** What is younger than this stays: milliseconds; undefined: nothing does. */
  readonly olderThan: number | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
};

/** Why some of what could go stays, by its age. What nobody knows the age of stays, if its age is asked for. */
export function keptByAge<T extends { readonly created: number | undefined }>(candidates: readonly T[], { keep, olderThan, now }: AgeRules): ReadonlyMap<T, Reason> {
  const kept = new Map<T, Reason>();
  if (keep === undefined && olderThan === undefined) return kept;
  const newest = new Set(candidates.filter(({ created }) => created !== undefined).sort((one, other) => other.created! - one.created!).slice(0, keep ?? 0));
  for (const candidate of candidates) {
    const { created } = candidate;
    if (created === undefined) kept.set(candidate, { why: 'made-unknown' });
    else if (keep !== undefined && newest.has(candidate)) kept.set(candidate, { why: 'among-newest', keep });
    else if (olderThan !== undefined && now - created < olderThan) kept.set(candidate, { why: 'too-young', age: now - created });
  }
  return kept;
}

/** Whether a step takes something away. */
export function isDeletion({ action }: PruneStep): boolean {
  return action !== 'keep';
}

/** A plan as JSON: the form that scripts rely on. Times are RFC 3339. */
export function pruneToJson({ of, where, steps }: PrunePlan): unknown {
  const form = ({ image, action, id, refs, created, reasons }: PruneStep): unknown => ({ image, action, [where === 'engine' ? 'id' : 'digest']: id, refs, created: created === undefined ? null : new Date(created).toISOString(), reasons });
  return { pruning: { where, of }, steps: steps.map(form) };
}

/** What images are called in a plan of prune. */
export function sayPruned(steps: readonly PruneStep[]): (image: ImageName) => string {
  return sayNames(steps.map(({ image }) => image));
}
