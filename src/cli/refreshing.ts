import { formatDate, reasonLines } from '../definition/changelog-entry.js';
import { isVersioned } from '../graph/graph.js';
import type { Advisory } from '../packages/advisory.js';
import { parseImagePackages } from '../packages/image-packages.js';
import type { Unknown } from '../packages/package-archive.js';
import { withVersions } from '../plan/bumped-graph.js';
import { ownersOf } from '../plan/owners.js';
import { planRefresh, upgradeMark, type Refresh, type RefreshRequest } from '../plan/refresh.js';
import { ownersIn, planEntries, sayOwners, type EntriesPlan } from '../plan/refresh-entries.js';
import type { RunPublishing } from '../plan/step.js';
import { changelogPath, commitMessage } from '../plan/update.js';
import type { RunConfig } from '../shared/config.js';
import type { Digest } from '../shared/digest.js';
import { RegistryError, UsageError } from '../shared/errors.js';
import { formatImageRef, type ImageName } from '../shared/image-ref.js';
import type { OwnedUpgrade } from '../state/image-upgrades.js';
import { readNeeds, type Outside } from '../state/read-state.js';
import { inArchives, installedIn } from '../state/read-upgrades.js';
import { UnreadableImage } from '../state/package-reader.js';
import type { State } from '../state/state.js';
import type { Environment } from './environment.js';
import type { Connections } from './outside.js';
import { digestOnDisk, outsideOf, planning, readTreeAndState, selection, type Planning } from './planning.js';
import { readUpgrades } from './reading-upgrades.js';
import { registryHost } from './tree-outside.js';
import { settle, WrongDefinitions, type Tree } from './tree.js';
import { excludedImages, signaturesOf } from './update.js';
import type { Options } from './verb.js';

/** What a refresh found, and what it would write. Nothing is changed yet. */
export type FoundRefresh = {
  readonly tree: Tree;
  readonly state: State;
  readonly refresh: Refresh;
  readonly entries: EntriesPlan;
  /** The changelogs of what is due, as they were read. */
  readonly changelogs: ReadonlyMap<ImageName, { readonly bytes: Uint8Array }>;
  /** Every image's upgrades, whether a refresh is asked for them or not. */
  readonly upgrades: ReadonlyMap<ImageName, readonly OwnedUpgrade[]>;
  /** Images of which nobody can say what is new, or all that is. */
  readonly unknown: ReadonlyMap<ImageName, readonly Unknown[]>;
  /** Withdrawn images in whose place a rebuild would bring newer packages. */
  readonly outdatedWithdrawn: ReadonlySet<Digest>;
  /** Of the commit that holds the entries. */
  readonly message: string;
};

/**
 * Looks what the outside makes outdated, and plans the entries. Asks registry and archives, not the engine.
 * @param mayWrite whether a tree's changelogs may be written, by its name
 * @param advisories gets what changelogs say of security updates; unset: nobody wants to know
 */
export async function findRefresh(config: RunConfig, connections: Connections, options: Options, environment: Environment, mayWrite: (tree: string) => boolean = () => true, advisories?: Map<string, Advisory>): Promise<FoundRefresh> {
  const { signal, clock } = environment;
  const { tree, reading } = await readTreeAndState(config, connections, options, environment);
  const { graph } = tree;
  const select = selection(tree, options);
  const excluded = excludedImages(graph, [], options);
  let state = await reading;
  const [packages, archive] = await Promise.all([connections.packageReader(), connections.packageArchive()]);
  const compare = inArchives(archive, signal);
  const read = await readUpgrades(tree, state, connections, options, environment, advisories);
  const upgrades = ownersOf(graph, read);
  const maxAges = new Map(config.trees.map((one) => [one.name, one.config.maxAge]));
  const withdrawn = new Map<Digest, boolean>();
  const isOutdated = async (image: ImageName, digest: Digest, tried: readonly string[]): Promise<boolean> => {
    try {
      const there = parseImagePackages(await packages.filesOf(graph.nodes.get(image)!.ref, digest, signal));
      const one = { digest, installed: installedIn(there), ...(await compare(there, digest)) };
      // What only its parents bring, it waits for with them: a rebuild of it alone would come out as it was.
      const newer = ownersOf(graph, { ...read, images: new Map(read.images).set(image, one) }).get(image)!;
      return newer.some((upgrade) => 'image' in upgrade.owner && upgrade.owner.image === image && upgrade.heldBack === undefined && (upgrade.security || options.everyUpgrade) && !tried.includes(upgradeMark(upgrade)));
    } catch (error) {
      if (error instanceof UnreadableImage) return false;
      throw error;
    }
  };
  for (;;) {
    const outdatedWithdrawn = new Set([...withdrawn].flatMap(([digest, outdated]) => (outdated ? [digest] : [])));
    const request: RefreshRequest = {
      select,
      excluded,
      which: options.everyUpgrade ? 'all' : 'security',
      maxBuilds: options.maxBuilds,
      now: clock.now(),
      maxAge: (name) => maxAges.get(name),
      upgrades,
      tried: (digest) => connections.refreshMemory.tried(digest),
      outdatedWithdrawn,
      today(image) {
        const digest = digestOnDisk(tree.files, graph.nodes.get(image)!);
        return digest.ok ? digest.value : undefined;
      },
      platform: config.platform,
      mayWrite,
    };
    const refresh = planRefresh(graph, state, request);
    const unread = [...refresh.held].flatMap(([image]) => (state.withdrawn.get(image) ?? []).filter(({ digest }) => !withdrawn.has(digest)).map((one) => ({ image, ...one })));
    if (refresh.needs.length > 0) state = await readNeeds(graph, state, refresh.needs, asking(connections, config, environment), signal);
    else if (unread.length > 0) for (const { image, digest, provenance } of unread) withdrawn.set(digest, await isOutdated(image, digest, provenance?.tried ?? []));
    else {
      const unknown = new Map([...read.images].flatMap(([image, one]) => (one.unknown.length === 0 ? [] : [[image, one.unknown] as const])));
      return { tree, state, refresh, upgrades, unknown, outdatedWithdrawn, ...(await entriesOf(tree, state, refresh, connections, options, environment)) };
    }
  }
}

/** Somebody else's registry that does not tell what an outside image is by now keeps nothing from being refreshed for other reasons. */
function asking(connections: Connections, { trees }: RunConfig, { err }: Environment): Outside {
  const outside = outsideOf(connections);
  const ours = new Set(trees.map(({ config }) => registryHost(config)));
  return {
    ...outside,
    published: {
      ...outside.published,
      digestOf: (ref, signal) =>
        outside.published.digestOf(ref, signal).catch((error: unknown) => {
          if (!(error instanceof RegistryError) || ours.has(ref.registry)) throw error;
          err(`whether ${formatImageRef(ref)} moved is not known: ${error.message}`);
          return undefined;
        }),
    },
  };
}

async function entriesOf(tree: Tree, state: State, { due }: Refresh, connections: Connections, options: Options, environment: Environment): Promise<Pick<FoundRefresh, 'entries' | 'changelogs' | 'message'>> {
  const { graph, files, config } = tree;
  const reason = reasonLines(options.firstLine ?? '');
  if (options.firstLine !== undefined && reason.length === 0) throw new UsageError('--reason needs some text');
  const changelogs = new Map<ImageName, { readonly bytes: Uint8Array }>();
  for (const image of due.keys()) {
    const node = graph.nodes.get(image)!;
    if (!isVersioned(node)) continue;
    const bytes = files.readBytes(changelogPath(node));
    if (!bytes.ok) throw new WrongDefinitions(bytes.problems);
    changelogs.set(image, { bytes: bytes.value });
  }
  const isPublished = (image: ImageName): boolean => state.images.get(image)!.version !== undefined;
  const bumped = [...changelogs.keys()].filter(isPublished);
  const taken = new Map(await Promise.all(bumped.map(async (image) => [image, new Set(await connections.registry.tagsOf(graph.nodes.get(image)!.ref, environment.signal))] as const)));
  const request = {
    reason,
    date: formatDate(environment.clock.now()),
    signature: await signaturesOf(config.trees, environment),
    isTaken: (image: ImageName, version: string) => taken.get(image)?.has(version) === true,
    isPublished,
  };
  const entries = settle(planEntries(graph, due, request, new Map([...changelogs].map(([image, { bytes }]) => [image, bytes]))), options, environment);
  return { entries, changelogs, message: commitMessage(graph, entries, { named: ownersIn(due), reason: [...reason, ...sayOwners(graph, due)] }, 'Refresh') };
}

/** The build of what a refresh found, planned from the files as they are now that its entries are written. `all`: of all else that is due, too. */
export async function planRefreshed(found: FoundRefresh, config: RunConfig, publishing: RunPublishing, connections: Connections, options: Options, environment: Environment, all = false): Promise<{ readonly tree: Tree; readonly planned: Planning }> {
  const { tree, reading } = found.entries.steps.length === 0 ? { tree: found.tree, reading: Promise.resolve(found.state) } : await readTreeAndState(config, connections, options, environment);
  return { tree, planned: await planning(tree, reading, publishing, connections, options, environment, partOf(found, all)) };
}

/** The same before any entry is written: as the files will be. */
export async function planUnwritten(found: FoundRefresh, publishing: RunPublishing, connections: Connections, options: Options, environment: Environment): Promise<Planning> {
  const { graph, state } = withVersions(found.tree.graph, found.state, new Map(found.entries.steps.map(({ image, to }) => [image, to])));
  return planning({ ...found.tree, graph }, Promise.resolve(state), publishing, connections, options, environment, partOf(found, false));
}

function partOf({ refresh: { due }, outdatedWithdrawn }: FoundRefresh, all: boolean): NonNullable<Parameters<typeof planning>[6]> {
  return { refresh: due, outdatedWithdrawn, ...(all ? {} : { select: new Set(due.keys()) }) };
}
