import { templateOf, type Definition } from '../definition/definition.js';
import { joinPath } from '../definition/paths.js';
import type { SourceFiles } from '../definition/source-files.js';
import type { ImageName } from '../shared/image-ref.js';

/** Files that were changed together. */
export type Change = {
  /** Undefined: not committed yet. */
  readonly commit: string | undefined;
  /** Relative to DIRECTORY. */
  readonly paths: readonly string[];
};

/** What git knows of a tree's files. */
export interface ChangeHistory {
  /** What was changed below DIRECTORY, newest first: what is not committed, then commit by commit. Read no further than it is asked for. Undefined: DIRECTORY is in no git work tree with a commit, or there is no git. */
  changes(directory: string): Promise<AsyncIterable<Change> | undefined>;
}

/** What changed in a definition since its changelog did. */
export type Changed = {
  /** The newest change's first file, as a person would type it, and its commit. */
  readonly path: string;
  readonly commit: string | undefined;
  /** How many files in all, each change counted. */
  readonly many: number;
};

/** Files of a folder that are no part of what is built. */
const NOT_BUILT = new Set(['control', 'test.sh']);

/**
 * The versioned images of one tree whose files changed since their changelog was changed last. Only files that the definition digest
 * is over count: what .dockerignore leaves out does not, nor do definitions inside the folder.
 */
export async function changedSince(definitions: readonly Definition[], changes: AsyncIterable<Change>, files: SourceFiles): Promise<ReadonlyMap<ImageName, Changed>> {
  const owners = new Map(definitions.map((definition) => [definition.path, definition]));
  const open = new Set(definitions.filter(({ tagSource }) => tagSource.source === 'changelog'));
  const found = new Map<Definition, { path: string; commit: string | undefined }[]>();
  for await (const { commit, paths } of changes) {
    const settled = new Set<Definition>();
    const touched: [Definition, string][] = [];
    for (const path of paths) {
      const owned = ownerOf(path, owners);
      if (owned === undefined || !open.has(owned.definition)) continue;
      if (owned.file === 'changelog') settled.add(owned.definition);
      else if (!NOT_BUILT.has(owned.file)) touched.push([owned.definition, owned.file]);
    }
    for (const [definition, path] of touched) if (!settled.has(definition)) found.set(definition, [...(found.get(definition) ?? []), { path, commit }]);
    for (const definition of settled) open.delete(definition);
    if (open.size === 0) break;
  }
  return new Map(
    [...found].flatMap(([definition, all]) => {
      // Whoever's changelog no commit has is not under git at all, or not yet.
      const counted = open.has(definition) ? [] : all.filter(isBuilt(definition, files));
      const [newest] = counted;
      return newest === undefined ? [] : [[definition.image, { path: joinPath(definition.directory, newest.path), commit: newest.commit, many: new Set(counted.map(({ path }) => path)).size }]];
    }),
  );
}

/** The definition whose folder holds a file, the innermost one, and the file's path in it. */
function ownerOf(path: string, owners: ReadonlyMap<string, Definition>): { readonly definition: Definition; readonly file: string } | undefined {
  for (let slash = path.lastIndexOf('/'); slash >= 0; slash = path.lastIndexOf('/', slash - 1)) {
    const definition = owners.get(path.slice(0, slash));
    if (definition !== undefined) return { definition, file: path.slice(slash + 1) };
    if (slash === 0) break;
  }
  const whole = owners.get('.');
  return whole === undefined ? undefined : { definition: whole, file: path };
}

/** Whether a file is part of what is built: the template or the recipe, a file of the build context, or one that is no more. */
function isBuilt(definition: Definition, files: SourceFiles): (change: { readonly path: string }) => boolean {
  if (templateOf(definition) === undefined) return ({ path }) => joinPath(definition.directory, path) === templatePathOf(definition);
  const context = files.readContext(definition.directory);
  const inContext = new Set(context.ok ? context.value.map(({ path }) => path) : []);
  const inFolder = (path: string): boolean => files.readBytes(joinPath(definition.directory, path)).ok;
  return ({ path }) => path === 'Dockerfile.template' || path === 'stack.yaml' || inContext.has(path) || !inFolder(path);
}

function templatePathOf({ recipe }: Definition): string | undefined {
  return 'rootfsPath' in recipe ? recipe.rootfsPath : undefined;
}
