import { isDigest, type Digest } from '../../shared/digest.js';
import { isPlatform } from '../../shared/platform.js';
import type { ImageLayer } from '../../state/image-layers.js';
import type { PublishedConfig } from '../../state/published-images.js';

/** Every manifest that we take, in one Accept header: without it some registries answer an old type, with another digest. */
export const ACCEPTED_MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** One image of an index. */
export type IndexEntry = { readonly digest: Digest; /** `linux/amd64`, `linux/arm/v7`. */ readonly platform: string };

/** What a manifest leads to: an image's config, an index's images, or nothing that we know (schema 1, artifacts). */
export type Manifest =
  | { readonly type: 'image'; readonly config: Digest }
  | { readonly type: 'index'; readonly entries: readonly IndexEntry[] }
  | { readonly type: 'other' };

/** OCI image spec, "Image Manifest" and "Image Index", and Docker's older twins. Undefined when it is no JSON object. */
export function parseManifest(bytes: Buffer): Manifest | undefined {
  const manifest = parseObject(bytes);
  if (manifest === undefined) return undefined;
  if (Array.isArray(manifest['manifests'])) return { type: 'index', entries: manifest['manifests'].flatMap(parseEntry) };
  const config = asObject(manifest['config'])?.['digest'];
  return typeof config === 'string' && isDigest(config) ? { type: 'image', config } : { type: 'other' };
}

/** The layers of an image manifest, lowest first, each with the diff_id that the config has for it; undefined when the two do not agree. */
export function parseLayers(manifest: Buffer, config: Buffer): readonly ImageLayer[] | undefined {
  const layers = parseObject(manifest)?.['layers'];
  const diffIds = asObject(parseObject(config)?.['rootfs'])?.['diff_ids'];
  if (!Array.isArray(layers) || !Array.isArray(diffIds) || layers.length !== diffIds.length) return undefined;
  const blobs = layers.flatMap((value, at): ImageLayer[] => {
    const { digest, size, urls } = asObject(value) ?? {};
    const diffId: unknown = diffIds[at];
    if (typeof digest !== 'string' || !isDigest(digest) || typeof diffId !== 'string' || !isDigest(diffId)) return [];
    return [{ digest, size: typeof size === 'number' ? size : 0, diffId, urls: Array.isArray(urls) ? urls.filter((url) => typeof url === 'string') : [] }];
  });
  return blobs.length === layers.length ? blobs : undefined;
}

/** The media type that a manifest gives itself. */
export function mediaTypeOf(bytes: Buffer): string | undefined {
  const type = parseObject(bytes)?.['mediaType'];
  return typeof type === 'string' ? type : undefined;
}

/** OCI image spec, "Image Configuration". Undefined when it is no JSON object. */
export function parseConfig(bytes: Buffer): PublishedConfig | undefined {
  const config = parseObject(bytes);
  if (config === undefined) return undefined;
  const labels = Object.entries(asObject(asObject(config['config'])?.['Labels']) ?? {}).filter((label): label is [string, string] => typeof label[1] === 'string');
  const created = config['created'];
  return { labels: Object.fromEntries(labels), created: typeof created === 'string' ? created : undefined, platform: platformOf(config) };
}

/** The entry of a platform; one without a variant (`linux/arm`) is any variant's (`linux/arm/v7`), and arm64 without a variant is v8. */
export function pickPlatform(entries: readonly IndexEntry[], platform: string): IndexEntry | undefined {
  return entries.find((entry) => entry.platform === platform) ?? entries.find((entry) => isPlatform(entry.platform, platform));
}

type Json = Readonly<Record<string, unknown>>;

function parseEntry(value: unknown): IndexEntry[] {
  const entry = asObject(value);
  const digest = entry?.['digest'];
  return typeof digest === 'string' && isDigest(digest) ? [{ digest, platform: platformOf(asObject(entry!['platform']) ?? {}) }] : [];
}

function platformOf(json: Json): string {
  const { os, architecture, variant } = json;
  const known = [typeof os === 'string' ? os : 'unknown', typeof architecture === 'string' ? architecture : 'unknown'];
  return [...known, ...(typeof variant === 'string' && variant !== '' ? [variant] : [])].join('/');
}

function parseObject(bytes: Buffer): Json | undefined {
  try {
    return asObject(JSON.parse(bytes.toString('utf8')));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}
