import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** One request, and what it was answered: `bytes` of the body that were sent. */
export type Asked = { readonly path: string; readonly status: number; readonly bytes: number; readonly agent: string; /** It came with one. */ readonly login: boolean };

/** What goes wrong with files of a server. */
export type ServerFault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Another content than the file's. */
  | { readonly bytes: Uint8Array }
  /** Half of it, and the connection breaks. */
  | 'breaks'
  /** Half of it, and then nothing more. */
  | 'stalls';

/** A file server as mirrors are: ETag, Last-Modified, 304. */
export type ArchiveServer = {
  /** `http://host:port` */
  readonly origin: string;
  /** All that was asked since the start, or since `forget`. */
  readonly asked: readonly Asked[];
  forget(): void;
  /** From now on, or so many times, paths that match are answered otherwise; the newest fault that matches counts. */
  fail(paths: RegExp, fault: ServerFault, times?: number): void;
  /** All faults go. */
  heal(): void;
  down(): Promise<void>;
  /** On the same port, after `down`. */
  up(): Promise<void>;
};

/** Serves a folder at an address of this machine. */
export async function startArchiveServer(folder: string, address: string): Promise<ArchiveServer> {
  const asked: Asked[] = [];
  let faults: { readonly paths: RegExp; readonly fault: ServerFault; times: number }[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = decodeURIComponent(new URL(request.url!, 'http://x').pathname);
    const tell = (status: number, bytes = 0): void => void asked.push({ path, status, bytes, agent: request.headers['user-agent'] ?? '', login: request.headers.authorization !== undefined });
    const found = faults.findLast(({ paths, times }) => times > 0 && paths.test(path));
    if (found !== undefined) found.times--;
    const fault = found?.fault;
    if (typeof fault === 'object' && 'status' in fault) {
      tell(fault.status);
      return void response.writeHead(fault.status, fault.headers).end();
    }
    const file = join(folder, path);
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat?.isFile() !== true) {
      tell(404);
      return void response.writeHead(404).end();
    }
    const bytes = typeof fault === 'object' ? Buffer.from(fault.bytes) : readFileSync(file);
    const headers = { etag: `"${createHash('sha1').update(bytes).digest('hex')}"`, 'last-modified': stat.mtime.toUTCString() };
    if (isKnown(request, headers.etag, stat.mtimeMs)) {
      tell(304);
      return void response.writeHead(304, headers).end();
    }
    const part = fault === 'breaks' || fault === 'stalls' ? bytes.subarray(0, bytes.length >> 1) : bytes;
    tell(200, part.length);
    response.writeHead(200, { ...headers, 'content-length': bytes.length });
    if (part.length === bytes.length) return void response.end(bytes);
    response.write(part, () => {
      if (fault === 'breaks') response.destroy();
    });
  };
  let server = await listen(answer, address, 0);
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://${address}:${port}`,
    asked,
    forget: () => void asked.splice(0),
    fail: (paths, fault, times = Infinity) => void faults.push({ paths, fault, times }),
    heal: () => void (faults = []),
    down: () => close(server),
    async up() {
      server = await listen(answer, address, port);
    },
  };
}

/** RFC 9110, 13.1: If-None-Match goes before If-Modified-Since, which knows whole seconds only. */
function isKnown({ headers }: IncomingMessage, etag: string, changed: number): boolean {
  const matches = headers['if-none-match'];
  if (matches !== undefined) return matches === etag;
  const since = headers['if-modified-since'];
  return since !== undefined && Math.floor(changed / 1000) * 1000 <= Date.parse(since);
}

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void, address: string, port: number): Promise<Server> {
  const server = createServer(answer);
  await new Promise<void>((done, fail) => server.once('error', fail).listen(port, address, done));
  return server;
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((done) => void server.close(() => done()));
}
