import type { Changelog, ChangelogEntry } from './changelog.js';

/** What a new entry of a changelog says. */
export type NewEntry = {
  readonly package: string;
  readonly version: string;
  readonly distribution: string;
  /** Why, line by line; each is written with three blanks before it, as docker-pkg does. */
  readonly lines: readonly string[];
  /** Above these lines: whose update this one follows. */
  readonly heading: string | undefined;
  /** `Name <mail>`. */
  readonly author: string;
  /** As `formatDate` makes it. */
  readonly date: string;
  /** The verb that writes it; unset: `update`. */
  readonly by?: 'refresh';
};

/** The last change of an entry that is ours: such an entry may be added to. */
const MARKERS = { update: '   (build-images update)', refresh: '   (build-images refresh)' } as const;

function isMarker(line: string): boolean {
  return line === MARKERS.update || line === MARKERS.refresh;
}

const INDENT = '   ';

/** The heading of what a parent's update adds to its children: docker-pkg's words, followed by the parents' names and a colon. */
const FOLLOWS = 'Refresh for update in parent image';

/** The line above a child's reasons; `parents`: at least one. */
export function followsLine(parents: readonly string[]): string {
  return `${FOLLOWS}${parents.length === 1 ? '' : 's'} ${parents.join(', ')}:`;
}

/** RFC 5322, as changelogs have it, in UTC: `Fri, 20 Nov 2026 09:00:00 +0000`. */
export function formatDate(milliseconds: number): string {
  return new Date(milliseconds).toUTCString().replace(/GMT$/, '+0000');
}

/** The lines of a reason, blank ones and blanks at their ends left out. */
export function reasonLines(text: string): readonly string[] {
  return text.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/).map((line) => line.trimEnd()).filter((line) => line !== '');
}

/** The text of an entry as python-debian writes it, docker-pkg's blanks and urgency included. */
export function formatEntry(entry: NewEntry): string {
  const { heading, lines } = entry;
  const changes = [...(heading === undefined ? [] : [heading]), ...lines].map((line) => INDENT + line);
  return [headingOf(entry), '', ...changes, MARKERS[entry.by ?? 'update'], '', trailerOf(entry), '', ''].join('\n');
}

function headingOf({ package: name, version, distribution }: NewEntry): string {
  return `${name} (${version}) ${distribution}; urgency=high`;
}

function trailerOf({ author, date }: Pick<NewEntry, 'author' | 'date'>): string {
  return ` -- ${author}  ${date}`;
}

/** A changelog's text with a new entry on top. Every other byte stays, what stands above the first entry too. */
export function prependEntry(text: string, { entries: [newest] }: Changelog, entry: NewEntry): string {
  return text.slice(0, newest.start) + formatEntry(entry) + text.slice(newest.start);
}

/** Whether an entry is one that `formatEntry` wrote (for one verb, or any), whatever else a person added to it since. */
export function isOurs(text: string, entry: ChangelogEntry, by?: keyof typeof MARKERS): boolean {
  return entry.date !== undefined && text.slice(entry.start, entry.end).split('\n').some((line) => (by === undefined ? isMarker(line) : line === MARKERS[by]));
}

/** The changes of the newest entry, which is ours, below a heading, or without one above the first; none where there is no such heading. */
export function changesBelow(text: string, { entries: [newest] }: Changelog, heading: string | undefined): readonly string[] {
  const lines = text.slice(newest.start, newest.end).split('\n');
  const group = groupOf(lines, heading);
  return group === undefined ? [] : lines.slice(group.start, group.end).map((line) => line.slice(INDENT.length)).filter((line) => line !== '');
}

/** A changelog's text without some changes below a heading of its newest entry, which is ours. */
export function withoutChanges(text: string, { entries: [newest] }: Changelog, heading: string | undefined, isGone: (change: string) => boolean): string {
  const lines = text.slice(newest.start, newest.end).split('\n');
  const group = groupOf(lines, heading);
  if (group === undefined) return text;
  const kept = lines.filter((line, at) => at < group.start || at >= group.end || !isGone(line.slice(INDENT.length)));
  return text.slice(0, newest.start) + kept.join('\n') + text.slice(newest.end);
}

/**
 * A changelog's text with more said in its newest entry, which is ours: its version, author and date are the new entry's, all else
 * in it stays. The same text when all is said there already.
 */
export function extendEntry(text: string, { entries: [newest] }: Changelog, entry: NewEntry): string {
  const lines = text.slice(newest.start, newest.end).split('\n');
  const added = entry.lines.map((line) => INDENT + line);
  const group = groupOf(lines, entry.heading);
  const isSaid = group !== undefined && ['', ...lines.slice(group.start, group.end), ''].join('\n').includes(['', ...added, ''].join('\n'));
  if (isSaid && newest.version === entry.version) return text;
  if (!isSaid) {
    const at = group?.end ?? lines.findIndex(isMarker);
    lines.splice(at, 0, ...(group === undefined ? [INDENT + entry.heading!] : []), ...added);
  }
  if (newest.version !== entry.version) lines[0] = headingOf(entry);
  lines[lines.findLastIndex((line) => line.startsWith(' --'))] = trailerOf(entry);
  return text.slice(0, newest.start) + lines.join('\n') + text.slice(newest.end);
}

/** Where the changes below a heading are: from the first to the one behind the last. Without a heading: those above the first one. */
function groupOf(lines: readonly string[], heading: string | undefined): { readonly start: number; readonly end: number } | undefined {
  const isEnd = (line: string): boolean => isMarker(line) || line.startsWith(INDENT + FOLLOWS);
  const start = heading === undefined ? 1 : lines.indexOf(INDENT + heading) + 1;
  if (start === 0) return undefined;
  return { start, end: lines.findIndex((line, at) => at >= start && isEnd(line)) };
}
