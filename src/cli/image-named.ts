import type { Graph } from '../graph/graph.js';
import { findImages } from '../graph/select.js';
import { UsageError } from '../shared/errors.js';
import { repositoryOf, type ImageName } from '../shared/image-ref.js';

/** The image that a person names; undefined: there is none. A name that several trees have is refused with the longer ones. */
export function imageNamed(graph: Graph, named: string): ImageName | undefined {
  const found = findImages(graph, named);
  if (found.length > 1) throw new UsageError(`"${named}" could be ${found.map((image) => repositoryOf(graph.nodes.get(image)!.ref)).sort().join(' or ')}: name one of them`);
  return found[0];
}
