import { describe, expect, it } from '@jest/globals';

import { ignoreTest, keptEntries, parseDockerignore } from '../../../src/definition/dockerignore.js';
import { formatProblem } from '../../../src/shared/problem.js';

const file = (path: string) => ({ type: 'file', path });
const folder = (path: string) => ({ type: 'directory', path });

describe('parseDockerignore', () => {
  it('a folder is kept when something below it is, in whatever order the walk found them', () => {
    const parsed = parseDockerignore('.dockerignore', '*\n!a/b/keep');
    const entries = [file('a/b/keep'), file('a/b/drop'), folder('a/b'), folder('c'), folder('a'), file('keep')];
    expect(parsed.ok && keptEntries(parsed.value, entries)).toEqual([file('a/b/keep'), folder('a/b'), folder('a')]);
  });

  it('no rules keep everything', () => expect(keptEntries({ patterns: [] }, [file('a')])).toEqual([file('a')]));

  it('the same test serves for many paths', () => {
    const parsed = parseDockerignore('.dockerignore', 'dir\n!dir/keep');
    const isIgnored = parsed.ok ? ignoreTest(parsed.value) : () => undefined;
    expect(['dir/x', 'dir/keep', 'dir/keep/below', 'other', 'dir/x'].map(isIgnored)).toEqual([true, false, false, false, true]);
  });

  it('what is no pattern is a problem with its line', () => {
    const parsed = parseDockerignore('a/.dockerignore', 'ok\n# !\n!\n[a\nb\\\n[b-a]\n\\d');
    expect(parsed.ok ? [] : parsed.problems.map(formatProblem)).toEqual([
      'a/.dockerignore:3: "!" needs a pattern behind it',
      ...['4: "[a"', '5: "b\\"', '6: "[b-a]"', '7: "\\d"'].map((place) => `a/.dockerignore:${place} is no pattern: look at its brackets and backslashes`),
    ]);
  });
});
