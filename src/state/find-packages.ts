import { compileGlob } from '../graph/glob.js';
import { packageSources, type Graph } from '../graph/graph.js';
import { parseInstalledPackages } from '../packages/installed-packages.js';
import type { PackageFiles } from '../packages/package-files.js';
import type { InstalledPackage } from '../packages/package-record.js';
import type { Digest } from '../shared/digest.js';
import { formatImageRef, parseImageRef, withTag, type ImageName, type ImageRef } from '../shared/image-ref.js';
import { UnreadableImage, type PackageReader } from './package-reader.js';
import type { PublishedImages } from './published-images.js';
import { digestInUse } from './read-upgrades.js';
import type { State } from './state.js';

/** Which packages are meant. */
export type PackagePattern = {
  /** Names of source packages are meant, not of binary ones. */
  readonly bySource: boolean;
  /** A glob, as `--select` takes them. */
  readonly name: string;
  /** The same; undefined: any. */
  readonly version: string | undefined;
};

/** A package that a published image has. */
export type FoundPackage = {
  readonly package: InstalledPackage;
  /** The topmost of the images it stands on that has the same version: one of the tree by its name, an outside image by its reference; undefined: the image itself brought it. */
  readonly from: string | undefined;
};

/** What was found in one published image. */
export type FoundImage = {
  readonly image: ImageName;
  readonly ref: string;
  readonly digest: Digest;
  /** Why nobody can say what is in it; undefined: it was read. */
  readonly unknown: string | undefined;
  readonly packages: readonly FoundPackage[];
};

/** `libssl3`, `lib*`, `src:openssl`, each with `=VERSION` or without; undefined of anything else. */
export function parsePackagePattern(text: string): PackagePattern | undefined {
  const [, source, name, version] = /^(src:)?([a-z0-9*?[\]!.+-]+)(?:=(\S+))?$/.exec(text) ?? [];
  return name === undefined ? undefined : { bySource: source !== undefined, name, version };
}

/** Where images are read. */
export type PackagesInImages = { readonly packages: PackageReader; readonly published: Pick<PublishedImages, 'digestOf'> };

/** Looks for packages in what is in use of each image that is published, parents first. */
export async function findPackages(graph: Graph, state: Pick<State, 'images'>, images: ReadonlySet<ImageName> | undefined, pattern: PackagePattern, outside: PackagesInImages, signal: AbortSignal): Promise<readonly FoundImage[]> {
  const installedIn = installedReader(outside.packages, signal);
  const ofOutside = new Map<string, Promise<readonly InstalledPackage[]>>();
  const inOutside = (ref: string): Promise<readonly InstalledPackage[]> => {
    const reading = ofOutside.get(ref) ?? readOutside(ref, outside.published, installedIn, signal);
    ofOutside.set(ref, reading);
    return reading;
  };
  const inTree = async (image: ImageName): Promise<readonly InstalledPackage[]> => {
    const digest = digestInUse(state, image);
    return digest === undefined ? [] : unlessUnreadable(installedIn(graph.nodes.get(image)!.ref, digest));
  };
  /** The topmost of what an image stands on that has this package as it is. */
  const bringerOf = async (image: ImageName, wanted: InstalledPackage): Promise<string | undefined> => {
    for (const source of packageSources(graph.nodes.get(image)!)) {
      const there = await (source.image === undefined ? inOutside(source.ref) : inTree(source.image));
      if (!there.some((one) => one.name === wanted.name && one.architecture === wanted.architecture && one.version === wanted.version)) continue;
      return source.image === undefined ? source.ref : ((await bringerOf(source.image, wanted)) ?? source.image);
    }
    return undefined;
  };
  const [isNamed, isVersion] = [compileGlob(pattern.name), compileGlob(pattern.version ?? '*')];
  const isMeant = ({ name, version, source, sourceVersion }: InstalledPackage): boolean => (pattern.bySource ? isNamed(source) && isVersion(sourceVersion) : isNamed(name) && isVersion(version));

  const found = await Promise.all(
    [...graph.nodes].map(async ([image, { ref }]): Promise<readonly FoundImage[]> => {
      const digest = images?.has(image) === false ? undefined : digestInUse(state, image);
      if (digest === undefined) return [];
      const about = { image, ref: formatImageRef(ref), digest };
      try {
        const meant = (await installedIn(ref, digest)).filter(isMeant).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.architecture < b.architecture ? -1 : 1));
        return [{ ...about, unknown: undefined, packages: await Promise.all(meant.map(async (one) => ({ package: one, from: await bringerOf(image, one) }))) }];
      } catch (error) {
        if (!(error instanceof UnreadableImage)) throw error;
        return [{ ...about, unknown: error.message, packages: [] }];
      }
    }),
  );
  return found.flat();
}

type InstalledReader = (ref: ImageRef, digest: Digest) => Promise<readonly InstalledPackage[]>;

/** Images of equal files are looked at once. One without records of dpkg has none of its packages. */
function installedReader(packages: PackageReader, signal: AbortSignal): InstalledReader {
  const byFiles = new Map<PackageFiles, readonly InstalledPackage[]>();
  return async (ref, digest) => {
    const files = await packages.filesOf(ref, digest, signal);
    const installed = byFiles.get(files) ?? parseInstalledPackages(files) ?? [];
    byFiles.set(files, installed);
    return installed;
  };
}

/** What an outside image has that the registry does not know any more, nobody can say. */
async function readOutside(text: string, published: Pick<PublishedImages, 'digestOf'>, installedIn: InstalledReader, signal: AbortSignal): Promise<readonly InstalledPackage[]> {
  const written = parseImageRef(text)!;
  const ref = written.tag === undefined && written.digest === undefined ? withTag(written, 'latest') : written;
  const digest = ref.digest ?? (await published.digestOf(ref, signal));
  return digest === undefined ? [] : unlessUnreadable(installedIn(ref, digest));
}

async function unlessUnreadable(reading: Promise<readonly InstalledPackage[]>): Promise<readonly InstalledPackage[]> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof UnreadableImage) return [];
    throw error;
  }
}
