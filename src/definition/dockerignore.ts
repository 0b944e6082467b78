import { posix } from 'node:path';

import { bad, errorAt, good, type Checked, type Problem } from '../shared/problem.js';

/** One line of a .dockerignore. `keeps`: it began with `!`. */
type IgnorePattern = { readonly keeps: boolean; matches(path: string): boolean };

/** What a .dockerignore says; the last pattern that matches a path, or a folder above it, decides. */
export type IgnoreRules = { readonly patterns: readonly IgnorePattern[] };

/**
 * Reads a .dockerignore as BuildKit does: comments begin in the first column, blanks around a line and around its `!` do not count,
 * paths are cleaned and always begin at the context's root; `*`, `?`, `[a-z]` stop at slashes, `**` does not.
 */
export function parseDockerignore(path: string, text: string): Checked<IgnoreRules> {
  const problems: Problem[] = [];
  const patterns: IgnorePattern[] = [];
  for (const [index, raw] of text.replace(/^\uFEFF/, '').split('\n').entries()) {
    if (raw.startsWith('#')) continue;
    const written = raw.trim();
    if (written === '') continue;
    const keeps = written.startsWith('!');
    const rest = keeps ? written.slice(1).trim() : written;
    if (rest === '') {
      problems.push(errorAt(path, index + 1, '"!" needs a pattern behind it'));
      continue;
    }
    const pattern = cleanPattern(rest);
    const matches = isWellFormed(pattern) ? compile(pattern) : undefined;
    if (matches === undefined) problems.push(errorAt(path, index + 1, `"${written}" is no pattern: look at its brackets and backslashes`));
    else patterns.push({ keeps, matches });
  }
  return problems.length > 0 ? bad(problems) : good({ patterns });
}

/**
 * What a build sees of a full walk of its context: every path that no rule ignores, and the folders above what is kept. Paths use `/` and
 * are relative to the context's root; the order stays.
 */
export function keptEntries<Entry extends { readonly type: string; readonly path: string }>(rules: IgnoreRules, entries: readonly Entry[]): readonly Entry[] {
  if (rules.patterns.length === 0) return entries;
  const isIgnored = ignoreTest(rules);
  const foldersOfKept = new Set<string>();
  const kept = entries.map(({ path }) => {
    if (isIgnored(path)) return false;
    for (let above = posix.dirname(path); above !== '.' && !foldersOfKept.has(above); above = posix.dirname(above)) foldersOfKept.add(above);
    return true;
  });
  return entries.filter(({ type, path }, index) => kept[index] || (type === 'directory' && foldersOfKept.has(path)));
}

/** Tells for one path after the other whether the rules ignore it. What it learns of a folder serves for all that is below it. */
export function ignoreTest({ patterns }: IgnoreRules): (path: string) => boolean {
  type Verdict = { readonly ignored: boolean; readonly matched: readonly boolean[] };
  const nothingAbove: Verdict = { ignored: false, matched: patterns.map(() => false) };
  const folders = new Map<string, Verdict>();
  const judge = (path: string): Verdict => {
    const above = posix.dirname(path);
    const parent = above === '.' ? nothingAbove : judgeFolder(above);
    let ignored = false;
    const matched = patterns.map((pattern, index) => {
      // A pattern that could not change the verdict is not tried, and so does not count for what lies below either: BuildKit's way.
      const match = parent.matched[index]! || (pattern.keeps === ignored && pattern.matches(path));
      if (match) ignored = !pattern.keeps;
      return match;
    });
    return { ignored, matched };
  };
  const judgeFolder = (path: string): Verdict => {
    let verdict = folders.get(path);
    if (verdict === undefined) folders.set(path, (verdict = judge(path)));
    return verdict;
  };
  return (path) => judge(path).ignored;
}

/** As Go's `path.Clean`, and from the root: `/a/./b/../c/` is `a/c`. */
function cleanPattern(pattern: string): string {
  return posix.normalize(pattern).replace(/\/$/, '').replace(/^\//, '');
}

/** What Go's `path.Match` refuses: an open bracket, an empty set, a range without end, a backslash with nothing behind it. And ours: a letter or digit behind a backslash, which moby takes for a class of Go's regular expressions. */
function isWellFormed(pattern: string): boolean {
  const escaped = String.raw`\\[^A-Za-z0-9]`;
  const member = String.raw`(?:${escaped}|[^\\\]-])`;
  const set = String.raw`\[\^?(?:${member}(?:-${member})?)+\]`;
  return new RegExp(String.raw`^(?:${set}|${escaped}|[^\\[])*$`, 'u').test(pattern);
}

/** moby's rules for one pattern: plain text is compared as it is; `**` alone at its end or start makes it a prefix or a suffix. Undefined: a set's range runs backwards. */
function compile(pattern: string): ((path: string) => boolean) | undefined {
  const special = /[*?[\]\\]/;
  if (!special.test(pattern)) return (path) => path === pattern;
  if (pattern.startsWith('**')) {
    const suffix = pattern.slice(2);
    if (!special.test(suffix)) return (path) => path.endsWith(suffix) || (suffix.startsWith('/') && path === suffix.slice(1));
  }
  if (pattern.endsWith('**') && !special.test(pattern.slice(0, -2))) {
    const prefix = pattern.slice(0, -2);
    return (path) => path.startsWith(prefix);
  }
  try {
    const regexp = new RegExp(`^${translate(pattern)}$`, 's');
    return (path) => regexp.test(path);
  } catch {
    return undefined;
  }
}

function translate(pattern: string): string {
  let out = '';
  for (let at = 0; at < pattern.length; ) {
    const character = pattern[at++]!;
    if (character === '*' && pattern[at] === '*') {
      at++;
      if (pattern[at] === '/') at++;
      out += at >= pattern.length ? '.*' : '(?:.*/)?';
    } else if (character === '*') out += '[^/]*';
    else if (character === '?') out += '[^/]';
    else if (character === '\\') out += `\\${pattern[at++] ?? '\\'}`;
    else if (/[.+()|{}$]/.test(character)) out += `\\${character}`;
    else out += character;
  }
  return out;
}
