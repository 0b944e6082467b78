import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { digestOf } from '../../src/shared/digest.js';
import { pushesTo, sendTo, type Pushes, type Send } from './tiny-image.js';

/** What the real registry here cannot be made to do. */
export type FakeOptions = {
  /** Tags per page of a tag list; unset: all on one. */
  readonly pageSize?: number;
  /** Answers without Docker-Content-Digest. */
  readonly noDigestHeader?: boolean;
  /** `http://host:port` where blobs are kept: requests for them are sent there. */
  readonly blobsAt?: string;
  /** Asks for a Bearer token from its own `/token`, given to this login or, unset, to everyone. */
  readonly tokens?: { readonly username: string; readonly password: string } | 'anyone';
  /** Names this token server instead of its own. */
  readonly realm?: string;
  /** Answers uploads with an absolute Location on another host. */
  readonly uploadsAt?: string;
};

/** One request as it came in. */
export type SeenRequest = { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers'] };

/** A registry in memory, for tests without any part that must be installed. Passes the same contract suite as the real one. */
export type FakeRegistry = Pushes & {
  readonly host: string;
  readonly url: string;
  /** Those of the code under test. */
  readonly requests: readonly SeenRequest[];
  readonly send: Send;
  /** Replaces the bytes that are answered for a digest. */
  corrupt(digest: string, bytes: string): void;
  stop(): Promise<void>;
};

/** Marks the test's own requests: they need no login and are not counted. */
const OWNER = 'x-fake-owner';

type Stored = { readonly bytes: Buffer; readonly type: string };

/** Listens on a free loopback port, without TLS. */
export async function startFakeRegistry(options: FakeOptions = {}): Promise<FakeRegistry> {
  const requests: SeenRequest[] = [];
  const blobs = new Map<string, Stored>();
  /** By `repository@digest` and `repository:tag`. */
  const manifests = new Map<string, Stored>();
  const tags = new Map<string, string[]>();
  let uploads = 0;

  function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const { method = '', url = '' } = request;
    const { pathname, searchParams } = new URL(url, 'http://registry.invalid');
    const send = (status: number, headers: Record<string, string> = {}, bytes: Buffer | string = ''): void => {
      response.writeHead(status, { 'content-length': String(Buffer.byteLength(bytes)), ...headers }).end(method === 'HEAD' ? '' : bytes);
    };
    const refuse = (status: number, code: string): void => send(status, { 'content-type': 'application/json' }, JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] }));

    if (pathname === '/token') {
      const { tokens } = options;
      const expected = typeof tokens === 'object' ? `Basic ${Buffer.from(`${tokens.username}:${tokens.password}`).toString('base64')}` : undefined;
      if (expected !== undefined && request.headers.authorization !== expected) return refuse(401, 'UNAUTHORIZED');
      return send(200, {}, JSON.stringify({ token: Buffer.from(searchParams.get('scope') ?? '').toString('base64url'), expires_in: 300 }));
    }
    const [, repository = '', kind = '', rest = ''] = /^\/v2\/(.+)\/(manifests|blobs|tags)\/(.*)$/.exec(pathname) ?? [];
    const isOwner = request.headers[OWNER] !== undefined;
    if (options.tokens !== undefined && !isOwner) {
      const scope = `repository:${repository}:${method === 'GET' || method === 'HEAD' ? 'pull' : method === 'DELETE' ? 'delete' : 'pull,push'}`;
      if (request.headers.authorization !== `Bearer ${Buffer.from(scope).toString('base64url')}`) {
        const realm = options.realm ?? `http://${request.headers.host}/token`;
        return send(401, { 'www-authenticate': `Bearer realm="${realm}",service="fake",scope="${scope}"` });
      }
    }
    if (kind === 'tags') {
      const all = [...(tags.get(repository) ?? [])].sort();
      if (all.length === 0) return refuse(404, 'NAME_UNKNOWN');
      const left = all.filter((tag) => tag > (searchParams.get('last') ?? ''));
      const page = left.slice(0, options.pageSize ?? left.length);
      const more = page.length < left.length;
      const link: Record<string, string> = more ? { link: `</v2/${repository}/tags/list?last=${page.at(-1)}&n=${page.length}>; rel="next"` } : {};
      return send(200, link, JSON.stringify({ name: repository, tags: page }));
    }
    if (kind === 'manifests' && method === 'PUT') {
      const { mediaType } = JSON.parse(body.toString()) as { mediaType?: string };
      if (mediaType !== undefined && mediaType !== request.headers['content-type']) return refuse(400, 'MANIFEST_INVALID');
      const stored = { bytes: body, type: request.headers['content-type'] ?? '' };
      manifests.set(`${repository} ${rest}`, stored).set(`${repository} ${digestOf(body)}`, stored);
      if (!rest.startsWith('sha256:')) tags.set(repository, [...new Set([...(tags.get(repository) ?? []), rest])]);
      return send(201, { 'docker-content-digest': digestOf(body) });
    }
    if (kind === 'manifests') {
      const stored = manifests.get(`${repository} ${rest}`);
      if (stored === undefined) return refuse(404, 'MANIFEST_UNKNOWN');
      return send(200, { 'content-type': stored.type, ...(options.noDigestHeader === true ? {} : { 'docker-content-digest': digestOf(stored.bytes) }) }, stored.bytes);
    }
    if (kind === 'blobs' && method === 'POST') {
      return send(202, { location: `${options.uploadsAt ?? `http://${request.headers.host}`}/v2/${repository}/blobs/uploads/${++uploads}?state=x` });
    }
    if (kind === 'blobs' && method === 'PUT') {
      blobs.set(searchParams.get('digest') ?? '', { bytes: body, type: 'application/octet-stream' });
      return send(201);
    }
    if (kind === 'blobs' && method === 'DELETE') return send(204);
    if (kind === 'blobs') {
      if (options.blobsAt !== undefined && !isOwner) return send(307, { location: `${options.blobsAt}${pathname}?signature=secret` });
      const stored = blobs.get(rest);
      return stored === undefined ? refuse(404, 'BLOB_UNKNOWN') : send(200, { 'content-type': stored.type }, stored.bytes);
    }
    return refuse(404, 'UNSUPPORTED');
  }

  const server = createServer((request, response) => {
    if (request.headers[OWNER] === undefined) requests.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers });
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(request, response, Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `http://${host}`;
  const open = sendTo(url);
  const send: Send = (method, path, body, headers = {}) => open(method, path, body, { ...headers, [OWNER]: 'yes' });
  return {
    host,
    url,
    requests,
    send,
    ...pushesTo(send),
    corrupt(digest, bytes) {
      for (const store of [blobs, manifests]) {
        for (const [key, stored] of store) if (key.endsWith(digest)) store.set(key, { ...stored, bytes: Buffer.from(bytes) });
      }
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
