import { resolve } from 'node:path';
import { parseChangelog, tagFault } from '../definition/changelog.js';
import { formatDate, reasonLines } from '../definition/changelog-entry.js';
import { compileGlob } from '../graph/glob.js';
import { isVersioned, type Graph } from '../graph/graph.js';
import { changelogPath, commitMessage, differsByOurEntry, hasOurEntry, imagesToUpdate, planUpdate, type ChangelogFile, type Signature, type UpdatePlan } from '../plan/update.js';
import { formatUpdate, type UpdateEnd } from '../report/format-update.js';
import type { Config, RunConfig, TreeConfig } from '../shared/config.js';
import { EXIT, Fault, UsageError, type ExitCode } from '../shared/errors.js';
import { formatImageRef, type ImageName } from '../shared/image-ref.js';
import { nearHint } from '../shared/near-names.js';
import type { Environment } from './environment.js';
import { openGitOfTrees, type GitOfTrees } from './git-of-trees.js';
import { imageNamed } from './image-named.js';
import { lockTrees } from './lock-trees.js';
import { readConfig, readTree, settle, WrongDefinitions, type Tree } from './tree.js';
import type { Options, Verb } from './verb.js';

/** What differs between our command line and docker-pkg's: which images a name means, and how the update is shown. */
export type UpdateShowing = {
  named(graph: Graph, names: readonly string[]): readonly ImageName[];
  show(graph: Graph, plan: UpdatePlan, end: UpdateEnd, options: Options, environment: Environment): void;
};

/** Gives images and all that stands on them a new changelog entry; asks neither registry nor engine. */
export const updateShown = (showing: UpdateShowing): Verb => async (options, environment) => {
  try {
    return await updateAll(showing, options, environment);
  } catch (error) {
    throw error instanceof WrongDefinitions ? new WrongDefinitions(error.problems, false, 'no file was changed') : error;
  }
};

async function updateAll(showing: UpdateShowing, options: Options, environment: Environment): Promise<ExitCode> {
  const reason = reasonLines(options.reason);
  if (reason.length === 0) throw new UsageError('--reason needs some text');
  const names = await namesOf(options, environment);
  checkVersion(options, names);
  const tree = await readTree(await readConfig(options, environment), options, environment);
  const named = showing.named(tree.graph, names);
  const rolling = named.find((image) => !isVersioned(tree.graph.nodes.get(image)!));
  if (options.version !== undefined && rolling !== undefined) throw new UsageError(`--version: ${rolling} has no changelog, and so no version of its own`);
  const excluded = excludedImages(tree.graph, named, options);
  const { trees } = tree.config;
  const gits = await openGitOfTrees(trees, environment);
  const git = gits.all;
  const without = trees.find(({ name }) => gits.of(name) === undefined);
  if (options.commit && without !== undefined) throw new UsageError(`--commit: ${without.directory} lies in no git work tree`, ['leave out --commit']);
  const signature = await signaturesOf(trees, environment);
  const changelogs = await readChangelogs(tree, imagesToUpdate(tree.graph, named, excluded).keys(), git, environment);
  const request = {
    named,
    excluded,
    reason,
    version: options.version,
    date: formatDate(environment.clock.now()),
    signature,
    isTaken: () => false,
  };
  const plan = settle(planUpdate(tree.graph, request, changelogs), options, environment);
  if (options.commit) await refuseForeignChanges(plan, changelogs, git!, environment);
  const message = commitMessage(tree.graph, plan, request);
  const end = { inGit: without === undefined, ...(options.dryRun ? { written: false, commit: undefined } : await writeEntries(plan, options.commit ? committing(git!, message) : undefined, tree.config, environment)) };
  showing.show(tree.graph, plan, end, options, environment);
  return EXIT.ok;
}

/** As build-images shows it. */
export const update = updateShown({
  named: imagesNamed,
  show(_, plan, end, options, environment) {
    if (options.json) environment.out(JSON.stringify(toJson(plan, end), null, 2));
    else for (const line of formatUpdate(plan, end)) environment.out(line);
  },
});

async function namesOf(options: Options, environment: Environment): Promise<readonly string[]> {
  const typed = options.stdin ? (await environment.input()).split('\n').map((line) => line.trim()) : [];
  const names = [...options.images, ...typed.filter((name) => name !== '')];
  if (names.length === 0) throw new UsageError('standard input names no image');
  return names;
}

function checkVersion({ version }: Options, names: readonly string[]): void {
  if (version === undefined) return;
  if (names.length > 1) throw new UsageError('--version is for one image: its children get the next of their own');
  const fault = tagFault(version);
  if (fault !== undefined) throw new UsageError(`--version: "${version}" cannot be an image tag: ${fault}`);
}

/** Each image once; names that no image has are said all at once. */
export function imagesNamed(graph: Graph, names: readonly string[]): readonly ImageName[] {
  const found = names.map((name) => imageNamed(graph, name));
  const known = [...graph.nodes.values()].map(({ definition }) => definition.name);
  const unknown = [...new Set(names.filter((_, at) => found[at] === undefined))].map((name) => `"${name}"${nearHint(name, known)}`);
  if (unknown.length > 0) throw new UsageError(`there is no image ${unknown.join(', ')} in the tree. No file was changed.`);
  return [...new Set(found as ImageName[])];
}

/** How entries of each tree are signed and counted, by the tree's name. */
export async function signaturesOf(trees: readonly TreeConfig[], environment: Environment): Promise<(tree: string) => Signature> {
  const signatures = new Map<string, Signature>();
  for (const { name, directory, config } of trees) signatures.set(name, { author: await authorOf(config, resolve(environment.cwd, directory), environment), distribution: config.distribution, mark: config.updateId });
  return (name) => signatures.get(name)!;
}

/** What --exclude means: a glob is matched against name, namespace/name and full reference. */
export function excludedImages(graph: Graph, named: readonly ImageName[], { exclude }: Options): ReadonlySet<ImageName> {
  const excluded = new Set<ImageName>();
  for (const glob of exclude) {
    const matches = compileGlob(glob);
    const found = [...graph.nodes].filter(([image, { definition, ref }]) => [definition.name, image, formatImageRef(ref)].some(matches)).map(([image]) => image);
    if (found.length === 0) throw new UsageError(`--exclude '${glob}' matches no image${nearHint(glob, [...graph.nodes.values()].map(({ definition }) => definition.name))}`);
    for (const image of found) excluded.add(image);
  }
  const both = named.find((image) => excluded.has(image));
  if (both !== undefined) throw new UsageError(`${both} is named, and left out by --exclude`);
  return excluded;
}

/** The changelogs as they are now; what git has is asked only where an entry of ours may be added to. */
async function readChangelogs({ graph, files }: Tree, images: Iterable<ImageName>, git: GitOfTrees['all'], environment: Environment): Promise<ReadonlyMap<ImageName, ChangelogFile>> {
  const { realPath } = await import('../adapters/file-writing.js');
  const read = new Map<ImageName, { readonly path: string; readonly real: string; readonly bytes: Uint8Array }>();
  for (const image of images) {
    const node = graph.nodes.get(image)!;
    if (!isVersioned(node)) continue;
    const path = changelogPath(node);
    const bytes = files.readBytes(path);
    if (!bytes.ok) throw new WrongDefinitions(bytes.problems);
    read.set(image, { path, real: realPath(environment.cwd, path), bytes: bytes.value });
  }
  const open = [...read.values()].filter(({ path, bytes }) => hasOurEntry(path, bytes));
  const heads = await git?.inHead(open.map(({ real }) => real));
  const committed = (path: string, real: string): ReadonlySet<string> | undefined => {
    if (heads === undefined || !heads.has(real)) return undefined;
    const head = heads.get(real);
    if (head === undefined) return new Set();
    const changelog = parseChangelog(path, Buffer.from(head).toString());
    return changelog.ok ? new Set(changelog.value.entries.map(({ version }) => version)) : undefined;
  };
  return new Map([...read].map(([image, { path, real, bytes }]) => [image, { bytes, committed: committed(path, real) }]));
}

/** Debian's variables, then git's settings, then the config: each half of it by itself. */
async function authorOf(config: Config, directory: string, { env }: Environment): Promise<string> {
  const { gitSetting } = await import('../adapters/git-tree.js');
  const name = env['DEBFULLNAME'] || (await gitSetting(directory, 'user.name', env)) || config.fallbackAuthor;
  const email = env['DEBEMAIL'] || (await gitSetting(directory, 'user.email', env)) || config.fallbackEmail;
  const fault = [name, email].find((text) => /[<>\n]/.test(text));
  if (fault !== undefined) throw new UsageError(`"${fault.replaceAll('\n', '\\n')}" cannot stand in a changelog's last line (no < and >, one line)`, ['DEBFULLNAME and DEBEMAIL, or git config user.name and user.email']);
  return `${name} <${email}>`;
}

/** --commit takes whole files: a change in them that is not an entry of ours would go along unseen. */
export async function refuseForeignChanges(plan: Pick<UpdatePlan, 'steps' | 'unchanged'>, changelogs: ReadonlyMap<ImageName, Pick<ChangelogFile, 'bytes'>>, git: NonNullable<GitOfTrees['all']>, { cwd }: Environment): Promise<void> {
  const { realPath } = await import('../adapters/file-writing.js');
  const paths = new Map([...plan.steps, ...plan.unchanged].map((file) => [realPath(cwd, file.path), file]));
  const changed = [...(await git.changed([...paths.keys()]).catch((error: Error) => refused(error)))];
  const [heads, staged] = [await git.inHead(changed), await git.inIndex(changed)];
  for (const real of changed) {
    const { path, image } = paths.get(real)!;
    const head = heads?.get(real);
    const index = staged?.get(real);
    if (differsByOurEntry(path, changelogs.get(image)!.bytes, head) && index !== undefined && differsByOurEntry(path, index, head)) continue;
    throw new UsageError(`--commit: ${path} has changes that are not committed, and they would go along. No file was changed`, ['commit or stash them first, or leave out --commit']);
  }
}

function refused(error: Error): never {
  throw new Fault(EXIT.failed, `git does not commit: ${error.message.replace(/[.:]+$/, '')}. No file was changed.`);
}

/**
 * Writes the files, and gives them with those that hold the same already to `commit`, which resolves to the commit's id: all of it or
 * nothing, should `commit` reject.
 */
export async function writeEntries({ steps, unchanged }: Pick<UpdatePlan, 'steps' | 'unchanged'>, commit: ((paths: readonly string[]) => Promise<string | undefined>) | undefined, config: RunConfig, environment: Environment): Promise<Omit<UpdateEnd, 'inGit'>> {
  const files = commit === undefined ? steps : [...steps, ...unchanged];
  if (files.length === 0) return { written: false, commit: undefined };
  const [{ createFileWriting, realPath }, { writeFiles }] = await Promise.all([import('../adapters/file-writing.js'), import('../execute/write-files.js')]);
  const lock = await lockTrees(config, environment);
  try {
    environment.signal.throwIfAborted();
    const putBack = writeFiles(steps, createFileWriting(environment.cwd));
    const written = steps.length > 0;
    try {
      return { written, commit: await commit?.(files.map(({ path }) => realPath(environment.cwd, path))) };
    } catch (error) {
      putBack();
      throw error;
    }
  } finally {
    lock.release();
  }
}

/** One git commit of some files, as --commit makes it. */
export function committing(git: NonNullable<GitOfTrees['all']>, message: string): (paths: readonly string[]) => Promise<string> {
  return (paths) => git.commit(paths, message).catch((error: Error) => refused(error));
}

function toJson({ steps, rolling, unchanged }: UpdatePlan, end: UpdateEnd): unknown {
  return {
    written: end.written,
    commit: end.commit ?? null,
    steps: steps.map(({ action, image, path, from, to, before, reasons, entry }) => ({ action, image, path, from, to, before, reasons, entry })),
    rolling,
    unchanged,
  };
}
