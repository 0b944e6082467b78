import { movingTagOf, type Definition } from '../definition/definition.js';
import type { Graph, Node } from '../graph/graph.js';
import type { ImageName } from '../shared/image-ref.js';
import { newestDatedFirst } from '../state/dated-tag.js';
import { namesIn, type Container, type EngineImage, type LocalName } from '../state/engine-images.js';
import { keptByAge, type AgeRules, type PruneStep } from './prune.js';
import type { Reason } from './reason.js';

/** What an engine holds. */
export type EngineContents = { readonly images: readonly EngineImage[]; readonly containers: readonly Container[] };

/** What a user asks of pruning an engine. */
export type LocalPruneRequest = AgeRules & {
  /** Images to look after; undefined: all. */
  readonly select: ReadonlySet<ImageName> | undefined;
  /** What follows the version in the tag of the nightly build that stays; undefined: versions stay. */
  readonly nightly: string | undefined;
  /** Runs of temporary tags, by their full reference, and whether that run is no more. */
  readonly temporary: ReadonlyMap<string, { readonly run: string; readonly over: boolean }>;
};

/** One image of the engine under its names of one repository. */
type Holder = { readonly id: string; readonly names: readonly LocalName[]; readonly created: number | undefined };

/**
 * What goes from an engine: of the tree's names all that is not the current image, children first; and what dead runs left. What
 * a container or a run uses stays. Nothing that has another name is ever meant.
 */
export function planLocalPrune(graph: Graph, contents: EngineContents, request: LocalPruneRequest): readonly PruneStep[] {
  const mine = [...graph.nodes].reverse().filter(([image]) => request.select?.has(image) !== false);
  const steps = mine.flatMap(([image, node]) => planImage(image, node, contents, request));
  if (request.select !== undefined) return steps;
  const known = new Set(steps.flatMap(({ refs }) => refs));
  const strange = contents.images.flatMap(({ id, tags, created }) => tags.flatMap((name) => leftover(name.slice(0, name.lastIndexOf(':')), id, name, created, request))).filter(({ refs }) => !known.has(refs[0]!));
  return [...steps, ...strange];
}

function planImage(image: ImageName, node: Node, { images, containers }: EngineContents, request: LocalPruneRequest): readonly PruneStep[] {
  const left: PruneStep[] = [];
  const holders = images.flatMap((local): readonly Holder[] => {
    const all = namesIn(node.ref, local);
    left.push(...all.flatMap(({ name }) => leftover(image, local.id, name, local.created, request)));
    const tagged = all.filter(({ name, tag }) => tag !== undefined && !request.temporary.get(name)?.over);
    // A digest is a name of its own only where there is no tag: it goes with the last of them.
    const names = tagged.length > 0 ? tagged : local.tags.length === 0 ? all : [];
    return names.length === 0 ? [] : [{ id: local.id, names, created: local.created }];
  });
  const current = currentTags(node.definition, holders, request.nightly);
  const isCurrent = ({ names }: Holder): boolean => names.some(({ tag }) => tag !== undefined && current.has(tag));
  const others = holders.filter((holder) => !isCurrent(holder));
  const byAge = keptByAge(others, request);
  const steps = holders.map((holder): PruneStep => {
    const { id, names, created } = holder;
    const container = containers.find((one) => one.image === id);
    const run = names.flatMap(({ name }) => request.temporary.get(name)?.run ?? [])[0];
    const aged = byAge.get(holder);
    const stays: Reason | undefined = isCurrent(holder)
      ? { why: 'current', tag: names.find(({ tag }) => tag !== undefined && current.has(tag))!.tag! }
      : run !== undefined
        ? { why: 'in-use', by: `run ${run}` }
        : container !== undefined
          ? { why: 'in-use', by: `container ${container.name}` }
          : aged;
    return { image, action: stays === undefined ? 'delete-local' : 'keep', id, refs: names.map(({ name }) => name), created, reasons: [stays ?? { why: 'not-current' }] };
  });
  return [...left, ...steps];
}

/** The tags by which an image of the engine is the current one. */
function currentTags(definition: Definition, holders: readonly Holder[], nightly: string | undefined): ReadonlySet<string> {
  const { tagSource } = definition;
  const version = tagSource.source === 'day' ? undefined : tagSource.version;
  if (nightly !== undefined) return new Set(version === undefined ? [`nightly-${nightly}`, `snapshot-${nightly}`] : [`${version}-${nightly}`]);
  if (version !== undefined) return new Set([version]);
  // The newest may be waiting to be published.
  const [newest] = newestDatedFirst(holders.flatMap(({ names }) => names.flatMap(({ tag }) => tag ?? [])));
  return new Set([movingTagOf(definition), ...(newest === undefined ? [] : [newest])]);
}

function leftover(image: ImageName, id: string, name: string, created: number | undefined, { temporary }: LocalPruneRequest): readonly PruneStep[] {
  const owner = temporary.get(name);
  return owner?.over === true ? [{ image, action: 'delete-local', id, refs: [name], created, reasons: [{ why: 'leftover', run: owner.run }] }] : [];
}
