import type { Lock } from '../adapters/lock.js';
import type { PruneRun } from '../execute/run-prune.js';
import { planLocalPrune } from '../plan/prune-local.js';
import { isDeletion, pruneToJson, type AgeRules, type PrunePlan } from '../plan/prune.js';
import { formatPrunePlan } from '../report/format-prune.js';
import { parseAge } from '../shared/age.js';
import type { RunConfig } from '../shared/config.js';
import { EXIT, UsageError, type ExitCode } from '../shared/errors.js';
import { ownerOfTag } from '../execute/leftovers.js';
import type { EngineImage } from '../state/engine-images.js';
import type { Environment } from './environment.js';
import { inRun, type OpenRun } from './in-run.js';
import { connect, type Connections } from './outside.js';
import { selection } from './planning.js';
import { mayDelete, readForPruning } from './prune-registry.js';
import { namespaceOf } from './route.js';
import { liveRuns, lockRun, markOf } from './run.js';
import { readConfig, readTree, type Tree } from './tree.js';
import type { Options, Verb } from './verb.js';
import { OWN_SHOWING, type Showing } from './watch-run.js';

/** How a pruning is shown: before it, by its events, and where nothing goes. */
export type PruneShowing = Pick<Showing, 'watch'> & {
  begin(tree: Tree, options: Options, environment: Environment): void;
  plan(plan: PrunePlan, options: Options, environment: Environment): void;
};

/** Takes away what is not current any more: off this engine, or out of the registry. */
export const pruneShown = (showing: PruneShowing): Verb => async (options, environment) => {
  const rules = ageRulesOf(options, environment);
  const config = await readConfig(options, environment);
  const tree = await readTree(config, options, environment);
  const connections = await connect(config, environment);
  try {
    const locks = options.dryRun ? [] : options.registry ? [await lockRun(config, true, environment)] : await lockBoth(config, environment);
    try {
      return await (options.registry ? pruneRegistry : pruneEngine)(tree, rules, locks[0], connections, options, environment, showing);
    } finally {
      for (const lock of locks) lock.release();
    }
  } finally {
    await connections.close();
  }
};

/** Prunes this engine; who asks holds the locks of all writing runs. */
export function pruneHeld(tree: Tree, rules: AgeRules, lock: Lock, connections: Connections, options: Options, environment: Environment, showing: Pick<Showing, 'watch'>): Promise<ExitCode> {
  return pruneEngine(tree, rules, lock, connections, options, environment, { ...showing, begin: () => undefined, plan: () => undefined });
}

/** As build-images shows it. */
export const prune = pruneShown({
  watch: OWN_SHOWING.watch,
  begin: () => undefined,
  plan(plan, options, { out }) {
    if (options.json) out(JSON.stringify(pruneToJson(plan), null, 2));
    else for (const line of formatPrunePlan(plan, options.verbose)) out(line);
  },
});

function ageRulesOf(options: Options, { clock }: Environment): AgeRules {
  const { keep, nightlyId, registry } = options;
  const olderThan = options.olderThan === undefined ? undefined : parseAge(options.olderThan);
  if (options.olderThan !== undefined && olderThan === undefined) throw new UsageError(`--older-than takes hours, days or weeks (12h, 30d, 4w), not "${options.olderThan}"`);
  if (registry && nightlyId !== undefined) throw new UsageError('--nightly is about this engine: in a registry the versions stay');
  if (registry && keep === undefined && olderThan === undefined) throw new UsageError('--registry needs --keep or --older-than: what is deleted there cannot be brought back');
  if (nightlyId !== undefined && !/^[A-Za-z0-9_.-]+$/.test(nightlyId)) throw new UsageError(`--nightly takes what follows the version in its tag (20261120), not "${nightlyId}"`);
  return { keep, olderThan, now: clock.now() };
}

/** Neither a run that publishes nor one that does not may build on what goes away meanwhile. */
async function lockBoth(config: RunConfig, environment: Environment): Promise<readonly Lock[]> {
  const first = await lockRun(config, false, environment);
  try {
    return [first, await lockRun(config, true, environment)];
  } catch (error) {
    first.release();
    throw error;
  }
}

type Prune = (tree: Tree, rules: AgeRules, lock: Lock | undefined, connections: Connections, options: Options, environment: Environment, showing: PruneShowing) => Promise<ExitCode>;

const pruneEngine: Prune = async (tree, rules, lock, connections, options, environment, showing) => {
  const engine = await connections.pruning();
  // A container that a killed run has left would hold its image.
  if (lock !== undefined) await (await connections.engineFiles()).removeLeftovers(environment.signal);
  const [images, containers] = await Promise.all([engine.all(environment.signal), engine.containers(environment.signal)]);
  const temporary = await temporaryTags(images, environment);
  const steps = planLocalPrune(tree.graph, { images, containers }, { ...rules, select: selection(tree, options), nightly: options.nightlyId, temporary });
  const plan: PrunePlan = { where: 'engine', of: `this engine: images of ${placesOf(tree.config)}`, steps };
  showing.begin(tree, options, environment);
  if (lock === undefined || !steps.some(isDeletion)) {
    showing.plan(plan, options, environment);
    return EXIT.ok;
  }
  const { deleteLocal } = await import('../execute/delete-local.js');
  return run(plan, lock, connections, options, environment, showing, ({ tell }) => ({ jobs: 1, act: (step, signal) => deleteLocal(step, engine, tell, signal) }));
};

/** How many repositories at once. */
const REPOSITORIES = 8;

const pruneRegistry: Prune = async (tree, rules, lock, connections, options, environment, showing) => {
  const select = selection(tree, options);
  const read = () => readForPruning(tree, select, rules, connections, environment);
  let { steps, repositories } = await read();
  const plan = (): PrunePlan => ({ where: 'registry', of: placesOf(tree.config), steps });
  const isDue = lock !== undefined && steps.some(isDeletion);
  if (!isDue || !options.json || !options.yes) showing.plan(plan(), options, environment);
  if (!isDue) return EXIT.ok;
  if (!options.yes) {
    if (!(await mayDelete(options, environment))) return EXIT.ok;
    // A person may have thought about it for long: what is new meanwhile counts, and nothing is deleted that was not shown.
    const shown = new Set(steps.filter(isDeletion).map(({ id }) => id));
    ({ steps, repositories } = await read());
    steps = steps.filter((step) => !isDeletion(step) || shown.has(step.id));
    const due = steps.filter(isDeletion).length;
    if (due < shown.size) showing.plan(plan(), options, environment);
    if (due === 0) return EXIT.ok;
  }
  const { createDigestDeletion } = await import('../execute/delete-digest.js');
  return run(plan(), lock, connections, options, environment, showing, ({ tell }) => {
    const deletions = new Map([...repositories].map(([image, repository]) => [image, createDigestDeletion(repository, connections.registry, tell)]));
    return { jobs: REPOSITORIES, act: (step, signal) => deletions.get(step.image)!(step, signal) };
  });
};

async function run(plan: PrunePlan, lock: Lock, connections: Connections, options: Options, environment: Environment, showing: PruneShowing, how: (run: OpenRun) => Pick<PruneRun, 'jobs' | 'act'>): Promise<ExitCode> {
  const { runPrune } = await import('../execute/run-prune.js');
  const names = plan.steps.filter(isDeletion).flatMap(({ refs }) => refs).length;
  return inRun(names, lock, connections, options, environment, showing, (open) => runPrune(plan, { run: open.directory.run, tell: open.tell, ...how(open) }, environment.signal));
}

/** Where a run's trees are published. */
function placesOf({ trees }: RunConfig): string {
  return [...new Set(trees.map(({ config }) => namespaceOf(config)))].join(', ');
}

/** Temporary tags of runs: of this state directory's runs it is known whether they live; another's may. */
async function temporaryTags(images: readonly EngineImage[], environment: Environment): Promise<ReadonlyMap<string, { readonly run: string; readonly over: boolean }>> {
  const [isAlive, mark] = [await liveRuns(environment), markOf(environment)];
  const named = images.flatMap(({ tags }) => tags.map((name) => [name, ownerOfTag(name.slice(name.lastIndexOf(':') + 1))] as const));
  return new Map(named.flatMap(([name, owner]) => (owner === undefined ? [] : [[name, { run: owner.run, over: owner.mark === mark && !isAlive(owner.run) }]])));
}
