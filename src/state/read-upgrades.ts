import { packageSources, type Graph } from '../graph/graph.js';
import { findUpgrades } from '../packages/find-upgrades.js';
import { parseImagePackages, type ImagePackages } from '../packages/image-packages.js';
import type { PackageArchive, SuiteRead, SuiteWanted, Unknown } from '../packages/package-archive.js';
import type { PackageFiles } from '../packages/package-files.js';
import type { PackageIndex } from '../packages/package-index.js';
import type { Upgrade } from '../packages/upgrade.js';
import type { Digest } from '../shared/digest.js';
import { RegistryError } from '../shared/errors.js';
import { parseImageRef, withTag, type ImageName, type ImageRef } from '../shared/image-ref.js';
import { packageKey, type ImageUpgrades, type OutsidePackages, type UpgradesRead } from './image-upgrades.js';
import { UnreadableImage, type PackageReader } from './package-reader.js';
import type { PublishedImages } from './published-images.js';
import type { State } from './state.js';
import { comparisonKey, type UpgradeMemory } from './upgrade-memory.js';

/** The outside that images' packages are read from. */
export type PackagesOutside = {
  readonly packages: PackageReader;
  readonly published: Pick<PublishedImages, 'digestOf'>;
};

/** What is newer than what an image has. */
export type Compared = Pick<ImageUpgrades, 'unknown' | 'upgrades' | 'archived' | 'withoutSources'>;

/** Looks for what is newer than what an image has. */
export type Compare = (image: ImagePackages, digest: Digest) => Promise<Compared>;

/** Is told what was found for an image, and where. */
export type OnFound = (image: ImagePackages, upgrades: readonly Upgrade[], indexes: readonly PackageIndex[]) => Promise<void>;

/** Looks in the archives that an image's own sources name; what is wrong with one of them is what the image is unknown for. */
export function inArchives(archive: PackageArchive, signal: AbortSignal, memory?: UpgradeMemory, onFound?: OnFound): Compare {
  const find = (image: ImagePackages, digest: Digest, indexes: readonly PackageIndex[]): readonly Upgrade[] => {
    const key = comparisonKey(digest, image, indexes);
    const known = memory?.recall(key);
    if (known !== undefined) return known;
    const found = findUpgrades(image, indexes);
    memory?.remember(key, found);
    return found;
  };
  const asked = new Map<string, Promise<SuiteRead>>();
  const numbers = new WeakMap<Uint8Array, number>();
  let last = 0;
  const numberOf = (bytes: Uint8Array): number => {
    const number = numbers.get(bytes) ?? ++last;
    numbers.set(bytes, number);
    return number;
  };
  // Equal files of images are one object, so that keys need not be compared.
  const read = (wanted: SuiteWanted): Promise<SuiteRead> => {
    const keyrings = wanted.keyrings === 'trusted' ? wanted.keyrings : wanted.keyrings.map(({ path, bytes }) => [path, numberOf(bytes)]);
    const key = JSON.stringify({ ...wanted, keyrings });
    const answer = asked.get(key) ?? archive.readSuite(wanted, signal);
    asked.set(key, answer);
    return answer;
  };
  return async (image, digest) => {
    const suites = await Promise.all(image.sources.map(read));
    const indexes = suites.flatMap((suite) => (suite.known ? suite.indexes : []));
    const archived = image.sources.flatMap(({ suite }, at) => {
      const read = suites[at]!;
      return read.known && read.archived === true ? [suite] : [];
    });
    const upgrades = find(image, digest, indexes);
    await onFound?.(image, upgrades, indexes);
    return { unknown: [...image.unreadable, ...suites.flatMap((suite) => (suite.known ? [] : [suite.unknown]))], upgrades, archived: [...new Set(archived)], withoutSources: image.sources.length === 0 && image.installed.length > 0 };
  };
}

/**
 * What is newer than what each of these images has that is published, and the ancestors that it may have packages from. Images
 * whose files are the same are looked at once. An image whose files cannot be made out is unknown.
 * @param images undefined: all
 */
export async function readUpgrades(graph: Graph, state: Pick<State, 'images'>, images: ReadonlySet<ImageName> | undefined, outside: PackagesOutside, compare: Compare, signal: AbortSignal): Promise<UpgradesRead> {
  const contentsOf = contentsReader(outside, compare, signal);
  const found = await Promise.all(
    withAncestors(graph, images).map(async (image): Promise<readonly (readonly [ImageName, ImageUpgrades])[]> => {
      const digest = digestInUse(state, image);
      if (digest === undefined) return [];
      const { unknown, installed, compared } = await contentsOf(graph.nodes.get(image)!.ref, digest);
      const { unknown: more, ...rest } = await compared();
      return [[image, { digest, unknown: [...unknown, ...more], installed, ...rest }]];
    }),
  );
  const read = new Map(found.flat());
  const behind = outsideBehind(graph, read);
  const around = await Promise.all(behind.map(async (ref) => [ref, await readOutside(ref, outside, contentsOf, signal)] as const));
  return { images: withUnknownBelow(graph, read, new Map(around)), outside: new Map(around) };
}

/** What is installed in an image: version by packageKey. */
export function installedIn({ installed }: Pick<ImagePackages, 'installed'>): ReadonlyMap<string, string> {
  return new Map(installed.map(({ name, architecture, version }) => [packageKey(name, architecture), version]));
}

/** What is in use of an image: what its moving tag is, else its version; undefined: it is not published. */
export function digestInUse({ images }: Pick<State, 'images'>, image: ImageName): Digest | undefined {
  const there = images.get(image);
  return (there?.latest ?? there?.version)?.digest;
}

/** These images and the images of the tree that theirs may have packages from, parents first. */
function withAncestors(graph: Graph, images: ReadonlySet<ImageName> | undefined): readonly ImageName[] {
  const wanted = new Set(images ?? graph.nodes.keys());
  const inOrder = [...graph.nodes.keys()];
  for (const image of inOrder.toReversed()) {
    if (wanted.has(image)) for (const source of packageSources(graph.nodes.get(image)!)) if (source.image !== undefined) wanted.add(source.image);
  }
  return inOrder.filter((image) => wanted.has(image));
}

/** Outside images that something outdated may have its packages from: only they have a say in who mends it. */
function outsideBehind(graph: Graph, read: ReadonlyMap<ImageName, ImageUpgrades>): readonly string[] {
  const refs = new Set<string>();
  for (const [image, { upgrades }] of read) {
    if (upgrades.length > 0) for (const source of packageSources(graph.nodes.get(image)!)) if (source.image === undefined) refs.add(source.ref);
  }
  return [...refs];
}

/** Where an outside image cannot be read, nobody knows what of an image on it is its own: whose rebuild mends that is unknown. */
function withUnknownBelow(graph: Graph, read: ReadonlyMap<ImageName, ImageUpgrades>, outside: UpgradesRead['outside']): ReadonlyMap<ImageName, ImageUpgrades> {
  return new Map(
    [...read].map(([image, one]) => {
      if (one.upgrades.length === 0) return [image, one];
      const below = packageSources(graph.nodes.get(image)!).flatMap(({ ref, image: parent }) => (parent === undefined ? outside.get(ref)!.unknown : []));
      return [image, { ...one, unknown: [...one.unknown, ...below] }];
    }),
  );
}

async function readOutside(text: string, { published }: PackagesOutside, contentsOf: ContentsReader, signal: AbortSignal): Promise<OutsidePackages> {
  const written = parseImageRef(text)!;
  const ref = written.tag === undefined && written.digest === undefined ? withTag(written, 'latest') : written;
  try {
    const digest = ref.digest ?? (await published.digestOf(ref, signal));
    // Then builds take it from the engine, and what the tree can do is to build on that.
    if (digest === undefined) return { digest: undefined, unknown: [], installed: new Map() };
    const { unknown, installed } = await contentsOf(ref, digest);
    return { digest, unknown, installed };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return { digest: undefined, unknown: [unreadable(`${text}, which it stands on, could not be read: ${error.message}`)], installed: new Map() };
  }
}

function unreadable(says: string): Unknown {
  return { why: 'unreadable', says };
}

/** What an image holds. Its upgrades are looked for when they are asked for. */
type Contents = Pick<ImageUpgrades, 'unknown' | 'installed'> & { compared(): Promise<Compared> };

type ContentsReader = (ref: ImageRef, digest: Digest) => Promise<Contents>;

function contentsReader({ packages }: PackagesOutside, compare: Compare, signal: AbortSignal): ContentsReader {
  const byFiles = new Map<PackageFiles, Contents>();
  const make = (files: PackageFiles, digest: Digest): Contents => {
    const image = parseImagePackages(files);
    let compared: Promise<Compared> | undefined;
    return {
      // What is wrong with its sources matters to who asks them.
      unknown: [],
      installed: installedIn(image),
      compared: () => (compared ??= compare(image, digest)),
    };
  };
  return async (ref, digest) => {
    let files: PackageFiles;
    try {
      files = await packages.filesOf(ref, digest, signal);
    } catch (error) {
      if (!(error instanceof UnreadableImage)) throw error;
      return { unknown: [unreadable(error.message)], installed: new Map(), compared: () => Promise.resolve({ unknown: [], upgrades: [], archived: [], withoutSources: false }) };
    }
    const there = byFiles.get(files) ?? make(files, digest);
    byFiles.set(files, there);
    return there;
  };
}
