import { bumpVersion } from '../definition/bump-version.js';
import { parseChangelog, tagFault, type Changelog } from '../definition/changelog.js';
import { extendEntry, followsLine, formatEntry, isOurs, prependEntry, type NewEntry } from '../definition/changelog-entry.js';
import { templateOf } from '../definition/definition.js';
import { joinPath } from '../definition/paths.js';
import { compareVersions } from '../definition/version.js';
import { isVersioned, type Graph, type Node } from '../graph/graph.js';
import type { ImageName } from '../shared/image-ref.js';
import { bad, errorAt, good, warningAt, type Checked, type Problem } from '../shared/problem.js';
import { writeFile, type WriteFile } from './write-file.js';

/** How the entries of one tree are signed and counted. */
export type Signature = {
  /** `Name <mail>`. */
  readonly author: string;
  readonly distribution: string;
  /** The config's `update_id`. */
  readonly mark: string;
};

/** What `update` is asked for. */
export type UpdateRequest = {
  /** At least one; their order is that of their names in the children's entries. */
  readonly named: readonly ImageName[];
  /** Left out, with all that stands on the named images only through them. */
  readonly excluded: ReadonlySet<ImageName>;
  /** Why, at least one line. */
  readonly reason: readonly string[];
  /** The version of the named image; undefined: the next one. */
  readonly version: string | undefined;
  readonly date: string;
  /** By the name of the image's tree. */
  readonly signature: (tree: string) => Signature;
  /** Versions that are there already, though the changelog does not have them. */
  readonly isTaken: (image: ImageName, version: string) => boolean;
};

/** A changelog as it was read. */
export type ChangelogFile = {
  readonly bytes: Uint8Array;
  /** The versions that git's HEAD has in it; undefined: nobody can tell. Asked only of an entry that is ours. */
  readonly committed: ReadonlySet<string> | undefined;
};

/** One changelog that gets an entry, or more in its newest one. */
export type UpdateStep = WriteFile & {
  readonly image: ImageName;
  readonly from: string;
  /** The same as `from`: an entry that is not committed yet says more. */
  readonly to: string;
  /** The newest entry, as it will be. */
  readonly entry: string;
};

/** One changelog whose newest entry is not committed and says all of this. */
export type UnchangedChangelog = { readonly image: ImageName; readonly path: string; readonly version: string };

/** The changelogs that an update writes, parents first, and the images of it that have nothing to write. */
export type UpdatePlan = {
  readonly steps: readonly UpdateStep[];
  /** They have no changelog: a build makes them anew when a parent moved. */
  readonly rolling: readonly ImageName[];
  readonly unchanged: readonly UnchangedChangelog[];
};

/** The images of an update, parents first: those named, and what stands on them; with each the named ones that it follows, none for those. */
export function imagesToUpdate(graph: Graph, named: readonly ImageName[], excluded: ReadonlySet<ImageName>): ReadonlyMap<ImageName, readonly ImageName[]> {
  const follows = new Map<ImageName, ReadonlySet<ImageName>>();
  for (const [image, { parents }] of graph.nodes) {
    if (excluded.has(image)) continue;
    const roots = parents.flatMap((parent) => (follows.has(parent) ? [...(named.includes(parent) ? [parent] : []), ...follows.get(parent)!] : []));
    if (named.includes(image) || roots.length > 0) follows.set(image, new Set(roots));
  }
  return new Map([...follows].map(([image, roots]) => [image, named.includes(image) ? [] : named.filter((root) => roots.has(root))]));
}

/** Where an image's changelog is, as a person would type it. */
export function changelogPath({ definition }: Pick<Node, 'definition'>): string {
  return joinPath(definition.directory, 'changelog');
}

/** Whether a changelog's newest entry is ours, so that it matters whether git has it. */
export function hasOurEntry(path: string, bytes: Uint8Array): boolean {
  const text = textOf(bytes);
  const changelog = text === undefined ? undefined : parseChangelog(path, text);
  return text !== undefined && changelog?.ok === true && isOurs(text, changelog.value.entries[0]);
}

/** Gives the named images and all that stands on them a new changelog entry, or adds to the one that is not committed yet. */
export function planUpdate(graph: Graph, request: UpdateRequest, changelogs: ReadonlyMap<ImageName, ChangelogFile>): Checked<UpdatePlan> {
  const problems: Problem[] = [];
  const steps: UpdateStep[] = [];
  const rolling: ImageName[] = [];
  const moved = new Set<ImageName>();
  const unchanged: UnchangedChangelog[] = [];
  for (const [image, follows] of imagesToUpdate(graph, request.named, request.excluded)) {
    const node = graph.nodes.get(image)!;
    if (!isVersioned(node)) {
      rolling.push(image);
      continue;
    }
    const step = planEntry(node, follows.map((parent) => graph.nodes.get(parent)!.definition.name), request, changelogs.get(image)!);
    problems.push(...(step.ok ? step.warnings : step.problems));
    if (!step.ok) continue;
    problems.push(...leftBehind(node, graph, moved));
    const { changed, ...planned } = step.value;
    if (changed !== undefined && changed.from !== changed.to) moved.add(image);
    if (changed === undefined) unchanged.push({ image, ...planned });
    else steps.push({ ...changed, reasons: [follows.length === 0 ? { why: 'update-asked' } : { why: 'parent-updated', parents: follows }] });
  }
  return problems.some(({ severity }) => severity === 'error') ? bad(problems) : good({ steps, rolling, unchanged }, problems);
}

/** A changelog that may get an entry, its text as it is to the byte. */
export function readForEntry(path: string, bytes: Uint8Array): Checked<{ readonly text: string; readonly changelog: Changelog }> {
  const text = textOf(bytes);
  if (text === undefined) return bad([errorAt(path, undefined, 'is not UTF-8: it cannot be added to without a loss')]);
  const parsed = parseChangelog(path, text);
  return parsed.ok ? good({ text, changelog: parsed.value }, parsed.warnings) : parsed;
}

/** @param follows names of the parents whose update this one follows; none: the image is named itself */
function planEntry(node: Node, follows: readonly string[], request: UpdateRequest, { bytes, committed }: ChangelogFile): Checked<{ readonly path: string; readonly version: string; readonly changed: UpdateStep | undefined }> {
  const path = changelogPath(node);
  const read = readForEntry(path, bytes);
  if (!read.ok) return read;
  const { text, changelog } = read.value;
  const [newest] = changelog.entries;
  const isOpen = isOurs(text, newest) && committed !== undefined && !committed.has(newest.version);
  const asked = follows.length === 0 ? request.version : undefined;
  const to = asked ?? (isOpen ? newest.version : nextVersion(node, changelog, request));
  const problems = asked === undefined ? tagProblems(path, newest.line, to) : versionProblems(path, asked, changelog, isOpen);
  if (problems.some(({ severity }) => severity === 'error')) return bad(problems);
  const entry: NewEntry = { ...request.signature(node.tree.name), date: request.date, package: changelog.package, version: to, lines: request.reason, heading: follows.length === 0 ? undefined : followsLine(follows) };
  const written = isOpen ? extendEntry(text, changelog, entry) : prependEntry(text, changelog, entry);
  if (written === text) return good({ path, version: to, changed: undefined }, problems);
  const shown = isOpen ? written.slice(newest.start, newest.end + written.length - text.length) : formatEntry(entry);
  return good({ path, version: to, changed: { ...writeFile(path, bytes, written, []), image: node.definition.image, from: newest.version, to, entry: shown.trimEnd() } }, problems);
}

/** Warns of parents that get a new version, and that the template names by hand under the old one: the image would go on standing on that. */
export function leftBehind({ definition, sources, byHand = [] }: Node, graph: Graph, moved: ReadonlySet<ImageName>): readonly Problem[] {
  const template = templateOf(definition);
  return sources.flatMap(({ ref, image }) => {
    if (template === undefined || image === undefined || !byHand.includes(image) || !moved.has(image)) return [];
    const { definition: parent, ref: { tag } } = graph.nodes.get(image)!;
    if (!ref.endsWith(`:${tag}`)) return [];
    const line = template.text.split('\n').findIndex((text) => text.includes(`${parent.name}:${tag}`)) + 1;
    return [warningAt(template.path, line === 0 ? undefined : line, `names ${ref} by hand, and will stand on that and not on the update${parent.tree === definition.tree ? `: {{ "${parent.name}" | image_tag }} keeps its tag current` : ''}`)];
  });
}

/** The version after the newest: none that the changelog itself has, however far down it stands. */
export function nextVersion({ definition: { image }, tree }: Node, { entries: [newest, ...older] }: Changelog, { signature, isTaken }: Pick<UpdateRequest, 'signature' | 'isTaken'>): string {
  const known = new Set(older.map(({ version }) => version));
  return bumpVersion(newest.version, signature(tree.name).mark, (version) => known.has(version) || isTaken(image, version));
}

/** Why the next version cannot be a tag; nothing when it can. */
export function tagProblems(path: string, line: number, version: string): readonly Problem[] {
  const fault = tagFault(version);
  return fault === undefined ? [] : [errorAt(path, line, `the next version, "${version}", cannot be an image tag: ${fault}; name another with --version`)];
}

function versionProblems(path: string, version: string, { entries: [newest, ...older] }: Changelog, isOpen: boolean): readonly Problem[] {
  const there = [...(isOpen ? [] : [newest]), ...older].find((entry) => entry.version === version);
  if (there !== undefined) return [errorAt(path, there.line, `has an entry for ${version} already: --version needs another`)];
  const before = isOpen ? older[0] : newest;
  if (before === undefined || compareVersions(version, before.version) > 0) return [];
  return [warningAt(path, before.line, `${version} does not sort above ${before.version}`)];
}

/** As text with every byte of it, a byte order mark too; undefined when it is not UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Whether a changelog differs from the one in git's HEAD by nothing but a newest entry of ours; `head`: undefined, HEAD has none. */
export function differsByOurEntry(path: string, bytes: Uint8Array, head: Uint8Array | undefined): boolean {
  const [text, committed] = [textOf(bytes), head === undefined ? undefined : textOf(head)];
  if (text === undefined || committed === undefined) return false;
  if (text === committed) return true;
  const changelog = parseChangelog(path, text);
  if (!changelog.ok) return false;
  const [newest] = changelog.value.entries;
  if (!isOurs(text, newest)) return false;
  const others = text.slice(0, newest.start) + text.slice(newest.end);
  if (others === committed) return true;
  // A refresh adds to an entry of its own that is committed already.
  const before = parseChangelog(path, committed);
  if (!before.ok) return false;
  const [last] = before.value.entries;
  return isOurs(committed, last, 'refresh') && others === committed.slice(0, last.start) + committed.slice(last.end);
}

/** The message of the commit that holds an update: what, why, and each version. */
export function commitMessage(graph: Graph, { steps, unchanged }: Pick<UpdatePlan, 'steps' | 'unchanged'>, { named, reason }: Pick<UpdateRequest, 'named' | 'reason'>, verb = 'Update'): string {
  const images = [...steps, ...unchanged].map(({ image }) => image);
  const others = images.filter((image) => !named.includes(image)).length;
  const what = named.length > 3 ? `${named.length} images` : named.map((image) => graph.nodes.get(image)!.definition.name).join(', ');
  const standing = others === 1 ? 'image that stands' : 'images that stand';
  const subject = others === 0 ? `${verb} ${what}` : `${verb} ${what} and ${others} ${standing} on ${named.length === 1 ? 'it' : 'them'}`;
  const versions = [...steps.map(({ image, from, to }) => (from === to ? `${image} ${to}` : `${image} ${from} → ${to}`)), ...unchanged.map(({ image, version }) => `${image} ${version}`)];
  return [subject, '', ...reason, '', ...versions].join('\n');
}
