import { pastRuns } from '../adapters/journals.js';
import { otherMovingTag } from '../definition/definition.js';
import type { Graph, Node } from '../graph/graph.js';
import { movingGroup } from '../graph/moving-group.js';
import { planRollback, type Wanted } from '../plan/rollback.js';
import { isPending, planToJson } from '../plan/step.js';
import { formatPlan, WITHOUT_DRY_RUN } from '../report/format-plan.js';
import { EXIT, UsageError } from '../shared/errors.js';
import { repositoryOf, type ImageName } from '../shared/image-ref.js';
import { nearHint } from '../shared/near-names.js';
import type { PastMove } from '../state/past-moves.js';
import { readNamedTarget, readTarget } from '../state/read-rollback.js';
import { readNeeds, readState } from '../state/read-state.js';
import type { Need, State } from '../state/state.js';
import { withdrawnName } from '../state/withdrawn-tag.js';
import { stateDirectory, type Environment } from './environment.js';
import { imageNamed } from './image-named.js';
import { connect, type Connections } from './outside.js';
import { outsideOf, publishingOf } from './planning.js';
import { execute, lockRun } from './run.js';
import { readConfig, readTree } from './tree.js';
import type { Options, Verb } from './verb.js';

/** What is to go back, and why: a run's move, or what a person named. Of a killed run several moves may be what happened. */
type Asked = {
  readonly image: ImageName;
  readonly run: string | undefined;
  readonly moves: readonly PastMove[];
  /** The image that a person named, with which it moves. */
  readonly follows?: ImageName | undefined;
};

/** Takes `:latest` back: of all that a run moved, or of one image, and withdraws what it leaves. */
export const rollback: Verb = async (options, environment) => {
  const tree = await readTree(await readConfig(options, environment), options, environment);
  const { graph } = tree;
  const asked = whatIsAsked(graph, options, environment);
  const trees = new Set(asked.map(({ image }) => graph.nodes.get(image)!.tree));
  const own = { ...tree.config, trees: tree.config.trees.filter(({ name }) => [...trees].some((other) => other.name === name)) };
  const connections = await connect(own, environment);
  try {
    // Asking for it is asking to publish.
    const publishing = await publishingOf(own, connections, { ...options, publish: true });
    const lock = options.dryRun ? undefined : await lockRun(own, true, environment);
    try {
      const state = await readFor(graph, asked, connections, environment);
      const wanted: Wanted[] = [];
      for (const one of asked) wanted.push(...(await wantedOf(graph, one, state, connections, options, environment)));
      const plan = planRollback(graph, state.images, wanted, publishing);
      if (lock !== undefined && plan.steps.some(isPending)) return await execute(tree, { plan, state, definitions: new Map() }, lock, connections, options, environment);
      if (options.json) environment.out(JSON.stringify(planToJson(plan), null, 2));
      else for (const line of formatPlan(plan, true, WITHOUT_DRY_RUN)) environment.out(line);
      return plan.isPartial === true ? EXIT.failed : EXIT.ok;
    } finally {
      lock?.release();
    }
  } finally {
    await connections.close();
  }
};

/** So many runs are named to whoever names another one. */
const SHOWN_RUNS = 5;

function whatIsAsked(graph: Graph, options: Options, environment: Environment): readonly Asked[] {
  const named = options.images[0]!;
  const image = imageNamed(graph, named);
  const isRun = image === undefined && /^\d{8}-\d{4}[a-z]*$/.test(named);
  if (isRun && options.to !== undefined) throw new UsageError('--to names what one image goes to, not a run', ['build-images rollback IMAGE --to TAG']);
  if (isRun) return movesOfRun(graph, named, environment);
  if (image === undefined) throw new UsageError(`there is no image "${named}" in the tree${nearHint(named, [...graph.nodes.values()].map(({ definition }) => definition.name))}`, ['build-images rollback RUN   a run is named like 20261120-2104: its last line has its name']);
  if (options.to === undefined) return lastMoves(graph, image, environment);
  const group = [...graph.nodes.keys()].filter((other) => movingGroup(graph, other) === movingGroup(graph, image));
  return group.reverse().map((other) => ({ image: other, run: undefined, moves: [], follows: other === image ? undefined : image }));
}

/** All that a run moved, in the reverse order. */
function movesOfRun(graph: Graph, run: string, environment: Environment): readonly Asked[] {
  const recent: string[] = [];
  for (const past of pastRuns(stateDirectory(environment))) {
    if (past.run === run) return ownMoves(graph, run, past.moves, environment);
    if (recent.length < SHOWN_RUNS && past.moves.some((move) => imageOf(graph, move) !== undefined)) recent.push(past.run);
  }
  const known = recent.length === 0 ? 'none here moved :latest of this tree' : `the last that moved :latest here: ${recent.join(', ')}`;
  throw new UsageError(`there is no run ${run} in ${stateDirectory(environment)} (${known})`, ['call it where that run was, as the same user; or build-images rollback IMAGE --to TAG, which needs no journal']);
}

function ownMoves(graph: Graph, run: string, moves: readonly PastMove[], environment: Environment): readonly Asked[] {
  if (moves.length === 0) throw new UsageError(`run ${run} moved no :latest: there is nothing to take back`);
  const strange = moves.filter((move) => imageOf(graph, move) === undefined);
  const names = strange.map(({ repository, image }) => repository ?? image).join(', ');
  if (strange.length === moves.length) throw new UsageError(`run ${run} moved :latest of what this tree does not have: ${names}`, ['name its DIRECTORY, and its config with --config']);
  if (strange.length > 0) environment.err(`run ${run} also moved :latest of what this tree does not have, and it is left: ${names}`);
  return [...moves].reverse().flatMap((move) => {
    const image = imageOf(graph, move);
    return image === undefined ? [] : [{ image, run, moves: [move] }];
  });
}

/** The last move of an image that journals tell of, with all that moves with it. */
function lastMoves(graph: Graph, image: ImageName, environment: Environment): readonly Asked[] {
  const intended: PastMove[] = [];
  for (const { run, moves } of pastRuns(stateDirectory(environment))) {
    const mine = moves.find((move) => imageOf(graph, move) === image);
    if (mine === undefined) continue;
    if (!mine.isTold) {
      intended.push(mine);
      continue;
    }
    const group = moves.filter((move) => imageOf(graph, move) !== undefined && movingGroup(graph, imageOf(graph, move)!) === movingGroup(graph, image));
    return [...group].reverse().map((move) => ({ image: imageOf(graph, move)!, run, moves: move === mine ? [...intended, mine] : [move] }));
  }
  if (intended.length > 0) return [{ image, run: undefined, moves: intended }];
  throw new UsageError(`no run in ${stateDirectory(environment)} moved :latest of ${image}`, ['build-images rollback IMAGE --to TAG   needs no journal']);
}

/** The image of the tree that a journal means: it may be called otherwise by now, or be in another registry. */
function imageOf(graph: Graph, { image, repository, moving }: PastMove): ImageName | undefined {
  const isMeant = ({ ref, definition }: Node): boolean => (repository === undefined ? definition.image === image : repositoryOf(ref) === repository) && otherMovingTag(definition) === moving;
  const node = graph.nodes.get(image);
  return (node !== undefined && isMeant(node) ? node : [...graph.nodes.values()].find(isMeant))?.definition.image;
}

/** What the registry has of the images, of what stands on them, and of the dates and versions that they had. */
async function readFor(graph: Graph, asked: readonly Asked[], connections: Connections, { signal }: Environment): Promise<State> {
  const outside = outsideOf(connections);
  const mine = new Set(asked.map(({ image }) => image));
  const all = new Set([...mine, ...[...mine].flatMap((image) => graph.children.get(image)!)]);
  const state = await readState([...graph.nodes.values()].filter(({ definition }) => all.has(definition.image)), outside, signal);
  const needs = [...mine].flatMap((image): readonly Need[] => {
    const { latest, version } = state.images.get(image)!;
    if (graph.nodes.get(image)!.definition.tagSource.source === 'day') return [{ need: 'dated-tags', image }];
    return latest !== undefined && latest.provenance === undefined && latest.digest !== version?.digest ? [{ need: 'older-version', image }] : [];
  });
  return readNeeds(graph, state, needs, outside, signal);
}

async function wantedOf(graph: Graph, { image, run, moves, follows }: Asked, state: State, connections: Connections, options: Options, environment: Environment): Promise<readonly Wanted[]> {
  const node = graph.nodes.get(image)!;
  const latest = state.images.get(image)!.latest?.digest;
  const { registry: published } = connections;
  const read = (digest: NonNullable<typeof latest>, named?: string) => readTarget(node, digest, named, state, published, environment.signal);
  if (options.to !== undefined) {
    const found = latest === undefined ? ({ refused: 'no-latest' } as const) : await readNamedTarget(node, options.to, published, environment.signal);
    if ('refused' in found) {
      const why = await sayRefusal(found.refused, image, options.to);
      if (follows === undefined) throw new UsageError(`${why}; nothing was moved`);
      environment.err(`${why}: it is left, though it moves together with ${follows}`);
      return [];
    }
    const target = await read(found.digest, options.to);
    return [{ image, run, left: { digest: latest!, name: nameOfLatest(graph, image, state) }, target, lifts: target.mark, isRollback: false }];
  }
  const move = moves.find(({ digest }) => digest === latest) ?? moves.at(-1)!;
  // Of an image, a rollback is not undone but done again: only its run's name undoes it.
  const again = move.withdrew !== undefined && move.from !== undefined && options.images[0] !== run;
  const [left, to] = again ? [{ digest: move.from, name: withdrawnName(move.withdrew) }, move.digest] : [{ digest: move.digest, name: move.tag }, move.from];
  const target = to === undefined ? undefined : await read(to, again ? move.tag : move.was);
  return [{ image, run, left, target, lifts: target?.mark, isRollback: move.withdrew !== undefined && !again }];

  async function sayRefusal(why: 'no-latest' | 'no-tag' | 'absent' | 'not-its-own', ofImage: ImageName, to: string): Promise<string> {
    switch (why) {
      case 'no-latest':
        return `${ofImage} has no :latest to take back`;
      case 'no-tag':
        return `--to takes a tag or a digest, not "${to}"`;
      case 'absent':
        return `${ofImage} has no ${to} in the registry${nearHint(to, await published.tagsOf(node.ref, environment.signal))}`;
      case 'not-its-own':
        return `${to} is none that :latest of ${ofImage} may be: neither its labels nor its tag make it a version of the changelog or a dated build`;
    }
  }
}

/** What people call what `:latest` is. */
function nameOfLatest(graph: Graph, image: ImageName, { images, dated, olderVersion }: State): string | undefined {
  const { latest, version } = images.get(image)!;
  const { tagSource } = graph.nodes.get(image)!.definition;
  if (tagSource.source !== 'changelog') return dated.get(image)?.find(({ digest }) => digest === latest!.digest)?.tag;
  return latest!.digest === version?.digest ? tagSource.version : (latest!.provenance?.version ?? olderVersion.get(image) ?? undefined);
}
