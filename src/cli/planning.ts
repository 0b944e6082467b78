import { contextFiles } from '../definition/context-files.js';
import { templateOf } from '../definition/definition.js';
import { definitionDigest } from '../definition/definition-digest.js';
import type { SourceFiles } from '../definition/source-files.js';
import type { Node } from '../graph/graph.js';
import { formatImageRef, type ImageName } from '../shared/image-ref.js';
import type { Digest } from '../shared/digest.js';
import { UsageError } from '../shared/errors.js';
import { nearNames } from '../shared/near-names.js';
import type { RunConfig } from '../shared/config.js';
import { bad, distinctProblems, errorAt, good, type Checked, type Problem } from '../shared/problem.js';
import { selectImages } from '../graph/select.js';
import { planBuild, type BuildRequest } from '../plan/build.js';
import { decidePublishing } from '../plan/publishing.js';
import type { Plan, RunPublishing } from '../plan/step.js';
import { dayOf } from '../state/dated-tag.js';
import { formatReading } from '../report/amounts.js';
import { readNeeds, readState, type Outside } from '../state/read-state.js';
import type { ImageState, State } from '../state/state.js';
import type { Environment } from './environment.js';
import type { Connections } from './outside.js';
import { registryHost } from './tree-outside.js';
import { readTree, settle, WrongDefinitions, type Tree } from './tree.js';
import type { Options } from './verb.js';

/** A plan and all that it was made from. */
export type Planning = {
  readonly plan: Plan;
  readonly state: State;
  readonly definitions: ReadonlyMap<ImageName, Digest>;
};

/** Whether this run publishes, as configs, command line and credentials say: each tree for itself. */
export async function publishingOf({ trees }: RunConfig, connections: Connections, options: Options): Promise<RunPublishing> {
  const each = await Promise.all(
    trees.map(async (tree) => {
      const login = await connections.credentialsOf(tree).credentialsFor(registryHost(tree.config));
      return { tree: tree.name, ...decidePublishing(tree.config, options.publish, login?.username || undefined) };
    }),
  );
  const { tree: _, ...alone } = each[0]!;
  return each.length === 1 ? alone : each;
}

/** The images that --select means; undefined: all. A glob without a match is a mistake. */
export function selection(tree: { readonly graph: { readonly nodes: ReadonlyMap<ImageName, Pick<Node, 'ref' | 'definition'>> } }, options: Options): ReadonlySet<ImageName> | undefined {
  if (options.select.length === 0) return undefined;
  const { images, missed } = selectImages(tree.graph, options.select);
  if (missed.length > 0) {
    const refs = [...tree.graph.nodes.values()].map((node) => formatImageRef(node.ref));
    const glob = missed[0]!;
    const word = glob.replaceAll('*', '');
    const near = [...new Set([...refs.filter((ref) => word !== '' && ref.includes(word)), ...nearNames(glob, refs)])].slice(0, 3);
    const names = nearNames(word.split('/').at(-1)!.split(':')[0]!, [...tree.graph.nodes.values()].map(({ definition }) => definition.name));
    const nearRefs = near.length > 0 ? near : refs.filter((ref) => names.some((name) => ref.includes(`/${name}:`))).slice(0, 3);
    throw new UsageError(`--select '${glob}' matches no image${nearRefs.length === 0 ? '' : ` (near: ${nearRefs.join(', ')})`}`, [
      `a glob is matched against the whole registry/namespace/name:tag, the tag is part of it: --select '*${word}*'`,
    ]);
  }
  return images;
}

/** The digest of every definition as it is on disk; faults of their folders are thrown all at once. */
export async function digestDefinitions(tree: Tree, options: Options, environment: Environment): Promise<ReadonlyMap<ImageName, Digest>> {
  const digests = new Map<ImageName, Digest>();
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  let last = environment.clock.now();
  for (const [image, node] of tree.graph.nodes) {
    const digest = digestOnDisk(tree.files, node);
    if (digest.ok) digests.set(image, digest.value);
    (digest.ok ? warnings : problems).push(...(digest.ok ? digest.warnings : digest.problems));
    // Answers of the registry are on their way: let them in now and then.
    if (environment.clock.now() - last > 20) {
      await new Promise((done) => setImmediate(done));
      last = environment.clock.now();
    }
  }
  settle(problems.length > 0 ? { ok: false, problems: distinctProblems([...problems, ...warnings]) } : { ok: true, value: undefined, warnings: distinctProblems(warnings) }, options, environment);
  return digests;
}

/** The digest of one definition as its files are now. */
export function digestOnDisk(files: SourceFiles, { definition, neutral, copied }: Pick<Node, 'definition' | 'neutral' | 'copied'>): Checked<Digest> {
  const context = templateOf(definition) === undefined ? good([]) : contextFiles(files, definition, copied);
  if (!context.ok) return context;
  try {
    return good(definitionDigest(definition, neutral, context.value), context.warnings);
  } catch (error) {
    // A file that may not be read, or that went away just now.
    return bad([errorAt(definition.directory, undefined, `cannot read its files: ${(error as Error).message}`)]);
  }
}

/** What planning and running ask of the outside. */
export function outsideOf(connections: Connections): Outside {
  return {
    published: connections.registry,
    local: { list: connections.localImages },
    isAncestor: (revision, tree) => connections.gitOf(tree).isAncestor(revision),
    memory: connections.memory,
  };
}

/**
 * A tree, and what the registry says of its images: asked while the tree's templates are still being rendered.
 * @param onMissing told when something is not published yet, long before there is a plan
 */
export async function readTreeAndState(config: RunConfig, connections: Connections, options: Options, environment: Environment, onMissing?: () => void): Promise<{ readonly tree: Tree; readonly reading: Promise<State> }> {
  let reading: Promise<State> | undefined;
  const tree = await readTree(config, options, environment, (images) => {
    const shown = watchReading(images.length, config, options, environment);
    let isMissing = false;
    const onRead = ({ version, latest }: ImageState): void => {
      shown.onRead();
      if (isMissing || (version ?? latest) !== undefined) return;
      isMissing = true;
      onMissing?.();
    };
    reading = readState(images, outsideOf(connections), environment.signal, onRead).finally(shown.stop);
    // What is wrong with the tree is said first; the registry's failure waits until it is asked for.
    reading.catch(() => undefined);
  });
  return { tree, reading: reading! };
}

/** Milliseconds after which a person wonders what is going on. */
const PATIENCE = 500;

/** Tells a person at a terminal how far the registry was read, should it take long. */
function watchReading(many: number, { trees }: RunConfig, options: Options, { terminal }: Environment): { onRead(): void; stop(): void } {
  if (terminal === undefined || options.json) return { onRead: () => undefined, stop: () => undefined };
  let read = 0;
  const stop = terminal.watch(({ columns }) => [formatReading(read, many, [...new Set(trees.map(({ config }) => config.registry))].join(', ')).slice(0, columns - 1)], PATIENCE);
  return { onRead: () => void read++, stop };
}

/**
 * Plans a build from what registry and disk hold, and asks for more only where the plan turns on it.
 * @param part what is asked beside what the command line says
 */
export async function planning(tree: Tree, reading: Promise<State>, publishing: RunPublishing, connections: Connections, options: Options, environment: Environment, part: Partial<BuildRequest> = {}): Promise<Planning> {
  const select = selection(tree, options);
  const definitions = await digestDefinitions(tree, options, environment);
  let state = await reading;
  const request = { select, publishing, rebuild: options.rebuild, day: dayOf(environment.clock.now()), definitions, platform: tree.config.platform, nightly: tree.nightly, ...part };
  for (;;) {
    const plan = planBuild(tree.graph, state, request);
    if (plan.needs.length === 0) {
      refuseDrift(plan, tree, options);
      return { plan, state, definitions };
    }
    state = await readNeeds(tree.graph, state, plan.needs, outsideOf(connections), environment.signal);
  }
}

/** Under --strict a published image whose definition changed without a new changelog entry is an error. */
function refuseDrift(plan: Plan, tree: Tree, options: Options): void {
  if (!options.strict) return;
  const drifted = plan.steps.filter(({ reasons }) => reasons.some(({ why }) => why === 'changed-without-changelog'));
  if (drifted.length === 0) return;
  throw new WrongDefinitions(
    drifted.map(({ image, tag }) => ({ path: `${tree.graph.nodes.get(image)!.definition.directory}/changelog`, line: 1, message: `${tag} is published, and the definition changed since without a new changelog entry`, severity: 'error' })),
    true,
  );
}
