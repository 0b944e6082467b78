import { join } from 'node:path';
import { readJson, writeJson } from '../adapters/json-file.js';
import type { Advisory } from '../packages/advisory.js';
import { advisoryKey, findAdvisories } from '../packages/find-advisories.js';
import { createFirstSeen, type FirstSeen, type FirstSeenData } from '../state/first-seen.js';
import { createUpgradeMemory, type UpgradeMemoryData } from '../state/upgrade-memory.js';
import type { State } from '../state/state.js';
import type { UpgradesRead } from '../state/image-upgrades.js';
import { inArchives, readUpgrades as read, type OnFound } from '../state/read-upgrades.js';
import { cacheDirectory, type Environment } from './environment.js';
import type { Connections } from './outside.js';
import { selection } from './planning.js';
import { programBuild } from './program-version.js';
import type { Tree } from './tree.js';
import type { Options } from './verb.js';

/**
 * What the archives have for the selected images that are published, and for the ancestors that these may have packages from.
 * @param advisories unset: nobody wants to know what security updates are about
 */
export async function readUpgrades(tree: Tree, state: State, connections: Connections, options: Options, environment: Environment, advisories?: Map<string, Advisory>): Promise<UpgradesRead> {
  const [packages, archive] = await Promise.all([connections.packageReader(), connections.packageArchive()]);
  // Images lack the same few updates.
  const asked = new Set<string>();
  const readAdvisories: OnFound = async (image, upgrades, indexes) => {
    const wanted = upgrades.filter((upgrade) => upgrade.security && upgrade.heldBack === undefined && !asked.has(advisoryKey(upgrade)));
    for (const upgrade of wanted) asked.add(advisoryKey(upgrade));
    for (const [key, advisory] of await findAdvisories(image, wanted, indexes, archive, environment.signal)) advisories!.set(key, advisory);
  };
  const path = join(cacheDirectory(environment), 'upgrades.json');
  const memory = createUpgradeMemory(readJson(path, isOfThisBuild)?.memory, environment.clock.now());
  const found = await read(tree.graph, state, selection(tree, options), { packages, published: connections.registry }, inArchives(archive, environment.signal, memory, advisories && readAdvisories), environment.signal);
  const data = memory.data();
  if (data !== undefined) writeJson(path, { build: programBuild, memory: data });
  return found;
}

/** Another build of this program may follow other rules. */
function isOfThisBuild(value: unknown): value is { readonly memory: UpgradeMemoryData } {
  return typeof value === 'object' && value !== null && 'build' in value && value.build === programBuild && 'memory' in value;
}

/** Since when upgrades are offered, as runs on this host noticed; `save` keeps what was noticed now. */
export function openFirstSeen(environment: Environment): FirstSeen & { save(): void } {
  const path = join(cacheDirectory(environment), 'first-seen.json');
  const seen = createFirstSeen(readJson(path, isFirstSeen), environment.clock.now());
  return { ...seen, save: () => writeJson(path, seen.data()) };
}

function isFirstSeen(value: unknown): value is FirstSeenData {
  return typeof value === 'object' && value !== null && Object.values(value).every((one: Partial<FirstSeenData[string]> | null) => typeof one?.since === 'number' && typeof one.last === 'number');
}
