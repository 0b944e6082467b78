import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Lock } from '../adapters/lock.js';
import type { RunDirectory } from '../adapters/run-directory.js';
import { contextFiles } from '../definition/context-files.js';
import type { LocalImage } from '../state/local-images.js';
import type { Happening } from '../execute/event.js';
import type { Ports } from '../execute/ports.js';
import type { RunOptions } from '../execute/run-plan.js';
import { isPublished } from '../plan/publishing.js';
import { isPending, type RunPublishing } from '../plan/step.js';
import { digestOf } from '../shared/digest.js';
import type { RunConfig } from '../shared/config.js';
import { EXIT, Fault, type ExitCode } from '../shared/errors.js';
import { formatProblem } from '../shared/problem.js';
import { stateDirectory, type Environment } from './environment.js';
import { fileName, type Connections } from './outside.js';
import { inRun, timeOf } from './in-run.js';
import { namespaceOf } from './route.js';
import { digestOnDisk, type Planning } from './planning.js';
import { recordPackages } from './record-packages.js';
import { NIGHT, takeLocks } from './take-locks.js';
import type { Tree } from './tree.js';
import type { Options } from './verb.js';
import { OWN_SHOWING, type RunView, type Showing } from './watch-run.js';

/** The locks of a writing run, one for each registry and namespace: name → what it is of. Trees that publish nothing have locks of their own. */
export function locksOf({ trees }: RunConfig, publishing: RunPublishing | boolean): ReadonlyMap<string, string> {
  const publishes = (tree: string): boolean => (typeof publishing === 'boolean' ? publishing : isPublished(publishing, tree));
  return new Map(trees.map(({ name, config }) => [`${publishes(name) ? '' : 'local-'}${fileName(namespaceOf(config))}`, namespaceOf(config)]));
}

/** Takes the locks of a writing run, in the order of their names; or says who has one. `who`: what the run calls itself to others. */
export async function lockRun(config: RunConfig, publishing: RunPublishing | boolean, environment: Environment, who = ''): Promise<Lock> {
  const { machineLockDirectory, tryLock } = await import('../adapters/lock.js');
  const directory = machineLockDirectory(join(stateDirectory(environment), 'locks'));
  return takeLocks(
    locksOf(config, publishing),
    (name) => tryLock(directory, name),
    (place, heldBy) => new Fault(EXIT.locked, `another run is at work on ${place}: ${heldBy === '' ? 'it has just begun' : heldBy}`, [heldBy.startsWith(NIGHT) ? 'build-images yield   asks it to pause after the image at hand' : 'wait for it, or end it with kill; its lock goes with it']),
    `${who}pid ${environment.pid}, since ${timeOf(environment.clock.now())}, planning`,
  );
}

/** Loads what a build needs, and asks the engine what it has, while the registry is still being asked: each takes a while, and none needs the other. */
export function warmUp(connections: Connections, environment: Environment): void {
  const modules = [connections.localImages(environment.signal), import('../adapters/engine/engine.js'), import('../adapters/engine/load-libraries.js').then(({ loadLibraries }) => loadLibraries()), import('../execute/run-plan.js'), import('../adapters/root-file-system/root-file-system.js')];
  // What fails here fails again where it is needed.
  void Promise.allSettled(modules);
}

/** What a night adds to a run of it. */
export type NightRun = Pick<RunOptions, 'last' | 'pausedFor'> & { begun(run: string): Happening };

/** Runs a plan that has something to do: journal, log files, lines; cleans up after runs that are no more. */
export async function execute(tree: Tree, { plan, state, definitions }: Planning, lock: Lock, connections: Connections, options: Options, environment: Environment, showing: Showing = OWN_SHOWING, night?: NightRun): Promise<ExitCode> {
  const [{ runPlan }, { runToken }] = await Promise.all([import('../execute/run-plan.js'), import('../execute/leftovers.js')]);
  // Before anything is printed: what builds may mount is hidden from here on.
  for (const warning of new Set((await connections.secrets()).map(formatProblem))) environment.err(warning);
  return inRun(plan.steps.filter(isPending).length, lock, connections, options, environment, showing, async ({ directory, startedAt, view, tell }) => {
    if (night !== undefined) tell(night.begun(directory.run));
    const recording = recordPackages(connections, (image) => tree.graph.nodes.get(image)!.ref, environment.signal);
    const told: typeof tell = (happening) => {
      tell(happening);
      recording.tell(happening);
    };
    const opened = await portsOf(tree, connections, directory, { tell: told, show: (progress) => view.show(progress), openLog: openLogs(directory, tree, view) }, environment);
    const packLayer: Ports['packLayer'] = async (layer, signal) => {
      await recording.layer(layer);
      return opened.packLayer(layer, signal);
    };
    const ports = plan.steps.some(({ publishes }) => publishes) ? { ...opened, packLayer } : opened;
    if (plan.steps.some(({ action }) => action === 'build' || action === 'publish')) await removeLeftovers(ports, state.local, environment);
    const epoch = epochOf(environment);
    const running = {
      graph: tree.graph,
      plan,
      state,
      definitions,
      config: tree.config,
      options: { run: directory.run, token: runToken(directory.run, markOf(environment)), startedAt, jobs: options.jobs ?? tree.config.jobs ?? environment.cores, onError: options.onError, useCache: options.useCache, noPull: options.noPull, epoch, last: night?.last, pausedFor: night?.pausedFor },
    };
    try {
      return await runPlan(running, ports, environment.signal);
    } finally {
      await recording.settled();
    }
  });
}

/** Logs in the run's folder, whose lines a view may want too. */
function openLogs(directory: RunDirectory, tree: Tree, view: RunView): Ports['openLog'] {
  return (image) => {
    // Two trees may have one name: their logs are told apart.
    const name = tree.graph.nodes.get(image)?.definition.name;
    const log = directory.openLog(name === undefined || tree.definitions.some((other) => other.name === name && other.image !== image) ? image : name);
    if (view.output === undefined) return log;
    return {
      ...log,
      line(text) {
        log.line(text);
        view.output?.(image, text);
      },
    };
  };
}

/** Tells our runs' temporary tags from those of others who share the engine. */
export function markOf(environment: Environment): string {
  return digestOf(stateDirectory(environment)).slice('sha256:'.length, 'sha256:'.length + 6);
}

/** Whether a run of this state directory is still at work. */
export async function liveRuns(environment: Environment): Promise<(run: string) => boolean> {
  const [{ tryLock }, { existsSync }] = await Promise.all([import('../adapters/lock.js'), import('node:fs')]);
  return (run) => {
    const path = join(stateDirectory(environment), 'runs', run);
    if (!existsSync(path)) return false;
    const lock = tryLock(path, 'run');
    if ('heldBy' in lock) return true;
    lock.release();
    return false;
  };
}

/** @param images what the engine has, where planning has just asked for it */
async function removeLeftovers(ports: Ports, images: readonly LocalImage[] | undefined, environment: Environment): Promise<void> {
  const [{ leftoverTags, ownerOf }, { removeScratchFolders }, isAlive] = await Promise.all([import('../execute/leftovers.js'), import('../adapters/scratch-folder.js'), liveRuns(environment)]);
  const mark = markOf(environment);
  removeScratchFolders(scratchParent(environment), (name) => {
    const owner = ownerOf(name);
    return owner?.mark === mark && !isAlive(owner.run);
  });
  for (const ref of leftoverTags(images ?? (await ports.engine.list(environment.signal)), mark, isAlive)) await ports.engine.remove(ref, environment.signal);
}

/** Where temporary files go. */
function scratchParent({ env }: Environment): string {
  return env['TMPDIR'] || tmpdir();
}

/** SOURCE_DATE_EPOCH of the environment, in seconds (reproducible-builds.org, "SOURCE_DATE_EPOCH"). */
function epochOf({ env }: Environment): number | undefined {
  const text = env['SOURCE_DATE_EPOCH'];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

async function portsOf(tree: Tree, connections: Connections, directory: RunDirectory, watchers: Pick<Ports, 'tell' | 'show' | 'openLog'>, environment: Environment): Promise<Ports> {
  const [{ ENGINE_VARIABLES }, { createTestRunner }, { createRootFileSystems }, { scratchFolder }, { runToken }] = await Promise.all([
    import('../adapters/engine/engine-address.js'),
    import('../adapters/test-runner.js'),
    import('../adapters/root-file-system/root-file-system.js'),
    import('../adapters/scratch-folder.js'),
    import('../execute/leftovers.js'),
  ]);
  const { env, cwd, clock } = environment;
  const nodes = [...tree.graph.nodes];
  const treeAt = new Map(nodes.flatMap(([, { definition, tree: { name } }]) => [[definition.directory, name], [definition.context ?? definition.directory, name]]));
  const passed = ['PATH', 'HOME', 'TMPDIR', 'LANG', ...ENGINE_VARIABLES];
  return {
    engine: await connections.engine(),
    images: await connections.images(),
    space: await connections.space(scratchParent(environment)),
    registry: connections.registry,
    refreshMemory: connections.refreshMemory,
    rootFileSystems: createRootFileSystems(),
    tests: createTestRunner(Object.fromEntries(passed.flatMap((key) => (env[key] === undefined ? [] : [[key, env[key]]])))),
    readContext(image) {
      const { definition, copied } = tree.graph.nodes.get(image)!;
      return contextFiles(tree.files, definition, copied);
    },
    digestNow(image) {
      const digest = digestOnDisk(tree.files, tree.graph.nodes.get(image)!);
      return digest.ok ? digest.value : undefined;
    },
    revisionOf: (path) => connections.gitOf(treeAt.get(path)!).revisionOf(resolve(cwd, path)),
    scratch: async () => scratchFolder(scratchParent(environment), runToken(directory.run, markOf(environment))),
    packLayer: await connections.packLayer(),
    absolute: (path) => resolve(cwd, path),
    ...watchers,
    now: () => clock.now(),
  };
}
