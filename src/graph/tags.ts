import { movingTagOf, type Definition } from '../definition/definition.js';
import type { Config, TreeConfig } from '../shared/config.js';
import { formatImageRef, parseImageRef, REPOSITORY_PATTERN, repositoryOf, type ImageRef } from '../shared/image-ref.js';

/** A tree, and the definitions in it that are right. */
export type TreeDefinitions = { readonly tree: TreeConfig; readonly definitions: readonly Definition[] };

/** Names and references of the images that templates may name: those of the tree, and the config's base_images. */
export type Tags = {
  /** The definition of an image, by its name alone; of another tree also by `namespace/name`. */
  byName(name: string): Definition | undefined;
  /** The image of all trees that a repository (`registry/namespace/name`) is. */
  byRepository(repository: string): Definition | undefined;
  /** The reference that a name stands for: of the tree, else of base_images. */
  refOf(name: string): string | undefined;
  /** Every name that refOf knows. */
  readonly names: readonly string[];
  /** The references that a name could mean, when several other trees have it and its own does not; else none. */
  ambiguous(name: string): readonly string[];
};

/** The tag under which other images name this one: its version, or the one that moves when it is rolling; in a nightly build the tag of that. */
export function tagOf(definition: Definition): string {
  const { tagSource } = definition;
  switch (tagSource.source) {
    case 'changelog':
      return tagSource.version;
    case 'day':
      return movingTagOf(definition);
    case 'nightly':
    case 'snapshot':
      return tagSource.tag;
  }
}

/** Whether a tag in a Dockerfile means what this run has of an image. */
export function isCurrentTag(definition: Definition, tag: string): boolean {
  const { tagSource } = definition;
  return tag === movingTagOf(definition) || tag === tagOf(definition) || (tagSource.source !== 'day' && tag === tagSource.version);
}

/** Whether a tag is one that the image had before: an older version of its changelog; of a rolling image a day. */
export function isFormerTag({ tagSource }: Definition, tag: string): boolean {
  return tagSource.source === 'changelog' ? tagSource.older.includes(tag) : /^\d{8}(?:-\d+)?$/.test(tag);
}

/** `registry/namespace/name`, whatever path the configured registry has. Config and names were checked when they were read. */
export function repositoryRefOf(config: Config, image: string): ImageRef {
  const slash = config.registry.indexOf('/');
  if (slash < 0) return { registry: config.registry, repository: image };
  return { registry: config.registry.slice(0, slash), repository: `${config.registry.slice(slash + 1)}/${image}` };
}

/**
 * Looks names up in a tree, then in its config's base_images, then in the other trees.
 * @param broken names of definitions that cannot be read: they stand for some reference, so that their users are not blamed
 */
export function createTags(definitions: readonly Definition[], config: Config, broken: readonly string[] = [], others: readonly TreeDefinitions[] = []): Tags {
  const own: readonly Named[] = definitions.map((definition) => namedOf(definition, config));
  const foreign: readonly Named[] = others.flatMap((other) => other.definitions.map((definition) => namedOf(definition, other.tree.config)));
  const byName = new Map(own.map((named) => [named.definition.name, named]));
  const byRepository = new Map([...foreign, ...own].map(({ definition, ref }) => [repositoryOf(ref), definition]));
  const outside = new Map<string, string>();
  for (const written of config.baseImages) {
    const ref = parseImageRef(written);
    if (ref === undefined) continue;
    const repository = repositoryOf(ref);
    const prefix = `${config.registry}/${config.namespace === undefined ? '' : `${config.namespace}/`}`;
    // By every name that people use for it; the first of two base_images keeps a short one.
    for (const name of [written, repository, ref.repository, ref.repository.split('/').at(-1)!, repository.startsWith(prefix) ? repository.slice(prefix.length) : repository]) {
      if (!outside.has(name)) outside.set(name, ref.tag === undefined && ref.digest === undefined ? `${written}:latest` : written);
    }
  }
  for (const name of broken) {
    if (REPOSITORY_PATTERN.test(name) && !outside.has(name)) outside.set(name, formatImageRef({ ...repositoryRefOf(config, config.namespace === undefined ? name : `${config.namespace}/${name}`), tag: 'latest' }));
  }
  const elsewhere = new Map<string, readonly Named[]>();
  for (const named of foreign) for (const name of new Set([named.definition.name, named.definition.repository])) elsewhere.set(name, [...(elsewhere.get(name) ?? []), named]);
  const find = (name: string): Named | undefined => byName.get(name) ?? (outside.has(name) ? undefined : elsewhere.get(name)?.[0]);
  return {
    byName: (name) => find(name)?.definition,
    byRepository: (repository) => byRepository.get(repository),
    refOf(name) {
      const named = find(name);
      return named === undefined ? outside.get(name) : formatImageRef(named.ref);
    },
    names: [...new Set([...byName.keys(), ...outside.keys(), ...elsewhere.keys()])],
    ambiguous(name) {
      const meant = byName.has(name) || outside.has(name) ? [] : (elsewhere.get(name) ?? []);
      return meant.length < 2 ? [] : meant.map(({ ref }) => formatImageRef(ref));
    },
  };
}

type Named = { readonly definition: Definition; readonly ref: ImageRef };

function namedOf(definition: Definition, config: Config): Named {
  return { definition, ref: { ...repositoryRefOf(config, definition.repository), tag: tagOf(definition) } };
}
