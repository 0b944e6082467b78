import { parseChangelog, type Changelog } from '../definition/changelog.js';
import { changesBelow, extendEntry, followsLine, isOurs, prependEntry, withoutChanges, type NewEntry } from '../definition/changelog-entry.js';
import { isVersioned, type Graph, type Node } from '../graph/graph.js';
import { formatAge } from '../shared/age.js';
import type { ImageName } from '../shared/image-ref.js';
import { bad, good, type Checked, type Problem } from '../shared/problem.js';
import type { Reason } from './reason.js';
import type { Refresh } from './refresh.js';
import { changelogPath, leftBehind, nextVersion, readForEntry, tagProblems, type UpdatePlan, type UpdateRequest, type UpdateStep } from './update.js';
import { upgradedIn, upgradeLines } from './upgrade-lines.js';
import { writeFile } from './write-file.js';

/** How a refresh writes its entries. */
export type EntriesRequest = Pick<UpdateRequest, 'date' | 'signature' | 'isTaken'> & {
  /** Above the packages, in the words of whoever asked; may be none. */
  readonly reason: readonly string[];
  /** Whether the registry has an image's newest version. */
  readonly isPublished: (image: ImageName) => boolean;
};

/** The entries of a refresh, parents first. */
export type EntriesPlan = UpdatePlan & {
  /** Their newest version is somebody's, and not published yet: building it brings what is new. */
  readonly waiting: readonly { readonly image: ImageName; readonly version: string }[];
};

/** What an entry says: of the image itself, without a heading, and below one for each image that it follows. */
type Group = { readonly heading: string | undefined; readonly lines: readonly string[] };

/**
 * Gives each versioned image that is due an entry, or says more in its newest one where a refresh wrote that and it is not published:
 * thirty nights on which a build fails leave one entry.
 */
export function planEntries(graph: Graph, due: Refresh['due'], request: EntriesRequest, changelogs: ReadonlyMap<ImageName, Uint8Array>): Checked<EntriesPlan> {
  const problems: Problem[] = [];
  const steps: UpdateStep[] = [];
  const moved = new Set<ImageName>();
  const [rolling, unchanged, waiting] = [[] as ImageName[], [] as EntriesPlan['unchanged'][number][], [] as EntriesPlan['waiting'][number][]];
  const owners = ownersAbove(due);
  for (const [image, reasons] of due) {
    const node = graph.nodes.get(image)!;
    if (!isVersioned(node)) {
      rolling.push(image);
      continue;
    }
    if (reasons.some(({ why }) => why === 'promotion-pending')) continue;
    const groups = groupsOf(image, due, owners.get(image)!, request.reason, graph);
    const planned = planEntry(node, groups, request, changelogs.get(image)!);
    problems.push(...(planned.ok ? planned.warnings : planned.problems));
    if (!planned.ok) continue;
    problems.push(...leftBehind(node, graph, moved));
    const { step, version, path, waits } = planned.value;
    if (step !== undefined) steps.push({ ...step, reasons });
    else if (waits) waiting.push({ image, version });
    else unchanged.push({ image, path, version });
    if (step !== undefined && step.from !== step.to) moved.add(image);
  }
  return problems.some(({ severity }) => severity === 'error') ? bad(problems) : good({ steps, rolling, unchanged, waiting }, problems);
}

function isOwn({ why }: Reason): boolean {
  return why !== 'parent-refreshed';
}

/** For each image the ones above it, parents first, that are due for a reason of their own. */
function ownersAbove(due: Refresh['due']): ReadonlyMap<ImageName, ReadonlySet<ImageName>> {
  const above = new Map<ImageName, ReadonlySet<ImageName>>();
  for (const [image, reasons] of due) {
    const parents = reasons.flatMap((reason) => (reason.why === 'parent-refreshed' ? [reason.parent] : []));
    above.set(image, new Set(parents.flatMap((parent) => [...above.get(parent)!, ...(due.get(parent)!.some(isOwn) ? [parent] : [])])));
  }
  return above;
}

/** The images that are due for a reason of their own, not for their parents alone. */
export function ownersIn(due: Refresh['due']): readonly ImageName[] {
  return [...due].flatMap(([image, reasons]) => (reasons.some(isOwn) ? [image] : []));
}

/** What a refresh is made for, each thing once, as entries say it. */
export function sayOwners(graph: Graph, due: Refresh['due']): readonly string[] {
  return [...new Set(ownersIn(due).flatMap((image) => due.get(image)!.flatMap((reason) => linesOf(reason, nameIn(graph)))))];
}

function nameIn(graph: Graph): (ref: string) => string {
  return (ref) => graph.nodes.get(ref)?.definition.name ?? ref;
}

function groupsOf(image: ImageName, due: Refresh['due'], owners: ReadonlySet<ImageName>, reason: readonly string[], graph: Graph): readonly Group[] {
  const nameOf = nameIn(graph);
  const own = due.get(image)!.flatMap((one) => linesOf(one, nameOf));
  return [
    ...(own.length === 0 ? [] : [{ heading: undefined, lines: [...reason, ...own] }]),
    ...[...owners].map((owner) => ({ heading: followsLine([nameOf(owner)]), lines: [...reason, ...due.get(owner)!.flatMap((one) => linesOf(one, nameOf))] })),
  ];
}

/** What a reason is in a changelog. */
function linesOf(reason: Reason, nameOf: (image: ImageName) => string): readonly string[] {
  if (reason.why === 'packages-outdated') return upgradeLines(reason.upgrades);
  if (reason.why === 'parent-moved') return [`Refresh for a newer ${nameOf(reason.parent)}`];
  if (reason.why === 'parent-bumped') return [`Refresh for ${nameOf(reason.parent)} ${reason.version}`];
  if (reason.why === 'too-old') return [`Refresh after ${formatAge(reason.age)}`];
  return [];
}

function planEntry(node: Node, groups: readonly Group[], request: EntriesRequest, bytes: Uint8Array): Checked<{ readonly path: string; readonly version: string; readonly waits: boolean; readonly step: UpdateStep | undefined }> {
  const path = changelogPath(node);
  const read = readForEntry(path, bytes);
  if (!read.ok) return read;
  const { text, changelog } = read.value;
  const [newest] = changelog.entries;
  const { image } = node.definition;
  const isOpen = !request.isPublished(image);
  if (isOpen && !isOurs(text, newest, 'refresh')) return good({ path, version: newest.version, waits: true, step: undefined });
  const to = isOpen ? newest.version : nextVersion(node, changelog, request);
  const problems = tagProblems(path, newest.line, to);
  if (problems.length > 0) return bad(problems);
  const entry: Omit<NewEntry, 'lines' | 'heading'> = { ...request.signature(node.tree.name), date: request.date, package: changelog.package, version: to, by: 'refresh' };
  const [first, ...more] = groups;
  const begun = isOpen ? text : prependEntry(text, changelog, { ...entry, ...first! });
  const written = (isOpen ? groups : more).reduce((so, group) => addGroup(path, so, group, entry), begun);
  if (written === text) return good({ path, version: to, waits: false, step: undefined });
  const shown = isOpen ? written.slice(newest.start, newest.end + written.length - text.length) : written.slice(newest.start, newest.start + written.length - text.length);
  return good({ path, version: to, waits: false, step: { ...writeFile(path, bytes, written, []), image, from: newest.version, to, entry: shown.trimEnd() } });
}

/** Says a group in the newest entry: what it says of a package already, with other versions, it says no longer. */
function addGroup(path: string, text: string, { heading, lines }: Group, entry: Omit<NewEntry, 'lines' | 'heading'>): string {
  const changelog = changelogOf(path, text);
  const said = changesBelow(text, changelog, heading);
  const missing = lines.filter((line) => !said.includes(line));
  if (missing.length === 0) return text;
  const packages = new Set(missing.flatMap((line) => upgradedIn(line) ?? []));
  const isOutdated = (line: string): boolean => !lines.includes(line) && packages.has(upgradedIn(line) ?? '');
  const cleared = withoutChanges(text, changelog, heading, isOutdated);
  return extendEntry(cleared, changelogOf(path, cleared), { ...entry, heading, lines: missing });
}

/** Of a text that was read before, and that we have added to. */
function changelogOf(path: string, text: string): Changelog {
  const parsed = parseChangelog(path, text);
  if (!parsed.ok) throw new Error(`${path}: ${parsed.problems[0]!.message}`);
  return parsed.value;
}
