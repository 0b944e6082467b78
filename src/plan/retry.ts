import type { Graph } from '../graph/graph.js';
import type { Digest } from '../shared/digest.js';
import type { ImageName } from '../shared/image-ref.js';
import { isPending, type Plan, type Step } from './step.js';

/** An image that failed in the last night in which it was tried. */
export type Failing = {
  /** In how many such nights, one after the other, and always as the same: a changed definition or newer packages begin anew. */
  readonly nights: number;
  /** When the last of them began, in milliseconds since 1970. */
  readonly last: number;
  /** What was tried: one digest over all that may make a difference. */
  readonly tried: Digest;
  /** What went wrong the last time. */
  readonly message: string;
};

/** What a night tried, and how that ended; `at`: when it began, in milliseconds since 1970. */
export type Night = {
  readonly at: number;
  readonly tries: Readonly<Record<ImageName, Digest>>;
  /** Images that were done, in this or in any run since the night before. */
  readonly done: ReadonlySet<ImageName>;
  /** Images that failed, and with what words. */
  readonly failed: ReadonlyMap<ImageName, string>;
};

const DAY = 24 * 3_600_000;

/** The longest pause, in nights. */
const LONGEST = 8;

/** What is failing after some nights, oldest first. An image that was done since is not. */
export function failingAfter(nights: Iterable<Night>): ReadonlyMap<ImageName, Failing> {
  const failing = new Map<ImageName, Failing>();
  for (const { at, tries, done, failed } of nights) {
    for (const image of done) failing.delete(image);
    for (const [image, message] of failed) {
      const tried = tries[image];
      if (tried === undefined) continue;
      const before = failing.get(image);
      failing.set(image, { nights: before?.tried === tried ? before.nights + 1 : 1, last: at, tried, message });
    }
  }
  return failing;
}

/** The day on which a failing image is tried again: after 1, 2, 4, 8, 8 … nights. Milliseconds since 1970. */
export function nextTry({ nights, last }: Pick<Failing, 'nights' | 'last'>): number {
  return last + Math.min(2 ** (nights - 1), LONGEST) * DAY;
}

/** Whether a night is too early for what failed before. A timer strikes now earlier, now later: half a day counts as none. */
export function isResting(failing: Failing, tries: Digest, now: number): boolean {
  return failing.tried === tries && now < nextTry(failing) - DAY / 2;
}

/**
 * The plan of a night: what failed before and is to be left alone tonight is not begun, and neither is what would be built on it.
 * @param resting images that rest, with what is known of them
 */
export function restFailing(plan: Plan, graph: Graph, resting: ReadonlyMap<ImageName, Failing>): Plan {
  const left = new Set<ImageName>();
  const steps = plan.steps.map((step): Step => {
    if (!isPending(step) || step.action === 'promote') return step;
    const failing = resting.get(step.image);
    const parent = graph.nodes.get(step.image)!.parents.find((one) => left.has(one));
    if (failing === undefined && parent === undefined) return step;
    left.add(step.image);
    const why = failing === undefined ? { why: 'rests-with' as const, parent: parent! } : { why: 'resting' as const, nights: failing.nights, next: nextTry(failing) };
    return { ...step, action: 'blocked', reasons: [why, ...step.reasons], publishes: false, promotes: false };
  });
  return { ...plan, steps };
}
