import { upgradedPackages, type UpgradedPackages } from '../definition/upgraded-packages.js';
import { compareVersions } from '../definition/version.js';
import { descendantsOf, packageSources, type Graph, type Node } from '../graph/graph.js';
import type { Upgrade } from '../packages/upgrade.js';
import type { ImageName } from '../shared/image-ref.js';
import { packageKey, type OwnedUpgrade, type Owner, type UpgradesRead } from '../state/image-upgrades.js';

/**
 * Whose rebuild brings each upgrade: the topmost ancestor that has the package and is offered the candidate. Told by what images
 * hold, so an ancestor owns what its descendants have from it, whether it was asked for or not.
 */
export function ownersOf(graph: Graph, read: UpgradesRead): ReadonlyMap<ImageName, readonly OwnedUpgrade[]> {
  const owned = new Map<ImageName, readonly OwnedUpgrade[]>();
  for (const [image, node] of graph.nodes) {
    const upgrades = read.images.get(image)?.upgrades;
    if (upgrades === undefined) continue;
    let upgraded: UpgradedPackages | undefined;
    const own = (): UpgradedPackages => (upgraded ??= upgradedPackages(node.dockerfile ?? ''));
    owned.set(image, upgrades.map((upgrade) => ({ ...upgrade, owner: ownerOf(node, upgrade, read, owned, own) })));
  }
  return owned;
}

/** What only an outside image would bring is the image's own if its build brings it, too. */
function ownerOf(node: Node, upgrade: Upgrade, read: UpgradesRead, owned: ReadonlyMap<ImageName, readonly OwnedUpgrade[]>, own: () => UpgradedPackages): Owner {
  const owner = fromAbove(node, upgrade, read, owned);
  if (owner !== undefined && ('image' in owner || !(own().all || own().names.has(upgrade.package)))) return owner;
  return { image: node.definition.image };
}

/** The owner among all that an image stands on; undefined: none of it. */
function fromAbove(node: Node, upgrade: Upgrade, read: UpgradesRead, owned: ReadonlyMap<ImageName, readonly OwnedUpgrade[]>): Owner | undefined {
  for (const { ref, image } of packageSources(node)) {
    const parent = image === undefined ? read.outside.get(ref) : read.images.get(image);
    // Nobody knows what is in it: nothing is rebuilt for what may well be its own.
    if (image === undefined && parent !== undefined && parent.unknown.length > 0) return { outside: ref };
    const there = parent?.installed.get(packageKey(upgrade.package, upgrade.arch));
    // What the parent lacks, or has older, the image brought itself; what it has newer, a rebuild on it brings.
    if (there === undefined || compareVersions(there, upgrade.from) < 0 || compareVersions(there, upgrade.to) >= 0) continue;
    if (image === undefined) return { outside: ref };
    const theirs = owned.get(image)?.find((one) => brings(one, upgrade));
    if (theirs !== undefined) return theirs.owner;
  }
  return undefined;
}

/** Whether a parent's rebuild, by an upgrade of its own, brings what its child waits for. */
function brings(theirs: Upgrade, wanted: Upgrade): boolean {
  if (theirs.package !== wanted.package || theirs.arch !== wanted.arch || compareVersions(theirs.to, wanted.to) < 0) return false;
  return theirs.heldBack === undefined || wanted.heldBack !== undefined;
}

/** The fewest builds that mend something, parents first. */
export type Rebuilds = {
  readonly owners: readonly ImageName[];
  /** What stands on them, and is built after them. */
  readonly descendants: readonly ImageName[];
};

/** The rebuilds that bring these upgrades, as far as any in the tree does: of their owners and of all that stands on those. */
export function rebuildsFor(graph: Graph, upgrades: Iterable<OwnedUpgrade>): Rebuilds {
  const owners = new Set<ImageName>();
  for (const { owner, heldBack } of upgrades) if ('image' in owner && heldBack === undefined) owners.add(owner.image);
  const standing = descendantsOf(graph, owners);
  const inOrder = [...graph.nodes.keys()];
  return { owners: inOrder.filter((image) => owners.has(image)), descendants: inOrder.filter((image) => standing.has(image) && !owners.has(image)) };
}
