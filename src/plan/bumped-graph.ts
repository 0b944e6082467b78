import type { Graph } from '../graph/graph.js';
import type { ImageName } from '../shared/image-ref.js';
import type { State } from '../state/state.js';

/** A graph, and what the registry has of it, as they will be when entries are written: by image its new version, which is not published. */
export function withVersions(graph: Graph, state: State, versions: ReadonlyMap<ImageName, string>): { readonly graph: Graph; readonly state: State } {
  const images = new Map(state.images);
  const nodes = new Map(
    [...graph.nodes].map(([image, node]) => {
      const { definition } = node;
      const { tagSource } = definition;
      const version = versions.get(image);
      if (version === undefined || tagSource.source !== 'changelog' || version === tagSource.version) return [image, node];
      images.set(image, { ...images.get(image)!, version: undefined });
      return [image, { ...node, ref: { ...node.ref, tag: version }, definition: { ...definition, tagSource: { ...tagSource, version, older: [tagSource.version, ...tagSource.older] } } }];
    }),
  );
  return { graph: { ...graph, nodes }, state: { ...state, images } };
}
