import { bumpVersion } from '../definition/bump-version.js';
import { compareVersions } from '../definition/version.js';
import { descendantsOf, isVersioned, parentRefs, type Graph, type Node } from '../graph/graph.js';
import type { InstalledPackage } from '../packages/package-record.js';
import type { Upgrade } from '../packages/upgrade.js';
import { formatImageRef, withTag, type ImageName } from '../shared/image-ref.js';
import { nextDatedTag } from '../state/dated-tag.js';
import type { OwnedUpgrade } from '../state/image-upgrades.js';
import type { Need, State } from '../state/state.js';
import type { Reason } from './reason.js';
import type { Step } from './step.js';

/** A release of a package that is thought of; without a version: one that is newer than all that images have. */
export type SupposedRelease = { readonly package: string; readonly version: string | undefined };

/** What is thought of. */
export type Supposition = {
  readonly releases: readonly SupposedRelease[];
  /** Images of the tree, as if they were rebuilt. */
  readonly images: readonly ImageName[];
  /** Outside images, as if they moved. */
  readonly outside: readonly string[];
};

/** Above every version: epochs are 32 bits (dpkg, `parseversion`). */
const NEWER_THAN_ALL = '2147483647:0';

/** `libssl3=3.0.17-1`, or `libssl3` alone; undefined: the text is no package (Debian Policy §5.6.7, §5.6.12). */
export function parseRelease(text: string): SupposedRelease | undefined {
  const [, name, version] = /^([a-z0-9][a-z0-9+.-]+)(?:=([0-9A-Za-z.+:~-]+))?$/.exec(text) ?? [];
  return name === undefined ? undefined : { package: name, version };
}

/** What an image would lack after these releases, if its sources had them. */
export function supposedUpgrades(installed: readonly InstalledPackage[], releases: readonly SupposedRelease[]): readonly Upgrade[] {
  return installed.flatMap(({ name, architecture, version, source }) =>
    releases.flatMap((release): readonly Upgrade[] => {
      const to = release.version ?? NEWER_THAN_ALL;
      if (release.package !== name || compareVersions(version, to) >= 0) return [];
      return [{ package: name, arch: architecture, source, from: version, to, suite: '', security: false, heldBack: undefined }];
    }),
  );
}

/** What would be built after a supposition. */
export type SupposedPlan = {
  /** One for each image of the graph, parents first: build or keep. */
  readonly steps: readonly Step[];
  /** Outside images that bring what is supposed, by reference, with the images that wait for them. */
  readonly waiting: ReadonlyMap<string, readonly ImageName[]>;
  readonly needs: readonly Need[];
};

/** The images that a supposition would rebuild: whoever brings a package, whoever stands on what moves, and all that stands on those. */
export function planSupposed(graph: Graph, state: State, supposition: Supposition, owned: ReadonlyMap<ImageName, readonly OwnedUpgrade[]>, day: string): SupposedPlan {
  const causes = new Map([...graph.nodes].map(([image, node]) => [image, causesOf(node, supposition, owned.get(image) ?? [])]));
  const first = [...graph.nodes.keys()].filter((image) => causes.get(image)!.length > 0);
  const built = new Set([...first, ...descendantsOf(graph, first)]);
  const needs: Need[] = [];
  const steps = [...graph.nodes].map(([image, node]): Step => {
    if (!built.has(image)) return stepOf(graph, node, state, 'keep', node.ref.tag!, [{ why: 'not-concerned' }]);
    const parents = node.parents.filter((parent) => built.has(parent));
    if (!isVersioned(node) && !state.dated.has(image)) needs.push({ need: 'dated-tags', image });
    return stepOf(graph, node, state, 'build', tagAfter(node, state, day), [...causes.get(image)!, ...parents.map((parent): Reason => ({ why: 'parent-refreshed', parent, ifDiffers: false }))]);
  });
  return { steps, waiting: waitingFor(owned), needs };
}

function waitingFor(owned: ReadonlyMap<ImageName, readonly OwnedUpgrade[]>): SupposedPlan['waiting'] {
  const waiting = new Map<string, Set<ImageName>>();
  for (const [image, upgrades] of owned) {
    for (const { owner } of upgrades) if ('outside' in owner) waiting.set(owner.outside, (waiting.get(owner.outside) ?? new Set()).add(image));
  }
  return new Map([...waiting].map(([ref, images]) => [ref, [...images]]));
}

/** What of the supposition makes an image new by itself. */
function causesOf(node: Node, { images, outside }: Supposition, owned: readonly OwnedUpgrade[]): readonly Reason[] {
  const { image } = node.definition;
  const own = owned.filter(({ owner }) => 'image' in owner && owner.image === image);
  const moved = node.sources.flatMap(({ ref, image: parent }) => (parent === undefined && outside.includes(ref) ? [ref] : []));
  return [
    ...own.map(({ package: name, from, to }): Reason => ({ why: 'supposed-release', package: name, from, to: to === NEWER_THAN_ALL ? undefined : to })),
    ...(images.includes(image) ? [{ why: 'supposed-rebuild', of: undefined } as const] : []),
    ...moved.map((ref): Reason => ({ why: 'supposed-rebuild', of: ref })),
  ];
}

/** The tag that a rebuild would have: the next version, or the next of this day. */
function tagAfter({ definition: { image, tagSource }, tree }: Node, state: State, day: string): string {
  if (tagSource.source !== 'changelog') return nextDatedTag(day, (state.dated.get(image) ?? []).map(({ tag }) => tag));
  // What is not published yet takes the rebuild along.
  if (state.images.get(image)?.version === undefined) return tagSource.version;
  return bumpVersion(tagSource.version, tree.config.updateId, (version) => tagSource.older.includes(version));
}

function stepOf(graph: Graph, node: Node, state: State, action: 'keep' | 'build', tag: string, reasons: readonly Reason[]): Step {
  const { latest, version } = state.images.get(node.definition.image)!;
  const now = latest?.provenance?.version ?? (latest ?? version === undefined ? undefined : node.ref.tag);
  return {
    image: node.definition.image,
    ref: formatImageRef(withTag(node.ref, tag)),
    tag,
    kind: node.definition.recipe.kind,
    action,
    parents: parentRefs(graph, node),
    reasons,
    now,
    publishes: false,
    promotes: false,
    latestBefore: latest?.digest,
    digest: undefined,
    localId: undefined,
  };
}
