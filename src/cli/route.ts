import type { RegistryLayers } from '../adapters/registry/registry-layers.js';
import type { BuildEngine } from '../execute/build-engine.js';
import type { DigestRemoval } from '../execute/delete-digest.js';
import type { RegistryContents } from '../state/repository-contents.js';
import type { WritableRegistry } from '../execute/writable-registry.js';
import type { Config, TreeConfig } from '../shared/config.js';
import { parseImageRef, repositoryOf, type ImageRef } from '../shared/image-ref.js';

/**
 * The tree whose config says how an image is reached: the one that publishes below its name, the most particular first; else one
 * that has its registry; else one that names its registry's host as insecure or mirrored; else the first.
 */
export function treeOfImage(trees: readonly TreeConfig[], ref: ImageRef): TreeConfig {
  const host = ref.registry;
  const publishers = trees.filter(({ config }) => repositoryOf(ref).startsWith(`${namespaceOf(config)}/`));
  return (
    publishers.toSorted((a, b) => namespaceOf(b.config).length - namespaceOf(a.config).length)[0] ??
    trees.find(({ config }) => config.registry.split('/')[0] === host) ??
    trees.find(({ config }) => config.insecureRegistries.includes(host) || Object.hasOwn(config.registryMirrors, host === '' ? 'docker.io' : host)) ??
    trees[0]!
  );
}

/** `registry/namespace`: what the names of all images of a tree begin with. */
export function namespaceOf({ registry, namespace }: Pick<Config, 'registry' | 'namespace'>): string {
  return namespace === undefined ? registry : `${registry}/${namespace}`;
}

/** All that verbs ask of a registry. */
export type WholeRegistry = WritableRegistry & RegistryContents & DigestRemoval & RegistryLayers;

/** Several trees' registries as one: each image is asked for as its tree says. */
export function routeRegistry(registryFor: (ref: ImageRef) => WholeRegistry): WholeRegistry {
  return {
    digestOf: (ref, signal) => registryFor(ref).digestOf(ref, signal),
    configOf: (ref, digest, signal) => registryFor(ref).configOf(ref, digest, signal),
    tagsOf: (ref, signal) => registryFor(ref).tagsOf(ref, signal),
    manifestOf: (ref, signal) => registryFor(ref).manifestOf(ref, signal),
    probePush: (ref, signal) => registryFor(ref).probePush(ref, signal),
    namesOf: (ref, digest, signal) => registryFor(ref).namesOf(ref, digest, signal),
    contentOf: (ref, digest, signal) => registryFor(ref).contentOf(ref, digest, signal),
    repositoriesOf: (registry, signal) => registryFor({ registry, repository: '' }).repositoriesOf(registry, signal),
    layersOf: (ref, digest, signal) => registryFor(ref).layersOf(ref, digest, signal),
    readBlob: (ref, layer, read, signal) => registryFor(ref).readBlob(ref, layer, read, signal),
    deleteDigest: (ref, digest, signal) => registryFor(ref).deleteDigest(ref, digest, signal),
    putTag: (ref, digest, tag, signal) => registryFor(ref).putTag(ref, digest, tag, signal),
  };
}

/** One engine, used with the logins and secrets of the tree whose image is built, pulled or pushed. */
export function routeEngine(engineFor: (ref: ImageRef) => BuildEngine, any: BuildEngine): BuildEngine {
  const of = (ref: string): BuildEngine => engineFor(parseImageRef(ref)!);
  return {
    ...any,
    build: (request, signal) => of(request.tag).build(request, signal),
    pull: (ref, signal, platform) => of(ref).pull(ref, signal, platform),
    push: (ref, signal) => of(ref).push(ref, signal),
  };
}
