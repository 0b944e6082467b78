import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../shared/errors.js';
import { nearHint } from '../../shared/near-names.js';

/** How TLS is spoken with an engine; PEM texts. Without `ca` the authorities that this machine trusts count. */
export type EngineTls = { readonly verify: boolean; readonly ca?: string; readonly cert?: string; readonly key?: string };

/** Where an engine is. `context`: the docker context that says so; unset for the environment and docker's default. */
export type EngineAddress = { readonly context?: string } & (
  | { readonly via: 'unix'; readonly socketPath: string }
  | { readonly via: 'tcp'; readonly host: string; readonly port: number; /** Before every request's path: '' or `/…`. */ readonly prefix: string; readonly tls?: EngineTls }
  | { readonly via: 'ssh'; readonly host: string; readonly user?: string; readonly port?: number; /** The socket over there, if it is not the usual one. */ readonly socketPath?: string }
);

/** An engine on another machine, reached as docker does: `ssh` runs `docker system dial-stdio` over there, which is a stream to its socket. */
export type SshAddress = Extract<EngineAddress, { readonly via: 'ssh' }>;

/** docker's own socket, where neither environment nor context names another engine. */
export const DEFAULT_ADDRESS: EngineAddress = { via: 'unix', socketPath: '/var/run/docker.sock' };

/** Environment variables that say which engine is meant, or are needed to reach it; a test that calls `docker` needs them too. */
export const ENGINE_VARIABLES = ['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'DOCKER_TLS', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH', 'SSH_AUTH_SOCK'];

/** The address as messages name it; it holds no password. */
export function engineName(address: EngineAddress): string {
  const where = whereOf(address);
  return address.context === undefined ? where : `${where} (docker context "${address.context}")`;
}

function whereOf(address: EngineAddress): string {
  if (address.via === 'unix') return address.socketPath;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  if (address.via === 'tcp') return `tcp://${host}:${address.port}${address.prefix}`;
  return `ssh://${address.user === undefined ? '' : `${address.user}@`}${host}${address.port === undefined ? '' : `:${address.port}`}${address.socketPath ?? ''}`;
}

/**
 * The engine that `docker` would reach: DOCKER_HOST, else the context of DOCKER_CONTEXT, else config.json's currentContext, else
 * the default socket. Throws UsageError when that is no address, or there is no such context. `configDirectory`: `$DOCKER_CONFIG` or `~/.docker`.
 */
export function resolveEngineAddress(env: Readonly<Record<string, string | undefined>>, configDirectory: string): EngineAddress {
  if (!env['DOCKER_HOST']) {
    const [name, source] = env['DOCKER_CONTEXT'] ? [env['DOCKER_CONTEXT'], 'DOCKER_CONTEXT'] : [currentContext(configDirectory), `currentContext in ${join(configDirectory, 'config.json')}`];
    if (name !== undefined && name !== 'default') return contextAddress(name, source, configDirectory);
  }
  const verify = Boolean(env['DOCKER_TLS_VERIFY']);
  const folder = env['DOCKER_CERT_PATH'] || configDirectory;
  const tls = verify || env['DOCKER_TLS'] ? readTls(folder, `DOCKER_CERT_PATH is ${folder}`, verify) : undefined;
  if (tls !== undefined && verify && tls.ca === undefined) throw new UsageError(`DOCKER_TLS_VERIFY is set, but there is no ca.pem in ${folder}`, ['DOCKER_CERT_PATH=DIRECTORY   names where ca.pem, cert.pem and key.pem are']);
  // docker's: only where no host is named at all does TLS mean another port.
  const host = env['DOCKER_HOST']?.trim() || (tls === undefined ? undefined : 'tcp://localhost:2376');
  return host === undefined ? DEFAULT_ADDRESS : parseEngineHost(host, 'DOCKER_HOST', tls);
}

/**
 * An address as docker writes it: unix://PATH, tcp://HOST:PORT (or HOST:PORT), ssh://USER@HOST:PORT/SOCKET.
 * @param source what named it, for the message of the UsageError that says it is none
 */
export function parseEngineHost(text: string, source: string, tls?: EngineTls): EngineAddress {
  const shown = text.replace(/\/\/.*@/, '//');
  const wrong = (why: string, ...hints: readonly string[]): UsageError => new UsageError(`${source} is ${shown}: ${why}`, hints);
  const [, scheme = 'tcp', rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(text)!;
  switch (scheme.toLowerCase()) {
    case 'unix':
      return rest === '' ? DEFAULT_ADDRESS : { via: 'unix', socketPath: rest };
    case 'tcp': {
      // Without a host docker means this machine.
      const url = urlOf(`http://${/^(?::|$)/.test(rest) ? 'localhost' : ''}${rest}`);
      if (url === undefined || url.search !== '' || url.hash !== '') throw wrong('not a host and a port', `${source}=tcp://HOST:2375`);
      // The URL of http leaves its own default out.
      const port = url.port === '' ? (/:80(?:\/|$)/.test(rest) ? 80 : 2375) : Number(url.port);
      return { via: 'tcp', host: bare(url.hostname), port, prefix: url.pathname.replace(/\/+$/, ''), ...(tls === undefined ? {} : { tls }) };
    }
    case 'ssh': {
      const url = urlOf(`ssh://${rest}`);
      // A host that begins with a dash would be an option of ssh.
      if (url === undefined || !/^[A-Za-z0-9_[][\w.:%\]-]*$/.test(url.hostname) || url.search !== '' || url.hash !== '') throw wrong('not a user, a host and a port', `${source}=ssh://USER@HOST`);
      if (url.password !== '') throw wrong('ssh takes no password here', 'ssh-copy-id installs a key', `${source}=ssh://USER@HOST`);
      const user = decodeURIComponent(url.username);
      const path = decodeURIComponent(url.pathname);
      return {
        via: 'ssh',
        host: bare(url.hostname),
        ...(user === '' ? {} : { user }),
        ...(url.port === '' ? {} : { port: Number(url.port) }),
        ...(path === '' || path === '/' ? {} : { socketPath: path }),
      };
    }
    case 'http':
    case 'https':
      throw wrong('an engine is named as tcp://', `${source}=tcp://${rest.replace(/.*@/, '')}${scheme === 'https' ? ', with DOCKER_TLS_VERIFY=1' : ''}`);
    case 'npipe':
      throw wrong('named pipes are there on Windows only', 'DOCKER_HOST=unix:///path, tcp://HOST:PORT or ssh://USER@HOST');
    default:
      throw wrong('an engine is named by unix://, tcp:// or ssh://', 'DOCKER_HOST=unix:///path, tcp://HOST:PORT or ssh://USER@HOST');
  }
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** A URL has an IPv6 address in brackets. */
function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** docker/cli, cli/context/store: `contexts/meta/SHA256-OF-NAME/meta.json`, its TLS files in `contexts/tls/SHA256-OF-NAME/docker`. */
function contextAddress(name: string, source: string, configDirectory: string): EngineAddress {
  const id = createHash('sha256').update(name).digest('hex');
  const path = join(configDirectory, 'contexts', 'meta', id, 'meta.json');
  const text = readIfThere(path);
  if (text === undefined) {
    const known = ['default', ...contextNames(configDirectory)];
    throw new UsageError(`there is no docker context "${name}", which ${source} names; there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}${nearHint(name, known)}`, ['docker context ls']);
  }
  const endpoint = (objectIn(text, path)['Endpoints'] as Readonly<Record<string, unknown>> | undefined)?.['docker'] as { readonly Host?: unknown; readonly SkipTLSVerify?: unknown } | undefined;
  if (endpoint === undefined) throw new UsageError(`docker context "${name}" has no docker endpoint`, [`docker context inspect ${name}`]);
  const files = readTls(join(configDirectory, 'contexts', 'tls', id, 'docker'), `docker context "${name}"`, endpoint.SkipTLSVerify !== true);
  const tls = files.ca !== undefined || files.cert !== undefined || !files.verify ? files : undefined;
  const host = typeof endpoint.Host === 'string' && endpoint.Host !== '' ? endpoint.Host : 'unix://';
  return { ...parseEngineHost(host, `the address of docker context "${name}"`, tls), context: name };
}

function contextNames(configDirectory: string): readonly string[] {
  const folder = join(configDirectory, 'contexts', 'meta');
  try {
    return readdirSync(folder)
      .flatMap((id) => {
        const path = join(folder, id, 'meta.json');
        const name = objectIn(readIfThere(path) ?? '{}', path)['Name'];
        return typeof name === 'string' ? [name] : [];
      })
      .sort();
  } catch {
    return [];
  }
}

function currentContext(configDirectory: string): string | undefined {
  const path = join(configDirectory, 'config.json');
  const text = readIfThere(path)?.trim();
  const name = text ? objectIn(text, path)['currentContext'] : undefined;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

function readTls(folder: string, source: string, verify: boolean): EngineTls {
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((file) => readIfThere(join(folder, file)));
  if ((cert === undefined) !== (key === undefined)) throw new UsageError(`${source}: of cert.pem and key.pem only one is there; a client certificate is both`);
  return { verify, ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new UsageError(`${path} cannot be read (${code ?? 'unknown'})`);
  }
}

/** Its faults do not quote the text, which may hold a password. */
function objectIn(text: string, path: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null) throw new UsageError(`${path} is not a JSON object`, [`python3 -m json.tool ${path} >/dev/null`]);
  return value as Readonly<Record<string, unknown>>;
}
