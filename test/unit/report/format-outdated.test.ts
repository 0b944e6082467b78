import { describe, expect, it } from '@jest/globals';
import type { Graph } from '../../../src/graph/graph.js';
import type { Unknown } from '../../../src/packages/package-archive.js';
import { ownersOf, rebuildsFor } from '../../../src/plan/owners.js';
import { formatOutdated, outdatedToJson, type OutdatedReport } from '../../../src/report/format-outdated.js';
import { manifest } from '../../support/plan-tree.js';
import { EXPIRED, readHolding, treeOnOutside as tree, type Held } from '../../support/upgrades-in-memory.js';

type Part = { readonly unknown?: Readonly<Record<string, Unknown>>; readonly hidden?: readonly string[]; readonly notBrought?: readonly string[]; readonly waiting?: OutdatedReport['waiting']; readonly security?: boolean; readonly archived?: readonly string[]; readonly withoutSources?: readonly string[]; readonly advisoryOf?: OutdatedReport['advisoryOf'] };

function reportOf(graph: Graph, held: Readonly<Record<string, Held>>, { unknown = {}, hidden = [], notBrought = [], waiting = () => undefined, security = false, archived = [], withoutSources = [], advisoryOf = () => undefined }: Part = {}): OutdatedReport {
  const owned = ownersOf(graph, readHolding(held));
  const images = [...owned].filter(([image]) => !hidden.includes(image)).map(([image, upgrades]) => ({ image, ref: `registry.example.org/${image}:2.0`, digest: manifest(image), unknown: unknown[image] === undefined ? [] : [unknown[image]], upgrades, archived, withoutSources: withoutSources.includes(image) }));
  const tried = new Map([...owned].flatMap(([image, upgrades]) => { const own = upgrades.filter(({ package: name, owner }) => 'image' in owner && owner.image === image && notBrought.includes(name)); return own.length === 0 ? [] : [[image, own]]; }));
  return { images, notPublished: graph.nodes.size - hidden.length - images.length, rebuilds: rebuildsFor(graph, images.flatMap(({ upgrades }) => upgrades.filter(({ package: name }) => !notBrought.includes(name)))), notBrought: tried, security, waiting, advisoryOf };
}

const shown = (text: string, held: Readonly<Record<string, Held>>, part?: Part, verbose = false): readonly string[] => formatOutdated(reportOf(tree(text), held, part), verbose);
const HOUR = 3_600_000;

describe('formatOutdated', () => {
  it('a row is an image, how many packages, whose rebuild brings them, and which; the last line says what to do', () => {
    const held = { base: { ssl: '1 → 2 security', tar: '5 → 6' }, web: { ssl: '1 → 2 security', tar: '5 → 6' }, api: { ssl: '1 → 2 security', tar: '5 → 6', php: '8 → 9' }, tool: {} };
    expect(shown('base ← web, base ← api, tool', held)).toEqual([
      '  image  packages  brought by    what',
      '  base   2         itself        ssl 1 → 2 (trixie-security), tar 5 → 6 (trixie)',
      '  api    3         base, itself  ssl 1 → 2 (trixie-security), tar 5 → 6 (trixie), php 8 → 9 (trixie)',
      '  web    2         base          as base',
      '',
      '2 rebuilds mend 3 images (base, api; 1 stands on them).   build-images refresh --all --build does it.',
    ]);
  });
  it('security updates are named first, and what is more than three is counted', () => {
    const held = { base: { a: '1 → 2', b: '1 → 2', c: '1 → 2', ssl: '1 → 2 security', xz: '1 → 2 security' } };
    expect(shown('base', held)[1]).toContain('ssl 1 → 2 (trixie-security), xz 1 → 2 (trixie-security), a 1 → 2 (trixie), and 2 more (--verbose lists them)');
    expect(shown('base', held, {}, true)[1]).toContain('a 1 → 2 (trixie), b 1 → 2 (trixie), c 1 → 2 (trixie)');
  });
  it('the packages of one source go together, unless every one is asked for', () => {
    const report = reportOf(tree('base'), { base: { a: '1 → 2', b: '1 → 2', c: '1 → 2', d: '1 → 2' } });
    const together = { ...report, images: report.images.map((one) => ({ ...one, upgrades: one.upgrades.map((upgrade) => ({ ...upgrade, source: 'gcc' })) })) };
    expect(formatOutdated(together, false)[1]).toBe('  base   4         itself      gcc (4 packages) 1 → 2 (trixie)');
    expect(formatOutdated(together, true)[1]).toBe('  base   4         itself      a 1 → 2 (trixie), b 1 → 2 (trixie), c 1 → 2 (trixie), d 1 → 2 (trixie)');
  });
  it('where it is known how long a fix waits, the longest is said', () => {
    const waiting: OutdatedReport['waiting'] = ({ package: name }) => ({ ssl: 75 * HOUR, tar: 9 * HOUR })[name];
    expect(shown('base, web, tool', { base: { ssl: '1 → 2', tar: '5 → 6' }, web: { tar: '5 → 6' }, tool: { php: '8 → 9' } }, { waiting }).slice(0, 4)).toEqual([
      '  image  packages  brought by  oldest fix waiting  what',
      '  base   2         itself      3 days              ssl 1 → 2 (trixie), tar 5 → 6 (trixie)',
      '  tool   1         itself      –                   php 8 → 9 (trixie)',
      '  web    1         itself      9 h                 tar 5 → 6 (trixie)',
    ]);
    const after = (hours: number): string => shown('base', { base: { ssl: '1 → 2' } }, { waiting: () => hours * HOUR })[1]!;
    expect([after(0.9), after(47), after(48)]).toEqual([expect.stringContaining(' < 1 h '), expect.stringContaining(' 47 h '), expect.stringContaining(' 2 days ')]);
  });
  it('what security updates are about is said below the table, once for each source', () => {
    const advisoryOf: OutdatedReport['advisoryOf'] = ({ source, security }) => (security ? { source, urgency: 'high', cves: ['CVE-1', 'CVE-2', 'CVE-3', 'CVE-4'], announcements: [], entries: 1, since: undefined } : undefined);
    const held = { base: { ssl: '1 → 2 security', tar: '5 → 6' }, web: { ssl: '1 → 2 security' } };
    expect(shown('base ← web', held, { advisoryOf }).slice(3, 7)).toEqual(['', 'what they mend:', '  ssl 1 → 2: high: CVE-1, CVE-2, CVE-3 and 1 more', '']);
    expect(shown('base ← web', held, { advisoryOf }, true)).toContain('  ssl 1 → 2: high: CVE-1, CVE-2, CVE-3, CVE-4');
    const many = Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].map((name) => [name, '1 → 2 security']));
    expect(shown('base', { base: many }, { advisoryOf })).toEqual(expect.arrayContaining(['  h 1 → 2: high: CVE-1, CVE-2, CVE-3 and 1 more', '  and 2 more (--verbose lists them)']));
    expect(shown('base', { base: many }, { advisoryOf }, true)).toContain('  j 1 → 2: high: CVE-1, CVE-2, CVE-3, CVE-4');
  });
  it('an image whose owner is not shown names what it waits for itself', () => {
    expect(shown('base ← web', { base: { ssl: '1 → 2' }, web: { ssl: '1 → 2' } }, { hidden: ['base'] })).toEqual([
      '  image  packages  brought by  what',
      '  web    1         base        ssl 1 → 2 (trixie)',
      '',
      '1 rebuild mends 2 images (base; 1 stands on it).   build-images refresh --all --build does it.',
    ]);
  });
  it('an image that lacks something of its owner names what it has', () => {
    expect(shown('base ← web', { base: { ssl: '1 → 2', tar: '5 → 6' }, web: { ssl: '1 → 2' } })[2]).toBe('  web    1         base        ssl 1 → 2 (trixie)');
  });
  it('what is unknown is named with why, and counted', () => {
    expect(shown('base, web', { base: {}, web: {} }, { unknown: { web: EXPIRED } })).toEqual([
      '  image  packages  brought by  what',
      '  web    unknown   –           InRelease of trixie expired 2026-11-01',
      '',
      'Nothing else is outdated: 1 image looked at.   1 unknown.',
    ]);
  });
  it('what is known of an image of which not all is, is said with it', () => {
    expect(shown('base', { base: { ssl: '1 → 2' } }, { unknown: { base: EXPIRED } })[1]).toBe('  base   1 or more  itself      ssl 1 → 2 (trixie); more is unknown: InRelease of trixie expired 2026-11-01');
  });
  it('what is held back is named once, with why and where, and nothing is to be done for it', () => {
    expect(shown('base ← a, base ← b, base ← c', { base: { ssl: '1 → 2 held' }, a: { ssl: '1 → 2 held' }, b: { ssl: '1 → 2 held' }, c: { ssl: '1 → 2 held' } })).toEqual([
      'held back, as apt leaves them:',
      '  ssl 1 → 2: it is on hold (base, a, b and 1 more)',
      '',
      'Nothing is outdated: 4 images looked at.',
    ]);
  });
  it('what an outside image brings is reported, and nothing is rebuilt for it', () => {
    expect(shown('outside/debian:12 ← web', { 'outside/debian:12': { ssl: '1' }, web: { ssl: '1 → 2' } })).toEqual([
      '  image  packages  brought by         what',
      '  web    1         outside/debian:12  ssl 1 → 2 (trixie)',
      '',
      'outside/debian:12 is no image of this tree: what it brings to 1 image is reported, nothing is rebuilt for it.',
      'No rebuild in this tree mends any of it.',
    ]);
  });
  it('an image that names no source is not called up to date', () => {
    expect(shown('base ← web', { base: {}, web: {} }, { withoutSources: ['web'] })).toEqual(['web: packages, and no apt source that tells what is newer. Nobody can call that up to date.', 'Nothing is outdated: 1 image looked at.']);
  });
  it('what a rebuild did not bring is said, and no rebuild is promised for it', () => {
    const held = { base: { ssl: '1 → 2 security', tar: '5 → 6' }, web: { ssl: '1 → 2 security', tar: '5 → 6' } };
    expect(shown('base ← web', held, { notBrought: ['ssl', 'tar'] }).slice(-2)).toEqual(['base: a rebuild did not bring ssl 1 → 2 (trixie-security), tar 5 → 6 (trixie)', 'No other rebuild in this tree mends any of it.']);
    expect(shown('base, web', { base: { ssl: '1 → 2 security' }, web: { php: '8 → 9 security', tar: '5 → 6' } }, { notBrought: ['ssl'] }).slice(-2)).toEqual(['base: a rebuild did not bring ssl 1 → 2 (trixie-security)', '1 rebuild mends 1 image (web).   build-images refresh --all --build does it.']);
  });
  it('says where a suite that is gone for good is named', () => {
    const gone = { why: 'gone', says: 'there is no suite stretch any more' } as const;
    const hint = 'A suite that has left its archive for good is named in archived_suites of the config: it is told then, and no failure.';
    expect(shown('base, web', { base: {}, web: {} }, { unknown: { base: gone, web: gone } }).filter((line) => line === hint)).toHaveLength(1);
    expect(shown('base', { base: {} }, { unknown: { base: EXPIRED } })).not.toContain(hint);
  });
  it('an archived suite is said once, with the images that have it', () => {
    expect(shown('base ← web', { base: {}, web: {} }, { archived: ['buster'] })).toEqual(['buster is archived: nothing new comes to it (base, web).', 'Nothing is outdated: 2 images looked at.']);
  });
  it.each<readonly [string, string, Readonly<Record<string, Held>>, Part, string]>([
    ['nothing is outdated', 'base', { base: { ssl: '1' } }, {}, 'Nothing is outdated: 1 image looked at.'],
    ['nothing is published', 'base', {}, {}, 'Nothing of it is published.'],
    ['no image names a source', 'base', { base: {} }, { withoutSources: ['base'] }, 'Nobody can say what is outdated.'],
    ['nothing of it is known', 'base', { base: {} }, { unknown: { base: EXPIRED } }, '1 unknown.'],
    ['some of it is not published', 'base ← web', { base: {} }, {}, 'Nothing is outdated: 1 image looked at.   1 not published.'],
    ['no security update is there', 'base', { base: {} }, { security: true }, 'Nothing waits for a security update: 1 image looked at.'],
    ['only security updates are there', 'base', { base: { ssl: '1 → 2 security' } }, {}, '1 rebuild mends 1 image (base).   build-images refresh --build does it.'],
    ['what is no security update is nobody’s here', 'outside/debian:12 ← web', { 'outside/debian:12': { tar: '5' }, web: { ssl: '1 → 2 security', tar: '5 → 6' } }, {}, '1 rebuild mends 1 image (web).   build-images refresh --build does it.'],
    ['only security updates were asked for', 'base', { base: { ssl: '1 → 2 security' } }, { security: true }, '1 rebuild mends 1 image (base).   build-images refresh --security --build does it.'],
  ])('the last line where %s', (_, text, held, part, last) => expect(shown(text, held, part).at(-1)).toBe(last));
});

describe('outdatedToJson', () => {
  it('has an entry for each published image, each of its upgrades with an owner', () => {
    const report = reportOf(tree('outside/debian:12 ← base ← web'), { 'outside/debian:12': { ssl: '1' }, base: { ssl: '1 → 2 security' }, web: { php: '8 → 9 held' } }, { unknown: { web: EXPIRED }, waiting: ({ package: name }) => (name === 'ssl' ? 90_061_900 : undefined), advisoryOf: ({ source }) => (source === 'ssl' ? { source, urgency: 'high', cves: ['CVE-1'], announcements: ['DSA-1-1'], entries: 2, since: Date.UTC(2026, 10, 20, 10) } : undefined) });
    const upgrade = { arch: 'amd64', suite: 'trixie', security: false, heldBack: null, waiting: 90_061, advisory: { urgency: 'high', cves: ['CVE-1'], announcements: ['DSA-1-1'], entries: 2, since: '2026-11-20T10:00:00.000Z' } };
    expect(outdatedToJson(report)).toEqual([
      { image: 'base', ref: 'registry.example.org/base:2.0', digest: manifest('base'), unknown: null, archived: [], withoutSources: false, upgrades: [{ ...upgrade, package: 'ssl', source: 'ssl', from: '1', to: '2', suite: 'trixie-security', security: true, owner: 'outside/debian:12' }] },
      { image: 'web', ref: 'registry.example.org/web:2.0', digest: manifest('web'), unknown: 'InRelease of trixie expired 2026-11-01', archived: [], withoutSources: false, upgrades: [{ ...upgrade, package: 'php', source: 'php', from: '8', to: '9', owner: 'web', heldBack: 'it is on hold', waiting: null, advisory: null }] },
    ]);
  });
});
