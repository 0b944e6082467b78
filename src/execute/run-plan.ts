import type { Graph } from '../graph/graph.js';
import { isPending, type Plan, type Step } from '../plan/step.js';
import type { RunConfig } from '../shared/config.js';
import { EXIT, NoSpaceError, RegistryError, type ExitCode } from '../shared/errors.js';
import { formatImageRef, withTag, type ImageName, type ImageRef } from '../shared/image-ref.js';
import type { Digest } from '../shared/digest.js';
import type { State } from '../state/state.js';
import { fillsScratch, keptAsItIs, makeImage, type Made, type Work } from './build-image.js';
import { pruneCache, watchRoom } from './disk-space.js';
import { detailOf, exitOf, messageOf, worstOf } from './fault-exit.js';
import { createParents, type TreeImage } from './parents.js';
import type { Ports } from './ports.js';
import { promote, type Promotion } from './promote.js';
import { promotionGroups } from './promotions.js';
import { isSpared } from './same-image.js';
import { schedule } from './schedule.js';
import { StepFailure } from './step-failure.js';

/** How a plan is to be run. */
export type RunOptions = {
  readonly run: string;
  /** Marks the temporary tags of this run on the engine. */
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly jobs: number;
  readonly onError: 'continue' | 'stop';
  readonly useCache: boolean;
  readonly noPull: boolean;
  /** SOURCE_DATE_EPOCH in seconds, if the user set one. */
  readonly epoch: number | undefined;
  /** Images that are begun when nothing else is left to begin. */
  readonly last?: ReadonlySet<ImageName> | undefined;
  /** Asked before each start: why nothing new is started from now on; undefined: go on. */
  readonly pausedFor?: (() => string | undefined) | undefined;
};

/** Everything that running a plan reads beside the outside. */
export type Running = {
  readonly graph: Graph;
  readonly plan: Plan;
  readonly state: State;
  readonly definitions: ReadonlyMap<ImageName, Digest>;
  readonly config: RunConfig;
  readonly options: RunOptions;
};

/**
 * Runs a plan: proves the right to push, builds, tests and publishes parents first, and moves `:latest` at the end. Tells what
 * happens as events; resolves to the run's exit code. Throws a Fault of the outside that comes before the first build.
 */
export async function runPlan(running: Running, ports: Ports, signal: AbortSignal): Promise<ExitCode> {
  const { plan, options } = running;
  ports.tell({ type: 'run-started', run: options.run, publishing: plan.publishing, nightly: plan.nightly, steps: plan.steps });
  const todo = plan.steps.filter(isPending);
  const [rights, room] = await Promise.allSettled([
    proveRights(todo, running.graph, ports, signal),
    watchRoom(plan, running.config, ports.space, ({ image }) => fillsScratch(running.graph.nodes.get(image)!.definition), ports.tell, signal),
  ]);
  if (rights.status === 'rejected') throw rights.reason;
  if (room.status === 'rejected') throw room.reason;

  const made = new Map<ImageName, Made>();
  const planned = new Map(plan.steps.map((step) => [step.image, step]));
  const faults: ExitCode[] = [];
  /** Where we publish; another registry that is away fails only what stands on its images. */
  const ours = new Set([...running.graph.nodes.values()].map(({ ref }) => ref.registry));
  let registryGone = false;
  let stopped: string | undefined;
  const parents = createParents(ports, { token: options.token, noPull: options.noPull, pullSeconds: Math.max(...running.config.trees.map(({ config }) => config.timeouts.build)), platform: running.config.platform, warn: (message) => ports.tell({ type: 'warning', image: undefined, message }), treeImage: (image) => treeImage(image, planned, running.graph, made) }, signal);
  const cameOutSame = (image: ImageName): boolean => made.get(image)?.same === true;
  const work = workOf(running, ports, parents.bring, cameOutSame);

  const fail = (image: ImageName, log: string | undefined, phase: StepFailure['phase'], error: unknown): void => {
    const exit = exitOf(error);
    faults.push(exit);
    if (exit === EXIT.engine) stopped ??= error instanceof NoSpaceError ? 'no space left' : 'the engine is gone';
    else if (exit === EXIT.registry && error instanceof RegistryError && ours.has(error.registry)) {
      registryGone = true;
      stopped ??= 'the registry is gone';
    } else if (options.onError === 'stop') stopped ??= `${image} failed, and --on-error is stop`;
    ports.tell({ type: 'failed', image, phase: error instanceof StepFailure ? error.phase : phase, message: messageOf(error), detail: detailOf(error), log, exit });
  };

  const steps = new Map(todo.map((step) => [step.image, step]));
  const runStep = async (image: ImageName): Promise<boolean> => {
    const step = steps.get(image)!;
    if (step.action === 'promote') return true;
    if (isSpared(step, cameOutSame)) {
      made.set(image, keptAsItIs(step, false, ports));
      return true;
    }
    ports.tell({ type: 'step-started', image, action: step.action, reasons: step.reasons });
    const log = ports.openLog(image);
    try {
      made.set(image, await makeImage(step, log, work, signal));
      return true;
    } catch (error) {
      if (signal.aborted) ports.tell({ type: 'not-started', image, because: 'interrupted' });
      else fail(image, log.path, 'build', error);
      return false;
    } finally {
      await log.close();
    }
  };

  const hasRoom = (step: Step): boolean => {
    const short = room.value(step);
    if (short === undefined) return true;
    faults.push(short.exit);
    stopped = 'too little space';
    ports.tell({ type: 'stopped', message: short.message, detail: short.hints.map((hint) => `try: ${hint}`), exit: short.exit });
    return false;
  };

  const results = await schedule(
    todo.map(({ image }) => ({ image, parents: running.graph.nodes.get(image)!.parents })),
    {
      jobs: options.jobs,
      run: runStep,
      last: options.last,
      mayStart: (image) => (stopped ??= options.pausedFor?.()) === undefined && !signal.aborted && hasRoom(steps.get(image)!),
      onBlocked: (image, by) => {
        ports.tell(signal.aborted ? { type: 'not-started', image, because: 'interrupted' } : { type: 'blocked', image, by });
      },
    },
  );
  for (const [image, result] of results) if (result === 'not-started') ports.tell({ type: 'not-started', image, because: signal.aborted ? 'interrupted' : (stopped ?? 'interrupted') });

  for (const { promotions, held } of promotionGroups({ steps: plan.steps, results, made, graph: running.graph })) {
    const later = promotions.some(({ withdraws }) => withdraws !== undefined) ? 'roll back again' : 'the next run moves it';
    const hindrance = held ?? (signal.aborted ? `interrupted; ${later}` : registryGone ? `the registry is gone; ${later}` : undefined);
    if (hindrance !== undefined) {
      for (const { image, moving } of promotions) ports.tell({ type: 'warning', image, message: `:${moving ?? 'latest'} was not moved: ${hindrance}` });
      continue;
    }
    // Not the run's signal: a manifest that is on its way is let through, so that an interrupt leaves nothing half told.
    // Nor a limit: each request has its own, and a registry that is slow four times over is no bug of ours.
    for (const { image } of promotions) ports.show({ image, phase: 'promote', step: undefined });
    const failure = await promote(promotions, ports, new AbortController().signal);
    if (failure === undefined) for (const promotion of promotions) await tagLatest(promotion, made, running, ports);
    else fail(failure.image, undefined, 'promote', failure.error);
  }
  await Promise.allSettled([...parents.runTags].map((tag) => ports.engine.remove(tag, AbortSignal.timeout(4000))));
  if (todo.some(({ action }) => action === 'build') && !signal.aborted) await pruneCache(running.config, ports.space, ports.tell, signal);
  return worstOf(plan.isPartial === true ? [...faults, EXIT.failed] : faults);
}

function workOf({ graph, definitions, options, state }: Running, ports: Ports, bring: (source: { ref: string; image: ImageName | undefined }) => ReturnType<ReturnType<typeof createParents>['bring']>, cameOutSame: Work['cameOutSame']): Work {
  return {
    token: options.token,
    startedAt: options.startedAt,
    graph,
    ports,
    definitions,
    useCache: options.useCache,
    epoch: options.epoch,
    latest: (image) => state.images.get(image)?.latest,
    bring: (node) => Promise.all(node.sources.map(bring)),
    stackPlatforms: new Map(),
    cameOutSame,
  };
}

/** Before anything is built: may we push to each repository that would be pushed to, and move `:latest` there? */
async function proveRights(todo: readonly Step[], graph: Graph, ports: Ports, signal: AbortSignal): Promise<void> {
  const pushed = todo.filter(({ publishes, promotes }) => publishes || promotes);
  const probes = await Promise.allSettled(pushed.map(({ image }) => ports.registry.probePush(graph.nodes.get(image)!.ref, signal)));
  signal.throwIfAborted();
  const refused = probes.find((probe) => probe.status === 'rejected');
  if (refused !== undefined) throw refused.reason;
}

/** What an image of the tree is by now: made in this run, else what the plan found. */
function treeImage(image: ImageName, planned: ReadonlyMap<ImageName, Step>, graph: Graph, made: ReadonlyMap<ImageName, Made>): TreeImage | undefined {
  const step = planned.get(image);
  if (step === undefined) return undefined;
  const ref: ImageRef = withTag(graph.nodes.get(image)!.ref, step.tag);
  const now = made.get(image);
  // A rebuilt `:VERSION-local` is for its own eyes: children stand on the published version.
  if (now !== undefined && (now.digest !== undefined || step.digest === undefined)) return { ref, id: now.id, digest: now.digest };
  if (step.digest !== undefined) return { ref, id: undefined, digest: step.digest };
  return step.localId === undefined ? undefined : { ref, id: step.localId, digest: undefined };
}

/** The engine's own `:latest` follows, so that `docker run NAME:latest` here means what it means elsewhere. */
async function tagLatest(promotion: Promotion, made: ReadonlyMap<ImageName, Made>, { graph }: Running, ports: Ports): Promise<void> {
  const id = made.get(promotion.image)?.id;
  if (id === undefined) return;
  const latest = formatImageRef(withTag(graph.nodes.get(promotion.image)!.ref, promotion.moving ?? 'latest'));
  await ports.engine.tag(id, latest, AbortSignal.timeout(10_000)).catch(() => undefined);
}
