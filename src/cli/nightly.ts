import { hostname } from 'node:os';
import type { Event } from '../execute/event.js';
import { pendingFixes } from '../plan/pending-fix.js';
import { isResting, restFailing, type Failing } from '../plan/retry.js';
import { isPending } from '../plan/step.js';
import { nightReport, type NightFacts, type NightReport } from '../report/night-report.js';
import type { RunConfig } from '../shared/config.js';
import { EXIT, Fault, UsageError, type ExitCode } from '../shared/errors.js';
import type { ImageName } from '../shared/image-ref.js';
import { parseDeadline } from './deadline.js';
import type { Environment } from './environment.js';
import { lockNight, type NightLocks } from './give-way.js';
import { inRun } from './in-run.js';
import { interruptionExit } from './interruption.js';
import { readyGit, type NightGit } from './night-git.js';
import { readNightHistory } from './night-history.js';
import { pruneAtNight } from './night-prune.js';
import { connect, type Connections } from './outside.js';
import { planning, publishingOf, readTreeAndState } from './planning.js';
import { execute, locksOf, warmUp, type NightRun } from './run.js';
import { readConfig } from './tree.js';
import { triesOf } from './tries.js';
import type { Options, Verb } from './verb.js';
import { watchRun, type RunView, type Showing } from './watch-run.js';

/** How long a night without a deadline waits for the run of who asked for way, in milliseconds. */
const LONGEST_WAIT = 6 * 3_600_000;

/** What is known of a night while it is at work. */
type Night = {
  readonly startedAt: number;
  /** Milliseconds since 1970; Infinity: it has none. */
  readonly deadline: number;
  readonly events: Event[];
  readonly showing: Pick<Showing, 'watch'>;
  facts: Omit<NightFacts, 'endedAt' | 'fault'>;
};

/** Refreshes, builds, tests, publishes, promotes and prunes with nobody watching, and says at the end what came of it. */
export const nightly: Verb = async (options, environment) => {
  const { clock } = environment;
  const startedAt = clock.now();
  const deadline = options.deadline === undefined ? Infinity : parseDeadline(options.deadline, startedAt);
  await refuseMetrics(options.metricsFile);
  const events: Event[] = [];
  const nothing = new Map<never, never>();
  const night: Night = {
    startedAt,
    deadline,
    events,
    showing: { watch: (given, around, redactor) => watchNight(events, watchRun(given, around, redactor), options.quiet) },
    facts: { host: hostname(), startedAt, outdated: 0, unknown: nothing, heldBack: nothing, notBrought: nothing, fixes: [], failing: nothing, fresh: new Set(), git: [], listed: [], left: undefined, notes: [] },
  };
  const end = async (fault: NightFacts['fault']): Promise<ExitCode> => {
    const report = nightReport(events, { ...night.facts, endedAt: clock.now(), fault });
    await tellNight(report, options, environment);
    return report.exit;
  };
  try {
    await spendNight(night, options, environment);
  } catch (error) {
    const exit = environment.signal.aborted ? interruptionExit(environment.signal) : error instanceof Fault ? error.exit : EXIT.bug;
    await end({ exit, message: error instanceof Error ? error.message : String(error) });
    throw error;
  }
  return end(environment.signal.aborted ? { exit: interruptionExit(environment.signal), message: 'interrupted' } : undefined);
};

/** Every run of the night is kept for its end; with --quiet nothing else is shown of it. */
async function watchNight(events: Event[], shown: Promise<RunView>, quiet: boolean): Promise<RunView> {
  const view = await shown;
  return {
    ...view,
    tell(event) {
      events.push(event);
      if (!quiet) view.tell(event);
    },
    show: (progress) => {
      if (!quiet) view.show(progress);
    },
  };
}

/** Works until nothing is left to do, the deadline has come, or who asked for way still is at work then. */
async function spendNight(night: Night, options: Options, environment: Environment): Promise<void> {
  const { clock, signal } = environment;
  let config = await readConfig(options, environment);
  let locks = await lockForNight(config, options, environment);
  try {
    for (;;) {
      const git = await readyGit(config, environment);
      if (git.moved) {
        // What was pulled may be a config, too.
        const before = namesOf(config);
        config = await readConfig(options, environment);
        if (namesOf(config) !== before) {
          locks.release();
          locks = await lockForNight(config, options, environment);
        }
      }
      const paused = await workOnce(config, git, night, locks, options, environment);
      if (paused !== 'asked' || signal.aborted) break;
      environment.err('gives way to who asked, and goes on when that run has ended');
      if (!(await locks.giveWay(Math.min(night.deadline, clock.now() + LONGEST_WAIT)))) {
        night.facts = { ...night.facts, notes: [...night.facts.notes, 'It gave way to another run, which was still at work when it had to end.'] };
        return;
      }
      environment.err('goes on');
    }
    if (!signal.aborted) night.facts = { ...night.facts, notes: [...night.facts.notes, ...(await pruneAtNight(config, locks, night.showing, options, environment))] };
  } finally {
    locks.release();
  }
}

function namesOf(config: RunConfig): string {
  return [...locksOf(config, true).keys()].sort().join(' ');
}

async function lockForNight(config: RunConfig, options: Options, environment: Environment): Promise<NightLocks> {
  const connections = await connect(config, environment);
  try {
    return await lockNight(config, await publishingOf(config, connections, options), environment);
  } finally {
    await connections.close();
  }
}

/** One run of all that is due; resolves to why it stopped before its end, if it did. */
async function workOnce(config: RunConfig, git: NightGit, night: Night, locks: NightLocks, options: Options, environment: Environment): Promise<'asked' | 'deadline' | undefined> {
  const connections = await connect(config, environment);
  try {
    const publishing = await publishingOf(config, connections, options);
    const { tree, reading } = await readTreeAndState(config, connections, options, environment, () => warmUp(connections, environment));
    const planned = await planning(tree, reading, publishing, connections, options, environment);
    const history = await readNightHistory(environment);
    const tries = triesOf(tree, planned, new Map());
    const [resting, trying] = splitFailing(history.failing, tries, night.startedAt);
    const plan = restFailing(planned.plan, tree.graph, resting);
    const fixes = pendingFixes(new Map(), new Set(), history.fixes, night.startedAt);
    night.facts = { ...night.facts, failing: stillThere(history.failing, tries), fresh: freshOf(history.failing, tries), fixes, git: [...new Set([...git.hindered.values()].filter(({ isFault }) => isFault).map(({ why }) => why))] };
    const pause = pauseOf(night, locks, environment);
    const run: NightRun = {
      last: new Set(trying.keys()),
      pausedFor: pause.ask,
      begun: (name) => ({ type: 'night-started', run: name, night: night.startedAt, tries: Object.fromEntries([...tries].filter(([image]) => plan.steps.some((step) => step.image === image && isPending(step)))), fixes }),
    };
    if (plan.steps.some(isPending)) await execute(tree, { ...planned, plan }, locks.lock, connections, options, environment, { ...night.showing, plan: () => undefined }, run);
    else await noteNight(run, locks, night, connections, options, environment);
    return pause.why();
  } finally {
    await connections.close();
  }
}

/** A night with nothing to do is told by its journal, too: since when images wait for something is read there. */
async function noteNight(run: NightRun, locks: NightLocks, night: Night, connections: Connections, options: Options, environment: Environment): Promise<void> {
  await inRun(0, locks.lock, connections, { ...options, json: true }, environment, { watch: () => watchNight(night.events, Promise.resolve({ tell: () => undefined, show: () => undefined }), true) }, async ({ directory, tell }) => {
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

/** What failed before, by whether it is left alone tonight. */
function splitFailing(failing: ReadonlyMap<ImageName, Failing>, tries: ReturnType<typeof triesOf>, now: number): readonly [resting: ReadonlyMap<ImageName, Failing>, trying: ReadonlyMap<ImageName, Failing>] {
  const rests = ([image, one]: readonly [ImageName, Failing]): boolean => {
    const today = tries.get(image);
    return today !== undefined && isResting(one, today, now);
  };
  return [new Map([...failing].filter(rests)), new Map([...failing].filter((entry) => !rests(entry)))];
}

/** Only what is still due counts as failing: what was taken out of the tree, or back, does not. */
function stillThere(failing: ReadonlyMap<ImageName, Failing>, tries: ReturnType<typeof triesOf>): ReadonlyMap<ImageName, Failing> {
  return new Map([...failing].filter(([image]) => tries.has(image)));
}

function freshOf(failing: ReadonlyMap<ImageName, Failing>, tries: ReturnType<typeof triesOf>): ReadonlySet<ImageName> {
  return new Set([...tries].filter(([image, tried]) => failing.get(image)?.tried !== tried).map(([image]) => image));
}

async function refuseMetrics(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const { metricsFault } = await import('../adapters/metrics-file.js');
  const fault = metricsFault(path);
  if (fault !== undefined) throw new UsageError(`--metrics-file ${path} cannot be written: ${fault}`);
}

/** The end of a night: what it comes to, for a person, a program, and a monitor. */
async function tellNight(report: NightReport, options: Options, environment: Environment): Promise<void> {
  const { out, err } = environment;
  if (options.json) out(JSON.stringify({ type: 'night-finished', ...report }, (_, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value)));
  else if (report.fault === undefined || report.runs.length > 0) {
    const { formatNightly } = await import('../report/format-nightly.js');
    for (const line of formatNightly(report)) out(line);
  }
  if (options.metricsFile === undefined) return;
  const [{ writeMetrics }, { formatNightMetrics }] = await Promise.all([import('../adapters/metrics-file.js'), import('../report/night-metrics.js')]);
  try {
    writeMetrics(options.metricsFile, formatNightMetrics({ startedAt: report.startedAt, endedAt: report.endedAt, exit: report.exit, report: report.fault === undefined || report.runs.length > 0 ? report : undefined }));
  } catch (error) {
    err(`the metrics could not be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}
