import type { RunConfig } from '../shared/config.js';
import { Fault } from '../shared/errors.js';
import { stateDirectory, type Environment } from './environment.js';
import type { NightLocks } from './give-way.js';
import { connect } from './outside.js';
import { pruneHeld } from './prune.js';
import { liveRuns } from './run.js';
import { readTree } from './tree.js';
import type { Options } from './verb.js';
import type { Showing } from './watch-run.js';

/** Takes away what a night need not keep: images of this engine, folders of old runs. What keeps it from doing so is told, and no more: it comes again. */
export async function pruneAtNight(config: RunConfig, locks: NightLocks, showing: Pick<Showing, 'watch'>, options: Options, environment: Environment): Promise<readonly string[]> {
  const notes: string[] = [];
  if (config.keepRuns !== undefined) {
    const { removeOldRuns } = await import('../adapters/run-directory.js');
    const removed = removeOldRuns(stateDirectory(environment), environment.clock.now() - config.keepRuns, await liveRuns(environment));
    if (removed > 0) notes.push(`${removed} old run folder${removed === 1 ? '' : 's'} removed.`);
  }
  if (config.nightlyKeep === 'all') return notes;
  try {
    // No other run may stand on what goes away meanwhile.
    const others = locks.others();
    if (others === undefined) return [...notes, 'Not pruned: another run is at work.'];
    const connections = await connect(config, environment);
    try {
      const quietly: Options = { ...options, select: [], strict: false, verbose: false };
      const tree = await readTree(config, quietly, { ...environment, err: () => undefined });
      await pruneHeld(tree, { keep: undefined, olderThan: config.nightlyKeep, now: environment.clock.now() }, locks.lock, connections, quietly, environment, showing);
    } finally {
      await connections.close();
      others.release();
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    notes.push(`Not pruned: ${error.message}.`);
  }
  return notes;
}
