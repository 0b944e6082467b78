import type { Upgrade } from '../packages/upgrade.js';
import type { ImageName } from '../shared/image-ref.js';

/** A security update that an image waits for. `since`: when it was made, or a night first saw it, in milliseconds since 1970. */
export type PendingFix = Pick<Upgrade, 'package' | 'arch' | 'source' | 'from' | 'to' | 'suite'> & { readonly image: ImageName; readonly since: number };

/**
 * The security updates that images wait for now. Where no changelog tells when a fix was made, the first night that saw a
 * newer version of a package in an image counts; a still newer one does not make it young again.
 * @param unknown images of which nobody knows what they wait for: what they did wait for is not forgotten
 * @param before those of the night before
 * @param madeAt when an upgrade's oldest change was made, where that is known
 */
export function pendingFixes(upgrades: ReadonlyMap<ImageName, readonly Upgrade[]>, unknown: ReadonlySet<ImageName>, before: readonly PendingFix[], now: number, madeAt: (upgrade: Upgrade) => number | undefined): readonly PendingFix[] {
  const seen = new Map(before.map((fix) => [keyOf(fix.image, fix), fix.since]));
  const found = [...upgrades].flatMap(([image, all]) =>
    all.filter(({ security }) => security).map((upgrade): PendingFix => {
      const { package: name, arch, source, from, to, suite } = upgrade;
      return { image, package: name, arch, source, from, to, suite, since: Math.min(seen.get(keyOf(image, upgrade)) ?? now, madeAt(upgrade) ?? now) };
    }),
  );
  const known = new Set(found.map((fix) => keyOf(fix.image, fix)));
  return [...found, ...before.filter((fix) => unknown.has(fix.image) && !known.has(keyOf(fix.image, fix)))];
}

/** From the same installed version: a rebuild that brought something, but not all, is a new wait. */
function keyOf(image: ImageName, { package: name, arch, from }: Pick<Upgrade, 'package' | 'arch' | 'from'>): string {
  return [image, name, arch, from].join(' ');
}
