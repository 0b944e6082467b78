import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate, type Certificate } from './certificate.js';
import { pushesTo, sendTo, type Pushes, type Send } from './tiny-image.js';
import { startTokenServer, type TokenRules, type TokenServer } from './token-server.js';

/** How a test's own registry behaves. */
export type RegistryOptions = {
  /** Users and passwords; unset: no login is asked for. */
  readonly users?: Readonly<Record<string, string>>;
  /** Users log in at a token server of the test's own, and the registry takes its tokens alone. */
  readonly tokens?: TokenRules;
  /** With a certificate from a CA made for this registry alone, valid for localhost and 127.0.0.1. */
  readonly tls?: boolean;
  /** With this certificate instead. */
  readonly certificate?: Certificate;
  /** Where it listens; unset: 127.0.0.1. Engines take a registry on loopback without TLS, and with any certificate. */
  readonly address?: string;
  /** Refuses every push with 405. */
  readonly readOnly?: boolean;
  /** False: it deletes nothing, as when nobody has configured it. */
  readonly deletion?: boolean;
  /** Folder that keeps the images; unset: one of its own, removed by `stop`. */
  readonly storage?: string;
  /** Whether each request makes a line of the log; it does unless this is false. */
  readonly accessLog?: boolean;
  /** Unset: a free one. For a registry that comes back where it was. */
  readonly port?: number;
};

/** A running docker-registry (Debian's) on a loopback port. */
export type RegistryFixture = Pushes & {
  /** `127.0.0.1:PORT`, or as the options say. */
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly storage: string;
  /** The CA certificate, PEM; undefined without TLS. */
  readonly ca: string | undefined;
  /** Where tokens come from; undefined without `tokens`. */
  readonly tokenServer: TokenServer | undefined;
  /** What the registry printed so far: one line per request among it. */
  log(): string;
  /** One request as a push would make it, logged in as the first user. */
  readonly send: Send;
  /** Ends it and removes what it made. */
  stop(): Promise<void>;
  /** Ends it as a crash would; the storage stays until `stop`. */
  kill(): Promise<void>;
};

/** Starts a real registry; resolves when it listens. */
export async function startRegistry(options: RegistryOptions = {}): Promise<RegistryFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'registry-fixture-'));
  const storage = options.storage ?? join(folder, 'storage');
  mkdirSync(storage, { recursive: true });
  const made = options.tls === true || options.tokens !== undefined ? makeCertificate(folder) : undefined;
  const certificate = options.certificate ?? (options.tls === true ? made : undefined);
  const address = options.address ?? '127.0.0.1';
  const tokenServer = options.tokens === undefined ? undefined : await startTokenServer(options.users ?? {}, made!, options.tokens, options.tls === true);
  const auth = tokenServer === undefined ? undefined : { token: { realm: tokenServer.realm, service: tokenServer.service, issuer: tokenServer.issuer, rootcertbundle: made!.certificateFile } };
  const configFile = join(folder, 'config.json');
  writeFileSync(configFile, JSON.stringify(registryConfig(options, folder, storage, certificate, auth)));
  const child = spawn('docker-registry', ['serve', configFile], { stdio: ['ignore', 'pipe', 'pipe'] });
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  let log = '';
  let settled = false;
  const port = await new Promise<number>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      log += chunk.toString();
      if (settled) return;
      const listening = /listening on [\d.]+:(\d+)/.exec(log);
      if (listening === null) return;
      settled = true;
      resolve(Number(listening[1]));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`docker-registry ended: ${log}`)));
  });
  const host = `${address}:${port}`;
  const [user] = Object.entries(options.users ?? {});
  const url = `${certificate === undefined ? 'http' : 'https'}://${host}`;
  const login = user === undefined ? {} : { login: { username: user[0], password: user[1] } };
  const send = sendTo(url, { ca: certificate?.ca, ...(tokenServer === undefined ? login : { token: tokenServer.ownerToken }) });
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    process.removeListener('exit', killWithUs);
    await end(child, signal);
  };
  return {
    host,
    port,
    url,
    storage,
    ca: certificate?.ca,
    tokenServer,
    log: () => log,
    send,
    ...pushesTo(send),
    kill: () => kill(),
    stop: async () => {
      await kill('SIGTERM');
      await tokenServer?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function registryConfig(options: RegistryOptions, folder: string, storage: string, certificate: Certificate | undefined, tokenAuth: object | undefined): object {
  const htpasswd = join(folder, 'htpasswd');
  const auth = tokenAuth ?? (options.users === undefined ? undefined : { htpasswd: { realm: 'registry-fixture', path: htpasswd } });
  if (options.users !== undefined) {
    writeFileSync(htpasswd, Object.entries(options.users).map(([user, password]) => `${user}:${bcrypt(password)}\n`).join(''));
  }
  return {
    version: '0.1',
    log: { accesslog: { disabled: options.accessLog === false }, level: 'info' },
    storage: {
      filesystem: { rootdirectory: storage },
      delete: { enabled: options.deletion !== false },
      maintenance: { uploadpurging: { enabled: false }, readonly: { enabled: options.readOnly === true } },
    },
    http: {
      addr: `${options.address ?? '127.0.0.1'}:${options.port ?? 0}`,
      secret: 'registry-fixture',
      ...(certificate === undefined ? {} : { tls: { certificate: certificate.certificateFile, key: certificate.keyFile } }),
    },
    ...(auth === undefined ? {} : { auth }),
  };
}

/** The registry takes bcrypt only; Perl's crypt(3) makes it on Debian. Cost 4: tests need no strength. */
function bcrypt(password: string): string {
  const made = spawnSync('perl', ['-e', 'print crypt($ARGV[0], q($2b$04$abcdefghijklmnopqrstuu))', password], { encoding: 'utf8' });
  if (!made.stdout.startsWith('$2b$')) throw new Error(`perl made no bcrypt hash: ${made.stderr}`);
  return made.stdout;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}
