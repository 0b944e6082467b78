import { compareVersions } from '../definition/version.js';
import { createOffers, type Offer } from './candidate.js';
import type { ImagePackages } from './image-packages.js';
import type { PackageIndex } from './package-index.js';
import type { Upgrade } from './upgrade.js';

/**
 * The packages of an image of which its sources have something newer, as `apt list --upgradable` has them in that image.
 * @param indexes those of the image's sources, in their order
 */
export function findUpgrades(image: ImagePackages, indexes: readonly PackageIndex[]): readonly Upgrade[] {
  const offers = createOffers(image, indexes);
  return image.installed.flatMap((installed) => {
    const candidate = offers.candidateOf(installed);
    if (candidate === undefined || compareVersions(candidate.record.version, installed.version) <= 0) return [];
    const passed = offers.versionsOf(installed.name, installed.architecture).filter(({ record }) => compareVersions(record.version, installed.version) > 0 && compareVersions(record.version, candidate.record.version) <= 0);
    return [
      {
        package: installed.name,
        arch: installed.architecture,
        source: installed.source,
        from: installed.version,
        to: candidate.record.version,
        suite: suiteOf(candidate),
        security: passed.some(({ indexes: of }) => of.some(isSecurity)),
        heldBack: installed.held ? 'held by dpkg' : undefined,
      },
    ];
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
