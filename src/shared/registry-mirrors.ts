import type { ImageRef } from './image-ref.js';

/** By registry (`docker.io`, `registry.example.org:5000`): where its content may be read from as well, in order, `host[:port][/path]`. */
export type RegistryMirrors = Readonly<Record<string, readonly string[]>>;

/** The registry's name as image references write it; Docker Hub has several. */
export function registryName({ registry }: Pick<ImageRef, 'registry'>): string {
  return registry === '' || registry === 'index.docker.io' ? 'docker.io' : registry;
}

/** The path of an image in its registry: Docker Hub keeps its one-word images under `library/`. */
export function repositoryIn(ref: ImageRef): string {
  return registryName(ref) === 'docker.io' && !ref.repository.includes('/') ? `library/${ref.repository}` : ref.repository;
}

/** An image's names at the mirrors of its registry, in their order: `mirror.example.org/hub` has `library/debian` as `hub/library/debian`. */
export function mirroredRefs(ref: ImageRef, mirrors: RegistryMirrors): readonly ImageRef[] {
  return (mirrors[registryName(ref)] ?? []).map((base) => {
    const [host = '', ...path] = base.split('/');
    return { ...ref, registry: host, repository: [...path, repositoryIn(ref)].join('/') };
  });
}
