import type { Event } from '../execute/event.js';
import type { Advisory } from '../packages/advisory.js';
import { advisoryKey } from '../packages/find-advisories.js';
import { parseImagePackages } from '../packages/image-packages.js';
import { pendingFixes } from '../plan/pending-fix.js';
import { explain, sayNames, type Reason } from '../plan/reason.js';
import { isResting, restFailing, type Failing } from '../plan/retry.js';
import { isPending, type Plan, type Step } from '../plan/step.js';
import type { NightFacts } from '../report/night-report.js';
import type { RunConfig } from '../shared/config.js';
import type { Digest } from '../shared/digest.js';
import { EXIT, Fault } from '../shared/errors.js';
import type { ImageName } from '../shared/image-ref.js';
import { packageKey, type OwnedUpgrade } from '../state/image-upgrades.js';
import { installedIn } from '../state/read-upgrades.js';
import type { Environment } from './environment.js';
import type { NightLocks } from './give-way.js';
import { inRun } from './in-run.js';
import { settleEntries, type NightEntries } from './night-entries.js';
import type { NightGit } from './night-git.js';
import { readNightHistory, type NightHistory } from './night-history.js';
import { connect, type Connections } from './outside.js';
import { digestOnDisk, publishingOf } from './planning.js';
import { findRefresh, planRefreshed, type FoundRefresh } from './refreshing.js';
import { execute, warmUp, type NightRun } from './run.js';
import { triesOf, tryOf } from './tries.js';
import type { Options } from './verb.js';
import type { Showing } from './watch-run.js';

/** What is known of a night while it is at work. */
export type Night = {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Milliseconds since 1970; Infinity: it has none. */
  readonly deadline: number;
  /** What happened in its runs. */
  readonly events: Event[];
  readonly entries: NightEntries;
  readonly showing: Pick<Showing, 'watch'>;
  facts: Omit<NightFacts, 'endedAt' | 'fault'>;
};

/** Why one run of a night stopped: somebody asked for way, or pushed first; undefined: all is done. */
export type Stopped = 'asked' | 'deadline' | 'again' | undefined;

/** One run of all that is due: looks for what is outdated, gives it entries, and builds, tests, publishes and promotes. */
export async function workOnce(config: RunConfig, git: NightGit, night: Night, locks: NightLocks, options: Options, environment: Environment): Promise<Stopped> {
  const hindered = new Map([...git.hindered, ...night.entries.hindered]);
  const connections = await connect(config, environment);
  try {
    const publishing = await publishingOf(config, connections, options);
    const history = await readNightHistory(environment);
    const advisories = new Map<string, Advisory>();
    const { found, left } = await findWithoutResting(config, connections, history, night, options, environment, (tree) => !hindered.has(tree), advisories);
    warmUp(connections, environment);
    // Entries are for builds: without an engine none is written.
    if (found.entries.steps.length > 0) await connections.localImages(environment.signal);
    if (!(await settleEntries(found, git, night.entries, config, environment))) return 'again';
    const { tree, planned } = await planRefreshed(found, config, publishing, connections, options, environment, true);
    const tries = triesOf(tree, planned, found.upgrades);
    const resting = new Map([...history.failing].filter(([image, one]) => rests(one, tries.get(image), night)));
    const plan = restFailing(planned.plan, tree.graph, resting);
    const fixes = pendingFixes(withoutHeldBack(found.upgrades), new Set(found.unknown.keys()), history.fixes, night.startedAt, (upgrade) => advisories.get(advisoryKey(upgrade))?.since);
    night.facts = { ...night.facts, ...factsOf(found, plan, options), fixes, ...failingOf(history, tries, left), git: [...new Set([...hindered.values()].filter(({ isFault }) => isFault).map(({ why }) => why))] };
    const pause = pauseOf(night, locks, environment);
    const due = new Set(plan.steps.filter(isPending).map(({ image }) => image));
    const run: NightRun = {
      last: new Set([...history.failing.keys()].filter((image) => !resting.has(image))),
      pausedFor: pause.ask,
      begun: (name) => ({ type: 'night-started', run: name, night: night.startedAt, tries: Object.fromEntries([...tries].filter(([image]) => due.has(image))), fixes }),
    };
    if (due.size > 0) await execute(tree, { ...planned, plan }, locks.lock, connections, options, environment, { ...night.showing, plan: () => undefined }, run);
    else if (fixes.length > 0) await noteNight(run, locks, night, connections, options, environment);
    night.facts = { ...night.facts, lacking: new Map([...night.facts.lacking, ...(await lackingIn(found, night.events, connections, environment.signal))]) };
    return pause.why();
  } finally {
    await connections.close();
  }
}

/** What newer packages are not in what was published, though it was made since they were there: a build need not upgrade anything. */
async function lackingIn({ tree, upgrades }: FoundRefresh, events: readonly Event[], connections: Connections, signal: AbortSignal): Promise<NightFacts['lacking']> {
  const lacking = new Map<ImageName, readonly OwnedUpgrade[]>();
  const published = new Map(events.flatMap((event) => (event.type === 'published' ? [[event.image, event.digest] as const] : [])));
  const reader = published.size === 0 ? undefined : await connections.packageReader();
  for (const [image, digest] of published) {
    const node = tree.graph.nodes.get(image);
    const before = upgrades.get(image) ?? [];
    if (signal.aborted || node === undefined || before.length === 0) continue;
    try {
      const installed = installedIn(parseImagePackages(await reader!.filesOf(node.ref, digest, signal)));
      lacking.set(image, before.filter(({ package: name, arch, from }) => installed.get(packageKey(name, arch)) === from));
    } catch (error) {
      // What is published is published: that it cannot be looked at is no failure of the night.
      if (!(error instanceof Fault) && !signal.aborted) throw error;
    }
  }
  return lacking;
}

/** What a refresh finds, without rolling images that are left alone tonight: what stands on them is refreshed on what they are. */
async function findWithoutResting(config: RunConfig, connections: Connections, { failing }: NightHistory, night: Night, options: Options, environment: Environment, mayWrite: (tree: string) => boolean, advisories: Map<string, Advisory>): Promise<{ readonly found: FoundRefresh; readonly left: ReadonlySet<ImageName> }> {
  const found = await findRefresh(config, connections, options, environment, mayWrite, advisories);
  const resting = [...failing].filter(([image, one]) => {
    const node = found.tree.graph.nodes.get(image);
    if (node === undefined || node.definition.tagSource.source !== 'day' || !found.refresh.due.has(image)) return false;
    const digest = digestOnDisk(found.tree.files, node);
    return digest.ok && rests(one, tryOf(found.tree, image, digest.value, '', found.upgrades), night);
  });
  const left = new Set(resting.map(([image]) => image));
  return { left, found: left.size === 0 ? found : await findRefresh(config, connections, { ...options, exclude: [...options.exclude, ...left] }, environment, mayWrite) };
}

function rests(failing: Failing, tries: Digest | undefined, { startedAt }: Night): boolean {
  return tries !== undefined && isResting(failing, tries, startedAt);
}

function withoutHeldBack(upgrades: ReadonlyMap<ImageName, readonly OwnedUpgrade[]>): ReadonlyMap<ImageName, readonly OwnedUpgrade[]> {
  return new Map([...upgrades].map(([image, all]) => [image, all.filter(({ heldBack }) => heldBack === undefined)]));
}

/** Why an image is left that was withdrawn. */
function withheldIn({ image, reasons }: Step): readonly (readonly [ImageName, Reason])[] {
  return reasons.flatMap((reason) => (reason.why === 'withdrawn-latest' ? [[image, reason] as const] : []));
}

/** What a refresh found, or planning, that the night's runs do not tell. */
function factsOf({ refresh, upgrades, unknown }: FoundRefresh, { steps }: Plan, { everyUpgrade }: Options): Pick<NightFacts, 'outdated' | 'unknown' | 'heldBack' | 'notBrought' | 'listed' | 'left' | 'notes'> {
  const counts = (upgrade: OwnedUpgrade): boolean => upgrade.security || everyUpgrade;
  const say = sayNames([...upgrades.keys()]);
  const held = [...upgrades].map(([image, all]) => [image, all.filter((upgrade) => upgrade.heldBack !== undefined && counts(upgrade)).map((upgrade) => `${upgrade.package} (${upgrade.heldBack!})`)] as const);
  return {
    outdated: [...withoutHeldBack(upgrades).values()].filter((all) => all.some(counts)).length,
    unknown: new Map([...unknown].map(([image, why]) => [image, [...new Set(why.map(({ says }) => says))].join('; ')])),
    heldBack: new Map(held.filter(([, packages]) => packages.length > 0)),
    notBrought: refresh.notBrought,
    listed: [...refresh.unwritable.keys()],
    left: refresh.left.size === 0 ? undefined : { images: [...refresh.left.keys()], because: '--max-builds' },
    notes: [...new Map([...steps.flatMap(withheldIn), ...refresh.held])].map(([image, reason]) => `${say(image)} is left: ${explain(reason, say)}`),
  };
}

/** Only what is still due counts as failing: what was taken out of the tree, or back, does not. */
function failingOf({ failing }: NightHistory, tries: ReadonlyMap<ImageName, Digest>, left: ReadonlySet<ImageName>): Pick<NightFacts, 'failing' | 'fresh'> {
  return {
    failing: new Map([...failing].filter(([image]) => tries.has(image) || left.has(image))),
    fresh: new Set([...tries].filter(([image, tried]) => failing.get(image)?.tried !== tried).map(([image]) => image)),
  };
}

/** A night with nothing to do is told by its journal, too, as long as images wait for something: since when is read there. */
async function noteNight(run: NightRun, locks: NightLocks, night: Night, connections: Connections, options: Options, environment: Environment): Promise<void> {
  const watch = async () => ({ tell: (event: Event) => void night.events.push(event), show: () => undefined });
  await inRun(0, locks.lock, connections, options, environment, { watch }, async ({ directory, tell }) => {
    tell(run.begun(directory.run));
    return EXIT.ok;
  });
}

/** Asked before each start; remembers what it answered. */
function pauseOf({ deadline, startedAt }: Night, locks: NightLocks, { clock }: Environment): { ask(): string | undefined; why(): 'asked' | 'deadline' | undefined } {
  let why: 'asked' | 'deadline' | undefined;
  return {
    ask() {
      if (clock.now() >= deadline) {
        why = 'deadline';
        return `the deadline has come after ${Math.round((deadline - startedAt) / 60_000)} minutes`;
      }
      const who = locks.asked();
      if (who === undefined) return undefined;
      why = 'asked';
      return `${who} asked for way`;
    },
    why: () => why,
  };
}
