import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseControl } from '../../../src/definition/control.js';
import { editDependencies, type DependencyEdit } from '../../../src/definition/edit-control.js';

const edit = (change: Partial<DependencyEdit>): DependencyEdit => ({ add: [], remove: [], rename: new Map(), ...change });
const remove = (...names: readonly string[]): DependencyEdit => edit({ remove: names });
const add = (name: string, field: 'Depends' | 'Build-Depends' = 'Depends'): DependencyEdit => edit({ add: [{ name, field }] });

describe('a control with other dependencies', () => {
  it.each<readonly [what: string, before: string, edit: DependencyEdit, after: string | undefined]>([
    ['the first of several goes', 'Depends: a (>= 1), b,c\n', remove('a'), 'Depends: b,c\n'],
    ['one in the middle', 'Depends: a, b [amd64] ,c\n', remove('b'), 'Depends: a, c\n'],
    ['the last one', 'Depends: a ,  b\nX: y\n', remove('b'), 'Depends: a\nX: y\n'],
    ['the last one keeps a comma that was behind it', 'Depends: a, b,\n', remove('b'), 'Depends: a,\n'],
    ['the only one takes the field along', 'A: x\nDepends: a,\nX: y\n', remove('a'), 'A: x\nX: y\n'],
    ['a folded one', 'Depends: a,\n         b,\n         c\n', remove('b'), 'Depends: a,\n         c\n'],
    ['the first of folded ones', 'Depends: a,\n         b\n', remove('a'), 'Depends: b\n'],
    ['the last of folded ones', 'Depends: a,\n b\nX: y\n', remove('b'), 'Depends: a\nX: y\n'],
    ['an alternative', 'Depends: a | b, c\n', remove('a'), 'Depends: b, c\n'],
    ['another alternative', 'Depends: a | b, c\n', remove('b'), 'Depends: a, c\n'],
    ['all alternatives', 'Depends: a | b, c\n', remove('b', 'a'), 'Depends: c\n'],
    ['it stands in several fields, and twice', 'Depends: a, b, a\nBuild-Depends: c, a\n', remove('a'), 'Depends: b\nBuild-Depends: c\n'],
    ['a name that another one begins with stays', 'Depends: a-b, a\n', remove('a'), 'Depends: a-b\n'],
    ['a comment above stays', 'Depends: a,\n# why\n b,\n c\n', remove('b'), 'Depends: a,\n# why\n c\n'],
    ['comments on both sides stay', 'Depends: a,\n# why\n b,\n# that too\n c\n', remove('b'), 'Depends: a,\n# why\n# that too\n c\n'],
    ['the last behind a comment', 'Depends: a,\n# why\n b\n', remove('b'), 'Depends: a\n# why\n'],
    ['the first before a comment', 'Depends: a,\n# why\n b\n', remove('a'), 'Depends:\n# why\n b\n'],
    ['comments of a field that goes stay', 'X: y\nDepends: a\n# why\nZ: z\n', remove('a'), 'X: y\n# why\nZ: z\n'],
    ['comments in a field that goes stay', 'X: y\nDepends:\n# why\n a\nZ: z\n', remove('a'), 'X: y\n# why\nZ: z\n'],
    ['line ends of another system', 'Depends: a,\r\n b\r\nX: y\r\n', edit({ remove: ['a'], add: [{ name: 'c', field: 'Build-Depends' }] }), 'Depends: b\r\nBuild-Depends: c\r\nX: y\r\n'],
    ['one more', 'Depends: a\nX: y\n', add('b'), 'Depends: a, b\nX: y\n'],
    ['one more behind a comma', 'Depends: a,\nX: y\n', add('b'), 'Depends: a, b,\nX: y\n'],
    ['one more, folded as the others', 'Depends: a,\n         b\nX: y\n', add('c'), 'Depends: a,\n         b,\n         c\nX: y\n'],
    ['one more, folded behind a comma', 'Depends:\n a,\n b,\nX: y\n', add('c'), 'Depends:\n a,\n b,\n c,\nX: y\n'],
    ['one more, where several share the last line', 'Depends: a,\n b, c\n', add('d'), 'Depends: a,\n b, c, d\n'],
    ['one more in an empty field', 'depends:\nX: y\n', add('b'), 'depends: b\nX: y\n'],
    ['a new field stands beside the other', 'Package: p\nBuild-Depends: a,\n b\nDescription: d\n', add('c'), 'Package: p\nBuild-Depends: a,\n b\nDepends: c\nDescription: d\n'],
    ['a new field stands before the description', 'Package: p\nMaintainer: m\nDescription: d\n long\n', add('c'), 'Package: p\nMaintainer: m\nDepends: c\nDescription: d\n long\n'],
    ['a new field at the end of a file without a last line end', 'Package: p', add('c'), 'Package: p\nDepends: c\n'],
    ['a new field in the first of two paragraphs', '# c\n\nPackage: p\n\nPackage: q\nDescription: d\n', add('c'), '# c\n\nPackage: p\nDepends: c\n\nPackage: q\nDescription: d\n'],
    ['a file of nothing', '', add('c'), 'Depends: c\n'],
    ['a slip', 'Depends: a, pyhton (>= 3) | b\n', edit({ rename: new Map([['pyhton', 'python']]) }), 'Depends: a, python (>= 3) | b\n'],
    ['a comment between alternatives', 'Depends: a,\n b\n# why\n | c\n', remove('b'), 'Depends: a,\n# why\n  c\n'],
    ['a file that is no control', 'nonsense\n', add('a'), undefined],
  ])('%s', (_, before, change, after) => expect(editDependencies(before, change)).toBe(after));

  const NAMES = ['a', 'b', 'c-1', 'd.e', 'f'];
  const relation = fc.record({ name: fc.constantFrom(...NAMES), more: fc.constantFrom('', ' (>= 1.0)', ' [amd64]', ':any', ' | z') }).map(({ name, more }) => name + more);
  const value = fc.record({
    items: fc.array(relation, { minLength: 1, maxLength: 5 }),
    separators: fc.array(fc.constantFrom(', ', ',', ' , ', ',\n ', ',\n# note\n  ', ',\n\t'), { minLength: 5, maxLength: 5 }),
    head: fc.constantFrom(' ', '', '\n '),
    tail: fc.constantFrom('', ',', ' '),
  }).map(({ items, separators, head, tail }) => head + items.map((item, i) => (i === 0 ? item : separators[i]! + item)).join('') + tail);
  const field = (name: string) => value.map((text) => `${name}:${text}\n`);
  const control = fc.record({ before: fc.constantFrom('', 'Package: p\n', '# top\nPackage: p\nX-Y: z\n z\n'), depends: fc.option(field('Depends')), build: fc.option(field('Build-Depends')), after: fc.constantFrom('', 'Description: d\n long\n', '\nPackage: q\nDescription: e\n') });
  const change = fc.record({ remove: fc.uniqueArray(fc.constantFrom(...NAMES, 'z'), { maxLength: 3 }), add: fc.uniqueArray(fc.record({ name: fc.constantFrom('new', 'newer'), field: fc.constantFrom('Depends' as const, 'Build-Depends' as const) }), { maxLength: 2, selector: ({ name, field: where }) => name + where }) });

  it('of 1,000 files each is mended, and no line is another one that no dependency stands on', () => {
    let runs = 0;
    fc.assert(
      fc.property(control, change, ({ before, depends, build, after }, wanted) => {
        const text = before + (depends ?? '') + (build ?? '') + after;
        const mended = editDependencies(text, edit(wanted));
        expect(mended).toBeDefined();
        const parsed = parseControl('', mended!);
        const names = parsed.ok ? parsed.value.dependencies.map(({ name }) => name) : [];
        expect(names.filter((name) => wanted.remove.includes(name))).toEqual([]);
        expect(wanted.add.every(({ name }) => names.includes(name))).toBe(true);
        expect(others(mended!)).toEqual(others(text));
        if (wanted.remove.length === 0 && wanted.add.length === 0) expect(mended).toBe(text);
        runs++;
      }),
      { numRuns: 1000, seed: 5 },
    );
    expect(runs).toBe(1000);
  });
});

/** The lines that are no part of Depends and Build-Depends, and all comments. */
function others(text: string): readonly string[] {
  let inside = false;
  return text.split('\n').filter((line) => {
    if (line.startsWith('#')) return true;
    if (!/^[ \t]/.test(line)) inside = /^(?:build-)?depends:/i.test(line);
    return !inside && line !== '';
  });
}
