import { resolve } from 'node:path';
import type { GitTree, Recorded } from '../adapters/git-tree.js';
import { isWithin } from '../definition/paths.js';
import type { TreeConfig } from '../shared/config.js';
import type { Environment } from './environment.js';

/** The git work trees of some trees. */
export type GitOfTrees = {
  /** Undefined: that tree lies in none. */
  of(tree: string): GitTree | undefined;
  /** All of them as if they were one; undefined: there is none. */
  readonly all: Omit<GitTree, 'root'> | undefined;
};

/** Opens the git work tree around each tree. */
export async function openGitOfTrees(trees: readonly TreeConfig[], { cwd, env }: Environment): Promise<GitOfTrees> {
  const { openGitTree } = await import('../adapters/git-tree.js');
  const opened = new Map(await Promise.all(trees.map(async ({ name, directory }) => [name, await openGitTree(resolve(cwd, directory), env)] as const)));
  const byRoot = new Map([...opened.values()].flatMap((git) => (git === undefined ? [] : [[git.root, git]])));
  return { of: (tree) => opened.get(tree), all: byRoot.size === 0 ? undefined : joinGitTrees([...byRoot.values()]) };
}

function joinGitTrees(gits: readonly GitTree[]): GitOfTrees['all'] {
  // The innermost, since one work tree may lie in another.
  const inside = [...gits].sort((a, b) => b.root.length - a.root.length);
  const shares = (paths: readonly string[]): readonly (readonly [GitTree, readonly string[]])[] => {
    const owner = (path: string): GitTree | undefined => inside.find(({ root }) => isWithin(path, root));
    return inside.map((git) => [git, paths.filter((path) => owner(path) === git)] as const).filter(([, own]) => own.length > 0);
  };
  const read = async (paths: readonly string[], ask: (git: GitTree, own: readonly string[]) => Promise<ReadonlyMap<string, Recorded> | undefined>): Promise<ReadonlyMap<string, Recorded>> =>
    new Map((await Promise.all(shares(paths).map(([git, own]) => ask(git, own)))).flatMap((found) => [...(found ?? [])]));
  return {
    inHead: (paths) => read(paths, (git, own) => git.inHead(own)),
    inIndex: (paths) => read(paths, (git, own) => git.inIndex(own)),
    changed: async (paths) => new Set((await Promise.all(shares(paths).map(([git, own]) => git.changed(own)))).flatMap((changed) => [...changed])),
    async commit(paths, message) {
      const [first, ...more] = shares(paths);
      if (first === undefined || more.length > 0) throw new Error('the changelogs lie in several git work trees, and one commit is of one; leave out --commit, or update tree by tree');
      return first[0].commit(paths, message);
    },
  };
}
