import type { Digest } from '../shared/digest.js';
import { withTag, type ImageRef } from '../shared/image-ref.js';
import type { PublishedConfig, PublishedImages } from './published-images.js';

/** What a manifest leads to. */
export type PublishedContent = {
  /** Every manifest below an index, those of indexes below it, too. */
  readonly children: readonly Digest[];
  /** Of every image that it is, or holds; one that cannot be had is left out. */
  readonly configs: readonly PublishedConfig[];
};

/** What pruning needs to know of a registry. Each promise rejects with a RegistryError on anything but a clear answer. */
export interface RegistryContents extends Pick<PublishedImages, 'digestOf' | 'tagsOf'> {
  contentOf(ref: ImageRef, digest: Digest, signal: AbortSignal): Promise<PublishedContent>;
  /** Every repository of a registry's host; undefined when it does not tell. */
  repositoriesOf(registry: string, signal: AbortSignal): Promise<readonly string[] | undefined>;
}

/** All that has a tag in a repository. */
export type RepositoryContents = { readonly tags: ReadonlyMap<string, Digest>; readonly contents: ReadonlyMap<Digest, PublishedContent> };

/** Reads a repository: each tag once, and what is behind each digest once. */
export async function readRepository(ref: ImageRef, registry: RegistryContents, signal: AbortSignal): Promise<RepositoryContents> {
  const names = await registry.tagsOf(ref, signal);
  const digests = await Promise.all(names.map(async (tag) => [tag, await registry.digestOf(withTag(ref, tag), signal)] as const));
  const tags = new Map(digests.flatMap(([tag, digest]) => (digest === undefined ? [] : [[tag, digest] as const])));
  const contents = await Promise.all([...new Set(tags.values())].map(async (digest) => [digest, await registry.contentOf(ref, digest, signal)] as const));
  return { tags, contents: new Map(contents) };
}

/** The digest of the run image that an app of buildpacks stands on (CNB platform spec, `io.buildpacks.lifecycle.metadata`; `sha`: before 2019); undefined of anything else. */
export function runImageOf({ labels }: PublishedConfig): string | undefined {
  try {
    const { runImage } = JSON.parse(labels['io.buildpacks.lifecycle.metadata'] ?? '{}') as { runImage?: { reference?: unknown; sha?: unknown } | null };
    return /sha256:[0-9a-f]{64}$/.exec(String(runImage?.reference ?? runImage?.sha))?.[0];
  } catch {
    return undefined;
  }
}

/** Whether apps of buildpacks may stand on an image: it names a stack, or is a base since there are none (CNB platform spec, "Target data"). */
export function isRunImage({ labels }: PublishedConfig): boolean {
  return Boolean(labels['io.buildpacks.stack.id']) || Boolean(labels['io.buildpacks.base.id']);
}
