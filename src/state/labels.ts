import { isDigest, type Digest } from '../shared/digest.js';

/** The labels that we write on every image we build. The first five are ours alone; the rest are OCI annotation keys (OCI image spec, "Annotations"). */
export const LABEL = {
  definition: 'build-images.definition',
  parents: 'build-images.parents',
  packages: 'build-images.packages',
  tried: 'build-images.tried',
  platform: 'build-images.platform',
  title: 'org.opencontainers.image.title',
  version: 'org.opencontainers.image.version',
  created: 'org.opencontainers.image.created',
  revision: 'org.opencontainers.image.revision',
  source: 'org.opencontainers.image.source',
  description: 'org.opencontainers.image.description',
  vendor: 'org.opencontainers.image.vendor',
  baseName: 'org.opencontainers.image.base.name',
  baseDigest: 'org.opencontainers.image.base.digest',
} as const;

/**
 * What an image stood on when it was built: reference → manifest digest in its registry, or `id:sha256:…`, the image id of a
 * parent that was never pushed.
 */
export type ParentDigests = Readonly<Record<string, string>>;

/** What one of our images says of itself; undefined for an image of other origin. */
export type Provenance = {
  readonly definition: Digest;
  readonly parents: ParentDigests;
  /** A versioned image's version. */
  readonly version: string | undefined;
  /** The commit that last touched the definition's folder. */
  readonly revision: string | undefined;
  /** RFC 3339. */
  readonly created: string | undefined;
  /** Digest over the package list of a base image. */
  readonly packages: Digest | undefined;
  /** What the config asked for; undefined: the engine's own. */
  readonly platform: string | undefined;
  /** Marks of the upgrades that it was built for (plan/refresh.ts); what is still to be had of them, a rebuild does not bring. */
  readonly tried?: readonly string[] | undefined;
};

/**
 * Reads our labels; undefined when they are not there, not as we write them, or inherited: another tool's image on top of one
 * of ours carries its parent's labels, title too.
 * @param name the image's name without its namespace, which our title label holds
 */
export function provenanceOf(labels: Readonly<Record<string, string>>, name: string): Provenance | undefined {
  if (labels[LABEL.title] !== name) return undefined;
  const definition = labels[LABEL.definition];
  if (definition === undefined || !isDigest(definition)) return undefined;
  const parents = parseParents(labels[LABEL.parents]);
  if (parents === undefined) return undefined;
  const packages = labels[LABEL.packages];
  return {
    definition,
    parents,
    version: labels[LABEL.version] || undefined,
    revision: labels[LABEL.revision] || undefined,
    created: labels[LABEL.created] || undefined,
    packages: packages !== undefined && isDigest(packages) ? packages : undefined,
    platform: labels[LABEL.platform] || undefined,
    tried: labels[LABEL.tried]?.split(' ').filter((mark) => mark !== ''),
  };
}

function parseParents(text: string | undefined): ParentDigests | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return Object.values(value).every((digest) => typeof digest === 'string') ? (value as ParentDigests) : undefined;
  } catch {
    return undefined;
  }
}

/** The text of the parents label: JSON, keys in order, so that equal parents make equal images. */
export function formatParents(parents: ParentDigests): string {
  return JSON.stringify(Object.fromEntries(Object.entries(parents).sort(([a], [b]) => (a < b ? -1 : 1))));
}
