import { formatImageRef, type ImageName } from '../shared/image-ref.js';
import { compileGlob } from './glob.js';
import type { Graph, Node } from './graph.js';

/** The images whose full reference (`registry/namespace/name:tag`) one of the globs matches, and the globs that match nothing. */
export function selectImages(graph: { readonly nodes: ReadonlyMap<ImageName, Pick<Node, 'ref'>> }, globs: readonly string[]): { readonly images: ReadonlySet<ImageName>; readonly missed: readonly string[] } {
  const images = new Set<ImageName>();
  const missed: string[] = [];
  const refs = [...graph.nodes].map(([image, node]) => ({ image, ref: formatImageRef(node.ref) }));
  for (const glob of globs) {
    const matches = compileGlob(glob);
    const found = refs.filter(({ ref }) => matches(ref));
    if (found.length === 0) missed.push(glob);
    for (const { image } of found) images.add(image);
  }
  return { images, missed };
}

/** The image that a person names: by name, `namespace/name`, or full reference with or without its tag. */
export function findImage(graph: Graph, named: string): ImageName | undefined {
  for (const [image, { definition, ref }] of graph.nodes) {
    const full = formatImageRef(ref);
    if (named === definition.name || named === image || named === full || named === full.slice(0, full.lastIndexOf(':'))) return image;
  }
  return undefined;
}
