import type { Graph } from '../../src/graph/graph.js';
import type { Unknown } from '../../src/packages/package-archive.js';
import type { Upgrade } from '../../src/packages/upgrade.js';
import { packageKey, type ImageUpgrades, type UpgradesRead } from '../../src/state/image-upgrades.js';
import { manifest, tree } from './plan-tree.js';

/** What one image holds: by package its version, or `1 → 2`, or `1 → 2 held`, or `1 → 2 security`. */
export type Held = Readonly<Record<string, string>>;

/** Something that nobody could read. */
export const EXPIRED: Unknown = { why: 'expired', says: 'InRelease of trixie expired 2026-11-01' };

/** An upgrade of a package, from suite trixie or trixie-security. */
export function upgradeOf(name: string, written: string): Upgrade | undefined {
  const [, from, to, word] = /^(\S+) → (\S+)(?: (held|security))?$/.exec(written) ?? [];
  if (from === undefined || to === undefined) return undefined;
  const security = word === 'security';
  return { package: name, arch: 'amd64', source: name, from, to, suite: security ? 'trixie-security' : 'trixie', security, heldBack: word === 'held' ? 'it is on hold' : undefined };
}

/** One image that holds these packages. */
export function imageHolding(image: string, held: Held, unknown: readonly Unknown[] = []): ImageUpgrades {
  const installed = new Map(Object.entries(held).map(([name, written]) => [packageKey(name, 'amd64'), written.split(' ')[0]!]));
  return { digest: manifest(image), unknown, archived: [], withoutSources: false, installed, upgrades: Object.entries(held).flatMap(([name, written]) => upgradeOf(name, written) ?? []) };
}

/** A tree as `tree` draws it, in which `outside/…` are outside images. */
export function treeOnOutside(text: string, rolling: readonly string[] = []): Graph {
  const graph = tree(text, rolling);
  return { ...graph, nodes: new Map([...graph.nodes].filter(([image]) => !image.startsWith('outside/'))) };
}

/** What was read of some images; names that begin with `outside/` are outside images. */
export function readHolding(images: Readonly<Record<string, Held>>): UpgradesRead {
  const isOutside = ([name]: readonly [string, unknown]): boolean => name.startsWith('outside/');
  const all = Object.entries(images).map(([name, held]) => [name, imageHolding(name, held)] as const);
  return { images: new Map(all.filter((one) => !isOutside(one))), outside: new Map(all.filter(isOutside)) };
}
