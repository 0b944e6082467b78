import { stackOf } from '../definition/definition.js';
import type { ImageName } from '../shared/image-ref.js';
import type { Graph } from './graph.js';

/** The name under which images move together: that of their stack, else their own. */
export function movingGroup(graph: Graph, image: ImageName): string {
  const { definition, tree } = graph.nodes.get(image)!;
  const stack = stackOf(definition);
  return stack === undefined ? `image ${image}` : `stack ${stack.id} of ${tree.name}`;
}
