import type { Graph, Node } from '../graph/graph.js';
import { formatImageRef, repositoryOf, type ImageName } from '../shared/image-ref.js';
import type { ParentDigests } from '../state/labels.js';

/** The digest that was recorded for a parent, under whichever tag it had then. Another tag of its repository, which the Dockerfile also names, is no record of it. */
export function recordedDigest(graph: Graph, node: Node, parents: ParentDigests, parent: ImageName): string | undefined {
  const { ref } = graph.nodes.get(parent)!;
  const own = parents[formatImageRef(ref)];
  if (own !== undefined) return own;
  const repository = repositoryOf(ref);
  const others = new Set(node.sources.flatMap((source) => (source.image === undefined ? [source.ref] : [])));
  return Object.entries(parents).find(([recorded]) => !others.has(recorded) && (recorded === repository || recorded.startsWith(`${repository}:`)))?.[1];
}
