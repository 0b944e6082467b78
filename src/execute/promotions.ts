import { descendantsOf, type Graph } from '../graph/graph.js';
import { movingGroup } from '../graph/moving-group.js';
import { isPending, type Step } from '../plan/step.js';
import type { ImageName } from '../shared/image-ref.js';
import type { Made } from './build-image.js';
import type { Promotion } from './promote.js';
import type { Result } from './schedule.js';

/** Images whose `:latest` moves together, and why it may not move; undefined: it may. */
export type PromotionGroup = { readonly promotions: readonly Promotion[]; readonly held: string | undefined };

/** What building came to. */
export type Built = { readonly steps: readonly Step[]; readonly results: ReadonlyMap<ImageName, Result>; readonly made: ReadonlyMap<ImageName, Made>; readonly graph: Graph };

/**
 * The moves of `:latest` that are due at the end of a run: of each image that is published and promotes, and above which
 * everything that this run worked on is published too. The images of a stack are one group, which moves whole or not at all.
 */
export function promotionGroups(built: Built): readonly PromotionGroup[] {
  const { steps, results, made, graph } = built;
  const todo = steps.filter(isPending);
  // What is built on these stayed here, too; this is for those that only their control puts behind one.
  const stayed = descendantsOf(graph, todo.filter(({ image, publishes }) => publishes && results.get(image) === 'done' && made.get(image)?.digest === undefined).map(({ image }) => image));
  const groups = new Map<string, Promotion[]>();
  for (const step of todo) {
    const promotion = promotionOf(step, built);
    if (promotion === undefined) continue;
    const group = movingGroup(graph, step.image);
    groups.set(group, [...(groups.get(group) ?? []), promotion]);
  }
  return [...groups].map(([group, promotions]) => {
    if (promotions.some(({ image }) => stayed.has(image))) return { promotions, held: 'something that it stands on stays on this engine' };
    const behind = steps.find((step) => movingGroup(graph, step.image) === group && staysBehind(step, built));
    return { promotions, held: behind === undefined ? undefined : `it moves together with ${graph.nodes.get(behind.image)!.definition.name}, which ${behind.action === 'blocked' ? 'is blocked' : 'did not get that far'}` };
  });
}

/** An image of a stack that should move in this run, and cannot. */
function staysBehind(step: Step, built: Built): boolean {
  if (step.action === 'blocked') return true;
  if (built.made.get(step.image)?.same === true) return false;
  return isPending(step) && step.promotes && promotionOf(step, built) === undefined;
}

function promotionOf(step: Step, { results, made }: Built): Promotion | undefined {
  // A descendant of a failed image is blocked, so 'done' says it of all ancestors in the run.
  if (!step.promotes || results.get(step.image) !== 'done' || made.get(step.image)?.same === true) return undefined;
  const digest = step.action === 'promote' ? step.digest : made.get(step.image)?.digest;
  return digest === undefined ? undefined : { image: step.image, ref: step.ref, digest, from: step.latestBefore, was: step.now, moving: step.moving, withdraws: step.withdraws, lifts: step.lifts };
}
