import { readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';

import { keptEntries, parseDockerignore } from '../../../src/definition/dockerignore.js';

/** Recorded from moby's own code (test/support/dockerignore-oracle); `ignored` is null where it refuses a pattern. */
const { folders, files, cases } = JSON.parse(readFileSync(new URL('dockerignore.json', import.meta.url), 'utf8')) as {
  readonly folders: readonly string[];
  readonly files: readonly string[];
  readonly cases: readonly { readonly rules: string; readonly ignored: readonly string[] | null }[];
};
const entries = [...folders.map((path) => ({ type: 'directory', path })), ...files.map((path) => ({ type: 'file', path }))];

describe('parseDockerignore', () => {
  it.each(cases.map(({ rules, ignored }) => [JSON.stringify(rules), rules, ignored] as const))('ignores what moby ignores: %s', (_, rules, ignored) => {
    const parsed = parseDockerignore('.dockerignore', rules);
    expect(parsed.ok).toBe(ignored !== null);
    if (!parsed.ok) return;
    const kept = new Set(keptEntries(parsed.value, entries).map(({ path }) => path));
    expect(entries.map(({ path }) => path).filter((path) => !kept.has(path)).sort()).toEqual([...ignored!].sort());
  });
});
