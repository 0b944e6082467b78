import { readFileSync } from 'node:fs';
import { createServer as createPlain, request as requestPlain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTls, request as requestTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from './certificate.js';

/** What goes wrong with a request: an answer of its own, none at all, a connection reset at once, cut in the middle of the body or silent from there on, or an answer that waits until the test opens a gate. */
export type Fault = {
  /** Which requests; unset: all. */
  readonly when?: (method: string, path: string) => boolean;
  /** How often; unset: always. */
  readonly times?: number;
  readonly instead: { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string } | 'hang' | 'reset' | 'cut' | 'stall' | { readonly until: Promise<unknown> };
};

/** One request as it came in, faulty or not. */
export type PassedRequest = { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers']; readonly faulty: boolean };

/** A registry behind a bad line: what no fault takes is answered by the registry behind it. */
export type FaultyRegistry = {
  /** `127.0.0.1:PORT`, the name to push to and to ask. */
  readonly host: string;
  readonly url: string;
  readonly requests: readonly PassedRequest[];
  /** Adds a fault; the first that fits takes a request. */
  fail(fault: Fault): void;
  /** Resolves with the first request that fits; also if it has come already. */
  saw(when: (method: string, path: string) => boolean): Promise<PassedRequest>;
  /** Takes all faults away; hanging requests stay. */
  mend(): void;
  stop(): Promise<void>;
};

/** Starts one in front of `upstream` (its URL), with TLS if there is a certificate. */
export async function startFaultyRegistry(upstream: { readonly url: string; readonly ca?: string | undefined }, certificate?: Certificate): Promise<FaultyRegistry> {
  const requests: PassedRequest[] = [];
  let faults: { fault: Fault; left: number }[] = [];
  const watchers = new Set<(request: PassedRequest) => void>();

  function serve(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url: path = '', headers } = request;
    const found = faults.find(({ fault, left }) => left > 0 && (fault.when?.(method, path) ?? true));
    const passed = { method, path, headers, faulty: found !== undefined };
    requests.push(passed);
    for (const watch of watchers) watch(passed);
    if (found === undefined) return pass(request, response);
    found.left--;
    const { instead } = found.fault;
    if (instead === 'cut' || instead === 'stall') return pass(request, response, instead);
    if (typeof instead === 'object' && 'until' in instead) return void instead.until.then(() => pass(request, response));
    request.resume();
    if (instead === 'hang') return;
    // Only a bare TCP socket can be reset.
    if (instead === 'reset') return void (certificate === undefined ? request.socket.resetAndDestroy() : request.socket.destroy());
    response.writeHead(instead.status, { 'content-type': 'text/plain', ...instead.headers }).end(method === 'HEAD' ? undefined : (instead.body ?? ''));
  }

  function pass(request: IncomingMessage, response: ServerResponse, half?: 'cut' | 'stall'): void {
    // With the client's Host header, so that the registry's Locations lead back here.
    const forwarded = { 'x-forwarded-proto': certificate === undefined ? 'http' : 'https' };
    const options = { method: request.method ?? 'GET', headers: { ...request.headers, ...forwarded }, agent: false, ...(upstream.ca === undefined ? {} : { ca: upstream.ca }) };
    const onward = (upstream.url.startsWith('https:') ? requestTls : requestPlain)(new URL(request.url ?? '/', upstream.url), options);
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      if (half !== undefined) answer.once('data', (piece: Buffer) => response.write(piece.subarray(0, piece.length >> 1), () => void (half === 'cut' && response.destroy())));
      else answer.pipe(response);
    });
    onward.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    request.pipe(onward);
  }

  const server =
    certificate === undefined
      ? createPlain(serve)
      : createTls({ cert: readFileSync(certificate.certificateFile), key: readFileSync(certificate.keyFile) }, serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `${certificate === undefined ? 'http' : 'https'}://${host}`,
    requests,
    fail: (fault) => void faults.push({ fault, left: fault.times ?? Infinity }),
    saw: (when) =>
      new Promise((resolve) => {
        const watch = (request: PassedRequest): void => {
          if (!when(request.method, request.path)) return;
          watchers.delete(watch);
          resolve(request);
        };
        watchers.add(watch);
        requests.forEach(watch);
      }),
    mend: () => void (faults = []),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
