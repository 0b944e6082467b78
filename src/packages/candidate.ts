import { compareVersions } from '../definition/version.js';
import type { ImagePackages } from './image-packages.js';
import type { PackageIndex } from './package-index.js';
import type { AvailablePackage, InstalledPackage } from './package-record.js';

/** One version of a package, and the indexes that have it, in the order of the image's sources. */
export type Offer = { readonly record: AvailablePackage; readonly indexes: readonly PackageIndex[] };

/** What the sources of an image offer, by apt's priorities. */
export type Offers = {
  /** Every version of the package that an installed one is of, newest first. */
  versionsOf(installed: InstalledPackage): readonly Offer[];
  /** The version that apt would have installed; undefined: the installed one. */
  candidateOf(installed: InstalledPackage): Offer | undefined;
};

/** The offers of an image's indexes, which are in the order of its sources. */
export function createOffers(image: ImagePackages, indexes: readonly PackageIndex[]): Offers {
  const priorities = new Map(indexes.map((index) => [index, defaultPriority(index)]));
  const isOf = (architecture: string, wanted: string): boolean => nativeOf(architecture) === nativeOf(wanted);
  const nativeOf = (architecture: string): string => (architecture === 'all' ? image.architecture : architecture);
  const versionsOf = ({ name, architecture }: InstalledPackage): readonly Offer[] => {
    const offers = new Map<string, { record: AvailablePackage; indexes: PackageIndex[] }>();
    for (const index of indexes) {
      for (const record of index.versionsOf(name)) {
        if (!isOf(record.architecture, architecture)) continue;
        const known = offers.get(record.version);
        if (known === undefined) offers.set(record.version, { record, indexes: [index] });
        else known.indexes.push(index);
      }
    }
    return [...offers.values()].sort((a, b) => compareVersions(b.record.version, a.record.version));
  };
  return {
    versionsOf,
    candidateOf(installed) {
      const offers = versionsOf(installed);
      const priorityOf = (offer: Offer): number => Math.max(...offer.indexes.map((index) => priorities.get(index)!));
      let best: Offer | undefined;
      let highest = Math.max(100, ...offers.filter(({ record }) => record.version === installed.version).map(priorityOf));
      for (const offer of offers) {
        const priority = priorityOf(offer);
        if (priority < highest || (priority === highest && best !== undefined) || compareVersions(offer.record.version, installed.version) <= 0) continue;
        best = offer;
        highest = priority;
      }
      return best;
    },
  };
}

/** apt_preferences(5), "APT's Default Priority Assignments". */
function defaultPriority({ release }: PackageIndex): number {
  if (!release.notAutomatic) return 500;
  return release.butAutomaticUpgrades ? 100 : 1;
}
