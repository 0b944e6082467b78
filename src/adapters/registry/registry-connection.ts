import { readFileSync } from 'node:fs';
import { Agent as PlainAgent, request as requestPlain, type ClientRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { Agent as TlsAgent, request as requestTls } from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { connect as connectTls, createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { connectionFaultOf, ConnectionFault } from './connection-fault.js';

/** Where a request goes. */
export type Peer = { readonly scheme: 'https' | 'http'; readonly hostname: string; readonly port: number };

/** One request, complete. */
export type Outgoing = {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: Uint8Array;
  /** An answer of 200 is to be read while it comes. */
  readonly streamed?: boolean | undefined;
};

/** One answer, read to its end (of HEAD: its headers). */
export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Of what was asked for as a stream, with an empty body: it errors when the connection breaks, and must be read or destroyed. */
  readonly content?: Readable;
};

/** Kept connections to registries. Rejects with a ConnectionFault, or with the signal's reason. */
export interface Connections {
  /** Sends one request and reads its answer, once. `limit`: milliseconds for all of it. */
  exchange(peer: Peer, outgoing: Outgoing, limit: number | undefined, signal: AbortSignal): Promise<Answer>;
  /** Whether the peer speaks TLS at all: false only if it answered a TLS greeting with something else. Certificates are not looked at. */
  speaksTls(peer: Peer, limit: number | undefined, signal: AbortSignal): Promise<boolean>;
  close(): void;
}

/** More than any manifest, config or tag list holds; a peer that sends more is not a registry. */
const BODY_LIMIT = 64 * 1024 * 1024;

/** Debian's bundle of what the administrator of this machine trusts; Node by itself would look only at its own list. */
const SYSTEM_CAS = '/etc/ssl/certs/ca-certificates.crt';

/** Times in seconds; `ca` is PEM text that is trusted beside the system's CAs. */
export type ConnectionOptions = { readonly ca: string | undefined; readonly connect: number; readonly idle: number; readonly sockets: number };

/** Opens nothing yet: connections are made when first needed. */
export function createConnections(options: ConnectionOptions): Connections {
  const shared = { keepAlive: true, maxSockets: options.sockets, timeout: options.idle * 1000, scheduling: 'lifo' as const };
  const plain = watched(new PlainAgent(shared), 'connect', options);
  let tls: TlsAgent | undefined;
  // Parsing the system's CAs takes 25 ms: once for all connections, and only if there is one.
  const tlsAgent = (): TlsAgent => (tls ??= watched(new TlsAgent({ ...shared, secureContext: trustedContext(options.ca) }), 'secureConnect', options));
  const inFlight = new WeakMap<AbortSignal, Set<{ destroy(): unknown }>>();

  /** One listener for all requests of a signal: thousands of listeners on one signal are slow, and Node warns of them. */
  function requestsOf(signal: AbortSignal): Set<{ destroy(): unknown }> {
    let requests = inFlight.get(signal);
    if (requests === undefined) {
      const all = (requests = new Set<{ destroy(): unknown }>());
      inFlight.set(signal, all);
      signal.addEventListener('abort', () => all.forEach((request) => request.destroy()), { once: true });
    }
    return requests;
  }

  return {
    exchange: (peer, { method, path, headers, body, streamed }, limit, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error);
        const requests = requestsOf(signal);
        const agent = peer.scheme === 'https' ? tlsAgent() : plain;
        const send = peer.scheme === 'https' ? requestTls : requestPlain;
        const request: ClientRequest = send({ host: peer.hostname, port: peer.port, method, path, headers, agent });
        requests.add(request);
        const timer = limit === undefined ? undefined : setTimeout(() => request.destroy(timedOut(request.socket)), limit);
        const done = (): void => {
          requests.delete(request);
          if (timer !== undefined) clearTimeout(timer);
        };
        const fail = (error: Error): void => {
          done();
          reject(signal.aborted ? (signal.reason as Error) : connectionFaultOf(error, request.reusedSocket));
        };
        request.on('error', fail);
        request.on('response', (response) => {
          const status = response.statusCode ?? 0;
          if (method === 'HEAD') {
            response.resume();
            done();
            return resolve({ status, headers: response.headers, body: NO_BODY });
          }
          if (streamed === true && status === 200) {
            clearTimeout(timer);
            response.once('close', done);
            return resolve({ status, headers: response.headers, body: NO_BODY, content: response });
          }
          const chunks: Buffer[] = [];
          let size = 0;
          response.on('data', (chunk: Buffer) => {
            chunks.push(chunk);
            size += chunk.length;
            if (size > BODY_LIMIT) request.destroy(new ConnectionFault('too-large', `sent more than ${BODY_LIMIT >> 20} MB`));
          });
          response.on('error', fail);
          response.on('end', () => {
            done();
            resolve({ status, headers: response.headers, body: Buffer.concat(chunks, size) });
          });
        });
        request.end(body);
      }),

    speaksTls: (peer, limit, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error);
        const requests = requestsOf(signal);
        const { hostname: host, port } = peer;
        // Whom we talk to is checked by the request that follows; here only the language matters.
        const socket = connectTls({ host, port, rejectUnauthorized: false, ...(isIP(host) === 0 ? { servername: host } : {}) });
        requests.add(socket);
        const timer = setTimeout(() => socket.destroy(timedOut(socket)), Math.min(limit ?? Infinity, options.connect * 1000));
        const done = (): void => {
          requests.delete(socket);
          clearTimeout(timer);
        };
        socket.once('close', () => {
          done();
          // After an answer this changes nothing.
          reject(signal.aborted ? (signal.reason as Error) : new ConnectionFault('broken', 'closed the connection'));
        });
        socket.once('error', (error) => {
          if (signal.aborted) return;
          const fault = connectionFaultOf(error, false);
          if (fault.kind === 'no-tls') resolve(false);
          else if (fault.kind === 'tls') resolve(true);
          else reject(fault);
        });
        socket.once('secureConnect', () => {
          resolve(true);
          socket.destroy();
        });
      }),

    close() {
      plain.destroy();
      tls?.destroy();
    },
  };
}

const NO_BODY = Buffer.alloc(0);

function timedOut(socket: Socket | null): ConnectionFault {
  const connected = socket !== null && !socket.connecting && (socket as { secureConnecting?: boolean }).secureConnecting !== true;
  return connected ? new ConnectionFault('idle', 'no answer in time') : new ConnectionFault('connect', 'connect: timed out');
}

function trustedContext(ca: string | undefined): SecureContext {
  let system: string | readonly string[];
  try {
    system = readFileSync(SYSTEM_CAS, 'utf8');
  } catch {
    system = rootCertificates;
  }
  const all = typeof system === 'string' ? [system] : [...system];
  return createSecureContext({ ca: ca === undefined ? all : [...all, ca] });
}

/** Time limits at the sockets, not at the requests: nothing to do for the thousands of requests that reuse one. */
function watched<A extends PlainAgent | TlsAgent>(agent: A, connected: 'connect' | 'secureConnect', { connect, idle }: ConnectionOptions): A {
  const open = agent as unknown as { createConnection(options: object, callback?: unknown): Socket };
  const inherited = open.createConnection;
  open.createConnection = function (this: unknown, options, callback) {
    const socket = inherited.call(this, options, callback) as Socket;
    const timer = setTimeout(() => socket.destroy(new ConnectionFault('connect', 'connect: timed out')), connect * 1000);
    const stop = (): void => clearTimeout(timer);
    socket.once(connected, stop);
    socket.once('close', stop);
    socket.on('timeout', () => socket.destroy(new ConnectionFault('idle', `no byte for ${idle}s`)));
    return socket;
  };
  return agent;
}
