import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { beforeAll, describe, expect, it } from '@jest/globals';

import { bumpVersion } from '../../src/definition/bump-version.js';
import { parseChangelog } from '../../src/definition/changelog.js';
import { prependEntry, type NewEntry } from '../../src/definition/changelog-entry.js';
import { parseControl } from '../../src/definition/control.js';
import { editDependencies } from '../../src/definition/edit-control.js';
import { compareVersions, upstreamVersion } from '../../src/definition/version.js';
import { parseYaml } from '../../src/shared/yaml-document.js';
import { legalVersions, randomChangelogs, randomControls } from '../support/random-definitions.js';

type Answers = {
  readonly versions: readonly (readonly [a: string, b: string, order: number, upstream: string])[];
  readonly bumps: readonly number[];
  readonly changelogs: readonly (readonly [name: string, entries: readonly (readonly (string | null)[])[]])[];
  readonly entries: readonly { readonly ours: string; readonly theirs: string }[];
  readonly controls: readonly (readonly (readonly [field: string, name: string])[])[];
  readonly scalars: readonly unknown[];
};

const TRAILER = ' -- Ann Example <ann@example.org>  Fri, 21 Nov 2025 10:00:00 +0000';
const entry = (heading: string, changes = '  * Change.'): string => `${heading}\n\n${changes}\n\n${TRAILER}\n`;

const CHANGELOGS = [
  entry('python3 (3.13.5-2) trixie; urgency=medium'),
  [entry('a (2) trixie forky; urgency=LOW'), entry('a (buster-1) unstable; urgency=high (for some), binary-only=yes')].join('\n'),
  `\n\n# by hand\n/* old */\n$Id: x $\n${entry('a (1:2.0~rc1-1+b2) trixie; urgency=low')}\n \n`,
  `${entry('a (2) trixie; urgency=low')}\nvim: et\nb (9) x; urgency=low\n`,
  `${entry('a (2) trixie; urgency=low')}\n;; Local variables:\n;; mode: x\n;; End:\n`,
  entry('a (2) trixie; urgency=low').replaceAll('\n', '\r\n'),
  entry('a (2) trixie; urgency=low', '  * One\n# note\n\n    - two\n\t  three\n  -- not a trailer'),
  entry('a (2) trixie; urgency=low').trimEnd(),
  'a (2) trixie; urgency=low\n\n  * no trailer\n',
  `${entry('a (2) trixie; urgency=low')}rubbish here!\n${entry('a (1) trixie; urgency=low')}`,
  `A.b+c (2)  trixie\tforky ;urgency=low\n  * x\n -- A <a@b> 1 Jan 2025 1:02:03 +0100 \n`.replace(' ;', ';'),
  `a (2) trixie; priority=1\n  * x\n -- <a@b>  Fri, 21 Nov 2025 10:00:00 +0000\n -- A <a@b>  Fri, 21 Nov 2025 10:00:00 +0000\n`,
];

const CONTROLS = [
  'Package: web\nMaintainer: Ann <a@b>\nBuild-Depends: base (>= 1), tool [amd64 !i386] <!nocheck> | other:any\nDepends: python3\n',
  'package: a\nDEPENDS:\n b,\n# note\n c (= 1:2.0~x) ,\n\nPackage: d\nbuild-depends:e|f\n',
  'Package: a\nDescription: Depends: on nothing\n Depends: not a field\n .\n end\n\n\n\nPackage: b\nDepends: c,\n\td\n',
  'Depends: a,\n \n b\n',
  '# only a comment\n',
  'Depends: a\r\nBuild-Depends: b\r\n',
];

const SCALARS =
  'yes no y n on off On OFF true True TRUE null Null ~ 1 01 010 0o10 0x1F 0b11 1_000 1:30 8080:80 22:22 10:30:15 1.5 1.10 1. .5 1e3 1.5e3 1.0e+3 1e+3 -1 +1 abc 1.2.3 1.2.3-4 \'1\' "yes" 0 00 08 09 0.0 3.0 1,000 [] {} sha256:abc 0755 x:y host:5000/x'.split(' ');

const RANDOM_CHANGELOGS = randomChangelogs(2000);
const RANDOM_CONTROLS = randomControls(2000);
const BUMPS = legalVersions(3000).map((version) => [version, bumpVersion(version, 's')] as const);
const ENTRY: NewEntry = { package: 'web', version: '9.9-s1', distribution: 'wikimedia', lines: ['Refresh for update in parent image base:', '* Ünï'], heading: undefined, author: 'Ann <ann@example.org>', date: 'Fri, 20 Nov 2026 09:00:00 +0000' };
/** What we make of a changelog, our mark in it; undefined: it is not read. */
const withEntry = (text: string): string | undefined => {
  const read = parseChangelog('changelog', text);
  return read.ok ? prependEntry(text, read.value, ENTRY) : undefined;
};
const REWRITTEN = RANDOM_CHANGELOGS.flatMap((old) => withEntry(old) === undefined ? [] : [[old, withEntry(old)!, { package: 'web', version: '9.9-s1', distributions: 'wikimedia', urgency: 'high', author: ENTRY.author, date: ENTRY.date, changes: [...ENTRY.lines, '(build-images update)'].map((line) => `   ${line}`) }] as const]);

/** Controls that lose their first name and get another one, with which ones these are. */
const MENDED = RANDOM_CONTROLS.flatMap((text, at) => {
  const read = parseControl('control', text);
  const [first] = read.ok ? read.value.dependencies : [];
  const mended = first === undefined ? undefined : editDependencies(text, { add: [{ name: 'brand-new', field: first.field }], remove: [first.name], rename: new Map() });
  return first === undefined ? [] : [{ at, text, mended, first }];
});

describe('definitions, against the readers that they must agree with', () => {
  let answers: Answers;
  beforeAll(() => {
    const run = spawnSync('/usr/bin/python3', [fileURLToPath(new URL('../support/definition_oracles.py', import.meta.url))], {
      input: JSON.stringify({ seed: 20251121, versions: 10_000, bumps: BUMPS, changelogs: [...CHANGELOGS, ...RANDOM_CHANGELOGS], entries: REWRITTEN, controls: [...CONTROLS, ...RANDOM_CONTROLS, ...MENDED.map(({ mended }) => mended ?? '')], scalars: SCALARS }),
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    });
    if (run.status !== 0) throw new Error(run.stderr);
    answers = JSON.parse(run.stdout) as Answers;
  });

  it('10,000 pairs of versions are ordered as python-debian orders them', () => {
    expect(answers.versions.length).toBe(10_000);
    expect(answers.versions.filter(([a, b, order]) => Math.sign(compareVersions(a, b)) !== order)).toEqual([]);
  });

  it('300 of these pairs are ordered as dpkg orders them', () => {
    const pairs = answers.versions.slice(0, 300).map(([a, b]) => [a, b, compareVersions(a, b) < 0 ? 'lt' : compareVersions(a, b) > 0 ? 'gt' : 'eq'] as const);
    const script = pairs.map(([a, b, relation]) => `dpkg --compare-versions '${a}' ${relation} '${b}' || echo '${a} ${relation} ${b}'`).join('\n');
    const run = spawnSync('sh', { input: script, encoding: 'utf8' });
    expect([run.stdout, run.stderr]).toEqual(['', '']);
  });

  it('the next of 3,000 versions sorts above it, by python-debian\'s order', () => {
    expect(answers.bumps.length).toBe(3000);
    expect(BUMPS.filter((_, at) => answers.bumps[at] !== -1)).toEqual([]);
  });

  it('the next of 300 versions sorts above it, by dpkg\'s order', () => {
    const script = BUMPS.slice(0, 300).map(([version, next]) => `dpkg --compare-versions '${next}' gt '${version}' || echo '${version}'`).join('\n');
    const run = spawnSync('sh', { input: script, encoding: 'utf8' });
    expect([run.stdout, run.stderr]).toEqual(['', '']);
  });

  it('2,000 random changelogs say what python-debian reads in them', () => {
    const differ = RANDOM_CHANGELOGS.flatMap((text, at) => {
      const read = parseChangelog('changelog', text);
      if (!read.ok) return [];
      const [name, entries] = answers.changelogs[CHANGELOGS.length + at]!;
      const ours = [read.value.package, read.value.entries.map(({ version, distributions, urgency, author, date }) => [version, distributions, urgency, author ?? null, date ?? null])];
      return JSON.stringify(ours) === JSON.stringify([name, entries]) ? [] : [{ text, ours, theirs: [name, entries] }];
    });
    expect(differ).toEqual([]);
    // The others' newest version is no legal tag.
    expect(REWRITTEN.length).toBe(1794);
  });

  it('those get an entry on top as python-debian gives them one, and older ones stay what they are', () => {
    expect(answers.entries.filter(({ ours, theirs }) => ours !== theirs)).toEqual([]);
    expect(answers.entries.length).toBe(1794);
  });

  it('2,000 random control files depend on what python-debian reads in them', () => {
    const differ = RANDOM_CONTROLS.flatMap((text, at) => {
      const checked = parseControl('control', text);
      const found = checked.ok ? checked.value.dependencies.map(({ field, name }) => [field, name]) : checked.problems;
      const theirs = answers.controls[CONTROLS.length + at]!;
      return JSON.stringify([...found].sort()) === JSON.stringify(theirs) ? [] : [{ text, found, theirs }];
    });
    expect(differ).toEqual([]);
  });

  it('those that lint mends depend, by python-debian, on what they did but for what was mended', () => {
    const sorted = (found: Answers['controls'][number]): string => JSON.stringify([...found].map((one) => JSON.stringify(one)).sort());
    const differ = MENDED.flatMap(({ at, text, mended, first }, index) => {
      const before = answers.controls[CONTROLS.length + at]!;
      const after = answers.controls[CONTROLS.length + RANDOM_CONTROLS.length + index]!;
      const wanted = [...before.filter(([, name]) => name !== first.name), [first.field, 'brand-new'] as const];
      return sorted(after) === sorted(wanted) ? [] : [{ text, mended, wanted, after }];
    });
    expect(differ).toEqual([]);
    expect(MENDED.length).toBeGreaterThan(1000);
  });

  it('upstream versions are python-debian\'s', () => {
    expect(answers.versions.filter(([version, , , upstream]) => upstreamVersion(version) !== upstream)).toEqual([]);
  });

  it.each(CHANGELOGS.map((text, index) => [JSON.stringify(text), text, index] as const))('a changelog says what python-debian reads in it: %s', (_, text, index) => {
    const checked = parseChangelog('changelog', text);
    const [name, entries] = answers.changelogs[index]!;
    const illegal = /[^A-Za-z0-9_.-]/.test(entries[0]![0]!) || /[A-Z+]/.test(name);
    expect(checked.ok).toBe(!illegal);
    if (!checked.ok) return;
    expect(checked.value.package).toBe(name);
    expect(checked.value.entries.map(({ version, distributions, urgency, author, date }) => [version, distributions, urgency, author ?? null, date ?? null])).toEqual(entries);
  });

  it.each(CONTROLS.map((text, index) => [JSON.stringify(text), text, index] as const))('a control file depends on what python-debian reads in it: %s', (_, text, index) => {
    const checked = parseControl('control', text);
    const found = checked.ok ? checked.value.dependencies.map(({ field, name }) => [field, name]) : checked.problems;
    expect([...found].sort()).toEqual(answers.controls[index]);
  });

  it.each(SCALARS.map((text, index) => [text, index] as const))('the YAML scalar %s is what PyYAML takes it for', (text, index) => {
    const checked = parseYaml('f.yaml', `a: ${text}`);
    expect(checked.ok && (checked.value.value as { a: unknown }).a).toEqual(answers.scalars[index]);
  });
});
