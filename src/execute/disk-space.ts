import type { Plan, Step } from '../plan/step.js';
import type { RunConfig } from '../shared/config.js';
import { EngineError, NoSpaceError } from '../shared/errors.js';
import { formatSize } from '../shared/size.js';
import type { Happening } from './event.js';
import { within } from './within.js';

/** A folder of this machine whose file system builds fill. */
export type Disk = {
  readonly path: string;
  /** Bytes; undefined when nobody can tell. */
  free(): number | undefined;
};

/** The room that builds need, and the engine's build cache, which takes some of it. */
export interface DiskSpace {
  /** Where the engine keeps what it builds; undefined when that is no folder of this machine, or nobody can tell. */
  engineDisk(signal: AbortSignal): Promise<Disk | undefined>;
  /** Where temporary files go. */
  readonly scratchDisk: Disk;
  /** Takes build cache away, what was not used for longest first, until `keep` bytes are left; never an image. Resolves to the bytes freed. */
  pruneCache(keep: number, signal: AbortSignal): Promise<number>;
}

/** Why a step may not start: too little room on a disk that it fills. */
export type RoomFor = (step: Step) => NoSpaceError | undefined;

/** Seconds that an engine gets to prune its cache. */
const PRUNE_SECONDS = 600;

/**
 * Looks whether the builds of a plan have room; where `engine_cache` allows, the build cache makes some first. Throws NoSpaceError when
 * not even the first can start. What it resolves to looks again, each time it is asked.
 */
export async function watchRoom(plan: Plan, config: RunConfig, space: DiskSpace, fillsScratch: (step: Step) => boolean, tell: (happening: Happening) => void, signal: AbortSignal): Promise<RoomFor> {
  const builds = plan.steps.filter(({ action }) => action === 'build');
  if (builds.length === 0 || config.minFree === 0) return () => undefined;
  const engine = await space.engineDisk(signal);
  const shortFor = (needsScratch: boolean): NoSpaceError | undefined => shortage(engine, config.minFree, ENGINE_HINTS) ?? (needsScratch ? shortage(space.scratchDisk, config.minFree, SCRATCH_HINTS) : undefined);
  const short = (): NoSpaceError | undefined => shortFor(builds.some(fillsScratch));
  if (short() !== undefined) await pruneCache(config, space, tell, signal);
  const stillShort = short();
  if (stillShort !== undefined) throw stillShort;
  return (step) => (step.action === 'build' ? shortFor(fillsScratch(step)) : undefined);
}

const ENGINE_HINTS = ['docker system df   (shows what takes it; docker builder prune and docker image prune free some)'];
const SCRATCH_HINTS = ['TMPDIR=/path   names another folder for temporary files'];

function shortage(disk: Disk | undefined, minFree: number, hints: readonly string[]): NoSpaceError | undefined {
  const free = disk?.free();
  if (disk === undefined || free === undefined || free >= minFree) return undefined;
  return new NoSpaceError(`${disk.path} has ${formatSize(roundedDown(free))} free, and min_free is ${formatSize(minFree)}`, hints);
}

/** So that 1.96 GB are not said to be the 2.0 GB that were asked for. */
function roundedDown(bytes: number): number {
  const step = bytes < 1e9 ? 1e6 : 1e8;
  return bytes < 1e6 ? bytes : Math.floor(bytes / step) * step;
}

/** Prunes the engine's build cache to `engine_cache`, if the config has it; that it could not be done is a warning. */
export async function pruneCache({ engineCache: keep }: RunConfig, space: DiskSpace, tell: (happening: Happening) => void, signal: AbortSignal): Promise<void> {
  if (keep === undefined) return;
  try {
    const tooLong = (): Error => new EngineError(`it took longer than ${PRUNE_SECONDS} s`);
    const freed = await within(PRUNE_SECONDS, signal, tooLong, (either) => space.pruneCache(keep, either));
    if (freed > 0) tell({ type: 'cache-pruned', freed, keep });
  } catch (error) {
    if (!signal.aborted) tell({ type: 'warning', image: undefined, message: `the engine's build cache was not pruned: ${(error as Error).message}` });
  }
}
