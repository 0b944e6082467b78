import { dirname, join, resolve } from 'node:path';
import type { BuildSecrets } from '../adapters/engine/build-secrets.js';
import type { CredentialStore } from '../adapters/registry/credentials.js';
import type { EngineConnection } from '../adapters/engine/engine-connection.js';
import type { Git } from '../adapters/git.js';
import type { BuildEngine } from '../execute/build-engine.js';
import type { ImageReader } from '../execute/image-contents.js';
import type { DiskSpace } from '../execute/disk-space.js';
import type { PackLayer } from '../execute/ports.js';
import type { WritableRegistry } from '../execute/writable-registry.js';
import type { Config } from '../shared/config.js';
import { UsageError } from '../shared/errors.js';
import { repositoryOf } from '../shared/image-ref.js';
import { createRedactor, type Redactor } from '../shared/redact.js';
import type { LocalImage } from '../state/local-images.js';
import { createDigestMemory, type DigestMemory, type MemoryData } from '../state/digest-memory.js';
import { cacheDirectory, type Environment } from './environment.js';
import type { Options } from './verb.js';

/** Everything outside that verbs reach, opened on first use. */
export type Connections = {
  readonly registry: WritableRegistry;
  engine(): Promise<BuildEngine>;
  /** What the engine has, as it was at the first call. */
  localImages(signal: AbortSignal): Promise<readonly LocalImage[]>;
  /** Read at the first call, and hidden from then on. */
  secrets(): Promise<BuildSecrets>;
  images(): Promise<ImageReader>;
  /** `scratch`: the folder of temporary files. */
  space(scratch: string): Promise<DiskSpace>;
  packLayer(): Promise<PackLayer>;
  readonly credentials: CredentialStore;
  readonly git: Git;
  readonly memory: DigestMemory;
  readonly redactor: Redactor;
  /** Keeps what was learnt and closes what is open. */
  close(): Promise<void>;
};

/** The host of the configured registry: config.registry without the path it may have. */
export function registryHost(config: Config): string {
  return config.registry.split('/')[0]!;
}

/** Opens nothing yet but the cache of what registries said. */
export async function connect(config: Config, options: Options, environment: Environment): Promise<Connections> {
  const [{ createCredentials }, { createRegistry }, { createGit }, { readJson, writeJson }] = await Promise.all([
    import('../adapters/registry/credentials.js'),
    import('../adapters/registry/registry.js'),
    import('../adapters/git.js'),
    import('../adapters/json-file.js'),
  ]);
  const { env, cwd, home, clock } = environment;
  const dockerConfigDirectory = env['DOCKER_CONFIG'] || join(home, '.docker');
  const redactor = createRedactor();
  const store = createCredentials({
    dockerConfigDir: dockerConfigDirectory,
    own: config.credentials === undefined ? undefined : { registry: registryHost(config), ...config.credentials },
  });
  if (config.credentials !== undefined) redactor.hideLogin(config.credentials.username, config.credentials.password);
  const credentials: CredentialStore = {
    source: store.source,
    async credentialsFor(host) {
      const found = await store.credentialsFor(host);
      if (found !== undefined) redactor.hideLogin(found.username, found.password);
      if (found?.identityToken !== undefined) redactor.hide(found.identityToken);
      return found;
    },
  };
  const registry = createRegistry({
    credentialsFor: (host) => credentials.credentialsFor(host),
    credentialsSource: credentials.source,
    insecureRegistries: config.insecureRegistries,
    ...(config.caBundle === undefined ? {} : { ca: await readCa(config, cwd) }),
    timeouts: config.timeouts,
    clock,
    random: () => environment.random(),
    userAgent: 'build-images',
    platform: config.platform,
    mirrors: config.registryMirrors,
    publishes: (ref) => repositoryOf(ref).startsWith(`${[config.registry, config.namespace].filter((part) => part !== undefined).join('/')}/`),
    warn: (message) => environment.err(message),
  });
  // What an index is to us depends on the platform.
  const memoryPath = join(cacheDirectory(environment), 'registry', `${fileName(config.registry, config.namespace, config.platform)}.json`);
  const memory = createDigestMemory(readJson(memoryPath, isMemory));
  let engine: Promise<BuildEngine> | undefined;
  let engineConnection: Promise<EngineConnection> | undefined;
  let images: Promise<readonly LocalImage[]> | undefined;
  const connectEngine = async (): Promise<EngineConnection> => {
    const [{ resolveEngineAddress }, { createEngineConnection }] = await Promise.all([import('../adapters/engine/engine-address.js'), import('../adapters/engine/engine-connection.js')]);
    return createEngineConnection(resolveEngineAddress(env, dockerConfigDirectory), join(cacheDirectory(environment), 'ssh'));
  };
  let secrets: Promise<BuildSecrets> | undefined;
  const readSecrets = (): Promise<BuildSecrets> =>
    (secrets ??= import('../adapters/engine/build-secrets.js').then(({ readBuildSecrets }) => readBuildSecrets(config.buildSecrets, { configPath: config.path, directory: dirname(resolve(cwd, config.path)), env }, redactor)));
  const openEngine = async (): Promise<BuildEngine> => {
    const [connection, { createEngine }] = await Promise.all([(engineConnection ??= connectEngine()), import('../adapters/engine/engine.js')]);
    return createEngine(connection, { credentialsFor: loginFor(credentials), secretOf: async (id) => (await readSecrets()).get(id), clock, patience: config.timeouts.idle });
  };
  return {
    registry,
    credentials,
    memory,
    redactor,
    git: createGit(resolve(cwd, options.directory)),
    secrets: readSecrets,
    engine: () => (engine ??= openEngine()),
    localImages: (signal) => (images ??= (engine ??= openEngine()).then((opened) => opened.list(signal))),
    async images() {
      const [connection, { createImageReader }] = await Promise.all([(engineConnection ??= connectEngine()), import('../adapters/engine/image-contents.js')]);
      return createImageReader(connection);
    },
    async space(scratch) {
      const [connection, { createEngineSpace }] = await Promise.all([(engineConnection ??= connectEngine()), import('../adapters/engine/engine-space.js')]);
      return createEngineSpace(connection, scratch, config.timeouts.idle);
    },
    async packLayer() {
      const [connection, { createLayerPacking }] = await Promise.all([(engineConnection ??= connectEngine()), import('../adapters/engine/layer-packing.js')]);
      return createLayerPacking(connection, config.timeouts.idle);
    },
    async close() {
      if (memory.changed) writeJson(memoryPath, memory.data());
      registry.close();
      (await engineConnection?.catch(() => undefined))?.close();
    },
  };
}

/** What identifies a registry and namespace, as part of a file's name. */
export function fileName(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join('/').replace(/[^A-Za-z0-9.-]/g, '_');
}

/** Engines name registries as docker's configuration does. */
function loginFor(credentials: CredentialStore): (host: string) => Promise<{ username: string; password: string } | { identitytoken: string } | undefined> {
  return async (host) => {
    const found = await credentials.credentialsFor(/^https:\/\/index\.docker\.io\/v1\/$/.test(host) ? 'docker.io' : host);
    if (found === undefined) return undefined;
    return found.identityToken === undefined ? { username: found.username, password: found.password } : { identitytoken: found.identityToken };
  };
}

async function readCa(config: Config, cwd: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  const path = resolve(cwd, config.caBundle!);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${config.path}: ca_bundle ${config.caBundle!} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

function isMemory(value: unknown): value is MemoryData {
  const { tags, provenance } = (value ?? {}) as Partial<Record<keyof MemoryData, unknown>>;
  return typeof tags === 'object' && tags !== null && typeof provenance === 'object' && provenance !== null;
}
