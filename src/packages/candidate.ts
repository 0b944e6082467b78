import { compareVersions } from '../definition/version.js';
import type { ImagePackages } from './image-packages.js';
import type { PackageIndex } from './package-index.js';
import type { AvailablePackage, InstalledPackage } from './package-record.js';
import { createPolicy } from './policy.js';

/** One version of a package, and the indexes that have it, in the order of the image's sources. */
export type Offer = { readonly record: AvailablePackage; readonly indexes: readonly PackageIndex[] };

/** What the sources of an image offer, by apt's priorities. */
export type Offers = {
  /** Every version of the package of this name and architecture, newest first. */
  versionsOf(name: string, architecture: string): readonly Offer[];
  /** The version that apt wants where this one is installed; undefined: to stay as it is, or nothing at all. */
  candidateOf(installed: InstalledPackage): Offer | undefined;
  /** The version that apt would install of a package that is not; undefined: none. */
  candidateFor(name: string, architecture: string): Offer | undefined;
};

/** The offers of an image's indexes, which are in the order of its sources. */
export function createOffers(image: ImagePackages, indexes: readonly PackageIndex[]): Offers {
  const policy = createPolicy(image, indexes);
  const nativeOf = (architecture: string): string => (architecture === 'all' ? image.architecture : architecture);
  const known = new Map<string, readonly Offer[]>();
  const versionsOf = (name: string, architecture: string): readonly Offer[] => {
    const wanted = nativeOf(architecture);
    const key = `${name}:${wanted}`;
    let all = known.get(key);
    if (all === undefined) known.set(key, (all = readVersions(name, wanted)));
    return all;
  };
  const readVersions = (name: string, wanted: string): readonly Offer[] => {
    const offers = new Map<string, { record: AvailablePackage; indexes: PackageIndex[] }>();
    for (const index of indexes) {
      for (const record of index.versionsOf(name)) {
        if (nativeOf(record.architecture) !== wanted) continue;
        const offer = offers.get(record.version);
        if (offer === undefined) offers.set(record.version, { record, indexes: [index] });
        else if (!offer.indexes.includes(index)) offer.indexes.push(index);
      }
    }
    const all = [...offers.values()];
    return all.length < 2 ? all : all.sort((a, b) => compareVersions(b.record.version, a.record.version));
  };
  return {
    versionsOf,
    candidateOf(installed) {
      const offers = versionsOf(installed.name, installed.architecture);
      // Most packages are as they are in all indexes: no priority makes a difference.
      if (offers.every(({ record }) => record.version === installed.version)) return undefined;
      const same = offers.find(({ record }) => record.version === installed.version);
      const stay = policy.priorityOf(installed, same?.indexes ?? [], true);
      // A version of no priority counts for nothing, the installed one too.
      const candidates = [...offers.filter((offer) => offer !== same), undefined].map((offer) =>
        offer === undefined ? { offer, version: installed.version, priority: stay } : { offer, version: offer.record.version, priority: policy.priorityOf(offer.record, offer.indexes, false) },
      );
      return candidates
        .filter(({ priority, version }) => priority > 0 && (priority >= 1000 || compareVersions(version, installed.version) >= 0))
        .sort((a, b) => b.priority - a.priority || compareVersions(b.version, a.version))[0]?.offer;
    },
    candidateFor(name, architecture) {
      const offers = versionsOf(name, architecture).map((offer) => ({ offer, priority: policy.priorityOf(offer.record, offer.indexes, false) }));
      // They are in the order of their versions, and sorting keeps it.
      return offers.filter(({ priority }) => priority > 0).sort((a, b) => b.priority - a.priority)[0]?.offer;
    },
  };
}
