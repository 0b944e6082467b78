import { join, resolve } from 'node:path';
import type { CredentialStore } from '../adapters/credentials.js';
import type { EngineConnection } from '../adapters/engine-connection.js';
import type { Git } from '../adapters/git.js';
import type { BuildEngine } from '../execute/build-engine.js';
import type { DiskSpace } from '../execute/disk-space.js';
import type { WritableRegistry } from '../execute/writable-registry.js';
import type { Config } from '../shared/config.js';
import { EngineError, UsageError } from '../shared/errors.js';
import { createRedactor, type Redactor } from '../shared/redact.js';
import { createDigestMemory, type DigestMemory, type MemoryData } from '../state/digest-memory.js';
import { cacheDirectory, type Environment } from './environment.js';
import type { Options } from './verb.js';

/** Everything outside that verbs reach, opened on first use. */
export type Connections = {
  readonly registry: WritableRegistry;
  engine(): Promise<BuildEngine>;
  /** `scratch`: the folder of temporary files. */
  space(scratch: string): Promise<DiskSpace>;
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
    import('../adapters/credentials.js'),
    import('../adapters/registry.js'),
    import('../adapters/git.js'),
    import('../adapters/json-file.js'),
  ]);
  const { env, cwd, home, clock } = environment;
  const redactor = createRedactor();
  const store = createCredentials({
    dockerConfigDir: env['DOCKER_CONFIG'] || join(home, '.docker'),
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
  });
  const memoryPath = join(cacheDirectory(environment), 'registry', `${fileName(config.registry, config.namespace)}.json`);
  const memory = createDigestMemory(readJson(memoryPath, isMemory));
  let engine: Promise<BuildEngine & { close(): void }> | undefined;
  let spaceConnection: EngineConnection | undefined;
  return {
    registry,
    credentials,
    memory,
    redactor,
    git: createGit(resolve(cwd, options.directory)),
    engine() {
      engine ??= import('../adapters/engine.js').then(({ createEngine }) => createEngine({ ...socketOf(env), credentialsFor: loginFor(credentials), clock, patience: config.timeouts.idle }));
      return engine;
    },
    async space(scratch) {
      const [{ createEngineConnection, DEFAULT_SOCKET }, { createEngineSpace }] = await Promise.all([import('../adapters/engine-connection.js'), import('../adapters/engine-space.js')]);
      spaceConnection ??= createEngineConnection(socketOf(env).socketPath ?? DEFAULT_SOCKET);
      return createEngineSpace(spaceConnection, scratch, config.timeouts.idle);
    },
    async close() {
      spaceConnection?.close();
      if (memory.changed) writeJson(memoryPath, memory.data());
      registry.close();
      (await engine?.catch(() => undefined))?.close();
    },
  };
}

/** What identifies a registry and namespace, as part of a file's name. */
export function fileName(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join('/').replace(/[^A-Za-z0-9.-]/g, '_');
}

function socketOf(env: Environment['env']): { readonly socketPath?: string } {
  const host = env['DOCKER_HOST'];
  if (!host) return {};
  if (!host.startsWith('unix://')) throw new EngineError(`DOCKER_HOST is ${host.replace(/\/\/[^/@]*@/, '//')}: only unix:// sockets are supported`);
  return { socketPath: host.slice('unix://'.length) };
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
