import { parentRefs } from '../graph/graph.js';
import { formatTable } from '../report/table.js';
import { EXIT } from '../shared/errors.js';
import { formatImageRef } from '../shared/image-ref.js';
import { selection } from './planning.js';
import { readConfig, readTree } from './tree.js';
import type { Verb } from './verb.js';

/** Lists every image of the tree, parents first; asks neither registry nor engine. */
export const list: Verb = async (options, environment) => {
  const tree = await readTree(await readConfig(options, environment), options, environment);
  const selected = selection(tree, options);
  const images = [...tree.graph.nodes].filter(([image]) => selected?.has(image) !== false);
  const entries = images.map(([image, node]) => ({
    path: node.definition.path,
    tree: node.tree.name,
    image,
    ref: formatImageRef(node.ref),
    kind: node.definition.recipe.kind,
    parents: parentRefs(tree.graph, node),
  }));
  if (options.json) environment.out(JSON.stringify(entries, null, 2));
  else for (const line of formatTable(images.map(([, { definition }], index) => [entries[index]!.ref, entries[index]!.kind, tree.config.trees.length === 1 ? definition.path : definition.directory]))) environment.out(line);
  return EXIT.ok;
};
