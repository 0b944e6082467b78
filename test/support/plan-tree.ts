import type { Definition } from '../../src/definition/definition.js';
import { orderGraph, type Graph, type Node } from '../../src/graph/graph.js';
import { planBuild, type BuildRequest } from '../../src/plan/build.js';
import type { Plan, Step } from '../../src/plan/step.js';
import { digestOf, type Digest } from '../../src/shared/digest.js';
import { LABEL, formatParents, type Provenance } from '../../src/state/labels.js';
import type { LocalImage } from '../../src/state/local-images.js';
import { configOf } from './tree-in-memory.js';
import { stateOf, type DatedImage, type ImageState, type PublishedImage, type State } from '../../src/state/state.js';

const CONFIG = configOf();

export const REGISTRY = 'registry.example.org';

/** `base ← web ← api, base ← tool`: children point at what they stand on. Versioned at 2.0 (older: 1.1, 1.0) unless named in `rolling`. */
export function tree(text: string, rolling: readonly string[] = []): Graph {
  const parents = new Map<string, Set<string>>();
  for (const chain of text.split(',')) {
    const names = chain.split('←').map((name) => name.trim());
    for (const [index, name] of names.entries()) {
      const known = parents.get(name) ?? new Set<string>();
      parents.set(name, known);
      if (index > 0) known.add(names[index - 1]!);
    }
  }
  const { graph, problems } = orderGraph([...parents].map(([name, above]) => nodeOf(name, [...above].sort(), rolling)));
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  return graph;
}

export function nodeOf(name: string, parents: readonly string[], rolling: readonly string[] = []): Node {
  const isRolling = rolling.includes(name);
  const definition: Definition = {
    image: name,
    repository: name,
    name,
    tree: 'images',
    path: name,
    directory: `images/${name}`,
    tagSource: isRolling ? { source: 'day' } : { source: 'changelog', version: '2.0', older: ['1.1', '1.0'] },
    recipe: { kind: 'production', template: '', templatePath: `images/${name}/Dockerfile.template` },
    control: undefined,
    nested: [],
  };
  const refOf = (other: string): string => `${REGISTRY}/${other}:${rolling.includes(other) ? 'latest' : '2.0'}`;
  const sources = parents.map((parent) => (parent.startsWith('outside/') ? { ref: parent, image: undefined } : { ref: refOf(parent), image: parent }));
  return {
    definition,
    tree: { name: 'images', directory: 'images', config: CONFIG },
    ref: { registry: REGISTRY, repository: name, tag: isRolling ? 'latest' : '2.0' },
    dockerfile: '',
    neutral: undefined,
    sources,
    base: sources[0]?.ref,
    parents: parents.filter((parent) => !parent.startsWith('outside/')),
  };
}

/** The digest of an image's definition today. */
export const today = (image: string): Digest => digestOf(`definition of ${image}`);
/** Some other definition. */
export const formerly = (image: string): Digest => digestOf(`former definition of ${image}`);
/** The digest of a manifest, by a word for it. */
export const manifest = (word: string): Digest => digestOf(`manifest ${word}`);

/** What one of our images says of itself. */
export function provenance(part: Partial<Provenance> & { definition: Digest }): Provenance {
  return { parents: {}, version: undefined, revision: undefined, created: undefined, packages: undefined, platform: undefined, ...part };
}

export function image(word: string, labels?: Provenance): PublishedImage {
  return { digest: manifest(word), provenance: labels };
}

/** A local image with our labels under some tags. */
export function local(id: string, tags: readonly string[], name: string, definition: Digest, parents: Record<string, string> = {}): LocalImage {
  const version = /:(\d+\.\d+)$/.exec(tags[0] ?? '')?.[1];
  return { id: `sha256:${id}`, tags, repoDigests: [], labels: { [LABEL.title]: name, [LABEL.definition]: definition, [LABEL.parents]: formatParents(parents), ...(version === undefined ? {} : { [LABEL.version]: version }) } };
}

export type Outside = {
  readonly images?: Readonly<Record<string, Partial<ImageState>>>;
  readonly dated?: Readonly<Record<string, readonly DatedImage[]>>;
  readonly withdrawn?: Readonly<Record<string, readonly DatedImage[]>>;
  readonly olderVersion?: Readonly<Record<string, string | null>>;
  readonly local?: readonly LocalImage[];
  readonly outside?: Readonly<Record<string, Digest | null>>;
  readonly ancestry?: Readonly<Record<string, boolean | undefined>>;
};

/** A state in which what is not named is not published, and everything was read. */
export function stateFor(graph: Graph, outside: Outside): State {
  const images = new Map([...graph.nodes.keys()].map((name) => [name, { version: undefined, latest: undefined, ...outside.images?.[name] }]));
  const nothing = Object.fromEntries([...graph.nodes.keys()].map((name) => [name, []]));
  return {
    ...stateOf(images),
    dated: new Map(Object.entries({ ...nothing, ...outside.dated })),
    withdrawn: new Map(Object.entries({ ...nothing, ...outside.withdrawn })),
    olderVersion: new Map(Object.entries(outside.olderVersion ?? {})),
    local: outside.local ?? [],
    outside: new Map(Object.entries(outside.outside ?? {})),
    ancestry: new Map(Object.entries(outside.ancestry ?? {})),
  };
}

/** A versioned image as a good run leaves it: version and latest are one manifest of today's definition. */
export function published(name: string, parents: Record<string, string> = {}): ImageState {
  const it = image(`${name} 2.0`, provenance({ definition: today(name), version: '2.0', parents }));
  return { version: it, latest: it };
}

/** A rolling image as a good run leaves it. */
export function rolled(name: string, parents: Record<string, string> = {}, word = `${name} latest`): ImageState {
  return { version: undefined, latest: image(word, provenance({ definition: today(name), parents })) };
}

export function planFor(graph: Graph, outside: Outside, request: Partial<BuildRequest> = {}): Plan {
  return planBuild(graph, stateFor(graph, outside), {
    select: undefined,
    publishing: { publish: true, to: REGISTRY, as: undefined },
    rebuild: false,
    day: '20260101',
    definitions: new Map([...graph.nodes.keys()].map((name) => [name, today(name)])),
    platform: undefined,
    ...request,
  });
}

/** Image → action. */
export function actionsOf(plan: Plan): Readonly<Record<string, string>> {
  return Object.fromEntries(plan.steps.map(({ image: name, action }) => [name, action]));
}

export function stepOf(plan: Plan, name: string): Step {
  return plan.steps.find((step) => step.image === name)!;
}

/** The words of a step's reasons. */
export function whyOf(plan: Plan, name: string): readonly string[] {
  return stepOf(plan, name).reasons.map(({ why }) => why);
}
