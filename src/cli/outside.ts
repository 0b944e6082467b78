import { join } from 'node:path';
import type { EngineConnection } from '../adapters/engine/engine-connection.js';
import type { Git } from '../adapters/git.js';
import { readJson, writeJson } from '../adapters/json-file.js';
import type { CredentialStore } from '../adapters/registry/credentials.js';
import type { BuildEngine } from '../execute/build-engine.js';
import type { ImageRemoval } from '../execute/delete-local.js';
import type { DiskSpace } from '../execute/disk-space.js';
import type { ImageReader } from '../execute/image-contents.js';
import type { PackLayer } from '../execute/ports.js';
import type { RunConfig, TreeConfig } from '../shared/config.js';
import { digestOf } from '../shared/digest.js';
import type { ImageRef } from '../shared/image-ref.js';
import type { Problem } from '../shared/problem.js';
import { createRedactor, type Redactor } from '../shared/redact.js';
import { createDigestMemory, type DigestMemory, type MemoryData } from '../state/digest-memory.js';
import type { EngineImages } from '../state/engine-images.js';
import type { ImageFilesOnEngine } from '../state/image-layers.js';
import type { LocalImage } from '../state/local-images.js';
import type { PackageArchive } from '../packages/package-archive.js';
import type { RecordingReader } from '../state/read-package-files.js';
import type { PackageChangelogs } from '../packages/package-changelogs.js';
import { createRefreshMemory, isRefreshData, type RefreshMemory } from '../state/refresh-memory.js';
import { cacheDirectory, type Environment } from './environment.js';
import { namespaceOf, routeEngine, routeRegistry, treeOfImage, type WholeRegistry } from './route.js';
import { openPackageArchive } from './open-package-archive.js';
import { dockerConfigOf, openTreeOutside, type TreeOutside } from './tree-outside.js';

/** Everything outside that verbs reach, opened on first use. Registry and engine are used as the tree of each image says. */
export type Connections = {
  readonly registry: WholeRegistry;
  engine(): Promise<BuildEngine>;
  /** What the engine has, as it was at the first call. */
  localImages(signal: AbortSignal): Promise<readonly LocalImage[]>;
  /** Reads what builds may mount, which is hidden from then on; what keeps some of it from being had. */
  secrets(): Promise<readonly Problem[]>;
  images(): Promise<ImageReader>;
  pruning(): Promise<EngineImages & ImageRemoval>;
  /** `scratch`: the folder of temporary files. */
  space(scratch: string): Promise<DiskSpace>;
  packLayer(): Promise<PackLayer>;
  packageReader(): Promise<RecordingReader>;
  /** The same for what a run has just published. */
  recordingReader(): Promise<RecordingReader>;
  engineFiles(): Promise<ImageFilesOnEngine>;
  packageArchive(): Promise<PackageArchive & PackageChangelogs>;
  /** The logins of a tree. */
  credentialsOf(tree: TreeConfig): CredentialStore;
  /** The git work tree of a tree, by the tree's name. */
  gitOf(tree: string): Git;
  readonly memory: DigestMemory;
  readonly refreshMemory: RefreshMemory;
  readonly redactor: Redactor;
  /** Keeps what was learnt and closes what is open. */
  close(): Promise<void>;
};

/** Opens nothing yet but the cache of what registries said. */
export async function connect({ trees }: RunConfig, environment: Environment): Promise<Connections> {
  const { env } = environment;
  const redactor = createRedactor();
  const dockerConfigDirectory = dockerConfigOf(environment);
  let connection: Promise<EngineConnection> | undefined;
  const connectEngine = async (): Promise<EngineConnection> => {
    const [{ resolveEngineAddress }, { createEngineConnection }] = await Promise.all([import('../adapters/engine/engine-address.js'), import('../adapters/engine/engine-connection.js')]);
    return createEngineConnection(resolveEngineAddress(env, dockerConfigDirectory), join(cacheDirectory(environment), 'ssh'));
  };
  const engineConnection = (): Promise<EngineConnection> => (connection ??= connectEngine());
  const opened = await Promise.all(trees.map((tree) => openTreeOutside(tree, { redactor, dockerConfigDirectory, engineConnection }, environment)));
  const first = opened[0]!;
  const byName = new Map(opened.map((outside) => [outside.tree.name, outside]));
  const outsideFor = (ref: ImageRef): TreeOutside => byName.get(treeOfImage(trees, ref).name)!;
  const memoryPath = join(cacheDirectory(environment), 'registry', `${memoryName(trees)}.json`);
  const memory = createDigestMemory(readJson(memoryPath, isMemory));
  const refreshPath = join(cacheDirectory(environment), 'refresh', `${memoryName(trees)}.json`);
  // Of the runs of a day hardly one asks it.
  let refreshOpened: ReturnType<typeof createRefreshMemory> | undefined;
  const refreshMemory = (): RefreshMemory => (refreshOpened ??= createRefreshMemory(readJson(refreshPath, isRefreshData)));
  const routed = async (): Promise<BuildEngine> => {
    const engines = new Map(await Promise.all(opened.map(async (outside) => [outside, await outside.engine()] as const)));
    return routeEngine((ref) => engines.get(outsideFor(ref))!, engines.get(first)!);
  };
  let engine: Promise<BuildEngine> | undefined;
  const openEngine = (): Promise<BuildEngine> => (engine ??= opened.length === 1 ? first.engine() : routed());
  let images: Promise<readonly LocalImage[]> | undefined;
  const registry = opened.length === 1 ? first.registry : routeRegistry((ref) => outsideFor(ref).registry);
  const engineFiles = async (): Promise<ImageFilesOnEngine> => {
    const [{ createEnginePackageFiles }, { HOST_PLATFORM }] = await Promise.all([import('../adapters/engine/engine-package-files.js'), import('../adapters/host-platform.js')]);
    return createEnginePackageFiles(await engineConnection(), first.tree.config.platform ?? HOST_PLATFORM, () => environment.clock.now());
  };
  let packageReader: Promise<RecordingReader> | undefined;
  let recordingReader: Promise<RecordingReader> | undefined;
  const openPackageReader = async (layers: WholeRegistry): Promise<RecordingReader> => {
    const [{ createLayerSource }, { createPackageCache }, { createPackageReader }] = await Promise.all([import('../adapters/package-files/layer-source.js'), import('../adapters/package-files/package-cache.js'), import('../state/read-package-files.js')]);
    const cache = createPackageCache(join(cacheDirectory(environment), 'packages'), () => environment.clock.now());
    cache.sweep();
    return createPackageReader(createLayerSource(layers), cache, await engineFiles().catch(() => undefined));
  };
  let packageArchive: ReturnType<typeof openPackageArchive> | undefined;
  return {
    registry,
    engineFiles,
    packageArchive: () => (packageArchive ??= openPackageArchive(trees, environment)),
    packageReader: () => (packageReader ??= openPackageReader(registry)),
    recordingReader: () => (recordingReader ??= openPackageReader(routeRegistry((ref) => outsideFor(ref).beside()))),
    credentialsOf: ({ name }) => byName.get(name)!.credentials,
    gitOf: (tree) => byName.get(tree)!.git,
    memory,
    get refreshMemory() {
      return refreshMemory();
    },
    redactor,
    secrets: async () => (await Promise.all(opened.map((outside) => outside.secrets()))).flatMap(({ warnings }) => warnings),
    engine: openEngine,
    localImages: (signal) => (images ??= openEngine().then((opened) => opened.list(signal))),
    async images() {
      const { createImageReader } = await import('../adapters/engine/image-contents.js');
      return createImageReader(await engineConnection());
    },
    async pruning() {
      const { createEnginePruning } = await import('../adapters/engine/engine-pruning.js');
      return createEnginePruning(await engineConnection(), first.tree.config.timeouts.idle);
    },
    async space(scratch) {
      const { createEngineSpace } = await import('../adapters/engine/engine-space.js');
      return createEngineSpace(await engineConnection(), scratch, first.tree.config.timeouts.idle);
    },
    async packLayer() {
      const { createLayerPacking } = await import('../adapters/engine/layer-packing.js');
      return createLayerPacking(await engineConnection(), first.tree.config.timeouts.idle);
    },
    async close() {
      if (memory.changed) writeJson(memoryPath, memory.data());
      if (refreshOpened?.changed === true) writeJson(refreshPath, refreshOpened.data());
      for (const outside of opened) outside.close();
      (await packageArchive?.catch(() => undefined))?.close();
      (await connection?.catch(() => undefined))?.close();
    },
  };
}

/** What an index is to us depends on the platform. */
function memoryName(trees: readonly TreeConfig[]): string {
  const names = trees.map(({ config }) => fileName(namespaceOf(config), config.platform));
  return names.length === 1 ? names[0]! : `trees-${digestOf(names.sort().join('\n')).slice('sha256:'.length, 'sha256:'.length + 16)}`;
}

/** What identifies a registry and namespace, as part of a file's name. */
export function fileName(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join('/').replace(/[^A-Za-z0-9.-]/g, '_');
}

function isMemory(value: unknown): value is MemoryData {
  const { tags, provenance } = (value ?? {}) as Partial<Record<keyof MemoryData, unknown>>;
  return typeof tags === 'object' && tags !== null && typeof provenance === 'object' && provenance !== null;
}
