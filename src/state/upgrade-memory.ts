import type { ImagePackages } from '../packages/image-packages.js';
import type { PackageIndex } from '../packages/package-index.js';
import type { Upgrade } from '../packages/upgrade.js';
import { digestOf, type Digest } from '../shared/digest.js';

/** What images were found to lack, by `comparisonKey`: it turns on nothing else. A cache: losing it costs time. */
export interface UpgradeMemory {
  recall(key: string): readonly Upgrade[] | undefined;
  remember(key: string, upgrades: readonly Upgrade[]): void;
}

/** The memory as data. Images lack the same few upgrades: those lie once, and images name them by their place. `at`: milliseconds since 1970. */
export type UpgradeMemoryData = {
  readonly upgrades: readonly Upgrade[];
  readonly images: Readonly<Record<string, { readonly at: number; readonly upgrades: readonly number[] }>>;
};

const DAY = 24 * 3_600_000;

/** A memory over what a cache file held (or nothing); `data` is what was asked for or remembered within three days, undefined where that is what it held. */
export function createUpgradeMemory(stored: UpgradeMemoryData | undefined, now: number): UpgradeMemory & { data(): UpgradeMemoryData | undefined } {
  const known = new Map<string, { at: number; readonly upgrades: readonly Upgrade[] }>();
  // What JSON leaves out is there again.
  const upgrades = (stored?.upgrades ?? []).map((upgrade) => ({ ...upgrade, heldBack: upgrade.heldBack }));
  for (const [key, { at, upgrades: places }] of Object.entries(stored?.images ?? {})) known.set(key, { at, upgrades: places.flatMap((place) => upgrades[place] ?? []) });
  let changed = false;
  return {
    recall(key) {
      const found = known.get(key);
      if (found === undefined) return undefined;
      if (now - found.at > DAY) {
        found.at = now;
        changed = true;
      }
      return found.upgrades;
    },
    remember(key, found) {
      known.set(key, { at: now, upgrades: found });
      changed = true;
    },
    data() {
      if (!changed) return undefined;
      const places = new Map<string, { readonly place: number; readonly upgrade: Upgrade }>();
      const placeOf = (upgrade: Upgrade): number => {
        const text = JSON.stringify(upgrade);
        const there = places.get(text) ?? { place: places.size, upgrade };
        places.set(text, there);
        return there.place;
      };
      const images = Object.fromEntries([...known].filter(([, { at }]) => now - at < 3 * DAY).map(([key, { at, upgrades: all }]) => [key, { at, upgrades: all.map(placeOf) }]));
      return { upgrades: [...places.values()].map(({ upgrade }) => upgrade), images };
    },
  };
}

/** What a comparison of an image with its archives turns on, as one digest. */
export function comparisonKey(image: Digest, { architecture }: Pick<ImagePackages, 'architecture'>, indexes: readonly PackageIndex[]): string {
  // A suite that is merely signed again has nothing new.
  const places = indexes.map(({ release: { date: _, validUntil: __, ...release }, site, uri, component, architecture: of, sha256 }) => [release, site, uri, component, of, sha256]);
  return digestOf(JSON.stringify([image, architecture, places])).slice('sha256:'.length);
}
