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

/** The images that a person may mean: by name, `namespace/name`, or full reference with or without its tag. */
export function findImages(graph: Graph, named: string): readonly ImageName[] {
  return [...graph.nodes].flatMap(([image, { definition, ref }]) => {
    const full = formatImageRef(ref);
    return [definition.name, definition.repository, image, full, full.slice(0, full.lastIndexOf(':'))].includes(named) ? [image] : [];
  });
}
