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
};

/** Whose rebuild brings an upgrade: an image of the tree, or an outside image, which nobody here rebuilds. */
export type Owner = { readonly image: ImageName } | { readonly outside: string };

/** An upgrade, and whose rebuild brings it. */
export type OwnedUpgrade = Upgrade & { readonly owner: Owner };
