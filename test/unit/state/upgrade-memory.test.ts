import { describe, expect, it } from '@jest/globals';
import type { PackageIndex } from '../../../src/packages/package-index.js';
import { comparisonKey, createUpgradeMemory, type UpgradeMemoryData } from '../../../src/state/upgrade-memory.js';
import { indexWith } from '../../support/packages-in-memory.js';
import { manifest } from '../../support/plan-tree.js';
import { upgradeOf } from '../../support/upgrades-in-memory.js';

const DAY = 24 * 3_600_000;
const FIRST = Date.UTC(2026, 0, 1);
const ssl = upgradeOf('ssl', '1 → 2 security')!;
const tar = upgradeOf('tar', '5 → 6 held')!;

/** As a file holds it. */
const stored = (data: UpgradeMemoryData | undefined): UpgradeMemoryData => JSON.parse(JSON.stringify(data)) as UpgradeMemoryData;
const remembering = (images: Readonly<Record<string, readonly (typeof ssl)[]>>, at = FIRST, before?: UpgradeMemoryData): UpgradeMemoryData => {
  const memory = createUpgradeMemory(before, at);
  for (const [key, upgrades] of Object.entries(images)) memory.remember(key, upgrades);
  return stored(memory.data());
};

describe('the memory of upgrades', () => {
  it('gives back what was remembered, to the letter', () => {
    const memory = createUpgradeMemory(remembering({ a: [ssl, tar], b: [tar], c: [] }), FIRST);
    expect(['a', 'b', 'c', 'd'].map((key) => memory.recall(key))).toStrictEqual([[ssl, tar], [tar], [], undefined]);
  });
  it('knows at once what is remembered now', () => {
    const memory = createUpgradeMemory(undefined, FIRST);
    memory.remember('a', [ssl]);
    expect(memory.recall('a')).toEqual([ssl]);
  });
  it('holds an upgrade of many images once', () => expect(remembering({ a: [ssl, tar], b: [ssl], c: [ssl] }).upgrades).toHaveLength(2));
  it('has nothing to keep where nothing is new', () => {
    const memory = createUpgradeMemory(remembering({ a: [ssl] }), FIRST + DAY / 2);
    memory.recall('a');
    expect(memory.data()).toBeUndefined();
  });
  it('keeps for three days what nobody asks for', () => {
    const kept = (days: number): readonly string[] => Object.keys(remembering({ b: [] }, FIRST + days * DAY, remembering({ a: [ssl] })).images).sort();
    expect([kept(2), kept(3)]).toEqual([['a', 'b'], ['b']]);
  });
  it('keeps what was asked for', () => {
    const memory = createUpgradeMemory(remembering({ a: [ssl] }), FIRST + 2 * DAY);
    memory.recall('a');
    const later = createUpgradeMemory(stored(memory.data()), FIRST + 4 * DAY);
    expect(later.recall('a')).toEqual([ssl]);
    expect(Object.keys(later.data()!.images)).toEqual(['a']);
  });
  it('takes a place that is not there for nothing', () => {
    expect(createUpgradeMemory({ upgrades: [], images: { a: { at: FIRST, upgrades: [7] } } }, FIRST).recall('a')).toEqual([]);
  });
});

describe('comparisonKey', () => {
  const index = indexWith('trixie', ['ssl 2']);
  const key = (part: Partial<PackageIndex> = {}, image = 'base', architecture = 'amd64'): string => comparisonKey(manifest(image), { architecture }, [{ ...index, ...part }]);
  it.each<readonly [string, string]>([
    ['another image', key({}, 'web')],
    ['another architecture', key({}, 'base', 'arm64')],
    ['another content', key({ sha256: 'cd' })],
    ['another component', key({ component: 'contrib' })],
    ['another archive', key({ uri: 'http://x' })],
    ['another site', key({ site: 'x' })],
    ['an index of another architecture', key({ architecture: 'i386' })],
    ['a suite that pins see otherwise', key({ release: { ...index.release, notAutomatic: true } })],
    ['another order', comparisonKey(manifest('base'), { architecture: 'amd64' }, [indexWith('forky', []), index])],
  ])('%s is another comparison', (_, other) => expect(other).not.toBe(key()));
  it('a suite that was signed again is none', () => expect(key({ release: { ...index.release, date: 5, validUntil: 9 } })).toBe(key()));
});
