import { otherMovingTag, type TagSource } from '../definition/definition.js';
import { descendantsOf, isVersioned, type Graph, type Node } from '../graph/graph.js';
import type { Upgrade } from '../packages/upgrade.js';
import { digestOf, type Digest } from '../shared/digest.js';
import type { ImageName } from '../shared/image-ref.js';
import type { OwnedUpgrade } from '../state/image-upgrades.js';
import type { Tried } from '../state/refresh-memory.js';
import type { DatedImage, ImageState, Need, PublishedImage, State } from '../state/state.js';
import { mayMoveLatest } from './latest.js';
import { olderCheckout, type Reason } from './reason.js';
import { recordedDigest } from './recorded-digest.js';
import { isToday, type Standing } from './standing.js';

/** What is asked of a refresh. */
export type RefreshRequest = {
  /** Images to mend; undefined: all. What must be built for them comes along, and nothing else. */
  readonly select: ReadonlySet<ImageName> | undefined;
  /** Left as they are, with what stands on others only through them. */
  readonly excluded: ReadonlySet<ImageName>;
  readonly which: 'security' | 'all';
  /** How many images at most; undefined: no matter. */
  readonly maxBuilds: number | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** By the name of a tree: milliseconds after which an image is too old; undefined: never. */
  readonly maxAge: (tree: string) => number | undefined;
  /** Every image's upgrades, and whose rebuild brings each. */
  readonly upgrades: ReadonlyMap<ImageName, readonly OwnedUpgrade[]>;
  /** Of a published image: what was tried since, and gave the same image again. */
  readonly tried: (digest: Digest) => Tried | undefined;
  /** Withdrawn images in whose place a rebuild would bring newer packages. */
  readonly outdatedWithdrawn: ReadonlySet<Digest>;
  /** Digest of a definition as it is now; undefined: it cannot be read. Asked where something is withdrawn. */
  readonly today: (image: ImageName) => Digest | undefined;
  /** What is built for; undefined: the engine's own. */
  readonly platform: string | undefined;
  /** Whether the files of a tree may be written; by its name. */
  readonly mayWrite: (tree: string) => boolean;
};

/** The smallest cut of a tree that mends it: what gets new content, and why. Each map is parents first. */
export type Refresh = {
  readonly due: ReadonlyMap<ImageName, readonly Reason[]>;
  /** Due too, and more than `maxBuilds`. */
  readonly left: ReadonlyMap<ImageName, readonly Reason[]>;
  /** Upgrades that a rebuild was made for and did not bring. */
  readonly notBrought: ReadonlyMap<ImageName, readonly Upgrade[]>;
  /** Due, and not to be touched: this checkout is older than the registry, or what would be made was withdrawn. */
  readonly held: ReadonlyMap<ImageName, Reason>;
  /** Due for an entry that may not be written. What stands on them waits with them. */
  readonly unwritable: ReadonlyMap<ImageName, readonly Reason[]>;
  /** What must be read before this can be believed. */
  readonly needs: readonly Need[];
};

/** How an upgrade is told from others in an image's label: short, since there may be hundreds. */
export function upgradeMark({ package: name, arch, to }: Upgrade): string {
  return digestOf(`${name}:${arch}=${to}`).slice('sha256:'.length, 'sha256:'.length + 12);
}

/** Which upgrades a published image was built for already, in vain if it still lacks them: its label tells, or what this host tried since. */
export function triedFor({ digest, provenance }: PublishedImage, memory: RefreshRequest['tried']): (upgrade: Upgrade) => boolean {
  const marks = new Set([...(provenance?.tried ?? []), ...(memory(digest)?.marks ?? [])]);
  return (upgrade) => marks.has(upgradeMark(upgrade));
}

/** Decides which images get new content because of the outside, and why. Pure; a fact that was not read is a need. */
export function planRefresh(graph: Graph, state: State, request: RefreshRequest): Refresh {
  const needs: Need[] = [];
  const notBrought = new Map<ImageName, readonly Upgrade[]>();
  const held = new Map<ImageName, Reason>();
  const unwritable = new Map<ImageName, readonly Reason[]>();
  const due = new Map<ImageName, readonly Reason[]>();
  for (const [image, node] of graph.nodes) {
    const there = state.images.get(image)!;
    if (request.excluded.has(image) || there.latest === undefined) continue;
    const published = there.latest;
    const { wanted, fresh } = upgradesOf(image, published, request);
    if (wanted.length > fresh.length) notBrought.set(image, wanted.filter((upgrade) => !fresh.includes(upgrade)));
    const reasons: Reason[] = [];
    if (fresh.length > 0) reasons.push({ why: 'packages-outdated', upgrades: fresh, tried: marksOf(image, request) });
    reasons.push(...parentReasons(node, graph, state, there.version ?? published, needs));
    const age = tooOld(node, published, request);
    if (age !== undefined) reasons.push(age);
    for (const { image: parent } of node.sources) if (parent !== undefined && isBuilt(due.get(parent))) reasons.push({ why: 'parent-refreshed', parent, ifDiffers: false });
    if (reasons.length === 0) continue;
    const halt = haltOf(node, there, { graph, state, due, request, needs });
    if (halt === undefined && !mayBump(node, there, request)) unwritable.set(image, withoutTwice(reasons));
    else if (halt !== undefined && halt.why !== 'promotion-pending') held.set(image, halt);
    else due.set(image, halt === undefined ? withoutTwice(reasons) : [halt]);
  }
  return { ...limited(graph, selected(due, request.select), request.maxBuilds), notBrought, held, unwritable, needs };
}

/** Whether an image of these reasons becomes another one: not, when its `:latest` only follows what is published already. */
function isBuilt(reasons: readonly Reason[] | undefined): boolean {
  return reasons !== undefined && reasons.every(({ why }) => why !== 'promotion-pending');
}

/** A parent that is refreshed moves anyway. */
function withoutTwice(reasons: readonly Reason[]): readonly Reason[] {
  const refreshed = new Set(reasons.flatMap((reason) => (reason.why === 'parent-refreshed' ? [reason.parent] : [])));
  return reasons.filter((reason) => !((reason.why === 'parent-moved' || reason.why === 'parent-bumped') && refreshed.has(reason.parent)));
}

/** The upgrades that a rebuild of this image brings, as far as they are asked for; and those for which none was made yet. */
function upgradesOf(image: ImageName, published: PublishedImage, request: RefreshRequest): { readonly wanted: readonly Upgrade[]; readonly fresh: readonly Upgrade[] } {
  const wanted = ownUpgrades(image, request).filter(({ security }) => security || request.which === 'all');
  const isTried = triedFor(published, request.tried);
  return { wanted, fresh: wanted.filter((upgrade) => !isTried(upgrade)) };
}

function ownUpgrades(image: ImageName, { upgrades }: RefreshRequest): readonly Upgrade[] {
  return (upgrades.get(image) ?? []).filter(({ owner, heldBack }) => 'image' in owner && owner.image === image && heldBack === undefined);
}

/** A rebuild brings them all, whichever it was asked for. */
function marksOf(image: ImageName, request: RefreshRequest): readonly string[] {
  return [...new Set(ownUpgrades(image, request).map(upgradeMark))].sort();
}

/** The parents, of the tree or outside, that are no longer what an image was built on. */
function parentReasons(node: Node, graph: Graph, state: State, { provenance }: PublishedImage, needs: Need[]): readonly Reason[] {
  if (provenance === undefined) return [];
  return node.sources.flatMap(({ ref, image: parent }): readonly Reason[] => {
    const recorded = parent === undefined ? provenance.parents[ref] : recordedDigest(graph, node, provenance.parents, parent);
    // What never was in a registry cannot be compared with what is.
    if (recorded === undefined || recorded.startsWith('id:')) return [];
    if (parent !== undefined) return treeParentReasons(graph.nodes.get(parent)!, recorded, state, needs);
    if (!state.outside.has(ref)) needs.push({ need: 'outside-digest', ref });
    const now = state.outside.get(ref);
    return now === undefined || now === null || now === recorded ? [] : [{ why: 'parent-moved', parent: ref, from: recorded, to: now }];
  });
}

/** What children of an image stand on as long as it is not built. */
function standingOf(image: ImageName, tagSource: TagSource, there: ImageState, state: State, needs: Need[]): PublishedImage | undefined {
  return tagSource.source === 'changelog' && withdrawnVersion(image, there, state, needs) === undefined ? there.version : there.latest;
}

function treeParentReasons({ definition: { image, tagSource } }: Node, recorded: string, state: State, needs: Need[]): readonly Reason[] {
  const there = state.images.get(image)!;
  const now = standingOf(image, tagSource, there, state, needs);
  if (now !== undefined) return now.digest === recorded ? [] : [{ why: 'parent-moved', parent: image, from: recorded, to: now.digest }];
  return tagSource.source === 'changelog' && there.latest !== undefined ? [{ why: 'parent-bumped', parent: image, version: tagSource.version }] : [];
}

/** The newest version of a versioned image, if it is withdrawn: then children stand on what `:latest` is. */
function withdrawnVersion(image: ImageName, { version, latest }: ImageState, { withdrawn }: State, needs: Need[]): DatedImage | undefined {
  if (version === undefined || latest === undefined || version.digest === latest.digest) return undefined;
  if (!withdrawn.has(image)) needs.push({ need: 'withdrawn', image });
  return withdrawn.get(image)?.[0];
}

function tooOld(node: Node, { digest, provenance }: PublishedImage, { now, maxAge, tried }: RefreshRequest): Reason | undefined {
  const limit = maxAge(node.tree.name);
  const made = Date.parse(provenance?.created ?? '');
  if (limit === undefined || Number.isNaN(made)) return undefined;
  const age = now - Math.max(made, tried(digest)?.at ?? 0);
  return age > limit ? { why: 'too-old', age, limit } : undefined;
}

type Around = { readonly graph: Graph; readonly state: State; readonly due: ReadonlyMap<ImageName, readonly Reason[]>; readonly request: RefreshRequest; readonly needs: Need[] };

/** What was withdrawn of a rolling image and would come out again: of today's definition, on what its parents will be, with what archives have. */
function withdrawnAgain(node: Node, { latest }: ImageState, { graph, state, due, request, needs }: Around): DatedImage | undefined {
  const { image } = node.definition;
  // What is :latest again, whoever moved it there, is not withdrawn.
  const withdrawn = (state.withdrawn.get(image) ?? []).filter(({ digest }) => digest !== latest?.digest && !request.outdatedWithdrawn.has(digest));
  const today = withdrawn.length === 0 ? undefined : request.today(image);
  if (today === undefined) return undefined;
  const standings = new Map(
    node.parents.map((parent): readonly [ImageName, Standing] => {
      const digest = standingOf(parent, graph.nodes.get(parent)!.definition.tagSource, state.images.get(parent)!, state, needs)?.digest;
      return [parent, isBuilt(due.get(parent)) ? 'changes' : digest === undefined ? 'absent' : { digest }];
    }),
  );
  return withdrawn.find(({ provenance }) => provenance !== undefined && isToday({ node, graph, today, standings, request }, provenance));
}

/** Why an image gets nothing new: what it would become is withdrawn, or its newest version is not what `:latest` is; undefined: it may. */
function haltOf(node: Node, there: ImageState, around: Around): Reason | undefined {
  const { image, tagSource } = node.definition;
  const { state, request, needs } = around;
  if (tagSource.source !== 'changelog') {
    const revision = there.latest?.provenance?.revision;
    if (revision !== undefined && !state.ancestry.has(revision)) needs.push({ need: 'ancestry', revision, tree: node.tree.name });
    // A build would refuse it, and what follows it would say what is not so.
    if (revision !== undefined && state.ancestry.get(revision) === false) return olderCheckout(revision, otherMovingTag(node.definition));
    if (!state.dated.has(image)) needs.push({ need: 'dated-tags', image });
    const again = withdrawnAgain(node, there, around);
    return again === undefined ? undefined : { why: 'withdrawn-latest', tag: again.tag, waitsFor: 'change' };
  }
  const move = mayMoveLatest(image, tagSource.version, tagSource.older, there.version?.digest, there.latest, state.olderVersion);
  if (move.result === 'unread') needs.push({ need: 'older-version', image });
  if (move.result === 'refused') return move.reason;
  if (there.version === undefined || move.result === 'there') return undefined;
  const withdrawn = withdrawnVersion(image, there, state, needs);
  if (withdrawn === undefined) return { why: 'promotion-pending', from: there.latest?.provenance?.version ?? 'another image' };
  const isOnRefreshed = node.sources.some(({ image: parent }) => parent !== undefined && isBuilt(around.due.get(parent)));
  return isOnRefreshed || request.outdatedWithdrawn.has(withdrawn.digest) ? undefined : { why: 'withdrawn-latest', tag: withdrawn.tag, waitsFor: 'version' };
}

/** Whether an image needs no entry, or may get one. */
function mayBump(node: Node, { version }: ImageState, { mayWrite }: RefreshRequest): boolean {
  return !isVersioned(node) || version === undefined || mayWrite(node.tree.name);
}

/** Of what is due: what was selected, and what that stands on. */
function selected(due: ReadonlyMap<ImageName, readonly Reason[]>, select: RefreshRequest['select']): ReadonlyMap<ImageName, readonly Reason[]> {
  if (select === undefined) return due;
  const kept = new Set<ImageName>();
  for (const [image, reasons] of [...due].reverse()) {
    if (!select.has(image) && !kept.has(image)) continue;
    kept.add(image);
    for (const reason of reasons) if (reason.why === 'parent-refreshed') kept.add(reason.parent);
  }
  return new Map([...due].filter(([image]) => kept.has(image)));
}

/** The most that may be built: security first, then what most stands on; an image only with all of its parents that are due. */
function limited(graph: Graph, due: ReadonlyMap<ImageName, readonly Reason[]>, most: number | undefined): Pick<Refresh, 'due' | 'left'> {
  if (most === undefined || due.size <= most) return { due, left: new Map() };
  const isSecurity = (reason: Reason): boolean => reason.why === 'packages-outdated' && reason.upgrades.some(({ security }) => security);
  const owners = [...due]
    .filter(([, reasons]) => reasons.some(({ why }) => why !== 'parent-refreshed'))
    .map(([image, reasons]) => ({ image, security: reasons.some(isSecurity), below: [...descendantsOf(graph, [image])].filter((child) => due.has(child)) }))
    .sort((a, b) => Number(b.security) - Number(a.security) || b.below.length - a.below.length);
  const taken = new Set<ImageName>();
  for (const { image, below } of owners) {
    const unit = new Set([image, ...below]);
    for (const one of due.keys()) {
      if (taken.size >= most || !unit.has(one) || taken.has(one)) continue;
      if (due.get(one)!.every((reason) => reason.why !== 'parent-refreshed' || taken.has(reason.parent))) taken.add(one);
    }
  }
  const split = (isTaken: boolean): ReadonlyMap<ImageName, readonly Reason[]> => new Map([...due].filter(([image]) => taken.has(image) === isTaken));
  return { due: split(true), left: split(false) };
}
