import { repositoryOf, type ImageRef } from '../shared/image-ref.js';
import type { LocalImage } from './local-images.js';

/** One image of an engine, also one that has no tag any more. */
export type EngineImage = LocalImage & {
  /** Milliseconds since 1970; undefined when it says none that can be. */
  readonly created: number | undefined;
};

/** One container, running or not. */
export type Container = {
  readonly name: string;
  /** Id of the image that it stands on. */
  readonly image: string;
};

/** What pruning an engine needs to know of it. Rejects with an EngineError when the engine does not answer. */
export interface EngineImages {
  all(signal: AbortSignal): Promise<readonly EngineImage[]>;
  containers(signal: AbortSignal): Promise<readonly Container[]>;
}

/** One name of an image: `registry/namespace/name:tag`, or `…@sha256:…` without a tag. */
export type LocalName = { readonly name: string; readonly tag: string | undefined };

/** The names of one repository that an image has: tags first. Engines leave `docker.io/` out. */
export function namesIn(ref: ImageRef, { tags, repoDigests }: LocalImage): readonly LocalName[] {
  const repository = shortName(repositoryOf(ref));
  const tagged = tags.filter((name) => shortName(name).startsWith(`${repository}:`)).map((name) => ({ name, tag: shortName(name).slice(repository.length + 1) }));
  const known = repoDigests.filter((name) => shortName(name).startsWith(`${repository}@`)).map((name) => ({ name, tag: undefined }));
  return [...tagged, ...known];
}

function shortName(name: string): string {
  return name.replace(/^docker\.io\//, '');
}
