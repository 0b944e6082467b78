import type { PendingFix } from '../plan/pending-fix.js';
import { failingAfter, type Failing, type Night } from '../plan/retry.js';
import { EXIT } from '../shared/errors.js';
import type { ImageName } from '../shared/image-ref.js';
import { stateDirectory, type Environment } from './environment.js';

/** What the journals tell of nights. */
export type NightHistory = {
  readonly failing: ReadonlyMap<ImageName, Failing>;
  /** What images waited for in the last night. */
  readonly fixes: readonly PendingFix[];
};

/** Reads the journals of this state directory. Without any, nothing is failing and nothing was waited for. */
export async function readNightHistory(environment: Environment): Promise<NightHistory> {
  const { eventsOfRuns } = await import('../adapters/journals.js');
  const nights: Night[] = [];
  let fixes: readonly PendingFix[] = [];
  for (const events of eventsOfRuns(stateDirectory(environment), ['night-started', 'published', 'unchanged', 'finished-locally', 'failed'])) {
    const started = events.find((event) => event.type === 'night-started');
    const done = new Set(events.flatMap((event) => (event.type === 'published' || event.type === 'unchanged' || event.type === 'finished-locally' ? [event.image] : [])));
    // What a registry or an engine that was gone kept from being made says nothing of an image.
    const failed = new Map(events.flatMap((event) => (event.type === 'failed' && event.exit === EXIT.failed && event.phase !== 'promote' && event.phase !== 'delete' ? [[event.image, event.message] as const] : [])));
    nights.push({ at: started?.night ?? 0, tries: started?.tries ?? {}, done, failed });
    if (started !== undefined) fixes = started.fixes;
  }
  return { failing: failingAfter(nights), fixes };
}
