import { parentRefs, type Graph, type Node } from '../graph/graph.js';
import { tagOf } from '../graph/tags.js';
import { movingTagOf, otherMovingTag, versionLabelOf, type TagSource } from '../definition/definition.js';
import type { Nightly } from '../definition/nightly.js';
import { formatImageRef, withTag, type ImageName } from '../shared/image-ref.js';
import type { Digest } from '../shared/digest.js';
import { isPlatform } from '../shared/platform.js';
import { newestDatedFirst, nextDatedTag, parseDatedTag } from '../state/dated-tag.js';
import { withdrawnName } from '../state/withdrawn-tag.js';
import { namesIn } from '../state/engine-images.js';
import { LABEL, provenanceOf } from '../state/labels.js';
import type { LocalImage } from '../state/local-images.js';
import type { DatedImage, ImageState, Need, State } from '../state/state.js';
import { mayMoveLatest, type Move } from './latest.js';
import { isPublished } from './publishing.js';
import { olderCheckout, type Reason } from './reason.js';
import { answers, mayComeOutSame } from './refreshed-image.js';
import { isToday, whichParentsMove, type Standing } from './standing.js';
import type { Plan, RunPublishing, Step } from './step.js';

/** What a user asks of a build. */
export type BuildRequest = {
  /** Images to look after; undefined: all. Unpublished parents of what is built come along. */
  readonly select: ReadonlySet<ImageName> | undefined;
  readonly publishing: RunPublishing;
  /** Build the selected images though nothing asks for it. */
  readonly rebuild: boolean;
  /** UTC day of the run's start, `YYYYMMDD`. */
  readonly day: string;
  /** Digest of each definition as it is on disk today. */
  readonly definitions: ReadonlyMap<ImageName, Digest>;
  /** Set: the graph's tags are those of such a build. */
  readonly nightly?: Nightly | undefined;
  /** What is built for; undefined: the engine's own. */
  readonly platform: string | undefined;
  /** Withdrawn images in whose place a rebuild would bring newer packages; unset: nobody looked. */
  readonly outdatedWithdrawn?: ReadonlySet<Digest> | undefined;
  /** Images that get new content because of the outside, and why (plan/refresh.ts). */
  readonly refresh?: ReadonlyMap<ImageName, readonly Reason[]> | undefined;
};

type Planned = { readonly step: Step; readonly standing: Standing };

/**
 * Decides for every image, parents first, what to do and why. Pure: a fact that was not read is taken as "not there" and
 * reported as a need; read it and plan again.
 */
export function planBuild(graph: Graph, state: State, request: BuildRequest): Plan {
  let included = request.select ?? new Set(graph.nodes.keys());
  const neededBy = new Map<ImageName, ImageName>();
  for (;;) {
    const pass = planOnce(graph, state, request, included, neededBy);
    const missing = unpublishedParents(graph, pass.planned, included);
    if (missing.size === 0) return { publishing: request.publishing, nightly: request.nightly, steps: [...pass.planned.values()].map(({ step }) => step), needs: pass.needs };
    for (const [parent, child] of missing) neededBy.set(parent, child);
    included = new Set([...included, ...missing.keys()]);
  }
}

/** Parents that are not there, of images that will be built, outside the selection. */
function unpublishedParents(graph: Graph, planned: ReadonlyMap<ImageName, Planned>, included: ReadonlySet<ImageName>): ReadonlyMap<ImageName, ImageName> {
  const missing = new Map<ImageName, ImageName>();
  for (const [image, { step }] of planned) {
    if (step.action !== 'build') continue;
    for (const parent of graph.nodes.get(image)!.parents) {
      if (!included.has(parent) && planned.get(parent)!.standing === 'absent') missing.set(parent, image);
    }
  }
  return missing;
}

function planOnce(graph: Graph, state: State, request: BuildRequest, included: ReadonlySet<ImageName>, neededBy: ReadonlyMap<ImageName, ImageName>): { planned: Map<ImageName, Planned>; needs: readonly Need[] } {
  const planned = new Map<ImageName, Planned>();
  const needs: Need[] = [];
  const older = new Set<ImageName>();
  const sparing = new Set<ImageName>();
  /** What stays on this engine, since its tree, or that of something it stands on, does not publish. */
  const staying = new Set<ImageName>();
  for (const [image, node] of graph.nodes) {
    const one: One = {
      node,
      graph,
      state,
      request,
      published: state.images.get(image)!,
      today: request.definitions.get(image)!,
      publishes: isPublished(request.publishing, node.tree.name),
      staysWith: node.sources.find((source) => source.image !== undefined && staying.has(source.image))?.image,
      requested: request.rebuild && request.select?.has(image) === true,
      neededBy: neededBy.get(image),
      standings: new Map(node.parents.map((parent) => [parent, planned.get(parent)!.standing])),
      olderParents: new Set(node.parents.filter((parent) => older.has(parent))),
      sparing,
      refresh: (request.refresh?.get(image) ?? []).filter(({ why }) => why !== 'parent-refreshed' && why !== 'promotion-pending'),
      need: (need) => void needs.push(need),
    };
    if (!included.has(image)) planned.set(image, planUnselected(one));
    else planned.set(image, planSelected(one));
    if (isOlderHere(one, planned.get(image)!.step)) older.add(image);
    if (planned.get(image)!.step.unlessSame === true) sparing.add(image);
    if ((!one.publishes || one.staysWith !== undefined) && isHereOnly(planned.get(image)!.standing)) staying.add(image);
  }
  return { planned, needs };
}

/** Whether children stand on something that no registry has, or will have unless this run publishes it. */
function isHereOnly(standing: Standing): boolean {
  return standing === 'changes' || (standing !== 'absent' && standing.digest.startsWith('id:'));
}

function planSelected(one: One): Planned {
  switch (one.node.definition.tagSource.source) {
    case 'changelog':
      return planVersioned(one);
    case 'day':
      return planRolling(one);
    case 'nightly':
    case 'snapshot':
      return planNightly(one);
  }
}

/** Everything that decides about one image. */
type One = {
  readonly node: Node;
  readonly graph: Graph;
  readonly state: State;
  readonly request: BuildRequest;
  readonly published: ImageState;
  readonly today: Digest;
  /** Whether its tree publishes. */
  readonly publishes: boolean;
  /** A parent that stays on this engine. */
  readonly staysWith: ImageName | undefined;
  readonly requested: boolean;
  readonly neededBy: ImageName | undefined;
  readonly standings: ReadonlyMap<ImageName, Standing>;
  /** Parents of which the registry has something newer than this checkout knows. */
  readonly olderParents: ReadonlySet<ImageName>;
  /** Images above it that are not published when they come out as they are. */
  readonly sparing: ReadonlySet<ImageName>;
  /** Why it is refreshed, beside its parents of the tree. */
  readonly refresh: readonly Reason[];
  need(need: Need): void;
};

function stepOf(one: One, tag: string, part: Pick<Step, 'action' | 'reasons'> & Partial<Step>): Step {
  const { node, graph } = one;
  return {
    image: node.definition.image,
    ref: formatImageRef(withTag(node.ref, tag)),
    tag,
    kind: node.definition.recipe.kind,
    parents: parentRefs(graph, node),
    now: undefined,
    publishes: false,
    promotes: false,
    moving: otherMovingTag(node.definition),
    latestBefore: one.published.latest?.digest,
    digest: undefined,
    localId: undefined,
    ...part,
  };
}

function planUnselected(one: One): Planned {
  const { node, published } = one;
  const isRolling = node.definition.tagSource.source === 'day';
  const there = isRolling || withdrawnVersion(one, movesLatest(one)) !== undefined ? published.latest : published.version;
  if (there === undefined) {
    const step = stepOf(one, node.ref.tag!, { action: 'keep', reasons: [{ why: 'not-selected' }] });
    return { step, standing: 'absent' };
  }
  const step = stepOf(one, node.ref.tag!, { action: 'keep', reasons: [{ why: 'not-selected' }, { why: 'published', digest: there.digest }], digest: there.digest, now: node.ref.tag });
  return { step, standing: { digest: there.digest } };
}

/** Whether the registry has something newer than this checkout knows, selected or not. */
function isOlderHere(one: One, step: Step): boolean {
  if (one.node.definition.tagSource.source !== 'changelog') return step.reasons.some(({ why }) => why === 'older-checkout' || why === 'older-parent');
  return movesLatest(one).result === 'refused';
}

/** Whether `:latest` may move to the newest version; that of an image without versions is no matter of this. */
function movesLatest({ node, published, state }: One): Move {
  const { image, tagSource } = node.definition;
  if (tagSource.source !== 'changelog') return { result: 'there' };
  return mayMoveLatest(image, tagSource.version, tagSource.older, published.version?.digest, published.latest, state.olderVersion);
}

function planVersioned(one: One): Planned {
  const { node, published, state, requested } = one;
  const tagSource = node.definition.tagSource as Extract<typeof node.definition.tagSource, { source: 'changelog' }>;
  const { version } = tagSource;
  const there = published.version;
  const now = published.latest?.provenance?.version ?? (published.latest !== undefined && published.latest.digest === there?.digest ? version : (state.olderVersion.get(node.definition.image) ?? undefined));

  if (requested) {
    // Whoever asks for a rebuild tries something: a version is published by a build that nobody had to ask for.
    const step = stepOf(one, `${version}-local`, { action: 'build', reasons: [{ why: 'requested' }], digest: there?.digest, now });
    return { step, standing: there === undefined ? 'changes' : { digest: there.digest } };
  }
  const move = movesLatest(one);
  if (move.result === 'unread' && one.publishes) one.need({ need: 'older-version', image: node.definition.image });

  if (there === undefined) {
    const planned = planUnpublished(one, version, [{ why: 'not-published' }, ...one.refresh], move.result === 'move', now);
    return move.result === 'refused' || move.result === 'left' ? { ...planned, step: { ...planned.step, reasons: [...planned.step.reasons, move.reason] } } : planned;
  }

  const withdrawn = withdrawnVersion(one, move);
  if (withdrawn !== undefined) {
    const { digest } = published.latest!;
    return { step: stepOf(one, now ?? version, { action: 'keep', reasons: [{ why: 'withdrawn-latest', tag: withdrawn.tag, waitsFor: 'version' }], digest, now }), standing: { digest } };
  }
  const standing: Standing = { digest: there.digest };
  const origin: readonly Reason[] = there.provenance === undefined ? [{ why: 'origin-unknown', digest: there.digest }] : [{ why: 'published', digest: there.digest }];
  const drift: readonly Reason[] = there.provenance !== undefined && there.provenance.definition !== one.today ? [{ why: 'changed-without-changelog' }] : [];
  // Its version stays what it is, and so it stays behind: that is only said.
  const behind = there.provenance === undefined ? [] : whichParentsMove(one, there.provenance.parents);
  const base = { digest: there.digest, now };
  switch (move.result) {
    case 'there':
    case 'unread':
      return { step: stepOf(one, version, { ...base, action: 'keep', reasons: [...(drift.length > 0 ? drift : origin), ...behind] }), standing };
    case 'left':
      return { step: stepOf(one, version, { ...base, action: 'keep', reasons: [...drift, move.reason, ...behind] }), standing };
    case 'refused':
      return { step: stepOf(one, version, { ...base, action: 'blocked', reasons: [move.reason, ...drift] }), standing };
    case 'move': {
      const reasons: readonly Reason[] = [{ why: 'promotion-pending', from: published.latest === undefined ? undefined : (now ?? 'another image') }, ...drift, ...behind];
      if (!one.publishes) return { step: stepOf(one, version, { ...base, action: 'keep', reasons }), standing };
      return { step: stepOf(one, version, { ...base, action: 'promote', promotes: true, reasons }), standing };
    }
  }
}

/** Whether `:latest` of a versioned image is there, and is something else than its published newest version. */
function isBehind({ published: { version, latest } }: One): boolean {
  return version !== undefined && latest !== undefined && latest.digest !== version.digest;
}

/** The newest version, if `:latest` would move to it and it is withdrawn. */
function withdrawnVersion(one: One, move: Move): DatedImage | undefined {
  const { node, state, need } = one;
  const { image } = node.definition;
  if (move.result !== 'move' || !isBehind(one)) return undefined;
  const known = state.withdrawn.get(image);
  if (known === undefined) need({ need: 'withdrawn', image });
  return known?.[0];
}

/** A nightly or snapshot build: what its tag does not name yet is built; nothing moves. */
function planNightly(one: One): Planned {
  const { source, tag } = one.node.definition.tagSource as Extract<TagSource, { tag: string }>;
  const there = one.published.version;
  if (there === undefined) return planUnpublished(one, tag, [{ why: 'nightly', build: source }], false, undefined);
  const why: Reason = { why: there.provenance === undefined ? 'origin-unknown' : 'published', digest: there.digest };
  return { step: stepOf(one, tag, { action: 'keep', reasons: [why], digest: there.digest, now: tag }), standing: { digest: there.digest } };
}

function planRolling(one: One): Planned {
  const { node, published, state, request, requested } = one;
  const image = node.definition.image;
  const { latest } = published;
  const moving = movingTagOf(node.definition);
  const dated = state.dated.get(image);
  const now = latest === undefined ? undefined : (dated?.find(({ digest }) => digest === latest.digest)?.tag ?? moving);
  let reasons = whyRollingBuilds(one);

  if (reasons.length === 0) {
    const kept = latest!;
    const why: Reason = kept.provenance === undefined ? { why: 'origin-unknown', digest: kept.digest } : { why: 'published', digest: kept.digest };
    return { step: stepOf(one, moving, { action: 'keep', reasons: [why], digest: kept.digest, now }), standing: { digest: kept.digest } };
  }
  if (dated === undefined) one.need({ need: 'dated-tags', image });
  // What is :latest again, whoever moved it there, is not withdrawn.
  const withdrawn = (state.withdrawn.get(image) ?? []).filter(({ digest }) => digest !== latest?.digest);
  const ready = requested ? undefined : dated?.find(({ digest, provenance }) => provenance !== undefined && isToday(one, provenance) && answers(one.refresh, provenance) && !withdrawn.some((one) => one.digest === digest));
  const withheld = requested ? undefined : withdrawn.find(({ digest, provenance }) => provenance !== undefined && isToday(one, provenance) && request.outdatedWithdrawn?.has(digest) !== true);
  // What was made again since, as a person asked, is not withdrawn.
  const isMadeAgain = ready !== undefined && dated?.find(({ digest }) => digest === ready.digest || digest === withheld?.digest) === ready;
  if (withheld !== undefined && latest !== undefined && !isMadeAgain) {
    const why: Reason = { why: 'withdrawn-latest', tag: withheld.tag, waitsFor: 'change' };
    return { step: stepOf(one, moving, { action: 'keep', reasons: [why], digest: latest.digest, now }), standing: { digest: latest.digest } };
  }
  const back = one.publishes ? reasons.find((reason) => (reason.why === 'parent-moved' || reason.why === 'parent-builds') && one.olderParents.has(reason.parent)) : undefined;
  if (back !== undefined && latest !== undefined) {
    const { parent } = back as Extract<Reason, { why: 'parent-moved' | 'parent-builds' }>;
    return { step: stepOf(one, moving, { action: 'blocked', reasons: [{ why: 'older-parent', parent }], digest: latest.digest, now }), standing: { digest: latest.digest } };
  }
  if (one.publishes && !requested && latest?.provenance?.revision !== undefined) {
    const { revision } = latest.provenance;
    if (!state.ancestry.has(revision)) one.need({ need: 'ancestry', revision, tree: node.tree.name });
    if (state.ancestry.get(revision) === false) {
      const step = stepOf(one, moving, { action: 'blocked', reasons: [olderCheckout(revision, otherMovingTag(node.definition))], digest: latest.digest, now });
      return { step, standing: { digest: latest.digest } };
    }
    if (state.ancestry.has(revision) && state.ancestry.get(revision) === undefined) reasons = [...reasons, { why: 'age-unknown' }];
  }
  if (ready !== undefined) {
    const base = { digest: ready.digest, now };
    const why: readonly Reason[] = [{ why: 'promoted', tag: ready.tag }, ...reasons];
    const step = one.publishes ? stepOf(one, ready.tag, { ...base, action: 'promote', promotes: true, reasons: why }) : stepOf(one, ready.tag, { ...base, action: 'keep', reasons: why });
    return { step, standing: { digest: ready.digest } };
  }
  const taken = [...(dated ?? []).map(({ tag }) => tag), ...withdrawn.flatMap(({ tag }) => withdrawnName(tag) ?? []), ...localTags(one)];
  const { step, standing } = planUnpublished(one, nextDatedTag(request.day, taken), reasons, true, now);
  const spares = step.action === 'build' && latest !== undefined && mayComeOutSame(step.reasons);
  return { step: spares ? { ...step, unlessSame: true } : step, standing };
}

/** Why a rolling image is not as it should be: nothing there, another definition, a parent that is not the recorded one, or asked for. */
function whyRollingBuilds(one: One): readonly Reason[] {
  const { published, requested, today } = one;
  if (requested) return [{ why: 'requested' }];
  if (published.latest === undefined) return [{ why: 'not-published' }];
  const { provenance } = published.latest;
  // Parents of the tree are looked at below.
  const reasons: Reason[] = one.refresh.filter((reason) => reason.why !== 'parent-moved' || !one.graph.nodes.has(reason.parent));
  if (provenance === undefined) return reasons;
  if (provenance.definition !== today) reasons.push({ why: 'inputs-changed' });
  const { platform } = one.request;
  // Where one of the two is the engine's own, nobody knows whether they differ.
  if (platform !== undefined && provenance.platform !== undefined && !isPlatform(provenance.platform, platform)) reasons.push({ why: 'platform-changed', from: provenance.platform, to: platform });
  return [...reasons, ...whichParentsMove(one, provenance.parents)];
}

/** An image that the registry does not have: taken from the engine if that one is exactly what would be built, else built. */
function planUnpublished(one: One, tag: string, reasons: readonly Reason[], promotes: boolean, now: string | undefined): Planned {
  const { neededBy, requested } = one;
  const publish = one.publishes && one.staysWith === undefined;
  const stays: readonly Reason[] = one.publishes && one.staysWith !== undefined ? [{ why: 'parent-stays', parent: one.staysWith }] : [];
  const why: readonly Reason[] = [...reasons, ...(neededBy === undefined ? [] : [{ why: 'needed-by' as const, child: neededBy }]), ...stays];
  const local = requested ? undefined : reusable(one);
  if (local !== undefined) {
    const localTag = ownTag(one, local) ?? tag;
    if (!publish) return { step: stepOf(one, localTag, { action: 'keep', reasons: [{ why: 'built-locally' }, ...stays], localId: local.id, now }), standing: { digest: `id:${local.id}` } };
    return { step: stepOf(one, tag, { action: 'publish', reasons: [...why, { why: 'built-locally' }], localId: local.id, publishes: true, promotes, now }), standing: 'changes' };
  }
  return { step: stepOf(one, tag, { action: 'build', reasons: why, publishes: publish, promotes: publish && promotes, now }), standing: 'changes' };
}

/** The engine's image that is exactly what a build would make: same definition, same parents, outside images too. */
function reusable(one: One): LocalImage | undefined {
  const { state, node } = one;
  if (state.local === undefined) {
    one.need({ need: 'local-images' });
    return undefined;
  }
  const version = versionLabelOf(node.definition.tagSource);
  // An engine may have thousands: what is looked at in full is of this definition.
  const candidates = state.local.filter((local) => local.labels[LABEL.definition] === one.today && ownTag(one, local) !== undefined);
  return candidates.find((local) => {
    const provenance = provenanceOf(local.labels, node.definition.name);
    if (provenance === undefined || !isToday(one, provenance) || !answers(one.refresh, provenance)) return false;
    // What somebody built on another version and tagged as this one carries that version's labels.
    if (version !== undefined && provenance.version !== version) return false;
    return node.sources.every(({ image, ref }) => {
      if (image !== undefined) return true;
      if (!state.outside.has(ref)) one.need({ need: 'outside-digest', ref });
      const digest = state.outside.get(ref);
      return digest !== undefined && digest !== null && provenance.parents[ref] === digest;
    });
  });
}

/** The tag by which a local image is this image's finished build: its version, a dated tag, a nightly build's. Newest first. */
function ownTag(one: One, local: LocalImage): string | undefined {
  const tags = tagsOn(one, local);
  const { definition } = one.node;
  return definition.tagSource.source === 'day' ? newestDatedFirst(tags)[0] : tags.find((tag) => tag === tagOf(definition));
}

function localTags(one: One): readonly string[] {
  return (one.state.local ?? []).flatMap((local) => tagsOn(one, local)).filter((tag) => parseDatedTag(tag) !== undefined);
}

/** The tags of this image's repository that a local image has. */
function tagsOn({ node }: One, local: LocalImage): readonly string[] {
  return namesIn(node.ref, local).flatMap(({ tag }) => tag ?? []);
}
