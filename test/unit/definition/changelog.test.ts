import { describe, expect, it } from '@jest/globals';

import { parseChangelog } from '../../../src/definition/changelog.js';
import { formatProblem } from '../../../src/shared/problem.js';

const TRAILER = ' -- Ann Example <ann@example.org>  Fri, 21 Nov 2025 10:00:00 +0000';
const entry = (name: string, version: string): string => `${name} (${version}) trixie; urgency=medium\n\n  * Change.\n\n${TRAILER}\n`;

function read(text: string) {
  const checked = parseChangelog('images/a/changelog', text);
  const problems = (checked.ok ? checked.warnings : checked.problems).map(formatProblem);
  return { changelog: checked.ok ? checked.value : undefined, versions: checked.ok ? checked.value.entries.map(({ version }) => version) : [], problems };
}

describe('parseChangelog', () => {
  it('the newest entry gives name and version, the others follow', () => {
    const { changelog, problems } = read(`${entry('python3', '3.13.5-2')}\n${entry('python3', '3.13.5-1')}`);
    expect(problems).toEqual([]);
    expect(changelog).toMatchObject({ package: 'python3', path: 'images/a/changelog' });
    expect(changelog!.entries.map(({ version, line }) => [version, line])).toEqual([['3.13.5-2', 1], ['3.13.5-1', 7]]);
    expect(changelog!.entries[0]).toMatchObject({ distributions: 'trixie', urgency: 'medium', author: 'Ann Example <ann@example.org>', date: 'Fri, 21 Nov 2025 10:00:00 +0000' });
  });

  it('the blocks, with what stands before and between them, are the whole file', () => {
    const text = `\n# made by hand\n${entry('a', '2')}\n\n${entry('a', '1')}\nvim: et\n`;
    const { entries } = read(text).changelog!;
    expect(text.slice(0, entries[0].start) + entries.map(({ start, end }) => text.slice(start, end)).join('')).toBe(text);
    expect(text.slice(entries[1]!.start)).toMatch(/^a \(1\)/);
  });

  it.each([
    ['blank lines and comments before the first heading', `\n \n# by hand\n/* old */\n$Id: x $\n${entry('a', '2')}`],
    ['an editor\'s modeline, and what stands behind it', `${entry('a', '2')}vim: et\nwhatever (1) x; y\n`],
    ['local variables', `${entry('a', '2')}\nLocal variables:\nmode: debian-changelog\nEnd:\n`],
    ['a carriage return at the end of each line', entry('a', '2').replaceAll('\n', '\r\n')],
    ['a byte order mark', `\uFEFF${entry('a', '2')}`],
    ['no newline at the end', entry('a', '2').trimEnd()],
    ['several distributions and other pairs', `a (2) trixie forky; urgency=low (HIGH for some), binary-only=yes\n\n  * x\n\n${TRAILER}\n`],
    ['a comment among the changes', `a (2) trixie; urgency=low\n# note\n  * x\n\n${TRAILER}\n`],
  ])('reads past %s', (_, text) => expect(read(text)).toMatchObject({ versions: ['2'], problems: [] }));

  it('a version need not begin with a digit', () => expect(read(entry('a', 'buster-1')).versions).toEqual(['buster-1']));

  it('a missing trailer ends at the next heading, and is said', () => {
    const { versions, problems } = read(`a (2) trixie; urgency=low\n\n  * x\n\n${entry('a', '1')}`);
    expect(versions).toEqual(['2', '1']);
    expect(problems).toEqual(['images/a/changelog:5: the entry before this one (line 1) has no trailer  [warning]']);
  });

  it('a file that ends without a trailer is read', () => expect(read('a (2) trixie; urgency=low\n\n  * x\n').versions).toEqual(['2']));

  it('a heading without pairs has an unknown urgency', () => expect(read(`a (2) trixie;\n  * x\n${TRAILER}\n`).changelog!.entries[0].urgency).toBe('unknown'));

  it('a line between entries that is no heading is a warning with its line', () => {
    const { versions, problems } = read(`${entry('a', '2')}\na (1.5)\n${entry('a', '1')}`);
    expect(versions).toEqual(['2', '1']);
    expect(problems).toEqual(['images/a/changelog:7: no heading, ignored: "a (1.5)"  [warning]']);
  });

  it.each([
    ['', 'images/a/changelog:1: no entry; the newest entry gives name and version'],
    ['\n\n# nothing\n', 'images/a/changelog:1: no entry; the newest entry gives name and version'],
    ['python3 (3.13 trixie; urgency=low\n', 'images/a/changelog:1: no heading "name (version) distribution; urgency=medium": "python3 (3.13 trixie; urgency=low"'],
    [`python3 trixie; urgency=low\n\n${entry('python3', '1')}`, 'images/a/changelog:1: no heading "name (version) distribution; urgency=medium": "python3 trixie; urgency=low"'],
    [`\n${entry('jre', '21.0.9+10-1')}`, 'images/a/changelog:2: version "21.0.9+10-1" cannot be an image tag: "+" is not allowed (allowed: letters, digits, _ . -)'],
    [entry('a', '1:2.0'), 'images/a/changelog:1: version "1:2.0" cannot be an image tag: ":" is not allowed (allowed: letters, digits, _ . -)'],
    [entry('a', '-1'), 'images/a/changelog:1: version "-1" cannot be an image tag: it begins with "-" (allowed: letters, digits, _)'],
    [entry('a', '1'.repeat(129)), `images/a/changelog:1: version "${'1'.repeat(129)}" cannot be an image tag: it has 129 characters (at most 128)`],
    [entry('Python', '1'), 'images/a/changelog:1: "Python" cannot be an image name (allowed: lower-case letters and digits, between them . _ __ - and /)'],
  ])('%j is a problem with its line', (text, problem) => expect(read(text).problems).toEqual([problem]));

  it('an older version that cannot be a tag is no problem', () => expect(read(entry('a', '2') + entry('a', '1+1')).versions).toEqual(['2', '1+1']));
});
