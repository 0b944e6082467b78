import type { Unknown } from '../packages/package-archive.js';
import type { Upgrade } from '../packages/upgrade.js';
import type { Digest } from '../shared/digest.js';
import type { ImageName } from '../shared/image-ref.js';

/** What the archives have for one published image. */
export type ImageUpgrades = {
  /** The image that was looked at: what `:latest` is. */
  readonly digest: Digest;
  /** Empty: all that the image's sources offer is known. Else `upgrades` may lack some. */
  readonly unknown: readonly Unknown[];
  readonly upgrades: readonly Upgrade[];
  /** Suites of its sources to which nothing new comes any more: they were not asked, as the config says. */
  readonly archived: readonly string[];
  /** It has packages and names no source of any: nothing is newer by apt's rules, and that says nothing. */
  readonly withoutSources: boolean;
  /** What is installed in it: version by packageKey. */
  readonly installed: ReadonlyMap<string, string>;
};

/** What tells a package from all others of an image: `libssl3:amd64`. */
export function packageKey(name: string, architecture: string): string {
  return `${name}:${architecture}`;
}

/** What was read of the packages of images that are published, and of what those stand on. */
export type UpgradesRead = {
  /** Those that were asked for and are published, and the ancestors in the tree that they may have packages from. */
  readonly images: ReadonlyMap<ImageName, ImageUpgrades>;
  /** Outside images that one of these has packages from, by the reference in its Dockerfile. */
  readonly outside: ReadonlyMap<string, OutsidePackages>;
};

/** An outside image as it is today. Its upgrades are not looked for: nobody here rebuilds it. */
export type OutsidePackages = Pick<ImageUpgrades, 'unknown' | 'installed'> & {
  /** undefined: it could not be read. */
  readonly digest: Digest | undefined;
};

/** Whose rebuild brings an upgrade: an image of the tree, or an outside image, which nobody here rebuilds. */
export type Owner = { readonly image: ImageName } | { readonly outside: string };

/** An upgrade, and whose rebuild brings it. */
export type OwnedUpgrade = Upgrade & { readonly owner: Owner };
