import type { ContextEntry } from '../../definition/build-context.js';

/**
 * The time that every file of a context carries, and so every file that COPY puts into a layer: fixed, so that equal content gives
 * equal images, and not 1970, because zip and wheel files can hold nothing before 1980. Milliseconds since 1970.
 */
export const CONTEXT_TIME = Date.UTC(1980, 0, 1, 0, 0, 1);

/**
 * The entries as BuildKit's file transfer takes them: every directory that a file needs is there, a parent stands directly
 * before its children, and siblings are ordered by the bytes of their names (fsutil's validator refuses any other order).
 */
export function contextListing(entries: readonly ContextEntry[]): readonly ContextEntry[] {
  const byPath = new Map<string, ContextEntry>();
  for (const entry of entries) {
    byPath.set(entry.path, entry);
    for (let slash = entry.path.lastIndexOf('/'); slash > 0; slash = entry.path.lastIndexOf('/', slash - 1)) {
      const path = entry.path.slice(0, slash);
      if (byPath.has(path)) break;
      byPath.set(path, { type: 'directory', path });
    }
  }
  return [...byPath.values()]
    .map((entry) => ({ entry, key: orderKey(entry.path) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ entry }) => entry);
}

/** Byte order, but with the slash below every other byte, so that `a/b` comes before `a-b`. */
function orderKey(path: string): Buffer {
  return Buffer.from(path.replaceAll('/', '\0'));
}

/**
 * The part of a listing that the engine asked for: each wanted path (`*` and `?` stay inside a component), what lies below it,
 * and the directories above it. No wish, or one that we cannot read for certain, means everything: the engine takes more than it needs.
 */
export function wantedEntries(listing: readonly ContextEntry[], wanted: readonly string[]): readonly ContextEntry[] {
  const patterns = wanted.map((path) => path.split('/').filter((part) => part !== '' && part !== '.'));
  if (patterns.length === 0 || !patterns.every((parts) => parts.length > 0 && parts.every(isPlain))) return listing;
  const matchers = patterns.map((parts) => parts.map(componentMatcher));
  return listing.filter(({ path }) => {
    const parts = path.split('/');
    return matchers.some((matcher) => parts.every((part, index) => index >= matcher.length || matcher[index]!(part)));
  });
}

/** Whether we read a component of a pattern as the engine does: printable ASCII without classes, escapes, `**` and `..`. */
function isPlain(part: string): boolean {
  return /^[\x21-\x7e]+$/.test(part) && !/[[\]\\]|\*\*/.test(part) && part !== '..';
}

function componentMatcher(pattern: string): (part: string) => boolean {
  if (!/[*?]/.test(pattern)) return (part) => part === pattern;
  const source = pattern.replace(/[.+^${}()|]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, 'su');
  return (part) => expression.test(part);
}

/** A file of a context, of a text at hand. */
export function textEntry(path: string, text: string): Extract<ContextEntry, { type: 'file' }> {
  const bytes = Buffer.from(text);
  return {
    type: 'file',
    path,
    mode: 0o644,
    size: bytes.length,
    async *read() {
      yield bytes;
    },
  };
}
