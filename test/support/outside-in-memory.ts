import type { Disk } from '../../src/execute/disk-space.js';
import type { Event, Happening, Progress } from '../../src/execute/event.js';
import type { BuildRequest, InspectedImage } from '../../src/execute/build-engine.js';
import type { ImageContents } from '../../src/execute/image-contents.js';
import type { Ports, TestEnd } from '../../src/execute/ports.js';
import { digestOf, type Digest } from '../../src/shared/digest.js';
import { formatImageRef, parseImageRef, repositoryOf, withTag } from '../../src/shared/image-ref.js';
import { good } from '../../src/shared/problem.js';
import { createRefreshMemory } from '../../src/state/refresh-memory.js';
import { today } from './plan-tree.js';

/** Called before the outside does something; what it throws is what the outside answers. Given the image's name, or a reference. */
export type Hooks = {
  probe?(repository: string): void | Promise<void>;
  /** What an image holds, where it is not what a stack image holds. */
  contents?(image: string): Partial<ImageContents>;
  /** All that an image (id, or name with its digest) is; unset: its own. */
  content?(ref: string): string;
  build?(image: string, request: BuildRequest, signal: AbortSignal): void | Promise<void>;
  test?(image: string): TestEnd | Promise<TestEnd>;
  push?(ref: string): void | Promise<void>;
  /** The platform of an image that the registry has; unset: the outside's. */
  platformOf?(ref: string): string;
  pull?(ref: string, signal: AbortSignal, platform?: string): void | Promise<void>;
  /** `lose` takes an image from the engine, as another run's clean-up might. */
  tag?(image: string, ref: string, engine: { lose(id: string): void }): void | Promise<void>;
  digestOf?(ref: string): void | Promise<void>;
  putTag?(ref: string): void | Promise<void>;
  /** Names of mirrors that have an image. */
  mirrorNames?(name: string): readonly string[];
  /** Bytes that are free; undefined: nobody can tell. Unset: plenty. */
  free?(disk: 'engine' | 'scratch'): number | undefined;
  /** The engine's disk, instead of one that `free` tells of. */
  engineDisk?(): undefined;
  /** Bytes that pruning the build cache frees. */
  prune?(keep: number): number | Promise<number>;
};

/** An engine and a registry in memory, what was asked of them, and what was told. */
export type OutsideInMemory = {
  readonly ports: Ports;
  /** What changed the outside, in order: `build web`, `push …/web:2.0`, `put web latest`. */
  readonly deeds: string[];
  readonly events: Event[];
  readonly shown: Progress[];
  /** By reference: the registry's tags. */
  readonly published: Map<string, Digest>;
  /** By reference: the engine's names, each with its image id. */
  readonly names: Map<string, string>;
  /** By image name: what the engine was asked to build. */
  readonly requests: Map<string, BuildRequest>;
  /** By image: the lines of its log. */
  readonly logs: Map<string, string[]>;
  /** Gives the engine an image. */
  have(id: string, names: readonly string[], part?: Partial<InspectedImage>): void;
  /** `type image` of each event, in order. */
  told(): readonly string[];
};

/** The manifest under which an image id is pushed. */
export const pushedAs = (id: string): Digest => digestOf(`pushed ${id}`);

/** The id of what a build of this image makes. */
export const builtId = (name: string): string => digestOf(`built ${name}`);

/** A stack image as trixie's would be: user 1000, one layer. */
function contentsOf({ labels }: InspectedImage, part: Partial<ImageContents> = {}): ImageContents {
  return {
    os: 'linux',
    architecture: 'amd64',
    user: '1000:1000',
    env: { PATH: '/bin', CNB_USER_ID: '1000', CNB_GROUP_ID: '1000', CNB_STACK_ID: 'org.example.stack.trixie1' },
    labels,
    diffIds: ['sha256:1'],
    history: [{ createdBy: 'FROM', emptyLayer: false }],
    files: new Map([['/etc/os-release', 'ID=debian\nVERSION_ID="13"\n'], ['/etc/passwd', 'app:x:1000:1000::/home/app:/bin/sh\n'], ['/etc/group', 'app:x:1000:\n']]),
    folders: new Map([['/home/app', { uid: 1000, gid: 1000, mode: 0o755 }]]),
    ...part,
  };
}

/** Nothing published, an empty engine; tests pass, unless a hook says otherwise. */
export function outsideInMemory(hooks: Hooks = {}, platform = 'linux/amd64'): OutsideInMemory {
  const deeds: string[] = [];
  const events: Event[] = [];
  const shown: Progress[] = [];
  const published = new Map<string, Digest>();
  const images = new Map<string, InspectedImage>();
  const names = new Map<string, string>();
  const requests = new Map<string, BuildRequest>();
  const logs = new Map<string, string[]>();
  const nameOf = (ref: string): string => parseImageRef(ref)!.repository;
  const find = (ref: string): InspectedImage | undefined => images.get(names.get(ref) ?? ref) ?? [...images.values()].find(({ repoDigests }) => repoDigests.includes(ref));
  const have: OutsideInMemory['have'] = (id, given, part = {}) => {
    images.set(id, { id, repoDigests: [], labels: {}, platform, size: 1_000_000, ...part });
    for (const name of given) names.set(name, id);
  };
  let now = 0;
  const diskOf = (disk: 'engine' | 'scratch'): Disk => ({ path: `/disk/${disk}`, free: () => (hooks.free === undefined ? 1e12 : hooks.free(disk)) });

  const ports: Ports = {
    engine: {
      list: async () => [...images.values()].map(({ id, labels, repoDigests }) => ({ id, labels, repoDigests, tags: [...names].filter(([, named]) => named === id).map(([name]) => name) })),
      async build(request, signal) {
        const name = nameOf(request.tag);
        requests.set(name, request);
        deeds.push(`build ${name}`);
        await hooks.build?.(name, request, signal);
        have(builtId(name), [request.tag], { labels: request.labels });
        return find(request.tag)!;
      },
      async load(archive) {
        const tar = Buffer.concat(await collect(archive)).toString('latin1');
        const tag = /"RepoTags":\["([^"]+)"\]/.exec(tar)![1]!;
        deeds.push(`load ${nameOf(tag)}`);
        have(builtId(nameOf(tag)), [tag]);
      },
      async pull(ref, signal, wanted) {
        deeds.push(`pull ${ref}`);
        await hooks.pull?.(ref, signal, wanted);
        have(digestOf(`pulled ${ref}`), [], { repoDigests: [ref]});
      },
      async push(ref) {
        deeds.push(`push ${ref}`);
        await hooks.push?.(ref);
        const image = find(ref)!;
        const digest = pushedAs(image.id);
        images.set(image.id, { ...image, repoDigests: [...image.repoDigests, `${repositoryOf(parseImageRef(ref)!)}@${digest}`] });
        published.set(ref, digest);
        return digest;
      },
      async tag(image, ref) {
        await hooks.tag?.(image, ref, { lose: (id) => void images.delete(id) });
        const found = find(image);
        if (found === undefined) throw new Error(`the engine has no ${image}`);
        names.set(ref, found.id);
      },
      async remove(ref) {
        names.delete(ref);
      },
      inspect: async (ref) => find(ref),
    },
    registry: {
      async digestOf(ref) {
        await hooks.digestOf?.(formatImageRef(ref));
        return published.get(formatImageRef(ref));
      },
      manifestOf: (ref, signal) => ports.registry.digestOf(ref, signal),
      configOf: async (ref) => ({ labels: {}, created: undefined, platform: hooks.platformOf?.(formatImageRef(ref)) ?? platform }),
      tagsOf: async (ref) => [...published.keys()].filter((key) => key.startsWith(`${repositoryOf(ref)}:`)).map((key) => key.slice(repositoryOf(ref).length + 1)),
      async probePush(ref) {
        deeds.push(`probe ${ref.repository}`);
        await hooks.probe?.(ref.repository);
      },
      namesOf: async (ref, digest) => [...(hooks.mirrorNames?.(repositoryOf(ref)) ?? []), repositoryOf(ref)].map((name) => `${name}@${digest}`),
      async putTag(ref, digest, tag) {
        deeds.push(`put ${ref.repository} ${tag}`);
        await hooks.putTag?.(ref.repository);
        published.set(formatImageRef(withTag(ref, tag)), digest);
      },
    },
    rootFileSystems: {
      architecture: async () => 'amd64',
      async make(_, options) {
        const epoch = options.chooseEpoch({ newestRelease: 1_700_000_000, packages: [] });
        return { epoch, packages: [], architecture: 'amd64', diffId: digestOf('layer'), size: 5, layerPath: 'layer.tar' };
      },
    },
    tests: {
      exists: () => hooks.test !== undefined,
      run: async ({ directory }) => (await hooks.test?.(directory.slice(directory.lastIndexOf('/') + 1))) ?? { end: 'exited', code: 0 },
    },
    images: {
      contentsOf: async (ref) => contentsOf(find(ref)!, hooks.contents?.(nameOf(ref))),
      async digestOf(ref) {
        deeds.push(`compare ${ref}`);
        return digestOf((await hooks.content?.(ref)) ?? `all of ${ref}`);
      },
    },
    refreshMemory: createRefreshMemory(undefined),
    space: {
      engineDisk: async () => (hooks.engineDisk === undefined ? diskOf('engine') : hooks.engineDisk()),
      scratchDisk: diskOf('scratch'),
      async pruneCache(keep) {
        deeds.push(`prune ${keep}`);
        return (await hooks.prune?.(keep)) ?? 0;
      },
    },
    readContext: () => good([]),
    digestNow: today,
    revisionOf: async () => ({ revision: 'c0ffee', source: 'https://git.example.org/images' }),
    openLog(image) {
      const lines: string[] = [];
      logs.set(image, lines);
      return { path: `logs/${image}.log`, line: (text) => void lines.push(text), close: async () => undefined };
    },
    scratch: async () => ({ path: 'scratch', release: async () => undefined }),
    packLayer: async ({ diffId, size }) => ({
      digest: diffId,
      size,
      compression: 'none',
      async *read() {
        yield Buffer.from('layer');
      },
    }),
    absolute: (directory) => `/tree/${directory}`,
    tell: (happening: Happening) => void events.push({ at: now, ...happening } as Event),
    show: (progress: Progress) => void shown.push(progress),
    now: () => (now += 1000),
  };
  return {
    ports,
    deeds,
    events,
    shown,
    published,
    names,
    requests,
    logs,
    have,
    told: () => events.map((event) => ('image' in event && event.image !== undefined ? `${event.type} ${event.image}` : event.type)),
  };
}

async function collect(archive: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk);
  return chunks;
}
