import type { Graph, Node } from '../graph/graph.js';
import type { ImageName } from '../shared/image-ref.js';
import type { Digest } from '../shared/digest.js';
import { isPlatform } from '../shared/platform.js';
import type { ParentDigests, Provenance } from '../state/labels.js';
import type { Reason } from './reason.js';
import { recordedDigest } from './recorded-digest.js';

/** What children will stand on after the run: a digest (or `id:…`) known today, or something that this run makes. */
export type Standing = { readonly digest: string } | 'changes' | 'absent';

/** An image between those that it stands on, as they will be. */
type Placed = {
  readonly node: Node;
  readonly graph: Graph;
  /** Digest of its definition as it is now. */
  readonly today: Digest;
  readonly standings: ReadonlyMap<ImageName, Standing>;
  /** `platform`: what is built for; undefined: the engine's own. */
  readonly request: { readonly platform: string | undefined };
};

/** The parents that are, or will be in this run, something else than what an image was built on. */
export function whichParentsMove(one: Placed & { /** Images above it that are not published when they come out as they are. */ readonly sparing: ReadonlySet<ImageName> }, recordedParents: ParentDigests): readonly Reason[] {
  return one.node.sources.flatMap(({ image: parent }): Reason[] => {
    if (parent === undefined) return [];
    const standing = one.standings.get(parent);
    if (standing === 'changes') return [one.sparing.has(parent) ? { why: 'parent-refreshed', parent, ifDiffers: true } : { why: 'parent-builds', parent }];
    const recorded = recordedDigest(one.graph, one.node, recordedParents, parent);
    if (standing === undefined || standing === 'absent' || recorded === undefined || recorded === standing.digest) return [];
    return [{ why: 'parent-moved', parent, from: recorded, to: standing.digest }];
  });
}

/** Whether what was built for one platform is what a build for another would make; undefined is the engine's own, whatever that is. */
function isForPlatform(built: string | undefined, wanted: string | undefined): boolean {
  return built === undefined || wanted === undefined ? built === wanted : isPlatform(built, wanted);
}

/** Whether an image was made from today's definition and stood on the tree's images as they will be after this run. */
export function isToday(one: Placed, provenance: Provenance): boolean {
  if (provenance.definition !== one.today || !isForPlatform(provenance.platform, one.request.platform)) return false;
  return one.node.sources.every(({ image }) => {
    if (image === undefined) return true;
    const standing = one.standings.get(image);
    return typeof standing === 'object' && standing.digest === recordedDigest(one.graph, one.node, provenance.parents, image);
  });
}
