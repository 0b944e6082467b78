import type { Lock } from '../adapters/lock.js';
import { planLocalPrune } from '../plan/prune-local.js';
import { isDeletion, pruneToJson, type AgeRules, type PrunePlan } from '../plan/prune.js';
import { formatPrunePlan } from '../report/format-prune.js';
import { parseAge } from '../shared/age.js';
import type { RunConfig } from '../shared/config.js';
import { EXIT, UsageError, type ExitCode } from '../shared/errors.js';
import { ownerOfTag } from '../execute/leftovers.js';
import type { EngineImage } from '../state/engine-images.js';
import type { Environment } from './environment.js';
import { inRun } from './in-run.js';
import { connect, type Connections } from './outside.js';
import { selection } from './planning.js';
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

/** Takes away what is not current any more: from this engine, or out of the registry. */
export const pruneShown = (showing: PruneShowing): Verb => async (options, environment) => {
  const rules = ageRulesOf(options, environment);
  const config = await readConfig(options, environment);
  const tree = await readTree(config, options, environment);
  const connections = await connect(config, environment);
  try {
    const locks = options.dryRun ? [] : await lockBoth(config, environment);
    try {
      const plan = await planEngine(tree, rules, connections, options, environment);
      showing.begin(tree, options, environment);
      return await runOrShow(plan, locks[0], connections, options, environment, showing);
    } finally {
      for (const lock of locks) lock.release();
    }
  } finally {
    await connections.close();
  }
};

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
  const olderThan = options.olderThan === undefined ? undefined : parseAge(options.olderThan);
  if (options.olderThan !== undefined && olderThan === undefined) throw new UsageError(`--older-than takes hours, days or weeks (12h, 30d, 4w), not "${options.olderThan}"`);
  return { keep: options.keep, olderThan, now: clock.now() };
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

async function planEngine(tree: Tree, rules: AgeRules, connections: Connections, options: Options, environment: Environment): Promise<PrunePlan> {
  if (options.nightlyId !== undefined && !/^[A-Za-z0-9_.-]+$/.test(options.nightlyId)) throw new UsageError(`--nightly takes what follows the version in its tag (20261120), not "${options.nightlyId}"`);
  const engine = await connections.pruning();
  const [images, containers] = await Promise.all([engine.all(environment.signal), engine.containers(environment.signal)]);
  const temporary = await temporaryTags(images, environment);
  const steps = planLocalPrune(tree.graph, { images, containers }, { ...rules, select: selection(tree, options), nightly: options.nightlyId, temporary });
  return { where: 'engine', of: `this engine: images of ${placesOf(tree.config)}`, steps };
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

/** Runs a plan that has something to do, if it may; else it is shown. */
async function runOrShow(plan: PrunePlan, lock: Lock | undefined, connections: Connections, options: Options, environment: Environment, showing: PruneShowing): Promise<ExitCode> {
  const due = plan.steps.filter(isDeletion);
  if (lock === undefined || due.length === 0) {
    showing.plan(plan, options, environment);
    return EXIT.ok;
  }
  const [{ runPrune }, { deleteLocal }, engine] = await Promise.all([import('../execute/run-prune.js'), import('../execute/delete-local.js'), connections.pruning()]);
  return inRun(due.flatMap(({ refs }) => refs).length, lock, connections, options, environment, showing, ({ directory, tell }) =>
    runPrune(plan, { run: directory.run, jobs: 1, tell, act: (step, signal) => deleteLocal(step, engine, tell, signal) }, environment.signal),
  );
}
