import { REPOSITORY_PATTERN } from '../shared/image-ref.js';
import { bad, errorAt, good, warningAt, type Checked, type Problem } from '../shared/problem.js';

/** One block of a changelog: heading, changes, trailer. */
export type ChangelogEntry = {
  readonly package: string;
  readonly version: string;
  /** `trixie-wikimedia`, or several names separated by blanks. */
  readonly distributions: string;
  /** As written, without the comment behind it; `unknown` when the heading has none. */
  readonly urgency: string;
  /** `Name <mail>`; undefined when the trailer is missing or not complete. */
  readonly author: string | undefined;
  /** As written: `Fri, 21 Nov 2025 10:00:00 +0000`. */
  readonly date: string | undefined;
  /** Line of the heading, from 1. */
  readonly line: number;
  /** Where the block begins in the file's text, and where it ends: just before the next heading, or at the end. */
  readonly start: number;
  readonly end: number;
};

/** What a changelog file says (deb-changelog(5)). */
export type Changelog = {
  /** The file as a person would type it. */
  readonly path: string;
  /** Name of the newest entry: the image's name. */
  readonly package: string;
  /** Newest first; at least one. */
  readonly entries: readonly [ChangelogEntry, ...ChangelogEntry[]];
};

const HEADING = /^([\p{L}\p{N}_][-+0-9a-z._/]*) \(([^() \t]+)\)((?:\s+[-+0-9a-z.]+)+);(.*)$/iu;
const TRAILER = /^ -- (.* <.*>) {1,2}((?:\w+,\s*)?\d{1,2}\s+\w+\s+\d{4}\s+\d{1,2}:\d\d:\d\d\s+[-+]\d{4})\s*$/;
const EDITOR_BLOCK = /^(?:(?:;;\s*)?Local variables:|vim:)/i;
const COMMENT = /^(?:# |\/\*.*\*\/|\$\w+:.*\$)/;

/**
 * Reads a changelog as python-debian reads real ones: blank lines, comments, editors' modelines and a missing trailer are
 * no fault. What stands before the first heading is one; so is a newest version that cannot be a tag, or a name that cannot be an image's.
 */
export function parseChangelog(path: string, text: string): Checked<Changelog> {
  const problems: Problem[] = [];
  const entries: Mutable<ChangelogEntry>[] = [];
  let current: Mutable<ChangelogEntry> | undefined;
  let insideBlock = false;
  let line = 0;
  for (let start = text.startsWith('\uFEFF') ? 1 : 0, next = 0; start < text.length; start = next) {
    const newline = text.indexOf('\n', start);
    next = newline < 0 ? text.length : newline + 1;
    line++;
    const first = text.charCodeAt(start);
    // Most lines are changes: they begin with two blanks.
    if (insideBlock && first === 0x20 && text.charCodeAt(start + 1) === 0x20) continue;
    const content = text.slice(start, newline < 0 ? text.length : newline).replace(/\r$/, '');
    if (content.trim() === '') continue;
    if (insideBlock && current !== undefined && content.startsWith(' --')) {
      const trailer = TRAILER.exec(content);
      if (trailer === null) {
        problems.push(warningAt(path, line, `no trailer as changelogs have it (" -- Name <mail>  Fri, 21 Nov 2025 10:00:00 +0000")`));
        continue;
      }
      current.author = trailer[1]!;
      current.date = trailer[2]!;
      insideBlock = false;
      continue;
    }
    const heading = /^\s/.test(content) ? null : HEADING.exec(content);
    if (heading !== null) {
      if (insideBlock) problems.push(warningAt(path, line, `the entry before this one (line ${current!.line}) has no trailer`));
      if (current !== undefined) current.end = start;
      current = {
        package: heading[1]!,
        version: heading[2]!,
        distributions: heading[3]!.trim(),
        urgency: urgencyOf(heading[4]!),
        author: undefined,
        date: undefined,
        line,
        start,
        end: text.length,
      };
      entries.push(current);
      insideBlock = true;
    } else if (insideBlock) {
      if (!/^\s\s/.test(content) && !COMMENT.test(content)) problems.push(warningAt(path, line, `neither a change (two blanks before it) nor a trailer: ${quote(content)}`));
    } else if (current !== undefined && EDITOR_BLOCK.test(content)) {
      break;
    } else if (!COMMENT.test(content)) {
      if (current !== undefined) problems.push(warningAt(path, line, `no heading, ignored: ${quote(content)}`));
      else problems.push(errorAt(path, line, `no heading "name (version) distribution; urgency=medium": ${quote(content)}`));
    }
  }
  const [newest, ...older] = entries;
  if (newest === undefined) {
    if (problems.length === 0) problems.push(errorAt(path, 1, 'no entry; the newest entry gives name and version'));
    return bad(problems);
  }
  const fault = tagFault(newest.version);
  if (fault !== undefined) problems.push(errorAt(path, newest.line, `version "${newest.version}" cannot be an image tag: ${fault}`));
  if (!REPOSITORY_PATTERN.test(newest.package)) {
    problems.push(errorAt(path, newest.line, `"${newest.package}" cannot be an image name (allowed: lower-case letters and digits, between them . _ __ - and /)`));
  }
  return problems.some(({ severity }) => severity === 'error') ? bad(problems) : good({ path, package: newest.package, entries: [newest, ...older] }, problems);
}

/** Why a version cannot be a tag (OCI distribution spec, `<reference>`); undefined when it can. */
export function tagFault(version: string): string | undefined {
  const illegal = /[^A-Za-z0-9_.-]/u.exec(version);
  if (illegal !== null) return `"${illegal[0]}" is not allowed (allowed: letters, digits, _ . -)`;
  if (/^[.-]/.test(version)) return `it begins with "${version[0]}" (allowed: letters, digits, _)`;
  if (version.length > 128) return `it has ${version.length} characters (at most 128)`;
  return version === '' ? 'it is empty' : undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function urgencyOf(pairs: string): string {
  return /(?:^|,)\s*urgency=\s*([-0-9a-z]+)/i.exec(pairs)?.[1] ?? 'unknown';
}

function quote(content: string): string {
  const trimmed = content.trim();
  return `"${trimmed.length > 60 ? `${trimmed.slice(0, 59)}…` : trimmed}"`;
}
