import { compareVersions } from '../definition/version.js';
import { createOffers, type Offer } from './candidate.js';
import type { ImagePackages } from './image-packages.js';
import { findKeptBack } from './kept-back.js';
import type { PackageIndex } from './package-index.js';
import type { Upgrade } from './upgrade.js';

/**
 * The packages of an image of which its sources have something newer, as `apt list --upgradable` has them in that image.
 * @param indexes those of the image's sources, in their order
 */
export function findUpgrades(image: ImagePackages, indexes: readonly PackageIndex[]): readonly Upgrade[] {
  const offers = createOffers(image, indexes);
  const changes = new Map(
    image.installed.flatMap((installed) => {
      const candidate = offers.candidateOf(installed);
      return candidate === undefined ? [] : [[installed, candidate] as const];
    }),
  );
  const kept = findKeptBack(image, offers, changes, indexes);
  return [...changes].flatMap(([installed, candidate]) => {
    const { name, architecture, source, version: from } = installed;
    const to = candidate.record.version;
    // What a pin makes go back is in no list of what is newer.
    if (compareVersions(to, from) <= 0) return [];
    const passed = offers.versionsOf(name, architecture).filter(({ record: { version } }) => compareVersions(version, from) > 0 && compareVersions(version, to) <= 0);
    const security = passed.some(({ indexes: of }) => of.some(isSecurity));
    return [{ package: name, arch: architecture, source, from, to, suite: suiteOf(candidate), security, heldBack: kept.get(installed) }];
  });
}

/** A security suite if one has the version, else the first that apt names. */
function suiteOf({ indexes }: Offer): string {
  const { release, site } = indexes.find(isSecurity) ?? indexes[0]!;
  return release.codename || release.suite || site;
}

function isSecurity({ release }: PackageIndex): boolean {
  return release.label === 'Debian-Security' || release.suite.endsWith('-security') || release.codename.endsWith('-security');
}
