import { alg, Graph as DirectedGraph } from '@dagrejs/graphlib';
import type { Definition } from '../definition/definition.js';
import { formatImageRef, type ImageName, type ImageRef } from '../shared/image-ref.js';
import type { TreeConfig } from '../shared/config.js';
import type { Digest } from '../shared/digest.js';
import { errorAt, type Problem } from '../shared/problem.js';

/** One image that a Dockerfile stands on: FROM, COPY --from or RUN --mount=from. */
export type Source = {
  /** As the rendered Dockerfile names it, ARG defaults expanded. */
  readonly ref: string;
  /** The image of the tree that it means; undefined for an outside image. */
  readonly image: ImageName | undefined;
};

/** One image of the tree and what it needs. */
export type Node = {
  readonly definition: Definition;
  /** Whose config says how it is built and where it goes. */
  readonly tree: TreeConfig;
  /** `registry/namespace/name:tag`; a rolling image's tag is `latest`. */
  readonly ref: ImageRef;
  /** The rendered Dockerfile; a base image has none. */
  readonly dockerfile: string | undefined;
  /** Digest of the same without what names the outside: what the definition digest is made from. */
  readonly neutral: Digest | undefined;
  /** Paths of the context that the build sees, with all below them; undefined: all of it. */
  readonly copied?: readonly string[];
  /** What the build stands on, each once, in the order of the Dockerfile. */
  readonly sources: readonly Source[];
  /** The source that the final stage is FROM; undefined when that is scratch, and for a base image. */
  readonly base: string | undefined;
  /** Images of the tree that must be there first: sources, image_tag uses, control's names. In the order of their names. */
  readonly parents: readonly ImageName[];
  /** Of its sources those of the tree that its template names without image_tag: a new version of theirs is not taken up. */
  readonly byHand?: readonly ImageName[];
};

/** The images of all trees, parents first, in the same order every time. */
export type Graph = {
  readonly nodes: ReadonlyMap<ImageName, Node>;
  readonly children: ReadonlyMap<ImageName, readonly ImageName[]>;
};

/** Orders nodes parents first; each cycle is a problem that names its members. */
export function orderGraph(nodes: readonly Node[]): { readonly graph: Graph; readonly problems: readonly Problem[] } {
  const byName = new Map([...nodes].sort((a, b) => (a.definition.image < b.definition.image ? -1 : 1)).map((node) => [node.definition.image, node]));
  const edges = new DirectedGraph({ directed: true });
  // A prefix, because graphlib keeps its nodes as keys of plain objects.
  const id = (image: ImageName): string => `i:${image}`;
  for (const image of byName.keys()) edges.setNode(id(image), undefined);
  for (const [image, node] of byName) for (const parent of node.parents) edges.setEdge(id(parent), id(image));

  const ordered = new Map<ImageName, Node>();
  const place = (start: ImageName): void => {
    // By hand and not by graphlib's topsort: a recursion, and it overflows on a chain of some thousands.
    const stack: { image: ImageName; next: number }[] = [{ image: start, next: 0 }];
    const open = new Set([start]);
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const parent = byName.get(top.image)!.parents[top.next++];
      if (parent === undefined) {
        ordered.set(top.image, byName.get(top.image)!);
        open.delete(top.image);
        stack.pop();
      } else if (!ordered.has(parent) && !open.has(parent)) {
        open.add(parent);
        stack.push({ image: parent, next: 0 });
      }
    }
  };
  for (const image of byName.keys()) if (!ordered.has(image)) place(image);

  const children = new Map<ImageName, ImageName[]>([...ordered.keys()].map((image) => [image, []]));
  for (const [image, node] of ordered) for (const parent of node.parents) children.get(parent)!.push(image);
  return { graph: { nodes: ordered, children }, problems: cyclesOf(edges, byName) };
}

function cyclesOf(edges: DirectedGraph, nodes: ReadonlyMap<ImageName, Node>): readonly Problem[] {
  // What is not in a cycle is peeled off first: findCycles recurses.
  const waiting = edges.sources();
  while (waiting.length > 0) {
    const id = waiting.pop()!;
    const after = edges.successors(id) ?? [];
    edges.removeNode(id);
    for (const next of after) if ((edges.predecessors(next) ?? []).length === 0) waiting.push(next);
  }
  return alg.findCycles(edges).map((component) => {
    const cycle = shortestCycle(component.map((id) => id.slice(2)), nodes);
    return errorAt(nodes.get(cycle[0]!)!.definition.directory, undefined, `stands on itself: ${[...cycle, cycle[0]!].join(' → ')} (each needs the next)`);
  });
}

/** A shortest walk round through the first member (by name) of a component. */
function shortestCycle(component: readonly ImageName[], nodes: ReadonlyMap<ImageName, Node>): readonly ImageName[] {
  const start = [...component].sort()[0]!;
  const cameFrom = new Map<ImageName, ImageName>();
  const queue = [start];
  for (const image of queue) {
    for (const parent of nodes.get(image)!.parents) {
      if (parent === start) {
        const path: ImageName[] = [];
        for (let at: ImageName | undefined = image; at !== undefined; at = cameFrom.get(at)) path.unshift(at);
        return path;
      }
      // What is not in the component leads nowhere back; walking there costs little.
      if (!cameFrom.has(parent)) {
        cameFrom.set(parent, image);
        queue.push(parent);
      }
    }
  }
  return [start];
}

/** Every image that stands on one of these, directly or not. */
export function descendantsOf(graph: Graph, images: Iterable<ImageName>): ReadonlySet<ImageName> {
  const seen = new Set<ImageName>();
  const waiting = [...images];
  while (waiting.length > 0) {
    for (const child of graph.children.get(waiting.pop()!) ?? []) {
      if (seen.has(child)) continue;
      seen.add(child);
      waiting.push(child);
    }
  }
  return seen;
}

/** Whether an image is versioned: it has a changelog, and its tag is never moved. */
export function isVersioned(node: Pick<Node, 'definition'>): boolean {
  return node.definition.tagSource.source === 'changelog';
}

/** The images that an image's packages may be from: what its final stage is FROM; where that is scratch, all that it copies from. */
export function packageSources({ base, sources }: Pick<Node, 'base' | 'sources'>): readonly Source[] {
  return base === undefined ? sources : sources.filter(({ ref }) => ref === base);
}

/** Full references of everything an image stands on: first the tree's, then outside images. */
export function parentRefs(graph: Graph, node: Node): readonly string[] {
  return [
    ...node.parents.map((parent) => formatImageRef(graph.nodes.get(parent)!.ref)),
    ...node.sources.filter(({ image }) => image === undefined).map(({ ref }) => ref),
  ];
}
