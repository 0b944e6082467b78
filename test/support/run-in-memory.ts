import type { Graph, Node } from '../../src/graph/graph.js';
import { runPlan, type RunOptions } from '../../src/execute/run-plan.js';
import type { BuildRequest } from '../../src/plan/build.js';
import type { Plan } from '../../src/plan/step.js';
import type { Config } from '../../src/shared/config.js';
import type { ExitCode } from '../../src/shared/errors.js';
import { configOf, runConfigOf } from './tree-in-memory.js';
import { outsideInMemory, type Hooks, type OutsideInMemory } from './outside-in-memory.js';
import { planFor, stateFor, today, tree, type Outside } from './plan-tree.js';

/** The mark of the run's temporary tags. */
export const TOKEN = '20260101-0000.abcdef';

/** What a run is made from, where it is not the usual. */
export type RunInMemory = {
  readonly rolling?: readonly string[];
  /** What planning found. */
  readonly found?: Outside;
  readonly request?: Partial<BuildRequest>;
  readonly hooks?: Hooks;
  readonly options?: Partial<RunOptions>;
  readonly config?: Config;
  readonly platform?: string;
  readonly signal?: AbortSignal;
  /** Changes the graph before it is planned. */
  readonly graph?: (graph: Graph) => Graph;
  /** Puts into the registry and the engine what is there before the run. */
  readonly before?: (outside: OutsideInMemory) => void;
};

/** The same tree under another config. */
function configured(graph: Graph, config: Config): Graph {
  return { ...graph, nodes: new Map([...graph.nodes].map(([name, node]) => [name, { ...node, tree: { ...node.tree, config } }])) };
}

/** A tree whose Dockerfiles name their sources. */
export function runnable(graph: Graph): Graph {
  const nodes = [...graph.nodes].map(([name, node]): [string, Node] => [name, { ...node, dockerfile: node.sources.length === 0 ? 'FROM scratch\n' : node.sources.map(({ ref }, at) => (at === 0 ? `FROM ${ref}\n` : `COPY --from=${ref} /a /a\n`)).join('') }]);
  return { ...graph, nodes: new Map(nodes) };
}

/** Plans a build of a tree and runs the plan on an outside in memory. */
export async function runInMemory(text: string, run: RunInMemory = {}): Promise<OutsideInMemory & { readonly exit: ExitCode; readonly plan: Plan }> {
  const outside = outsideInMemory(run.hooks, run.platform);
  const drawn = tree(text, run.rolling);
  const config = run.config ?? configOf();
  const usual = configured(drawn, config);
  const graph = runnable(run.graph?.(usual) ?? usual);
  const plan = planFor(graph, run.found ?? {}, run.request);
  run.before?.(outside);
  const definitions = new Map([...graph.nodes.keys()].map((name) => [name, today(name)]));
  const options: RunOptions = { run: '20260101-0000', token: TOKEN, startedAt: Date.UTC(2026, 0, 1), jobs: 1, onError: 'continue', useCache: false, noPull: false, epoch: undefined, ...run.options };
  const exit = await runPlan({ graph, plan, state: stateFor(graph, run.found ?? {}), definitions, config: runConfigOf(config), options }, outside.ports, run.signal ?? new AbortController().signal);
  return { ...outside, exit, plan };
}
