import { readFileSync } from 'node:fs';
import { Agent as PlainAgent, request as requestPlain, type ClientRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { Agent as TlsAgent, request as requestTls } from 'node:https';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import pLimit from 'p-limit';
import type { Clock } from '../clock.js';
import { ConnectionFault, connectionFaultOf } from '../registry/connection-fault.js';
import { isTemporary, parseRetryAfter, retryDelay } from '../registry/registry-retry.js';
import { hostOf, proxyLogin, tunnelThrough, type ProxyFor } from './archive-proxy.js';

/** How archives are asked. */
export type ArchiveHttpOptions = {
  readonly proxyFor: ProxyFor;
  /** PEM text of CAs trusted beside the system's. */
  readonly ca?: string | undefined;
  /** Seconds. */
  readonly timeouts: { readonly connect: number; readonly idle: number };
  readonly clock: Clock;
  /** 0 ≤ random() < 1. */
  random(): number;
  readonly userAgent: string;
};

/**
 * What an archive answered: temporary refusals were tried again, redirects followed. The body is empty but of a 200; `cut`: it is more
 * than was to be taken, and its end is missing.
 */
export type ArchiveAnswer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer; readonly cut: boolean };

/** An archive did not answer, in words that follow the host's name: `does not answer (connect: refused)`. */
export class NoAnswer extends Error {}

/** Files of archives. Logins in URLs are not used. */
export interface ArchiveHttp {
  /** `atMost`: bytes. Rejects with NoAnswer, or with the signal's reason. */
  get(url: string, headers: OutgoingHttpHeaders, atMost: number, signal: AbortSignal): Promise<ArchiveAnswer>;
  close(): void;
}

/** Requests at once. */
const CONCURRENCY = 6;
/** As apt (Acquire::http::…, methods/basehttp.cc). */
const REDIRECTS = 10;
/** Debian's bundle of what the administrator of this machine trusts. */
const SYSTEM_CAS = '/etc/ssl/certs/ca-certificates.crt';

/** Opens nothing yet. */
export function createArchiveHttp(options: ArchiveHttpOptions): ArchiveHttp {
  const { clock, timeouts, proxyFor } = options;
  const limit = pLimit(CONCURRENCY);
  const agents = new Map<string, PlainAgent | TlsAgent>();
  /** Hosts that failed for good, and never answered before: the next suite of theirs need not wait as long again. */
  const gone = new Map<string, NoAnswer>();
  const answered = new Set<string>();
  let context: SecureContext | undefined;

  function agentFor(url: URL, proxy: URL | undefined): PlainAgent | TlsAgent {
    const kind = url.protocol === 'http:' ? 'http' : `https ${proxy?.href ?? ''}`;
    let agent = agents.get(kind);
    if (agent === undefined) {
      const shared = { keepAlive: true, maxSockets: CONCURRENCY };
      if (url.protocol === 'http:') agent = new PlainAgent(shared);
      else if (proxy === undefined) agent = new TlsAgent({ ...shared, secureContext: (context ??= trustedContext(options.ca)) });
      else agent = tunnelThrough(proxy, (context ??= trustedContext(options.ca)), { sockets: CONCURRENCY });
      agents.set(kind, agent);
    }
    return agent;
  }

  function exchange(url: URL, headers: OutgoingHttpHeaders, atMost: number, signal: AbortSignal): Promise<ArchiveAnswer> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const proxy = proxyFor(url);
      const plain = url.protocol === 'http:';
      const agent = agentFor(url, proxy);
      const path = `${url.pathname}${url.search}`;
      const sent = { 'user-agent': options.userAgent, accept: '*/*', ...headers, host: url.host };
      const request: ClientRequest =
        plain && proxy !== undefined
          ? requestPlain({ host: hostOf(proxy), port: proxy.port || 80, path: `http://${url.host}${path}`, headers: { ...sent, ...proxyLogin(proxy) }, agent })
          : (plain ? requestPlain : requestTls)({ host: hostOf(url), port: url.port || (plain ? 80 : 443), path, headers: sent, agent });
      const connecting = setTimeout(() => request.destroy(new ConnectionFault('connect', 'connect: timed out')), timeouts.connect * 1000);
      const connected = (): void => clearTimeout(connecting);
      const onAbort = (): void => void request.destroy();
      signal.addEventListener('abort', onAbort, { once: true });
      const done = (): void => {
        connected();
        signal.removeEventListener('abort', onAbort);
      };
      const fail = (error: Error): void => {
        done();
        reject(signal.aborted ? (signal.reason as Error) : connectionFaultOf(error, request.reusedSocket));
      };
      request.setTimeout(timeouts.idle * 1000, () => request.destroy(new ConnectionFault('idle', `no byte for ${timeouts.idle}s`)));
      request.on('error', fail);
      request.on('socket', (socket) => {
        if (!socket.connecting) connected();
        else socket.once(plain ? 'connect' : 'secureConnect', connected);
      });
      request.on('response', (response) => {
        connected();
        const status = response.statusCode ?? 0;
        const chunks: Buffer[] = [];
        let size = 0;
        const finish = (cut: boolean): void => {
          done();
          resolve({ status, headers: response.headers, body: Buffer.concat(chunks), cut });
        };
        response.on('data', (chunk: Buffer) => {
          if (status !== 200) return;
          size += chunk.length;
          chunks.push(chunk);
          if (size <= atMost) return;
          finish(true);
          request.destroy();
        });
        response.on('error', fail);
        response.on('end', () => {
          finish(false);
        });
      });
      request.end();
    });
  }

  async function follow(first: URL, headers: OutgoingHttpHeaders, atMost: number, signal: AbortSignal): Promise<ArchiveAnswer> {
    let url = first;
    for (let redirects = 0; ; redirects++) {
      const answer = await exchange(url, headers, atMost, signal);
      const { location } = answer.headers;
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer;
      if (redirects === REDIRECTS) throw new NoAnswer('sends from place to place without end');
      const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
      if (next === undefined || (next.protocol !== 'http:' && next.protocol !== 'https:')) throw new NoAnswer('sends to a place that is none');
      // As apt: what was asked for over TLS does not come without.
      if (url.protocol === 'https:' && next.protocol === 'http:') throw new NoAnswer(`sends from https to http (${next.host})`);
      url = next;
    }
  }

  async function getWithTries(url: URL, headers: OutgoingHttpHeaders, atMost: number, signal: AbortSignal): Promise<ArchiveAnswer> {
    let waited = 0;
    for (let tries = 1; ; tries++) {
      const known = gone.get(url.host);
      if (known !== undefined) throw known;
      signal.throwIfAborted();
      const outcome = await follow(url, headers, atMost, signal).catch((error: unknown) => {
        if (error instanceof ConnectionFault) return error;
        throw error;
      });
      if (!(outcome instanceof ConnectionFault)) answered.add(url.host);
      if (!(outcome instanceof ConnectionFault) && !isTemporary(outcome.status)) return outcome;
      const retryAfter = outcome instanceof ConnectionFault ? undefined : parseRetryAfter(outcome.headers['retry-after'], clock.now());
      const mayPass = !(outcome instanceof ConnectionFault) || outcome.temporary;
      const delay = mayPass ? retryDelay({ tries, retryAfter, waited, left: undefined, random: options.random() }) : undefined;
      if (delay === undefined) {
        if (!(outcome instanceof ConnectionFault)) throw new NoAnswer(`answers ${outcome.status}`);
        const error = new NoAnswer(outcome.kind === 'certificate' ? outcome.message : `does not answer (${outcome.message})`);
        if (!answered.has(url.host)) gone.set(url.host, error);
        throw error;
      }
      if (retryAfter !== undefined) waited += delay;
      // A kept connection that was closed just then is no sign of trouble.
      if (!(tries === 1 && outcome instanceof ConnectionFault && outcome.reused)) await clock.sleep(delay, signal);
    }
  }

  return {
    get: (url, headers, atMost, signal) => limit(getWithTries, new URL(url), headers, atMost, signal),
    close() {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

function trustedContext(ca: string | undefined): SecureContext {
  let system: readonly string[];
  try {
    system = [readFileSync(SYSTEM_CAS, 'utf8')];
  } catch {
    system = rootCertificates;
  }
  return createSecureContext({ ca: ca === undefined ? [...system] : [...system, ca] });
}
