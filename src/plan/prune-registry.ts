import { movingTagOf, type Definition } from '../definition/definition.js';
import type { Graph, Node } from '../graph/graph.js';
import { formatImageRef, withTag, type ImageName } from '../shared/image-ref.js';
import type { Digest } from '../shared/digest.js';
import { newestDatedFirst, parseDatedTag } from '../state/dated-tag.js';
import { LABEL, provenanceOf } from '../state/labels.js';
import { isRunImage, runImageOf, type PublishedContent, type RepositoryContents } from '../state/repository-contents.js';
import type { State } from '../state/state.js';
import { isWithdrawn, withdrawnName } from '../state/withdrawn-tag.js';
import { keptByAge, type AgeRules, type PruneStep } from './prune.js';
import type { Reason } from './reason.js';

/** What a registry holds, and what holds on to it. */
export type RegistryFound = {
  /** Of the images that are looked after. */
  readonly repositories: ReadonlyMap<ImageName, RepositoryContents>;
  /** What every image of the tree is now, also of those that are not looked after. */
  readonly images: State['images'];
  /** By digest of their run image: apps of the same namespaces; undefined: nobody knows them all. */
  readonly apps: ReadonlyMap<string, string> | undefined;
  /** By digest: the run that moved `:latest` away from it, where no other moved it since. */
  readonly rollback: ReadonlyMap<string, string>;
};

/** One manifest with a tag. */
type Manifest = { readonly digest: Digest; readonly tags: readonly string[]; readonly content: PublishedContent; readonly created: number | undefined };

/**
 * What goes out of a registry, children first: of the images that are looked after, each manifest that is not current and that
 * nothing holds on to. A manifest goes with all of its tags, so one tag that stays keeps it; and an index keeps what it holds.
 */
export function planRegistryPrune(graph: Graph, found: RegistryFound, rules: AgeRules): readonly PruneStep[] {
  const holds = holdsOf(found);
  return [...graph.nodes].reverse().flatMap(([image, node]) => {
    const repository = found.repositories.get(image);
    return repository === undefined ? [] : planRepository(image, node, repository, holds, rules);
  });
}

/** Why a manifest stays, whatever repository it is in; undefined: nothing holds on to it. */
type Holds = (manifest: Manifest) => Reason | undefined;

function holdsOf({ images, repositories, apps, rollback }: RegistryFound): Holds {
  const current = new Map<string, ImageName>();
  const parents = new Map<string, ImageName>();
  for (const [image, { version, latest }] of images) {
    for (const published of [version, latest]) {
      if (published !== undefined) current.set(published.digest, image);
      for (const parent of Object.values(published?.provenance?.parents ?? {})) parents.set(parent, image);
    }
  }
  // Whatever an app is called here, it is one.
  const inside = [...repositories].flatMap(([image, { contents }]) => [...contents.values()].flatMap(({ configs }) => configs.flatMap((config) => (runImageOf(config) === undefined ? [] : [[runImageOf(config)!, image] as const]))));
  const appOf = new Map([...inside, ...(apps ?? [])]);
  return ({ digest, tags, content }) => {
    // Who needs a part of an index needs the index: without it the part has no tag, and goes with the next garbage collection.
    const among = <T>(known: ReadonlyMap<string, T>): T | undefined => [digest, ...content.children].flatMap((one) => known.get(one) ?? [])[0];
    const [child, app, run] = [among(parents), among(appOf), among(rollback)];
    if (among(current) !== undefined) return { why: 'current', tag: tags[0]! };
    if (child !== undefined) return { why: 'parent-of', child };
    if (app !== undefined) return { why: 'run-image-of', app };
    if (run !== undefined) return { why: 'rollback-target', run };
    return apps === undefined && content.configs.some(isRunImage) ? { why: 'apps-unknown' } : undefined;
  };
}

function planRepository(image: ImageName, node: Node, { tags, contents }: RepositoryContents, holds: Holds, rules: AgeRules): readonly PruneStep[] {
  const { definition } = node;
  const tagsOf = new Map<Digest, string[]>();
  for (const [tag, digest] of tags) tagsOf.set(digest, [...(tagsOf.get(digest) ?? []), tag]);
  const manifests = [...contents].map(([digest, content]): Manifest => {
    const own = tagsOf.get(digest)!;
    return { digest, content, tags: own, created: madeAt(own, content) };
  });
  const newest = newestIn(definition, tags);
  const stays = new Map<Manifest, Reason>();
  for (const manifest of manifests) {
    const reason = whyByTag(definition, withoutLifted(manifest, tags), newest) ?? holds(manifest);
    if (reason !== undefined) stays.set(manifest, reason);
  }
  for (const [manifest, reason] of keptByAge(manifests.filter((manifest) => !stays.has(manifest)), rules)) stays.set(manifest, reason);
  const kept = [...stays.keys()];
  for (const manifest of manifests) {
    const index = stays.has(manifest) ? undefined : kept.find(({ content }) => content.children.includes(manifest.digest));
    if (index !== undefined) stays.set(manifest, { why: 'in-index', index: index.tags[0]! });
  }
  return manifests.map((manifest): PruneStep => {
    const reason = stays.get(manifest);
    const refs = manifest.tags.map((tag) => formatImageRef(withTag(node.ref, tag)));
    return { image, action: reason === undefined ? 'delete-digest' : 'keep', id: manifest.digest, refs, created: manifest.created, reasons: [reason ?? { why: 'not-current' }] };
  });
}

/** The newest tag of an image that there is: of its changelog's versions in their order, or of dated tags. */
function newestIn({ tagSource }: Definition, tags: ReadonlyMap<string, Digest>): string | undefined {
  if (tagSource.source !== 'changelog') return newestDatedFirst([...tags.keys()])[0];
  return [tagSource.version, ...tagSource.older].find((version) => tags.has(version));
}

/** A manifest without the marks that say nothing of it: those of what was withdrawn, and is so no more. */
function withoutLifted(manifest: Manifest, tags: ReadonlyMap<string, Digest>): Manifest {
  return { ...manifest, tags: manifest.tags.filter((tag) => withdrawnName(tag) === undefined || isWithdrawn(tag, manifest.digest, tags.get(withdrawnName(tag)!))) };
}

/** Why a manifest stays for one of its tags. */
function whyByTag(definition: Definition, { tags, content }: Manifest, newest: string | undefined): Reason | undefined {
  const currents = new Set(['latest', movingTagOf(definition), newest]);
  const current = tags.find((tag) => currents.has(tag));
  if (current !== undefined) return { why: 'current', tag: current };
  const withdrawn = tags.find((tag) => withdrawnName(tag) !== undefined);
  if (withdrawn !== undefined) return { why: 'withdrawn', tag: withdrawn };
  const strange = tags.find((tag) => !isMadeHere(definition, tag, content));
  return strange === undefined ? undefined : { why: 'strange-tag', tag: strange };
}

/** Whether a tag is one that a run of this tree sets: a version of the changelog or of our label, a dated tag, a nightly build's. */
function isMadeHere(definition: Definition, tag: string, { configs }: PublishedContent): boolean {
  if (isSetOnce(definition, tag)) return true;
  return configs.some(({ labels }) => {
    const ours = provenanceOf(labels, definition.name);
    return ours !== undefined && (ours.version === tag || parseDatedTag(tag) !== undefined);
  });
}

/** Whether a tag of an image never moves: a version of its changelog, a dated tag of a rolling image, one of a nightly build. */
export function isSetOnce({ tagSource }: Definition, tag: string): boolean {
  const base = /^(.+)-\d{8}(?:-\d{6})?$/.exec(tag)?.[1];
  if (tagSource.source !== 'changelog') return parseDatedTag(tag) !== undefined || base === 'nightly' || base === 'snapshot';
  const versions = [tagSource.version, ...tagSource.older];
  return versions.includes(tag) || (base !== undefined && versions.includes(base));
}

/** Dates before this are no dates: builds that can be repeated set them (buildpacks: 1980). */
const FIRST = Date.UTC(1981, 0, 1);

/** When something was made, by the latest of all that tells of it: labels, configs, and beside these the day in a tag. */
function madeAt(tags: readonly string[], { configs }: PublishedContent): number | undefined {
  const written = configs.flatMap(({ labels, created }) => [labels[LABEL.created], created]).flatMap((text) => (text === undefined ? [] : [Date.parse(text)]));
  const days = tags.flatMap((tag) => {
    const [, year, month, day] = /(?:^|-)(\d{4})(\d{2})(\d{2})(?:-\d+)?$/.exec(tag) ?? [];
    return year === undefined ? [] : [Date.parse(`${year}-${month!}-${day!}`)];
  });
  const known = written.filter((time) => time >= FIRST);
  // A tag may only make it younger: alone it is no witness.
  return known.length === 0 ? undefined : Math.max(...known, ...days.filter((time) => !Number.isNaN(time)));
}
