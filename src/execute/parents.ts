import { isPlatform } from '../shared/platform.js';
import { parseImageRef, repositoryOf, withTag, type ImageName, type ImageRef } from '../shared/image-ref.js';
import type { Digest } from '../shared/digest.js';
import { RegistryError } from '../shared/errors.js';
import type { Source } from '../graph/graph.js';
import type { InspectedImage } from './build-engine.js';
import { StepFailure } from './step-failure.js';
import type { Ports } from './ports.js';
import { within } from './within.js';

/** An image that a build stands on, ready on the engine under a tag of this run alone. */
export type Parent = {
  /** As the Dockerfile names it. */
  readonly ref: string;
  /** Manifest digest, or `id:…` of an image that no registry has. */
  readonly digest: string;
  /** The reference to write in its place. */
  readonly runTag: string;
  readonly image: InspectedImage;
  /** Why what stands on it may not be published; undefined: it may. */
  readonly unpublishable: string | undefined;
};

/** What an image of the tree is for its children: what this run made of it, or what the registry or the engine has. */
export type TreeImage = { readonly ref: ImageRef; readonly id: string | undefined; readonly digest: Digest | undefined };

/** What bringing parents is told of its run. */
export type ParentOptions = {
  /** Marks the temporary tags of this run on the engine. */
  readonly token: string;
  /** Use an outside image that the engine has, whatever its registry has by now. */
  readonly noPull: boolean;
  /** How long one pull may take. */
  readonly pullSeconds: number;
  /** What is built for: `linux/amd64`; unset is the engine's own. */
  readonly platform: string | undefined;
  /** Told of a mirror that the engine could not use. */
  warn(message: string): void;
  /** What an image of the tree is now; undefined: it is nowhere. */
  treeImage(image: ImageName): TreeImage | undefined;
};

/** Brings every image a build stands on to the engine, each once a run; by digest, never by a tag that happens to be there. */
export function createParents(ports: Pick<Ports, 'engine' | 'registry'>, options: ParentOptions, signal: AbortSignal): { bring(source: Source): Promise<Parent>; readonly runTags: ReadonlySet<string> } {
  const { engine, registry } = ports;
  const brought = new Map<string, Promise<Parent>>();
  const runTags = new Set<string>();

  const fits = ({ platform }: { readonly platform: string }): boolean => options.platform === undefined || isPlatform(platform, options.platform);

  const settle = async (source: string, ref: ImageRef, have: string, digest: string, unpublishable?: string): Promise<Parent> => {
    // Where two references of one repository are brought (two tags of an outside image), each needs a tag of its own.
    const runTag = nextRunTag(ref, options.token, runTags);
    runTags.add(runTag);
    await engine.tag(have, runTag, signal);
    const image = await engine.inspect(runTag, signal);
    if (image === undefined) throw new StepFailure('build', `${source} was here a moment ago and is gone from the engine`);
    return { ref: source, digest, runTag, image, unpublishable };
  };

  /** The first of some names under which the engine has an image for the wanted platform. */
  const present = async (names: readonly string[]): Promise<string | undefined> => {
    for (const name of names) {
      const have = await engine.inspect(name, signal);
      if (have !== undefined && fits(have)) return name;
    }
    return undefined;
  };

  const pull = async (names: readonly string[]): Promise<string> => {
    for (const [index, name] of names.entries()) {
      // A registry that sends half of a layer and no more would keep the engine, and so the run, waiting for ever.
      const tooLong = (): Error => new RegistryError(`the pull of ${name} did not end within ${options.pullSeconds} s`, parseImageRef(name)!.registry, undefined);
      try {
        await within(options.pullSeconds, signal, tooLong, (either) => engine.pull(name, either, options.platform));
        return name;
      } catch (error) {
        if (!(error instanceof RegistryError) || index === names.length - 1) throw error;
        options.warn(`the engine does not get it from the mirror: ${error.message}`);
      }
    }
    throw new TypeError('an image without a name');
  };

  const pulled = async (source: string, ref: ImageRef, digest: Digest): Promise<Parent> => {
    const byDigest = `${repositoryOf(ref)}@${digest}`;
    for (let attempt = 1; ; attempt++) {
      let name = await present([byDigest]);
      if (name === undefined) {
        const names = await registry.namesOf(ref, digest, signal);
        name = await present(names);
        // Of an image that is none of several, engines pull what there is.
        if (name === undefined && options.platform !== undefined && !fits(await registry.configOf(ref, digest, signal))) throw new StepFailure('build', `it stands on ${source}, which its registry does not have for ${options.platform}, the config's platform`);
        name ??= await pull(names);
      }
      try {
        return await settle(source, ref, name, digest);
      } catch (error) {
        // Another run beside this one may have taken the image's last name away just now, and the image with it.
        if (attempt > 1 || (await engine.inspect(name, signal)) !== undefined) throw error;
      }
    }
  };

  const bringTree = async (source: string, image: ImageName): Promise<Parent> => {
    const known = options.treeImage(image);
    if (known === undefined) throw new StepFailure('build', `it stands on ${image}, which is neither in the registry nor built in this run`);
    const local = known.id !== undefined && (await engine.inspect(known.id, signal)) !== undefined;
    if (local) return settle(source, known.ref, known.id!, known.digest ?? `id:${known.id!}`, known.digest === undefined ? `it stands on ${image}, which is on this engine only` : undefined);
    if (known.digest === undefined) throw new StepFailure('build', `it stands on ${image}, which is gone from the engine`);
    return pulled(source, known.ref, known.digest);
  };

  const bringOutside = async (source: string): Promise<Parent> => {
    const written = parseImageRef(source);
    if (written === undefined) throw new StepFailure('build', `"${source}" is no image reference`);
    const ref = written.digest === undefined && written.tag === undefined ? withTag(written, 'latest') : written;
    if (options.noPull) {
      const local = await engine.inspect(source, signal);
      if (local !== undefined && fits(local)) {
        const inRegistry = ref.digest ?? (await registry.digestOf(ref, signal).catch(() => undefined));
        const same = inRegistry !== undefined && local.repoDigests.some((name) => name.endsWith(`@${inRegistry}`));
        return settle(source, ref, local.id, same ? inRegistry : `id:${local.id}`, same ? undefined : `it stands on the engine's ${source}, which is not the registry's (--no-pull)`);
      }
    }
    const digest = ref.digest ?? (await registry.digestOf(ref, signal));
    if (digest === undefined) throw new StepFailure('build', `it stands on ${source}, which its registry does not have`);
    return pulled(source, ref, digest);
  };

  return {
    bring(source) {
      // One reference may be an image of the tree for one child, and an earlier build of itself for that image.
      const key = `${source.image ?? ''} ${source.ref}`;
      const known = brought.get(key);
      if (known !== undefined) return known;
      const promise = source.image === undefined ? bringOutside(source.ref) : bringTree(source.ref, source.image);
      brought.set(key, promise);
      return promise;
    },
    runTags,
  };
}

function nextRunTag(ref: ImageRef, token: string, taken: ReadonlySet<string>): string {
  const repository = repositoryOf(ref);
  for (let count = 1; ; count++) {
    const tag = `${repository}:run-${token}${count === 1 ? '' : `.${count}`}`;
    if (!taken.has(tag)) return tag;
  }
}
