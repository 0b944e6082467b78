import type { Lock } from '../adapters/lock.js';
import type { RunDirectory } from '../adapters/run-directory.js';
import type { Event, Happening } from '../execute/event.js';
import { EXIT, Fault, type ExitCode } from '../shared/errors.js';
import { stateDirectory, type Environment } from './environment.js';
import { interruptionExit } from './interruption.js';
import type { Connections } from './outside.js';
import type { Options } from './verb.js';
import type { RunView, Showing } from './watch-run.js';

/** A run that is at work: its folder, and who is told what happens. */
export type OpenRun = {
  readonly directory: RunDirectory;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly view: RunView;
  tell(happening: Happening): void;
};

/**
 * Does the work of a run that has something to do, with a journal and lines, and tells its end, however it comes. `total`: how many
 * images or names it is about.
 */
export async function inRun(total: number, lock: Lock, connections: Connections, options: Options, environment: Environment, showing: Pick<Showing, 'watch'>, work: (run: OpenRun) => Promise<ExitCode>): Promise<ExitCode> {
  const { createRunDirectory } = await import('../adapters/run-directory.js');
  const { clock } = environment;
  const startedAt = clock.now();
  const directory = createRunDirectory(stateDirectory(environment), startedAt, connections.redactor.redact, environment.err);
  const runLock = await lockDirectory(directory.path);
  // What a failed build or test printed is shown: it may print what the config says.
  const view = await showing.watch(options, environment, connections.redactor);
  const tell = teller(total, directory, lock, view, environment);
  const finish = (result: ExitCode): ExitCode => {
    const exit = environment.signal.aborted ? interruptionExit(environment.signal) : result;
    tell({ type: 'run-finished', run: directory.run, seconds: (clock.now() - startedAt) / 1000, exit });
    return exit;
  };
  try {
    return finish(await work({ directory, startedAt, view, tell }));
  } catch (error) {
    finish(error instanceof Fault ? error.exit : EXIT.bug);
    throw error;
  } finally {
    directory.close();
    runLock?.release();
  }
}

/** `2026-11-20 21:04:44 UTC`. */
export function timeOf(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** What happens goes to the journal first, then to whoever holds the lock's word, then to the eye. */
function teller(total: number, directory: RunDirectory, lock: Lock, view: RunView, environment: Environment): (happening: Happening) => void {
  const since = timeOf(environment.clock.now());
  let done = 0;
  return (happening) => {
    const event = { at: environment.clock.now(), ...happening } as Event;
    directory.record(event);
    if (['published', 'finished-locally', 'failed', 'blocked', 'deleted', 'kept'].includes(event.type)) done++;
    lock.say(`run ${directory.run}, pid ${environment.pid}, since ${since}, ${done} of ${total} images done`);
    view.tell(event);
  };
}

/** Held as long as the run lives: who finds it free knows that the run's temporary tags are leftovers. */
async function lockDirectory(path: string): Promise<Lock | undefined> {
  const { tryLock } = await import('../adapters/lock.js');
  const lock = tryLock(path, 'run');
  return 'heldBy' in lock ? undefined : lock;
}
