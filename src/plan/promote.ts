import { otherMovingTag } from '../definition/definition.js';
import { parentRefs, type Graph } from '../graph/graph.js';
import { formatImageRef, withTag, type ImageName } from '../shared/image-ref.js';
import type { Need, State } from '../state/state.js';
import type { Plan, RunPublishing, Step } from './step.js';

/** What `promote IMAGE` comes to: a plan of one step, what must be read first, or that there is nothing to promote. */
export type PromotePlan = { readonly plan: Plan } | { readonly need: Need } | { readonly nothing: string };

/**
 * Moves `:latest` to the changelog's newest version, or to the newest dated tag, whatever `:latest` is now: the way out when
 * planning refuses because it does not know what is there.
 */
export function planPromote(graph: Graph, state: State, image: ImageName, publishing: RunPublishing): PromotePlan {
  const node = graph.nodes.get(image)!;
  const published = state.images.get(image)!;
  const { tagSource, recipe } = node.definition;
  if (tagSource.source === 'day' && !state.dated.has(image)) return { need: { need: 'dated-tags', image } };
  const newest = tagSource.source === 'changelog' ? published.version : state.dated.get(image)![0];
  const tag = tagSource.source === 'changelog' ? tagSource.version : state.dated.get(image)![0]?.tag;
  if (newest === undefined || tag === undefined) return { nothing: `${image} is not published${tag === undefined ? '' : ` as ${tag}`}: build it first` };
  const there = published.latest?.digest === newest.digest;
  if (!there && published.latest !== undefined && !state.withdrawn.has(image)) return { need: { need: 'withdrawn', image } };
  const mark = there ? undefined : state.withdrawn.get(image)?.find(({ digest }) => digest === newest.digest);
  const step: Step = {
    image,
    ref: formatImageRef(withTag(node.ref, tag)),
    tag,
    kind: recipe.kind,
    action: there ? 'keep' : 'promote',
    parents: parentRefs(graph, node),
    reasons: there ? [{ why: 'published', digest: newest.digest }] : [{ why: 'promotion-requested' }],
    now: state.dated.get(image)?.find(({ digest }) => digest === published.latest?.digest)?.tag ?? published.latest?.provenance?.version,
    publishes: false,
    promotes: !there,
    moving: otherMovingTag(node.definition),
    lifts: mark?.tag,
    latestBefore: published.latest?.digest,
    digest: newest.digest,
    localId: undefined,
  };
  return { plan: { publishing, steps: [step], needs: [] } };
}
