import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf, type Digest } from '../../src/shared/digest.js';

/** How a test's own registry behaves. */
export type RegistryOptions = {
  /** Users and passwords; unset: no login is asked for. */
  readonly users?: Readonly<Record<string, string>>;
  /** With a certificate from a CA made for this registry alone, valid for localhost and 127.0.0.1. */
  readonly tls?: boolean;
  /** Refuses every push with 405. */
  readonly readOnly?: boolean;
  /** Folder that keeps the images; unset: one of its own, removed by `stop`. */
  readonly storage?: string;
  /** Unset: a free one. For a registry that comes back where it was. */
  readonly port?: number;
};

/** One tiny image: no layer is large, the labels are what tests are about. */
export type TinyImage = {
  readonly labels?: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly created?: string;
  /** Which manifest type it is stored as. */
  readonly format?: 'oci' | 'docker';
  /** `linux/amd64`. */
  readonly platform?: string;
};

/** A running docker-registry (Debian's) on a loopback port. */
export type RegistryFixture = {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly storage: string;
  /** The CA certificate, PEM; undefined without TLS. */
  readonly ca: string | undefined;
  /** What the registry printed so far: one line per request among it. */
  log(): string;
  /** Pushes an image by HTTP, without an engine; the manifest's digest. */
  pushImage(repository: string, tag: string, image?: TinyImage): Promise<Digest>;
  /** Pushes an index of images, one per platform; the index's digest. */
  pushIndex(repository: string, tag: string, images: readonly TinyImage[], format?: 'oci' | 'docker'): Promise<Digest>;
  /** One request as a push would make it, logged in as the first user. */
  send(method: string, path: string, body?: string | Uint8Array, headers?: Readonly<Record<string, string>>): Promise<PlainAnswer>;
  /** Ends it and removes what it made. */
  stop(): Promise<void>;
  /** Ends it as a crash would; the storage stays until `stop`. */
  kill(): Promise<void>;
};

/** An answer, read to its end. */
export type PlainAnswer = { readonly status: number; readonly headers: Readonly<Record<string, string | string[] | undefined>>; readonly body: Buffer };

const MEDIA = {
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    index: 'application/vnd.oci.image.index.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
} as const;

/** Starts a real registry; resolves when it listens. */
export async function startRegistry(options: RegistryOptions = {}): Promise<RegistryFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'registry-fixture-'));
  const storage = options.storage ?? join(folder, 'storage');
  mkdirSync(storage, { recursive: true });
  const certificate = options.tls === true ? makeCertificate(folder) : undefined;
  const configFile = join(folder, 'config.json');
  writeFileSync(configFile, JSON.stringify(registryConfig(options, folder, storage, certificate)));
  const child = spawn('docker-registry', ['serve', configFile], { stdio: ['ignore', 'pipe', 'pipe'] });
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  let log = '';
  const port = await new Promise<number>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      log += chunk.toString();
      const listening = /listening on 127\.0\.0\.1:(\d+)/.exec(log);
      if (listening !== null) resolve(Number(listening[1]));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`docker-registry ended: ${log}`)));
  });
  const host = `127.0.0.1:${port}`;
  const [user] = Object.entries(options.users ?? {});
  const login: Record<string, string> = user === undefined ? {} : { authorization: `Basic ${Buffer.from(user.join(':')).toString('base64')}` };
  const send: RegistryFixture['send'] = (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const all = { method, headers: { ...login, ...headers }, agent: false, ...(certificate === undefined ? {} : { ca: certificate.ca }) };
      const request = (certificate === undefined ? requestPlain : requestTls)(new URL(path, `${certificate === undefined ? 'http' : 'https'}://${host}`), all);
      request.once('error', reject);
      request.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
      });
      request.end(body);
    });
  const putManifest = async (repository: string, reference: string, type: string, manifest: string): Promise<Digest> => {
    const answer = await send('PUT', `/v2/${repository}/manifests/${reference}`, manifest, { 'content-type': type });
    if (answer.status !== 201) throw new Error(`PUT ${repository}:${reference}: ${answer.status} ${answer.body.toString()}`);
    return digestOf(manifest);
  };
  const putBlob = async (repository: string, bytes: Uint8Array): Promise<Digest> => {
    const begun = await send('POST', `/v2/${repository}/blobs/uploads/`);
    if (begun.status !== 202) throw new Error(`POST ${repository}: ${begun.status} ${begun.body.toString()}`);
    const target = new URL(String(begun.headers['location']), `http://${host}`);
    target.searchParams.set('digest', digestOf(bytes));
    const put = await send('PUT', `${target.pathname}${target.search}`, bytes, { 'content-type': 'application/octet-stream' });
    if (put.status !== 201) throw new Error(`PUT blob ${repository}: ${put.status} ${put.body.toString()}`);
    return digestOf(bytes);
  };
  const putImage = async (repository: string, tag: string | undefined, image: TinyImage): Promise<{ digest: Digest; size: number }> => {
    const media = MEDIA[image.format ?? 'oci'];
    const [os, architecture, variant] = (image.platform ?? 'linux/amd64').split('/');
    const layer = gzipSync(Buffer.alloc(1024));
    const config = Buffer.from(
      JSON.stringify({
        ...(image.created === undefined ? {} : { created: image.created }),
        architecture,
        os,
        ...(variant === undefined ? {} : { variant }),
        config: { Labels: image.labels ?? null },
        rootfs: { type: 'layers', diff_ids: [digestOf(Buffer.alloc(1024))] },
      }),
    );
    await putBlob(repository, layer);
    await putBlob(repository, config);
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: media.manifest,
      config: { mediaType: media.config, size: config.length, digest: digestOf(config) },
      layers: [{ mediaType: media.layer, size: layer.length, digest: digestOf(layer) }],
    });
    return { digest: await putManifest(repository, tag ?? digestOf(manifest), media.manifest, manifest), size: manifest.length };
  };
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    process.removeListener('exit', killWithUs);
    await end(child, signal);
  };
  return {
    host,
    port,
    url: `${certificate === undefined ? 'http' : 'https'}://${host}`,
    storage,
    ca: certificate?.ca,
    log: () => log,
    send,
    pushImage: async (repository, tag, image = {}) => (await putImage(repository, tag, image)).digest,
    pushIndex: async (repository, tag, images, format = 'oci') => {
      const manifests = [];
      for (const image of images) {
        const { digest, size } = await putImage(repository, undefined, { format, ...image });
        const [os, architecture, variant] = (image.platform ?? 'linux/amd64').split('/');
        manifests.push({ mediaType: MEDIA[format].manifest, digest, size, platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } });
      }
      return putManifest(repository, tag, MEDIA[format].index, JSON.stringify({ schemaVersion: 2, mediaType: MEDIA[format].index, manifests }));
    },
    kill: () => kill(),
    stop: async () => {
      await kill('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function registryConfig(options: RegistryOptions, folder: string, storage: string, certificate: Certificate | undefined): object {
  const htpasswd = join(folder, 'htpasswd');
  if (options.users !== undefined) {
    writeFileSync(htpasswd, Object.entries(options.users).map(([user, password]) => `${user}:${bcrypt(password)}\n`).join(''));
  }
  return {
    version: '0.1',
    log: { accesslog: { disabled: false }, level: 'info' },
    storage: {
      filesystem: { rootdirectory: storage },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false }, readonly: { enabled: options.readOnly === true } },
    },
    http: {
      addr: `127.0.0.1:${options.port ?? 0}`,
      secret: 'registry-fixture',
      ...(certificate === undefined ? {} : { tls: { certificate: certificate.certificateFile, key: certificate.keyFile } }),
    },
    ...(options.users === undefined ? {} : { auth: { htpasswd: { realm: 'registry-fixture', path: htpasswd } } }),
  };
}

/** The registry takes bcrypt only; Perl's crypt(3) makes it on Debian. Cost 4: tests need no strength. */
function bcrypt(password: string): string {
  const made = spawnSync('perl', ['-e', 'print crypt($ARGV[0], q($2b$04$abcdefghijklmnopqrstuu))', password], { encoding: 'utf8' });
  if (!made.stdout.startsWith('$2b$')) throw new Error(`perl made no bcrypt hash: ${made.stderr}`);
  return made.stdout;
}

type Certificate = { readonly ca: string; readonly certificateFile: string; readonly keyFile: string };

/** A CA of its own and a certificate for localhost and 127.0.0.1 signed by it. */
export function makeCertificate(folder: string): Certificate {
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => {
    const done = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', ...args], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`openssl: ${done.stderr}`);
  };
  openssl('-keyout', file('ca.key'), '-out', file('ca.pem'), '-subj', '/CN=registry-fixture CA');
  openssl(
    ...['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-keyout', file('server.key'), '-out', file('server.pem'), '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE'],
  );
  return { ca: readFileSync(file('ca.pem'), 'utf8'), certificateFile: file('server.pem'), keyFile: file('server.key') };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}
