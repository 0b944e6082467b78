import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findUpgrades } from '../../src/packages/find-upgrades.js';
import type { Upgrade } from '../../src/packages/upgrade.js';
import { oddOnes, randomPackageWorld, readWorld, recordsNamed, writeWorld, type PackageWorld } from '../support/random-packages.js';
import { askApt, type AptAnswer } from '../support/real-apt.js';

/** Worlds of a test; more with an environment variable, for who changes the rules. */
const MANY = Number(process.env['PACKAGE_WORLDS'] ?? 300);
const folder = mkdtempSync(join(tmpdir(), 'apt-worlds-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Made-up images, and what apt and we say of each. Those that apt refuses are left out. */
async function compare(seeds: readonly number[], how: { readonly relations: boolean }): Promise<readonly { readonly seed: number; readonly world: PackageWorld; readonly apt: AptAnswer; readonly ours: readonly Upgrade[] }[]> {
  const worlds = seeds.map((seed) => ({ seed, world: randomPackageWorld(seed, how), root: join(folder, `${seed}-${String(how.relations)}`) }));
  for (const { world, root } of worlds) writeWorld(root, world);
  const said = await askApt(worlds.map(({ root }) => root));
  return worlds.flatMap(({ seed, world }, at) => {
    const apt = said[at]!;
    if ('error' in apt) return [];
    const { image, indexes } = readWorld(world);
    return [{ seed, world, apt, ours: findUpgrades(image, indexes) }];
  });
}

const line = ({ package: name, arch, from, to }: { readonly package: string; readonly arch: string; readonly from: string; readonly to: string }): string => `${name}:${arch} ${from} ${to}`;

const REMOVES = 'apt removes something for it';

/** Where apt and we differ by nature; undefined: by a fault. */
function whyDifferent(world: PackageWorld, apt: AptAnswer, kept: readonly Upgrade[]): string | undefined {
  const theirs = apt.upgradable.filter((each) => each.kept);
  // What apt keeps even so, is kept back here, too.
  if (apt.removed.length > 0 && theirs.every((each) => kept.some((own) => line(own) === line(each)))) return REMOVES;
  if (oddOnes(recordsNamed(world, apt.after)).length > 0) return 'what apt would make is broken';
  if (theirs.length === kept.length) return 'either of two may stay';
  return undefined;
}

describe('made-up images and archives, compared with apt', () => {
  let compared: Awaited<ReturnType<typeof compare>>;
  beforeAll(async () => {
    compared = await compare(Array.from({ length: MANY }, (_, seed) => seed), { relations: false });
  }, 600_000);

  it('what is newer is what apt says, whatever priorities and pins there are', () => {
    const different = compared.filter(({ apt, ours }) => ours.map(line).sort().join() !== apt.upgradable.map(line).sort().join());
    expect(different.map(({ seed }) => seed)).toEqual([]);
    // apt refuses an image whose target release is in no source.
    expect(compared.length).toBeGreaterThan(MANY * 0.9);
    expect(compared.flatMap(({ ours }) => ours).length).toBeGreaterThan(MANY);
  });
  it('the suite is one that apt names', () => {
    const wrong = compared.flatMap(({ seed, world, apt, ours }) =>
      ours.filter((upgrade) => {
        const archives = apt.upgradable.find((each) => line(each) === line(upgrade))!.suites;
        const named = world.lists.filter(({ release }) => archives.includes(release['Suite'] ?? '')).map(({ release, uri }) => release['Codename'] ?? new URL(uri).hostname);
        return !named.includes(upgrade.suite) || (archives.includes('stable-security') && upgrade.suite !== 'trixie-security');
      }).map((upgrade) => ({ seed, ...upgrade })),
    );
    expect(wrong).toEqual([]);
  });

});

describe('made-up relations between packages, compared with apt', () => {
  it('what a dist-upgrade leaves out is held or kept back', async () => {
    const all = (await compare(Array.from({ length: MANY }, (_, seed) => seed), { relations: true })).filter(({ apt }) => apt.broken === 0);
    const different = all.flatMap(({ seed, world, apt, ours }) => {
      const theirs = apt.upgradable.filter(({ kept, removed }) => kept || removed).map(line).sort();
      const kept = ours.filter(({ heldBack }) => heldBack !== undefined);
      if (kept.map(line).sort().join() === theirs.join()) return [];
      return [{ seed, why: whyDifferent(world, apt, kept), ours: kept.map((each) => `${line(each)}: ${each.heldBack}`), theirs }];
    });
    expect(different.filter(({ why }) => why === undefined)).toEqual([]);
    expect(different.filter(({ why }) => why !== REMOVES).length).toBeLessThan(all.length * 0.01);
    expect(different.length).toBeLessThan(all.length * 0.06);
    expect(all.length).toBeGreaterThan(MANY * 0.8);
    expect(all.flatMap(({ ours }) => ours.filter(({ heldBack }) => heldBack !== undefined)).length).toBeGreaterThan(MANY * 0.3);
  }, 600_000);
});
