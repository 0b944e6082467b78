import { TO_BE_PUSHED } from '../adapters/git-branch.js';
import { isWithin } from '../definition/paths.js';
import type { RunConfig } from '../shared/config.js';
import type { Environment } from './environment.js';
import { pushEntries, type Hindrance, type NightGit, type NightTree } from './night-git.js';
import type { FoundRefresh } from './refreshing.js';
import { writeEntries } from './update.js';

/** How often a night plans again since somebody pushed before it did. */
const RACES = 3;

/** What became of a night's entries, over all that it planned. */
export type NightEntries = {
  /** Trees that git gives no entries to after all; by name. */
  readonly hindered: Map<string, Hindrance>;
  /** How often somebody was faster, by the root of the work tree. */
  readonly races: Map<string, number>;
  /** Whether some are where they must be. */
  committed: boolean;
};

/**
 * Writes the entries of a refresh, commits them, a commit in each work tree, and pushes them where the config says so. True: all is where
 * it must be before anything is built. False: something is not, nothing of it is left, and why not is in `night`: plan again.
 */
export async function settleEntries(found: FoundRefresh, git: NightGit, night: NightEntries, config: RunConfig, environment: Environment): Promise<boolean> {
  const committed: { readonly work: NightTree; readonly before: string }[] = [];
  const hinder = (work: NightTree, hindrance: Hindrance): void => work.trees.forEach(({ name }) => night.hindered.set(name, hindrance));
  let refusing: NightTree | undefined;
  const commit = async (paths: readonly string[]): Promise<undefined> => {
    // The innermost, since one work tree may lie in another.
    const owner = (path: string): NightTree | undefined => [...git.workTrees].sort((a, b) => b.tree.root.length - a.tree.root.length).find(({ tree }) => isWithin(path, tree.root));
    for (const work of git.workTrees) {
      refusing = work;
      const own = paths.filter((path) => owner(path) === work);
      // What a killed night wrote is there already; what an earlier one committed is not changed.
      const changed = own.length === 0 ? new Set<string>() : await work.tree.changed(own);
      if (changed.size === 0) continue;
      const before = await work.branch.head();
      await work.tree.commit([...changed], work.pushes ? `${found.message.trimEnd()}\n\n${TO_BE_PUSHED}\n` : found.message);
      committed.push({ work, before });
    }
    refusing = undefined;
  };
  try {
    await writeEntries(found.entries, commit, config, environment);
  } catch (error) {
    environment.signal.throwIfAborted();
    if (refusing === undefined) throw error;
    for (const { work, before } of committed) await work.branch.backTo(before);
    hinder(refusing, { why: `git does not commit: ${error instanceof Error ? error.message : String(error)}`, isFault: true });
    return false;
  }
  let isSettled = true;
  for (const { work, before } of committed) {
    const pushed = work.pushes ? await pushEntries(work, before, environment) : 'pushed';
    if (pushed === 'pushed') {
      night.committed = true;
      continue;
    }
    isSettled = false;
    const races = (night.races.get(work.tree.root) ?? 0) + 1;
    night.races.set(work.tree.root, races);
    if (typeof pushed === 'object') hinder(work, pushed.hindrance);
    else if (races >= RACES) hinder(work, { why: `somebody else pushed first, ${RACES} times`, isFault: true });
  }
  return isSettled;
}
