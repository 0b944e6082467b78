import { basename, relative, resolve } from 'node:path';
import type { GitBranch } from '../adapters/git-branch.js';
import type { GitTree } from '../adapters/git-tree.js';
import { parseChangelog } from '../definition/changelog.js';
import { isOurs } from '../definition/changelog-entry.js';
import { differsByOurEntry } from '../plan/update.js';
import type { Lock } from '../adapters/lock.js';
import type { RunConfig, TreeConfig } from '../shared/config.js';
import { EXIT, Fault, UsageError } from '../shared/errors.js';
import { openGitOfTrees } from './git-of-trees.js';
import type { Environment } from './environment.js';
import { lockTrees } from './lock-trees.js';

/** How long a fetch or a push may take, in milliseconds. */
const LIMIT = 5 * 60_000;

/** A git work tree with trees of the run in it. */
export type NightTree = {
  readonly trees: readonly TreeConfig[];
  readonly tree: GitTree;
  readonly branch: GitBranch;
  readonly pulls: boolean;
  readonly pushes: boolean;
};

/** What git lets a night do. */
export type NightGit = {
  readonly workTrees: readonly NightTree[];
  /** Why a tree's changelogs can be given no entries; a tree that is not in it can. By the tree's name. */
  readonly hindered: ReadonlyMap<string, Hindrance>;
  /** Whether files changed. */
  readonly moved: boolean;
};

/** Why no entries are written; `isFault`: the config wants git to do what it did not. */
export type Hindrance = { readonly why: string; readonly isFault: boolean };

/**
 * Gets work trees ready for a night: refuses changes that nobody committed, takes what upstream has where the config says so, and ends
 * what a night before was killed in.
 */
export async function readyGit(config: RunConfig, environment: Environment): Promise<NightGit> {
  const workTrees = await openWorkTrees(config, environment);
  const hindered = new Map<string, Hindrance>();
  const without = config.trees.filter(({ name }) => !workTrees.some(({ trees }) => trees.some((tree) => tree.name === name)));
  for (const { name, directory, config: own } of without) hindered.set(name, { why: `${directory} lies in no git work tree`, isFault: own.gitPull || own.gitPush });
  let moved = false;
  const lock = await lockPatiently(config, environment);
  try {
    for (const work of workTrees) await refuseChanges(work, environment);
    for (const work of workTrees) {
      const before = await headOf(work);
      const hindrance = await catchUp(work, environment);
      if (hindrance !== undefined) for (const { name } of work.trees) hindered.set(name, hindrance);
      if ((await headOf(work)) !== before) moved = true;
    }
  } finally {
    lock.release();
  }
  return { workTrees, hindered, moved };
}

/** Who writes files of a tree is done in seconds, and a night has time. */
async function lockPatiently(config: RunConfig, environment: Environment): Promise<Lock> {
  for (let tries = 0; ; tries++) {
    try {
      return await lockTrees(config, environment);
    } catch (error) {
      if (!(error instanceof Fault && error.exit === EXIT.locked) || tries >= 60) throw error;
      await environment.clock.sleep(1000, environment.signal);
    }
  }
}

async function headOf({ branch }: NightTree): Promise<string | undefined> {
  return branch.head().catch(() => undefined);
}

async function openWorkTrees({ trees }: RunConfig, environment: Environment): Promise<readonly NightTree[]> {
  const [gits, { openGitBranch }] = await Promise.all([openGitOfTrees(trees, environment), import('../adapters/git-branch.js')]);
  const byRoot = new Map<string, { readonly tree: GitTree; readonly trees: TreeConfig[] }>();
  for (const one of trees) {
    const tree = gits.of(one.name);
    if (tree === undefined) continue;
    const known = byRoot.get(tree.root) ?? { tree, trees: [] };
    byRoot.set(tree.root, known);
    known.trees.push(one);
  }
  return [...byRoot.values()].map(({ tree, trees: own }) => ({
    tree,
    trees: own,
    branch: openGitBranch(tree.root, environment.env),
    pulls: own.some(({ config }) => config.gitPull),
    pushes: own.some(({ config }) => config.gitPush),
  }));
}

/** What nobody committed may be half done: it is neither built nor pushed by night. */
async function refuseChanges({ tree, branch, trees }: NightTree, { cwd }: Environment): Promise<void> {
  const { discardUnfinished, realPath } = await import('../adapters/file-writing.js');
  const changed = await branch.changed(trees.map(({ directory }) => realPath(cwd, directory))).catch((error: Error) => {
    throw new UsageError(`git does not tell what is changed in ${tree.root}: ${error.message}. Nothing was built or changed.`);
  });
  const paths = changed.map((path) => resolve(tree.root, path)).filter((path) => !discardUnfinished(path));
  const ours = await changedByUs(tree, paths);
  const foreign = paths.filter((path) => !ours.has(path)).map((path) => relative(cwd, path));
  if (foreign.length === 0) return;
  const shown = foreign.length > 5 ? `${foreign.slice(0, 4).join(', ')} and ${foreign.length - 4} more` : foreign.join(', ');
  throw new UsageError(`not committed: ${shown}. A night builds from what is committed. Nothing was built or changed.`, ['commit them, stash them, or take them back: git status']);
}

/** Changelogs with nothing new but an entry of ours: a night was killed between writing it and its commit. */
async function changedByUs(tree: GitTree, paths: readonly string[]): Promise<ReadonlySet<string>> {
  const changelogs = paths.filter((path) => basename(path) === 'changelog');
  if (changelogs.length === 0) return new Set();
  const [{ createFileWriting }, heads, staged] = await Promise.all([import('../adapters/file-writing.js'), tree.inHead(changelogs), tree.inIndex(changelogs)]);
  const disk = createFileWriting(tree.root);
  return new Set(changelogs.filter((path) => [disk.read(path), staged?.get(path)].every((bytes) => bytes !== undefined && isRefreshed(path, bytes, heads?.get(path)))));
}

/** What a person's `update` wrote waits for that person. */
function isRefreshed(path: string, bytes: Uint8Array, head: Uint8Array | undefined): boolean {
  if (head !== undefined && Buffer.compare(bytes, head) === 0) return true;
  const text = Buffer.from(bytes).toString();
  const changelog = parseChangelog(path, text);
  return changelog.ok && isOurs(text, changelog.value.entries[0], 'refresh') && differsByOurEntry(path, bytes, head);
}

/** Brings the branch to where entries can be written: level with its upstream, or nothing to do with it. */
async function catchUp(work: NightTree, environment: Environment): Promise<Hindrance | undefined> {
  const { branch, pulls, pushes } = work;
  if (!pulls && !pushes) return undefined;
  const without = await branch.withoutUpstream();
  if (without !== undefined) return fault(without);
  try {
    await branch.fetch(limited(environment));
  } catch (error) {
    environment.signal.throwIfAborted();
    await takeBack(work, await unpushed(work));
    return fault(`upstream cannot be asked: ${wordsOf(error)}`);
  }
  const { ahead, behind } = await branch.standing();
  const foreign = ahead.find(({ isOurs }) => !isOurs);
  if (foreign !== undefined && (behind > 0 || pushes)) return fault(`${count(ahead.length)} here that upstream has not ("${foreign.subject}")${behind > 0 ? `, and ${behind} there that are not here: they went apart` : '; push or drop what is yours'}`);
  const own = await unpushed(work);
  if (behind === 0 && own !== undefined) {
    const pushed = await pushEntries(work, own, environment);
    return typeof pushed === 'object' ? pushed.hindrance : undefined;
  }
  if (behind > 0 && !pulls) {
    await takeBack(work, own);
    return fault(`upstream is ${count(behind)} ahead, and git_pull is not set`);
  }
  if (behind > 0) {
    // A night that was killed before its push: nothing was built from its commit.
    await takeBack(work, own);
    const moved = await branch.forward().then(() => undefined, wordsOf);
    if (moved !== undefined) return fault(moved);
  }
  // Commits of this clone alone would keep it from following upstream.
  return pulls && !pushes ? { why: 'git_pull is set, and git_push is not: entries of this checkout alone would keep it from following upstream', isFault: false } : undefined;
}

/** The commit below those of ours that a night could not push; undefined: there is none, or not only such. */
async function unpushed({ branch, pushes }: NightTree): Promise<string | undefined> {
  if (!pushes) return undefined;
  const { ahead } = await branch.standing();
  return ahead.length > 0 && ahead.every(({ isOurs }) => isOurs) ? `${ahead.at(-1)!.id}^` : undefined;
}

/** What is not upstream is not built from. */
async function takeBack({ branch }: NightTree, before: string | undefined): Promise<void> {
  if (before === undefined) return;
  await branch.backTo(before).catch((error: Error) => {
    throw new Fault(EXIT.failed, `git does not take back a commit that is not upstream, in ${branch.root}: ${wordsOf(error)}. Nothing was built from it.`, [`git -C ${branch.root} reset --keep @{upstream}`]);
  });
}

/** What became of entries on their way to upstream. */
export type Pushed = 'pushed' | 'again' | { readonly hindrance: Hindrance };

/**
 * Pushes the newest commits. If somebody was faster, they are taken back and what was pushed is here: plan again. If they cannot be
 * pushed, they are taken back too: nothing stays half done. `before`: the commit below them.
 */
export async function pushEntries(work: NightTree, before: string, environment: Environment): Promise<Pushed> {
  const { branch, pulls } = work;
  let words: string;
  try {
    await branch.push(limited(environment));
    return 'pushed';
  } catch (error) {
    // What is not pushed is pushed by the next night.
    environment.signal.throwIfAborted();
    words = `upstream does not take the entries: ${wordsOf(error)}`;
  }
  try {
    await branch.fetch(limited(environment));
  } catch {
    environment.signal.throwIfAborted();
    await takeBack(work, before);
    return { hindrance: fault(words) };
  }
  const { ahead, behind } = await branch.standing();
  // Its answer was lost on the way.
  if (ahead.length === 0) return 'pushed';
  await takeBack(work, before);
  if (behind === 0) return { hindrance: fault(words) };
  if (!pulls) return { hindrance: fault(`upstream is ${count(behind)} ahead, and git_pull is not set`) };
  const moved = await branch.forward().then(() => undefined, wordsOf);
  return moved === undefined ? 'again' : { hindrance: fault(moved) };
}

function fault(why: string): Hindrance {
  return { why, isFault: true };
}

function limited({ signal }: Environment): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(LIMIT)]);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function count(number: number): string {
  return number === 1 ? '1 commit' : `${number} commits`;
}
