import type { Graph } from '../graph/graph.js';
import type { Advisory } from '../packages/advisory.js';
import { advisoryKey } from '../packages/find-advisories.js';
import { ownersOf, rebuildsFor } from '../plan/owners.js';
import { triedFor, upgradeMark, type RefreshRequest } from '../plan/refresh.js';
import { formatOutdated, outdatedToJson, type OutdatedImage, type OutdatedReport } from '../report/format-outdated.js';
import { EXIT, type ExitCode } from '../shared/errors.js';
import { formatImageRef, withTag, type ImageName } from '../shared/image-ref.js';
import { movingTagOf } from '../definition/definition.js';
import type { Upgrade } from '../packages/upgrade.js';
import type { FirstSeen } from '../state/first-seen.js';
import type { OwnedUpgrade, UpgradesRead } from '../state/image-upgrades.js';
import type { State } from '../state/state.js';
import { connect } from './outside.js';
import { readTreeAndState, selection } from './planning.js';
import { openFirstSeen, readUpgrades } from './reading-upgrades.js';
import { readConfig } from './tree.js';
import type { Options, Verb } from './verb.js';

/** Says which published images have packages of which their archives have newer ones, and whose rebuild brings them. */
export const outdated: Verb = async (options, environment) => {
  const config = await readConfig(options, environment);
  const connections = await connect(config, environment);
  try {
    const { tree, reading } = await readTreeAndState(config, connections, options, environment);
    const state = await reading;
    const selected = selection(tree, options) ?? new Set(tree.graph.nodes.keys());
    const advisories = new Map<string, Advisory>();
    const read = await readUpgrades(tree, state, connections, options, environment, advisories);
    const seen = openFirstSeen(environment);
    const report = { ...reportOf(tree.graph, state, read, selected, options, (digest) => connections.refreshMemory.tried(digest)), ...evidenceOf(read, advisories, seen, environment.clock.now()) };
    seen.save();
    if (options.json) environment.out(JSON.stringify(outdatedToJson(report), null, 2));
    else for (const line of formatOutdated(report, options.verbose)) environment.out(line);
    return exitOf(report, options);
  } finally {
    await connections.close();
  }
};

function reportOf(graph: Graph, state: State, read: UpgradesRead, selected: ReadonlySet<ImageName>, { security }: Options, tried: RefreshRequest['tried']): Omit<OutdatedReport, 'advisoryOf' | 'waiting'> {
  const owned = ownersOf(graph, read);
  const images = [...read.images].flatMap(([image, { digest, unknown, archived, withoutSources }]): readonly OutdatedImage[] => {
    if (!selected.has(image)) return [];
    return [{ image, ref: refInUse(graph, state, image), digest, unknown, archived, withoutSources, upgrades: owned.get(image)!.filter((upgrade) => upgrade.security || !security) }];
  });
  const notBrought = notBroughtIn(images, state, tried);
  const isTried = ({ owner, ...upgrade }: OwnedUpgrade): boolean => 'image' in owner && notBrought.get(owner.image)?.some((one) => upgradeMark(one) === upgradeMark(upgrade)) === true;
  return { images, notPublished: selected.size - images.length, rebuilds: rebuildsFor(graph, images.flatMap(({ upgrades }) => upgrades.filter((upgrade) => !isTried(upgrade)))), notBrought, security };
}

/** Of owners: what each was built for already and still lacks. A refresh does not build it for that again. */
function notBroughtIn(images: readonly OutdatedImage[], state: State, tried: RefreshRequest['tried']): OutdatedReport['notBrought'] {
  const found = new Map<ImageName, Map<string, Upgrade>>();
  for (const upgrade of images.flatMap(({ upgrades }) => upgrades)) {
    if (upgrade.heldBack !== undefined || !('image' in upgrade.owner)) continue;
    const { image } = upgrade.owner;
    const published = state.images.get(image)?.latest;
    if (published === undefined || !triedFor(published, tried)(upgrade)) continue;
    found.set(image, new Map([[upgradeMark(upgrade), upgrade], ...(found.get(image) ?? [])]));
  }
  return new Map([...found].map(([image, upgrades]) => [image, [...upgrades.values()]]));
}

/** What is known beside versions: a fix waits since its changelog has it, else since this host saw it. */
function evidenceOf({ images }: UpgradesRead, advisories: ReadonlyMap<string, Advisory>, seen: FirstSeen, now: number): Pick<OutdatedReport, 'advisoryOf' | 'waiting'> {
  const advisoryOf = (upgrade: Upgrade): Advisory | undefined => advisories.get(advisoryKey(upgrade));
  const waits = new Map<string, number | undefined>();
  const keyOf = ({ package: name, arch, to, suite }: Upgrade): string => `${suite} ${name}:${arch} ${to}`;
  for (const { upgrades } of images.values()) for (const upgrade of upgrades) waits.set(keyOf(upgrade), seen.waiting(upgrade));
  const waiting = (upgrade: Upgrade): number | undefined => {
    const since = advisoryOf(upgrade)?.since;
    return since === undefined ? waits.get(keyOf(upgrade)) : Math.max(0, now - since);
  };
  return { advisoryOf, waiting };
}

/** The reference of what was looked at: the version's, unless `:latest` is another image. */
function refInUse(graph: Graph, { images }: State, image: ImageName): string {
  const { ref, definition } = graph.nodes.get(image)!;
  const there = images.get(image)!;
  const isOther = there.latest !== undefined && there.latest.digest !== there.version?.digest;
  return formatImageRef(isOther ? withTag(ref, movingTagOf(definition)) : ref);
}

/** What is unknown may be outdated: it goes before what is. */
function exitOf({ images }: OutdatedReport, { check }: Options): ExitCode {
  if (images.some(({ unknown }) => unknown.length > 0)) return EXIT.archive;
  return check && images.some(({ upgrades }) => upgrades.some(({ heldBack }) => heldBack === undefined)) ? EXIT.pending : EXIT.ok;
}
