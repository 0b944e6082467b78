import { movingTagOf } from '../definition/definition.js';
import type { Graph, Node } from '../graph/graph.js';
import type { Digest } from '../shared/digest.js';
import { formatImageRef, parseImageRef, TAG_PATTERN, withTag, type ImageName, type ImageRef } from '../shared/image-ref.js';
import { newestDatedFirst } from './dated-tag.js';
import type { DigestMemory } from './digest-memory.js';
import { provenanceOf } from './labels.js';
import type { LocalImages } from './local-images.js';
import type { PublishedImages } from './published-images.js';
import { isWithdrawn, withdrawnName, withdrawnTag } from './withdrawn-tag.js';
import { stateOf, type DatedImage, type ImageState, type Need, type PublishedImage, type State } from './state.js';

/** How many of a rolling image's dated tags are looked at: the one to promote is nearly always the newest. */
const DATED_READ = 10;

/** The outside that a plan is made from. */
export type Outside = {
  readonly published: PublishedImages;
  readonly local: LocalImages;
  /** Whether a commit is HEAD or its ancestor in a tree's git; undefined outside a git tree. */
  isAncestor(revision: string, tree: string): Promise<boolean | undefined>;
  readonly memory: DigestMemory;
};

/** What must be known of an image to look it up: its node, or what is there before there is a graph. */
export type Named = Pick<Node, 'definition' | 'ref'>;

/**
 * What the registry holds of some images: one request for one whose `:latest` is the remembered digest of its version.
 * @param onRead told after each image what there is of it
 */
export async function readState(images: readonly Named[], outside: Outside, signal: AbortSignal, onRead?: (image: ImageState) => void): Promise<State> {
  const readOne = async (image: Named): Promise<readonly [ImageName, ImageState]> => {
    const read = await readImage(image, outside, signal);
    onRead?.(read);
    return [image.definition.image, read];
  };
  const read = await all(images, readOne, signal);
  return stateOf(new Map(read));
}

/** Waits for all; the first failure is thrown when the others, told by `signal`'s owner or by themselves, have ended. */
async function all<T, R>(values: readonly T[], read: (value: T) => Promise<R>, signal: AbortSignal): Promise<R[]> {
  const results = await Promise.allSettled(values.map(read));
  signal.throwIfAborted();
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results.map((result) => (result as PromiseFulfilledResult<R>).value);
}

async function readImage(node: Named, outside: Outside, signal: AbortSignal): Promise<ImageState> {
  const { published, memory } = outside;
  const { name } = node.definition;
  const latestRef = withTag(node.ref, movingTagOf(node.definition));
  const { source } = node.definition.tagSource;
  if (source === 'day') return { version: undefined, latest: await readTag(name, latestRef, outside, signal) };
  // What else is published is none of such a build's business.
  if (source !== 'changelog') return { version: await readTag(name, node.ref, outside, signal), latest: undefined };

  const versionRef = formatImageRef(node.ref);
  const remembered = memory.tag(versionRef);
  // A version that was never seen published is likely not there, and neither, then, is :latest.
  const look = remembered === undefined ? published.manifestOf : published.digestOf;
  const latestDigest = await look(latestRef, signal);
  if (latestDigest !== undefined && latestDigest === remembered) {
    const both = await describe(name, latestRef, latestDigest, outside, signal);
    return { version: both, latest: both };
  }
  const versionDigest = await look(node.ref, signal);
  if (versionDigest !== undefined) memory.rememberTag(versionRef, versionDigest);
  const version = versionDigest === undefined ? undefined : await describe(name, node.ref, versionDigest, outside, signal);
  const latest = latestDigest === undefined ? undefined : await describe(name, latestRef, latestDigest, outside, signal);
  return { version, latest };
}

async function readTag(name: string, ref: ImageRef, outside: Outside, signal: AbortSignal): Promise<PublishedImage | undefined> {
  const digest = await outside.published.digestOf(ref, signal);
  return digest === undefined ? undefined : describe(name, ref, digest, outside, signal);
}

async function describe(name: string, ref: ImageRef, digest: Digest, { published, memory }: Outside, signal: AbortSignal): Promise<PublishedImage> {
  const remembered = memory.provenance(name, digest);
  if (remembered !== undefined) return { digest, provenance: remembered ?? undefined };
  const { labels } = await published.configOf(ref, digest, signal);
  const provenance = provenanceOf(labels, name);
  memory.rememberProvenance(name, digest, provenance ?? null);
  return { digest, provenance };
}

/** The state with what a plan needed and did not have. */
export async function readNeeds(graph: Graph, state: State, needs: readonly Need[], outside: Outside, signal: AbortSignal): Promise<State> {
  const dated = new Map(state.dated);
  const withdrawn = new Map(state.withdrawn);
  const olderVersion = new Map(state.olderVersion);
  const digests = new Map(state.outside);
  const ancestry = new Map(state.ancestry);
  let { local } = state;
  await all(
    distinct(needs),
    async (need) => {
      switch (need.need) {
        case 'dated-tags': {
          const read = await readDated(graph.nodes.get(need.image)!, outside, signal);
          dated.set(need.image, read.dated);
          return void withdrawn.set(need.image, read.withdrawn);
        }
        case 'older-version':
          return void olderVersion.set(need.image, await findOlderVersion(graph.nodes.get(need.image)!, state.images.get(need.image)!, outside, signal));
        case 'withdrawn':
          return void withdrawn.set(need.image, await readWithdrawnVersion(graph.nodes.get(need.image)!, state.images.get(need.image)!, outside, signal));
        case 'local-images':
          local = await outside.local.list(signal);
          return;
        case 'outside-digest':
          return void digests.set(need.ref, await outsideDigest(need.ref, outside, signal));
        case 'ancestry':
          return void ancestry.set(need.revision, await outside.isAncestor(need.revision, need.tree));
      }
    },
    signal,
  );
  return { images: state.images, dated, withdrawn, olderVersion, local, outside: digests, ancestry };
}

function distinct(needs: readonly Need[]): readonly Need[] {
  return [...new Map(needs.map((need) => [JSON.stringify(need), need])).values()];
}

async function outsideDigest(text: string, { published }: Outside, signal: AbortSignal): Promise<Digest | null> {
  const ref = parseImageRef(text);
  if (ref === undefined) return null;
  if (ref.digest !== undefined) return ref.digest;
  return (await published.digestOf(ref.tag === undefined ? withTag(ref, 'latest') : ref, signal)) ?? null;
}

/** The newest dated tags of a rolling image, and what is withdrawn of it; its tags are listed once. */
async function readDated(node: Named, outside: Outside, signal: AbortSignal): Promise<{ readonly dated: readonly DatedImage[]; readonly withdrawn: readonly DatedImage[] }> {
  const listed = await outside.published.tagsOf(node.ref, signal);
  const marks = listed.filter((tag) => withdrawnName(tag) !== undefined).sort().reverse();
  const [dated, marked] = await Promise.all([readTags(node, newestDatedFirst(listed).slice(0, DATED_READ), outside, signal), readTags(node, marks.slice(0, DATED_READ), outside, signal)]);
  const known = new Map(dated.map(({ tag, digest }) => [tag, digest]));
  const holds = async ({ tag, digest }: DatedImage): Promise<boolean> => {
    const name = withdrawnName(tag)!;
    return isWithdrawn(tag, digest, known.get(name) ?? (listed.includes(name) ? await outside.published.digestOf(withTag(node.ref, name), signal) : undefined));
  };
  const held = await all(marked, holds, signal);
  return { dated, withdrawn: marked.filter((_, at) => held[at]) };
}

async function readTags(node: Named, tags: readonly string[], outside: Outside, signal: AbortSignal): Promise<readonly DatedImage[]> {
  const read = await all(
    tags,
    async (tag): Promise<DatedImage | undefined> => {
      const ref = withTag(node.ref, tag);
      // Not from memory: a registry that was set up anew has today's tag again, of another image.
      const digest = await outside.published.digestOf(ref, signal);
      if (digest === undefined) return undefined;
      return { tag, ...(await describe(node.definition.name, ref, digest, outside, signal)) };
    },
    signal,
  );
  return read.filter((image) => image !== undefined);
}

async function readWithdrawnVersion(node: Named, { version }: ImageState, { published }: Outside, signal: AbortSignal): Promise<readonly DatedImage[]> {
  const { tagSource } = node.definition;
  if (tagSource.source !== 'changelog' || version === undefined) return [];
  const tag = withdrawnTag(tagSource.version, version.digest);
  // Nearly always it is not there: a 404 to a HEAD would be asked again this way.
  return (await published.manifestOf(withTag(node.ref, tag), signal)) === version.digest ? [{ tag, ...version }] : [];
}

async function findOlderVersion(node: Named, { latest }: ImageState, { published, memory }: Outside, signal: AbortSignal): Promise<string | null> {
  const { tagSource } = node.definition;
  if (tagSource.source !== 'changelog' || latest === undefined) return null;
  // One after the other, newest first: the answer is nearly always the first one.
  for (const version of tagSource.older) {
    // What cannot be a tag ("1.0~rc1") was never one, and registries answer such a question in odd ways.
    if (!TAG_PATTERN.test(version)) continue;
    const ref = withTag(node.ref, version);
    const digest = memory.tag(formatImageRef(ref)) ?? (await published.digestOf(ref, signal));
    if (digest === undefined) continue;
    memory.rememberTag(formatImageRef(ref), digest);
    if (digest === latest.digest) return version;
  }
  return null;
}
