import { movingTagOf, type Definition } from '../definition/definition.js';
import { isDigest, type Digest } from '../shared/digest.js';
import { TAG_PATTERN, withTag, type ImageRef } from '../shared/image-ref.js';
import { parseDatedTag } from './dated-tag.js';
import { provenanceOf, type Provenance } from './labels.js';
import type { PublishedImages } from './published-images.js';
import type { Named } from './read-state.js';
import type { State } from './state.js';
import { withdrawnTag } from './withdrawn-tag.js';

/** What `:latest` may be taken back to, as the registry has it. */
export type RollbackTarget = {
  readonly digest: Digest;
  /** A tag that it has there, beside the moving one. */
  readonly tag: string | undefined;
  readonly isThere: boolean;
  /** The tag by which it is withdrawn, if it is. */
  readonly mark: string | undefined;
};

/**
 * Looks up what `:latest` shall go back to.
 * @param named what people called it, which may not be a tag
 */
export async function readTarget({ definition, ref }: Named, digest: Digest, named: string | undefined, state: State, published: PublishedImages, signal: AbortSignal): Promise<RollbackTarget> {
  const { registry, repository } = ref;
  if ((await published.digestOf({ registry, repository, digest }, signal)) === undefined) return { digest, tag: undefined, isThere: false, mark: undefined };
  const isIts = async (tag: string | undefined): Promise<boolean> => tag !== undefined && TAG_PATTERN.test(tag) && tag !== movingTagOf(definition) && (await published.digestOf(withTag(ref, tag), signal)) === digest;
  const dated = state.dated.get(definition.image)?.find((image) => image.digest === digest)?.tag;
  const tag = dated ?? ((await isIts(named)) ? named : undefined) ?? (await versionOf());
  const mark = withdrawnTag(tag, digest);
  return { digest, tag, isThere: true, mark: (await published.manifestOf(withTag(ref, mark), signal)) === digest ? mark : undefined };

  async function versionOf(): Promise<string | undefined> {
    const { labels } = await published.configOf(ref, digest, signal);
    const version = provenanceOf(labels, definition.name)?.version;
    return (await isIts(version)) ? version : undefined;
  }
}

/** The digest behind a tag, or a digest, that a person names; a word when it is none that `:latest` of this image may become. */
export async function readNamedTarget({ definition, ref }: Named, text: string, published: PublishedImages, signal: AbortSignal): Promise<{ readonly digest: Digest } | { readonly refused: 'no-tag' | 'absent' | 'not-its-own' }> {
  if (!isDigest(text) && !TAG_PATTERN.test(text)) return { refused: 'no-tag' };
  const asked: ImageRef = isDigest(text) ? { registry: ref.registry, repository: ref.repository, digest: text } : withTag(ref, text);
  const digest = await published.digestOf(asked, signal);
  if (digest === undefined) return { refused: 'absent' };
  const { labels } = await published.configOf(ref, digest, signal);
  return isOwn(definition, text, provenanceOf(labels, definition.name)) ? { digest } : { refused: 'not-its-own' };
}

/** Whether later runs know an image as one that `:latest` may be: by our labels, else by its tag. */
function isOwn({ tagSource }: Definition, tag: string, provenance: Provenance | undefined): boolean {
  if (tagSource.source !== 'changelog') return provenance === undefined ? parseDatedTag(tag) !== undefined : provenance.version === undefined;
  return [tagSource.version, ...tagSource.older].includes(provenance === undefined ? tag : (provenance.version ?? ''));
}
