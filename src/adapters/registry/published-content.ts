import type { Digest } from '../../shared/digest.js';
import { RegistryError } from '../../shared/errors.js';
import type { PublishedContent } from '../../state/repository-contents.js';
import { parseConfig, parseManifest } from './registry-manifest.js';

/** Reads a manifest or a blob of one repository by its digest. */
export type GetByDigest = (kind: 'manifests' | 'blobs', digest: Digest) => Promise<Buffer>;

const NOTHING: PublishedContent = { children: [], configs: [] };

/** What a manifest leads to. What an index or a manifest names and the registry does not have is left out: an index need not be whole. */
export async function readContent(digest: Digest, get: GetByDigest): Promise<PublishedContent> {
  const bytes = await unlessAbsent(get('manifests', digest));
  const manifest = bytes === undefined ? undefined : parseManifest(bytes);
  if (manifest?.type === 'index') {
    const below = await Promise.all(manifest.entries.map((entry) => readContent(entry.digest, get)));
    return { children: [...manifest.entries.map((entry) => entry.digest), ...below.flatMap(({ children }) => children)], configs: below.flatMap(({ configs }) => configs) };
  }
  if (manifest?.type !== 'image') return NOTHING;
  const blob = await unlessAbsent(get('blobs', manifest.config));
  return { children: [], configs: [blob === undefined ? undefined : parseConfig(blob)].flatMap((config) => config ?? []) };
}

async function unlessAbsent(bytes: Promise<Buffer>): Promise<Buffer | undefined> {
  try {
    return await bytes;
  } catch (error) {
    if (error instanceof RegistryError && error.status === 404) return undefined;
    throw error;
  }
}
