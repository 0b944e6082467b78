import { isDigest, type Digest } from './digest.js';

/** What tells one image of a run from all others: `namespace/name`; with its registry before it where two trees have the same. */
export type ImageName = string;

/**
 * A reference to an image, taken apart (OCI distribution spec, "Pulling manifests"; Docker's rule for what is a host).
 * `registry` is empty when none was written (`debian:12`); `repository` is the path below it.
 */
export type ImageRef = {
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
};

/** A tag as registries take it (OCI distribution spec: at most 128 characters). */
export const TAG_PATTERN = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** One repository path: lower-case components divided by slashes (OCI distribution spec, `<name>`). */
export const REPOSITORY_PATTERN = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/**
 * Takes `[registry/]path[:tag][@digest]` apart. The first component is a registry when it holds a dot or a colon or is
 * `localhost`, as Docker decides it. Undefined when the text is no image reference.
 */
export function parseImageRef(text: string): ImageRef | undefined {
  let rest = text;
  let digest: Digest | undefined;
  const at = rest.indexOf('@');
  if (at >= 0) {
    const written = rest.slice(at + 1);
    if (!isDigest(written)) return undefined;
    digest = written;
    rest = rest.slice(0, at);
  }
  let tag: string | undefined;
  const colon = rest.lastIndexOf(':');
  if (colon > rest.lastIndexOf('/')) {
    tag = rest.slice(colon + 1);
    if (!TAG_PATTERN.test(tag)) return undefined;
    rest = rest.slice(0, colon);
  }
  const slash = rest.indexOf('/');
  const head = slash < 0 ? '' : rest.slice(0, slash);
  const hasRegistry = slash > 0 && (head.includes('.') || head.includes(':') || head === 'localhost');
  const registry = hasRegistry ? head : '';
  const repository = hasRegistry ? rest.slice(slash + 1) : rest;
  if (!REPOSITORY_PATTERN.test(repository)) return undefined;
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** `registry/repository:tag@digest`, with only the parts that are there. */
export function formatImageRef(ref: ImageRef): string {
  const host = ref.registry === '' ? '' : `${ref.registry}/`;
  return `${host}${ref.repository}${ref.tag === undefined ? '' : `:${ref.tag}`}${ref.digest === undefined ? '' : `@${ref.digest}`}`;
}

/** The same repository under another tag; a digest is dropped. */
export function withTag(ref: ImageRef, tag: string): ImageRef {
  return { registry: ref.registry, repository: ref.repository, tag };
}

/** `registry/repository`, without tag or digest: the name under which an engine or a registry keeps its tags. */
export function repositoryOf(ref: ImageRef): string {
  return formatImageRef({ registry: ref.registry, repository: ref.repository });
}
