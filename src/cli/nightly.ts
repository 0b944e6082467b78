import { hostname } from 'node:os';
import type { Event } from '../execute/event.js';
import { nightReport, type NightFacts, type NightReport } from '../report/night-report.js';
import type { RunConfig } from '../shared/config.js';
import type { Redactor } from '../shared/redact.js';
import { EXIT, Fault, PartlyDone, UsageError, type ExitCode } from '../shared/errors.js';
import { parseDeadline } from './deadline.js';
import type { Environment } from './environment.js';
import { lockNight, type NightLocks } from './give-way.js';
import { interruptionExit } from './interruption.js';
import { readyGit } from './night-git.js';
import { pruneAtNight } from './night-prune.js';
import { workOnce, type Night } from './night-work.js';
import { connect } from './outside.js';
import { publishingOf } from './planning.js';
import { locksOf } from './run.js';
import { readConfig } from './tree.js';
import type { Options, Verb } from './verb.js';
import { watchRun, type RunView } from './watch-run.js';

/** How long a night without a deadline waits for the run of who asked for way, in milliseconds. */
const LONGEST_WAIT = 6 * 3_600_000;

/** Refreshes, builds, tests, publishes, promotes and prunes with nobody watching, and says at the end what came of it. */
export const nightly: Verb = async (options, environment) => {
  const { clock } = environment;
  const startedAt = clock.now();
  const deadline = options.deadline === undefined ? Infinity : parseDeadline(options.deadline, startedAt);
  await refuseMetrics(options.metricsFile);
  const events: Event[] = [];
  // What failed may hold what the config says.
  const redactors = new Set<Redactor>();
  const redact = (line: string): string => [...redactors].reduce((text, redactor) => redactor.redact(text), line);
  const nothing = new Map<never, never>();
  const night: Night = {
    startedAt,
    deadline,
    events,
    entries: { hindered: new Map(), races: new Map(), committed: false },
    showing: {
      watch(given, around, redactor) {
        redactors.add(redactor);
        return watchNight(events, watchRun(given, around, redactor), options.quiet);
      },
    },
    facts: { host: hostname(), startedAt, outdated: 0, unknown: nothing, heldBack: nothing, notBrought: nothing, lacking: nothing, fixes: [], failing: nothing, fresh: new Set(), git: [], listed: [], left: undefined, notes: [] },
  };
  const end = async (fault: NightFacts['fault']): Promise<ExitCode> => {
    const report = nightReport(events, { ...night.facts, endedAt: clock.now(), fault });
    await tellNight(report, options, { ...environment, out: (line) => environment.out(redact(line)) });
    return report.exit;
  };
  try {
    await spendNight(night, options, environment);
  } catch (error) {
    const exit = environment.signal.aborted ? interruptionExit(environment.signal) : error instanceof Fault ? error.exit : EXIT.bug;
    await end({ exit, message: error instanceof Error ? error.message : String(error) });
    const isPartlyDone = night.entries.committed || events.some(({ type }) => type === 'published');
    throw error instanceof Fault && isPartlyDone ? new PartlyDone(error, `What was done stays${night.entries.committed ? ', changelog entries too' : ''}; the next night goes on.`) : error;
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
      const stopped = await workOnce(config, git, night, locks, options, environment);
      if (signal.aborted || stopped === 'deadline' || stopped === undefined) break;
      if (stopped === 'again') continue;
      environment.err('gives way to who asked, and goes on when that run has ended');
      if (!(await locks.giveWay(Math.min(night.deadline, clock.now() + LONGEST_WAIT)))) {
        night.facts = { ...night.facts, notes: [...night.facts.notes, 'It gave way to another run, which was still at work when it had to end.'] };
        return;
      }
      // What is left then was said by the run that gave way.
      if (clock.now() >= night.deadline) break;
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
