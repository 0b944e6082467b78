import { describe, expect, it } from '@jest/globals';
import { parseChangelog, type Changelog } from '../../../src/definition/changelog.js';
import { extendEntry, followsLine, formatDate, formatEntry, isOurs, prependEntry, reasonLines, type NewEntry } from '../../../src/definition/changelog-entry.js';
import { changelogOf } from '../../support/tree-in-memory.js';

const ENTRY: NewEntry = { package: 'web', version: '1.0-s1', distribution: 'wikimedia', lines: ['Fixes'], heading: undefined, author: 'A <a@b>', date: 'Fri, 20 Nov 2026 09:00:00 +0000' };
const CHILD: NewEntry = { ...ENTRY, heading: followsLine(['base']) };
const LATER = { author: 'B <b@c>', date: 'Sat, 21 Nov 2026 09:00:00 +0000' };
const OLD = changelogOf('web', '1.0', '0.9');

function read(text: string): Changelog {
  const checked = parseChangelog('changelog', text);
  if (!checked.ok) throw new Error(checked.problems.map(({ message }) => message).join());
  return checked.value;
}
const prepend = (text: string, entry = ENTRY): string => prependEntry(text, read(text), entry);
const extend = (text: string, entry: NewEntry): string => extendEntry(text, read(text), { ...entry, ...LATER });
/** The changes of the newest entry. */
const changesOf = (text: string): readonly string[] => text.slice(read(text).entries[0].start).split('\n -- ')[0]!.split('\n').slice(1).filter((line) => line !== '').map((line) => line.slice(3));

describe('an entry', () => {
  it('is written as python-debian does, with three blanks before each line', () => {
    expect(formatEntry({ ...CHILD, lines: ['Fixes', '  of zlib'] })).toBe(
      `web (1.0-s1) wikimedia; urgency=high

   Refresh for update in parent image base:
   Fixes
     of zlib
   (build-images update)

 -- A <a@b>  Fri, 20 Nov 2026 09:00:00 +0000

`,
    );
  });
  it('names all the parents whose update it follows', () => {
    expect([followsLine(['base']), followsLine(['base', 'tool'])]).toEqual(['Refresh for update in parent image base:', 'Refresh for update in parent images base, tool:']);
  });
  it('is dated as RFC 5322 says, in UTC', () => {
    expect([formatDate(0), formatDate(Date.UTC(2026, 10, 1, 23, 59, 59, 999))]).toEqual(['Thu, 01 Jan 1970 00:00:00 +0000', 'Sun, 01 Nov 2026 23:59:59 +0000']);
  });
  it('has a reason\'s lines without blank ones', () => {
    expect(reasonLines('\none \r\n\n  two\u2028three\rfour\t\n')).toEqual(['one', '  two', 'three', 'four']);
    expect(reasonLines(' \n\t')).toEqual([]);
  });
});

describe('a new entry', () => {
  it.each([
    ['a usual changelog', '', OLD],
    ['what stands above the first entry', '\n# by hand\n\n', OLD],
    ['a byte order mark', '\uFEFF', OLD],
    ['carriage returns', '', OLD.replaceAll('\n', '\r\n')],
    ['no line break at the end', '', OLD.trimEnd()],
    ['editors\' lines', '', `${OLD}\nvim: et\nweb (9) x; urgency=low\n`],
    ['odd blanks', '', OLD.replace(') wiki', ')   wiki').replace('* Entry', '\t Entry  ')],
  ])('leaves every other byte as it is: %s', (_, head, rest) => {
    expect(prepend(head + rest)).toBe(head + formatEntry(ENTRY) + rest);
    expect(read(prepend(head + rest)).entries.map(({ version }) => version)).toEqual(['1.0-s1', '1.0', '0.9']);
  });
});

describe('whether an entry is ours', () => {
  it.each([
    ['one that was just written', prepend(OLD), true],
    ['one to which a person added', prepend(OLD).replace('   Fixes', '   Fixes\n  * More'), true],
    ['another\'s', OLD, false],
    ['one whose last line is broken', prepend(OLD).replace('<a@b>', 'a@b'), false],
    ['another\'s above one of ours', `${changelogOf('web', '2.0')}\n${prepend(OLD)}`, false],
  ])('%s', (_, text, ours) => expect(isOurs(text, read(text).entries[0])).toBe(ours));
});

describe('saying more in an entry', () => {
  it('adds the reason, the author and the date, and changes nothing else', () => {
    const text = prepend(`# head\n${OLD}`);
    expect(extend(text, { ...ENTRY, lines: ['More', 'of it'] })).toBe(text.replace('   Fixes\n', '   Fixes\n   More\n   of it\n').replace('A <a@b>  Fri, 20', 'B <b@c>  Sat, 21'));
  });
  it.each<[string, NewEntry, NewEntry, readonly string[] | undefined]>([
    ['what is said already is not said again', ENTRY, ENTRY, undefined],
    ['nor below the same heading', CHILD, CHILD, undefined],
    ['a part of a line is not that line', ENTRY, { ...ENTRY, lines: ['Fix'] }, ['Fixes', 'Fix', '(build-images update)']],
    ['the same heading gets another reason', CHILD, { ...CHILD, lines: ['More'] }, ['Refresh for update in parent image base:', 'Fixes', 'More', '(build-images update)']],
    ['another parent gets its own heading', CHILD, { ...CHILD, heading: followsLine(['tool']) }, ['Refresh for update in parent image base:', 'Fixes', 'Refresh for update in parent image tool:', 'Fixes', '(build-images update)']],
    ['an image that is named itself says why first', CHILD, ENTRY, ['Fixes', 'Refresh for update in parent image base:', 'Fixes', '(build-images update)']],
    ['a child of what it was named with', ENTRY, CHILD, ['Fixes', 'Refresh for update in parent image base:', 'Fixes', '(build-images update)']],
    ['a version that is asked for', ENTRY, { ...ENTRY, version: '2.0' }, ['Fixes', '(build-images update)']],
  ])('%s', (_, first, second, changes) => {
    const text = prepend(OLD, first);
    const extended = extend(text, second);
    if (changes === undefined) expect(extended).toBe(text);
    else expect([changesOf(extended), read(extended).entries.map(({ version }) => version)]).toEqual([changes, [second.version, '1.0', '0.9']]);
  });
  it('leaves a heading that a person changed, and finds the last line behind one that is none', () => {
    const text = prepend(OLD).replace('wikimedia; urgency=high', 'trixie; urgency=low').replace('   (build-images update)\n', '   (build-images update)\n -- nobody\n');
    expect(extend(text, { ...ENTRY, lines: ['More'] })).toBe(text.replace('   Fixes\n', '   Fixes\n   More\n').replace('A <a@b>  Fri, 20', 'B <b@c>  Sat, 21'));
  });
  it('goes between the headings that are there', () => {
    const both = extend(prepend(OLD, CHILD), { ...CHILD, heading: followsLine(['tool']), lines: ['Two'] });
    expect(changesOf(extend(both, { ...CHILD, lines: ['Three'] }))).toEqual(['Refresh for update in parent image base:', 'Fixes', 'Three', 'Refresh for update in parent image tool:', 'Two', '(build-images update)']);
  });
});
