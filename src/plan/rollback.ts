import { otherMovingTag } from '../definition/definition.js';
import { parentRefs, type Graph } from '../graph/graph.js';
import { movingGroup } from '../graph/moving-group.js';
import { formatImageRef, repositoryOf, withTag, type ImageName } from '../shared/image-ref.js';
import { shortDigest, type Digest } from '../shared/digest.js';
import type { State } from '../state/state.js';
import { withdrawnTag } from '../state/withdrawn-tag.js';
import type { Reason } from './reason.js';
import { recordedDigest } from './recorded-digest.js';
import type { Plan, RunPublishing, Step } from './step.js';

/** What `:latest` of an image shall be taken back from, and to. */
export type Wanted = {
  readonly image: ImageName;
  /** The run whose move is undone; undefined: a person named the target. */
  readonly run: string | undefined;
  /** What `:latest` must be for that; `name`: what people call it, a version or a dated tag. */
  readonly left: { readonly digest: Digest; readonly name: string | undefined };
  /** Undefined: there was nothing before. `isThere`: the registry still has it; `tag`: one that it has there. */
  readonly target: { readonly digest: Digest; readonly tag: string | undefined; readonly isThere: boolean } | undefined;
  /** The tag by which the target is withdrawn, if it is. */
  readonly lifts: string | undefined;
  /** The move is itself a rollback: undoing it withdraws nothing. */
  readonly isRollback: boolean;
};

/**
 * Takes `:latest` of some images back, in their order: those of a stack together or not at all. What somebody moved on since
 * stays, and so does what has nothing to go back to. What it leaves is marked as withdrawn.
 */
export function planRollback(graph: Graph, images: State['images'], wanted: readonly Wanted[], publishing: RunPublishing): Plan {
  const alone = wanted.map((one) => planOne(graph, images, one));
  const held = new Map(alone.flatMap(({ image, action }) => (action === 'blocked' ? [[movingGroup(graph, image), image] as const] : [])));
  const steps = alone.map((step): Step => {
    const other = held.get(movingGroup(graph, step.image));
    if (step.action !== 'promote' || other === undefined) return step;
    return { ...step, action: 'blocked', promotes: false, reasons: [{ why: 'stays-with', image: other }] };
  });
  const moving = new Set(steps.flatMap(({ image, action }) => (action === 'promote' ? [image] : [])));
  const told = steps.map((step) => (moving.has(step.image) ? { ...step, reasons: [...step.reasons, ...standingOn(graph, images, step, moving)] } : step));
  return { publishing, steps: told, needs: [], isPartial: steps.some(({ action }) => action === 'blocked') };
}

function planOne(graph: Graph, images: State['images'], { image, run, left, target, lifts, isRollback }: Wanted): Step {
  const node = graph.nodes.get(image)!;
  const latest = images.get(image)?.latest;
  const part = (action: Step['action'], reason: Reason, rest: Partial<Step> = {}): Step => ({
    image,
    ref: target === undefined ? formatImageRef(node.ref) : target.tag === undefined ? `${repositoryOf(node.ref)}@${target.digest}` : formatImageRef(withTag(node.ref, target.tag)),
    tag: target === undefined ? node.ref.tag! : (target.tag ?? shortDigest(target.digest)),
    kind: node.definition.recipe.kind,
    action,
    parents: parentRefs(graph, node),
    reasons: [reason],
    now: latest?.digest === left.digest ? left.name : latest !== undefined && latest.digest === target?.digest ? target.tag : latest?.provenance?.version,
    publishes: false,
    promotes: false,
    moving: otherMovingTag(node.definition),
    latestBefore: latest?.digest,
    digest: target?.digest,
    localId: undefined,
    ...rest,
  });
  if (target === undefined) return part('blocked', { why: 'first-published' });
  if (latest?.digest === target.digest) return part('keep', { why: 'back-already' });
  if (latest?.digest !== left.digest) return part('blocked', { why: 'moved-on', run, latest: latest?.digest });
  if (!target.isThere) return part('blocked', { why: 'target-gone', digest: target.digest });
  return part('promote', { why: 'taken-back', run }, { promotes: true, withdraws: isRollback ? undefined : withdrawnTag(left.name, left.digest), lifts });
}

/** The images whose `:latest` was built on what that of a step leaves, and stays. */
function standingOn(graph: Graph, images: State['images'], { image, latestBefore }: Step, moving: ReadonlySet<ImageName>): readonly Reason[] {
  const children = graph.children.get(image)!.filter((child) => {
    const provenance = images.get(child)?.latest?.provenance;
    return !moving.has(child) && provenance !== undefined && recordedDigest(graph, graph.nodes.get(child)!, provenance.parents, image) === latestBefore;
  });
  return children.length === 0 ? [] : [{ why: 'stood-on', children }];
}
