import { join, resolve } from 'node:path';
import type { BuildSecrets } from '../adapters/engine/build-secrets.js';
import type { EngineConnection } from '../adapters/engine/engine-connection.js';
import { createGit, type Git } from '../adapters/git.js';
import { createCredentials, type CredentialStore } from '../adapters/registry/credentials.js';
import { createRegistry } from '../adapters/registry/registry.js';
import type { BuildEngine } from '../execute/build-engine.js';
import { fileOf, type Config, type TreeConfig } from '../shared/config.js';
import { UsageError } from '../shared/errors.js';
import { repositoryOf, type ImageRef } from '../shared/image-ref.js';
import type { Redactor } from '../shared/redact.js';
import type { Environment } from './environment.js';
import { namespaceOf, type WholeRegistry } from './route.js';

/** What one tree's config opens of the outside. */
export type TreeOutside = {
  readonly tree: TreeConfig;
  readonly registry: WholeRegistry;
  /**
   * The registry itself, without its mirrors, over connections of its own: what is asked beside a run's work takes no part in that, and
   * no mirror has yet what was published just now.
   */
  beside(): WholeRegistry;
  close(): void;
  readonly credentials: CredentialStore;
  readonly git: Git;
  engine(): Promise<BuildEngine>;
  /** Read at the first call, and hidden from then on. */
  secrets(): Promise<BuildSecrets>;
};

/** What all trees of a run share. */
export type SharedOutside = { readonly redactor: Redactor; readonly dockerConfigDirectory: string; engineConnection(): Promise<EngineConnection> };

/** The host of the configured registry: config.registry without the path it may have. */
export function registryHost(config: Config): string {
  return config.registry.split('/')[0]!;
}

/** Opens nothing yet. */
export async function openTreeOutside(tree: TreeConfig, { redactor, dockerConfigDirectory, engineConnection }: SharedOutside, environment: Environment): Promise<TreeOutside> {
  const { env, cwd, clock } = environment;
  const { config } = tree;
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
  const registryOptions = {
    credentialsFor: (host: string) => credentials.credentialsFor(host),
    credentialsSource: credentials.source,
    insecureRegistries: config.insecureRegistries,
    ...(config.caBundle === undefined ? {} : { ca: await readCa(config, cwd) }),
    timeouts: config.timeouts,
    clock,
    random: () => environment.random(),
    userAgent: 'build-images',
    platform: config.platform,
    mirrors: config.registryMirrors,
    publishes: (ref: ImageRef) => repositoryOf(ref).startsWith(`${namespaceOf(config)}/`),
    warn: (message: string) => environment.err(message),
  };
  const registry = createRegistry(registryOptions);
  let beside: ReturnType<typeof createRegistry> | undefined;
  let secrets: Promise<BuildSecrets> | undefined;
  const readSecrets = (): Promise<BuildSecrets> => (secrets ??= import('../adapters/engine/build-secrets.js').then(({ readBuildSecrets }) => readBuildSecrets(config.buildSecrets, { cwd, env }, redactor)));
  let engine: Promise<BuildEngine> | undefined;
  const openEngine = async (): Promise<BuildEngine> => {
    const [connection, { createEngine }] = await Promise.all([engineConnection(), import('../adapters/engine/engine.js')]);
    return createEngine(connection, { credentialsFor: loginFor(credentials), secretOf: async (id) => (await readSecrets()).get(id), clock, patience: config.timeouts.idle });
  };
  return {
    tree,
    registry,
    beside: () => (beside ??= createRegistry({ ...registryOptions, mirrors: {}, warn: () => undefined })),
    close() {
      registry.close();
      beside?.close();
    },
    credentials,
    git: createGit(resolve(cwd, tree.directory)),
    engine: () => (engine ??= openEngine()),
    secrets: readSecrets,
  };
}

/** Where docker's own configuration is. */
export function dockerConfigOf({ env, home }: Environment): string {
  return env['DOCKER_CONFIG'] || join(home, '.docker');
}

/** Engines name registries as docker's configuration does. */
function loginFor(credentials: CredentialStore): (host: string) => Promise<{ username: string; password: string } | { identitytoken: string } | undefined> {
  return async (host) => {
    const found = await credentials.credentialsFor(/^https:\/\/index\.docker\.io\/v1\/$/.test(host) ? 'docker.io' : host);
    if (found === undefined) return undefined;
    return found.identityToken === undefined ? { username: found.username, password: found.password } : { identitytoken: found.identityToken };
  };
}

/** The text of `ca_bundle`, which the config has. */
export async function readCa(config: Config, cwd: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  const path = resolve(cwd, config.caBundle!);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${fileOf(config, 'ca_bundle')}: ca_bundle ${config.caBundle!} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}
