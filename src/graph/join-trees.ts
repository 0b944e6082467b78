import type { Definition } from '../definition/definition.js';
import { joinPath } from '../definition/paths.js';
import type { TreeConfig } from '../shared/config.js';
import { repositoryOf } from '../shared/image-ref.js';
import { errorAt, type Problem } from '../shared/problem.js';
import { repositoryRefOf, type TreeDefinitions } from './tags.js';

/**
 * Makes the definitions of several trees ones of one graph: images of two trees that have the same `namespace/name` are told apart
 * by their registries. Two that have the registry in common, too, are a problem that names both.
 */
export function joinTrees(trees: readonly TreeDefinitions[]): { readonly trees: readonly TreeDefinitions[]; readonly problems: readonly Problem[] } {
  const named = new Map<string, TreeConfig>();
  const shared = new Set<string>();
  const first = new Map<string, Definition>();
  const problems: Problem[] = [];
  for (const { tree, definitions } of trees) {
    for (const definition of definitions) {
      if ((named.get(definition.repository) ?? tree) !== tree) shared.add(definition.repository);
      named.set(definition.repository, tree);
      const full = fullNameOf(definition, tree);
      const other = first.get(full);
      // Within one tree, its own reading says so.
      if (other !== undefined && other.tree !== definition.tree) problems.push(errorAt(placeOf(definition), undefined, `the image ${full} is that of ${placeOf(other)}: trees that have a registry and a namespace in common cannot have a name in common`));
      first.set(full, definition);
    }
  }
  const told = trees.map(({ tree, definitions }) => ({
    tree,
    definitions: definitions.map((definition) => (shared.has(definition.repository) ? { ...definition, image: fullNameOf(definition, tree) } : definition)),
  }));
  return { trees: told, problems };
}

function fullNameOf(definition: Definition, { config }: TreeConfig): string {
  return repositoryOf(repositoryRefOf(config, definition.repository));
}

/** The file that gives an image its name, where there is one. */
function placeOf({ directory, tagSource }: Definition): string {
  return tagSource.source === 'changelog' ? joinPath(directory, 'changelog') : directory;
}
