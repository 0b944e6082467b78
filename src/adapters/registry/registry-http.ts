import type { OutgoingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import pLimit, { type LimitFunction } from 'p-limit';
import { RegistryError } from '../../shared/errors.js';
import type { Clock } from '../clock.js';
import { ConnectionFault } from './connection-fault.js';
import type { Credentials } from './credentials.js';
import { basicAuthorization, parseChallenge, type Challenge, type TokenRequest } from './registry-auth.js';
import { createConnections, type Answer, type Outgoing, type Peer } from './registry-connection.js';
import { isTemporary, parseRetryAfter, retryDelay } from './registry-retry.js';
import { registryFaults } from './registry-faults.js';
import { createTokens, type Authorization, type Tokens } from './registry-tokens.js';

/** How requests to registries are made. */
export type RegistryHttpOptions = {
  /** The login for a registry's host as image references write it; undefined: there is none. */
  credentialsFor(host: string): Promise<Credentials | undefined>;
  /** Where logins were looked for, in words; told with a 401. */
  readonly credentialsSource?: string;
  /** `host[:port]` where plain HTTP is tolerated; loopback always is. */
  readonly insecureRegistries: readonly string[];
  /** PEM text of CAs trusted beside the system's. */
  readonly ca?: string | undefined;
  /** Seconds. `firstAnswer`: in all, until a registry has answered once in this run (60). */
  readonly timeouts: { readonly connect: number; readonly idle: number; readonly firstAnswer?: number };
  readonly clock: Clock;
  /** 0 ≤ random() < 1. */
  random(): number;
  /** Connections at once, per host (32). */
  readonly concurrency?: number;
  readonly userAgent: string;
};

/** One request to a registry, whatever it takes: login, tries, redirects. */
export type RegistryRequest = {
  /** As image references write it; '' is docker.io. */
  readonly host: string;
  readonly method: 'HEAD' | 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Below the host, with `/v2/`. */
  readonly path: string;
  /** The repository it is about, for the scope of a token. */
  readonly repository: string;
  /** The scope of a token, where it is about something else. */
  readonly scope?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Uint8Array;
  /** Ask once: somebody else can be asked instead. */
  readonly once?: boolean;
  /** An answer of 200 has `content` instead of a body. */
  readonly streamed?: boolean;
};

/** Resolves with a registry's clear answer (temporary ones were tried again, logins done, redirects followed); rejects with a RegistryError. */
export interface RegistryHttp {
  send(request: RegistryRequest, signal: AbortSignal): Promise<Answer>;
  close(): void;
}

/** How a registry wants us to log in, once it has said so. */
type Login = { readonly scheme: 'basic'; readonly authorization: string; readonly user: string } | BearerLogin;
type BearerLogin = {
  readonly scheme: 'bearer';
  readonly challenge: Challenge & { scheme: 'bearer' };
  readonly credentials: Credentials | undefined;
  readonly tokens: Tokens;
};

/** What this run has learnt of one registry. */
type Host = {
  readonly name: string;
  readonly hostname: string;
  readonly port: number | undefined;
  readonly toleratesPlain: boolean;
  /** One at a time until the first request has ended: it settles TLS or plain and the login, and a dead registry costs one request's tries. */
  readonly limit: LimitFunction;
  peer: Peer | undefined;
  login: Login | undefined;
  /** Clear answers so far. */
  answers: number;
  /** When it was first asked. */
  askedSince: number | undefined;
  /** It failed for good; until then, what is queued fails the same way. */
  gone: { readonly error: RegistryError; readonly until: number } | undefined;
};

/** Milliseconds for which a registry that has answered before is left alone after it failed for good. */
const GONE_FOR = 30_000;
const REDIRECTS = 5;

/** Requests that wait at the agent for a connection: one that is freed without any is parked and woken again, which costs a third more CPU. */
const WAITING = 8;

/** Knows nothing of a host before the first request to it; what it learns is kept until `close`. */
export function createRegistryHttp(options: RegistryHttpOptions): RegistryHttp {
  const { clock, timeouts } = options;
  const concurrency = options.concurrency ?? 32;
  const firstAnswer = (timeouts.firstAnswer ?? 60) * 1000;
  const connections = createConnections({ ca: options.ca, connect: timeouts.connect, idle: timeouts.idle, sockets: concurrency });
  const hosts = new Map<string, Host>();

  function hostNamed(written: string): Host {
    const name = written === '' || written === 'index.docker.io' ? 'docker.io' : written;
    let host = hosts.get(name);
    if (host === undefined) {
      const { hostname, port } = splitHost(name === 'docker.io' ? 'registry-1.docker.io' : name);
      const toleratesPlain = isLoopback(hostname) || options.insecureRegistries.includes(name);
      host = { name, hostname, port, toleratesPlain, limit: pLimit(1), peer: undefined, login: undefined, answers: 0, askedSince: undefined, gone: undefined };
      hosts.set(name, host);
    }
    return host;
  }

  async function sendInTurn(host: Host, request: RegistryRequest, signal: AbortSignal): Promise<Answer> {
    try {
      return await sendWithTries(host, request, signal);
    } finally {
      if (host.limit.concurrency === 1) host.limit.concurrency = concurrency + WAITING;
    }
  }

  async function sendWithTries(host: Host, request: RegistryRequest, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    const begun = clock.now();
    host.askedSince ??= begun;
    const answersBefore = host.answers;
    let waited = 0;
    for (let tries = 1; ; tries++) {
      if (host.gone !== undefined) {
        if (clock.now() < host.gone.until) throw host.gone.error;
        host.gone = undefined;
      }
      const outcome = await tryOnce(host, request, timeToFirstAnswer(host), signal);
      if (!(outcome instanceof ConnectionFault) && !isTemporary(outcome.status)) {
        host.answers++;
        return outcome;
      }
      const now = clock.now();
      const retryAfter = outcome instanceof ConnectionFault ? undefined : parseRetryAfter(outcome.headers['retry-after'], now);
      const left = timeToFirstAnswer(host);
      const mayPass = !(outcome instanceof ConnectionFault) || outcome.temporary;
      const delay = mayPass && request.once !== true ? retryDelay({ tries, retryAfter, waited, left, random: options.random() }) : undefined;
      if (delay === undefined) {
        const effort = { tries, seconds: (now - begun) / 1000, retryAfter };
        const faults = registryFaults(host.name, host.peer?.scheme ?? 'https');
        const error = outcome instanceof ConnectionFault ? faults.noAnswer(outcome, effort) : faults.noClearAnswer(outcome, effort);
        // Others were answered meanwhile: then it is this request's trouble, not the registry's.
        if (host.answers === answersBefore) host.gone = { error, until: host.answers === 0 ? Infinity : now + GONE_FOR };
        throw error;
      }
      if (retryAfter !== undefined) waited += delay;
      // A kept connection that the registry closed just then is no sign of trouble.
      const stale = tries === 1 && outcome instanceof ConnectionFault && outcome.reused;
      if (!stale) await clock.sleep(delay, signal);
    }
  }

  /** Milliseconds left for a registry to answer for the first time; undefined once it has. */
  function timeToFirstAnswer(host: Host): number | undefined {
    return host.answers > 0 ? undefined : Math.max(1, host.askedSince! + firstAnswer - clock.now());
  }

  async function tryOnce(host: Host, request: RegistryRequest, limit: number | undefined, signal: AbortSignal): Promise<Answer | ConnectionFault> {
    try {
      host.peer ??= await findPeer(host, limit, signal);
      const answer = await sendLoggedIn(host, host.peer, request, limit, signal);
      return isRead(request) && isRedirect(answer) ? await follow(host.peer, answer, request, limit, signal) : answer;
    } catch (error) {
      if (error instanceof ConnectionFault) return error;
      throw error;
    }
  }

  /** TLS, unless plain HTTP is tolerated there and the peer speaks no TLS at all. */
  async function findPeer({ hostname, port, toleratesPlain }: Host, limit: number | undefined, signal: AbortSignal): Promise<Peer> {
    const tls: Peer = { scheme: 'https', hostname, port: port ?? 443 };
    if (!toleratesPlain) return tls;
    try {
      if (await connections.speaksTls(tls, limit, signal)) return tls;
    } catch (error) {
      // Without a written port plain HTTP has another one, where nothing may listen for TLS.
      if (port !== undefined || !(error instanceof ConnectionFault) || error.message !== 'connect: refused') throw error;
    }
    return { scheme: 'http', hostname, port: port ?? 80 };
  }

  async function sendLoggedIn(host: Host, peer: Peer, request: RegistryRequest, limit: number | undefined, signal: AbortSignal): Promise<Answer> {
    let sent = host.login === undefined ? undefined : await authorization(host, host.login, request, limit, signal);
    let answer = await connections.exchange(peer, outgoing(request, sent?.header), limit, signal);
    if (answer.status === 401 && (sent === undefined || !sent.fresh)) {
      host.login = sent === undefined ? await learnLogin(host, request, answer) : host.login!;
      // A token may have grown old.
      sent = await authorization(host, host.login, request, limit, signal, sent?.header);
      answer = await connections.exchange(peer, outgoing(request, sent.header), limit, signal);
    }
    if (answer.status !== 401) return answer;
    const login = host.login!;
    if (login.scheme === 'basic') throw loginRefused(host, login);
    // The token server took the login; its token does not allow this.
    throw registryFaults(host.name, peer.scheme).notAllowed(login.credentials === undefined ? undefined : nameOf(login.credentials), actionOf(request), options.credentialsSource);
  }

  async function learnLogin(host: Host, request: RegistryRequest, answer: Answer): Promise<Login> {
    const faults = registryFaults(host.name, host.peer!.scheme);
    const challenge = parseChallenge(answer.headers['www-authenticate']);
    const credentials = await options.credentialsFor(host.name);
    if (challenge?.scheme === 'bearer') return { scheme: 'bearer', challenge, credentials, tokens: createTokens() };
    if (credentials === undefined || challenge === undefined) throw faults.loginMissing(isRead(request) ? undefined : actionOf(request), options.credentialsSource);
    return { scheme: 'basic', authorization: basicAuthorization(credentials), user: credentials.username };
  }

  function loginRefused(host: Host, login: Login & { readonly scheme: 'basic' }): RegistryError {
    const error = registryFaults(host.name, host.peer!.scheme).loginRefused(login.user, options.credentialsSource);
    // Thousands of queued requests with a wrong password would lock the account.
    host.gone = { error, until: Infinity };
    return error;
  }

  /** `refused`: the header that the registry has just answered with 401. */
  async function authorization(host: Host, login: Login, request: RegistryRequest, limit: number | undefined, signal: AbortSignal, refused?: string): Promise<Authorization> {
    // A login that is refused is wrong, not old.
    if (login.scheme === 'basic') return { header: login.authorization, fresh: true };
    const { challenge, credentials, tokens } = login;
    const faults = registryFaults(host.name, host.peer!.scheme);
    const ask = ({ method, url, headers, body }: TokenRequest): Promise<Answer> | undefined => {
      const peer = tokenPeer(host.peer!, url);
      const path = `${url.pathname}${url.search}`;
      return peer && connections.exchange(peer, { method, path, headers: { 'user-agent': options.userAgent, ...headers }, ...(body === undefined ? {} : { body }) }, limit, signal);
    };
    try {
      return await tokens.tokenFor(scopeOf(request), { challenge, credentials, credentialsSource: options.credentialsSource, clock, faults, ask }, signal, refused);
    } catch (error) {
      // As with Basic. Once it has given tokens, it is one scope that it refuses.
      if (error instanceof RegistryError && error.status === 401 && !tokens.granted) host.gone = { error, until: Infinity };
      throw error;
    }
  }

  /**
   * Where a token server may be asked with a login. The registry that names it must be known to be itself: over TLS, or on this
   * machine. Over TLS it names https alone; one that is tolerated without TLS may name its own host, or another tolerated one.
   */
  function tokenPeer(registry: Peer, realm: URL): Peer | undefined {
    const hostname = realm.hostname.replace(/^\[|\]$/g, '');
    const named: Peer = { scheme: realm.protocol === 'https:' ? 'https' : 'http', hostname, port: Number(realm.port || (realm.protocol === 'https:' ? 443 : 80)) };
    if (realm.protocol === 'https:' && (registry.scheme === 'https' || isLoopback(registry.hostname))) return named;
    if (registry.scheme === 'https' || (realm.protocol !== 'http:' && realm.protocol !== 'https:')) return undefined;
    return hostname === registry.hostname || isLoopback(hostname) || options.insecureRegistries.includes(realm.host) ? named : undefined;
  }

  /** Reads what a registry keeps elsewhere: without its login, unless it is the same peer. */
  async function follow(from: Peer, first: Answer, request: RegistryRequest, limit: number | undefined, signal: AbortSignal): Promise<Answer> {
    let base = new URL(`${from.scheme}://${from.hostname.includes(':') ? `[${from.hostname}]` : from.hostname}:${from.port}${request.path}`);
    let answer = first;
    for (let hops = 0; isRedirect(answer); hops++) {
      const location = parseUrl(answer.headers.location!, base);
      const peer = location === undefined ? undefined : peerOf(location);
      if (location === undefined || peer === undefined || hops === REDIRECTS) {
        throw registryFaults(request.host, from.scheme).badRedirect(hops === REDIRECTS ? 'in circles' : 'to an address without TLS');
      }
      base = location;
      const path = `${location.pathname}${location.search}`;
      const samePeer = peer.hostname === from.hostname && peer.port === from.port && peer.scheme === from.scheme;
      const elsewhere = { ...request, path, host: location.host };
      answer = samePeer
        ? await sendLoggedIn(hostNamed(request.host), from, { ...request, path }, limit, signal)
        : await connections.exchange(peer, outgoing(elsewhere, undefined), limit, signal);
    }
    return answer;
  }

  /** Where a URL that a registry gave us leads; undefined when it may not be used. */
  function peerOf(url: URL): Peer | undefined {
    const hostname = url.hostname.replace(/^\[|\]$/g, '');
    if (url.protocol === 'https:') return { scheme: 'https', hostname, port: Number(url.port || 443) };
    const tolerated = isLoopback(hostname) || options.insecureRegistries.includes(url.host);
    return url.protocol === 'http:' && tolerated ? { scheme: 'http', hostname, port: Number(url.port || 80) } : undefined;
  }

  function outgoing({ method, path, headers, body, streamed }: RegistryRequest, authorization: string | undefined): Outgoing {
    return {
      method,
      streamed,
      path,
      headers: { 'user-agent': options.userAgent, ...headers, ...(authorization === undefined ? {} : { authorization }) },
      ...(body === undefined ? {} : { body }),
    };
  }

  return {
    send: (request, signal) => {
      const host = hostNamed(request.host);
      return host.limit(sendInTurn, host, request, signal);
    },
    close: () => connections.close(),
  };
}

function isRedirect({ status, headers }: Answer): boolean {
  return (status === 301 || status === 302 || status === 303 || status === 307 || status === 308) && headers.location !== undefined;
}

function parseUrl(text: string, base: URL): URL | undefined {
  return URL.canParse(text, base.href) ? new URL(text, base) : undefined;
}

function isRead({ method }: RegistryRequest): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** Distribution spec, "Token Scope Documentation". Deleting is a right of its own, that of an upload too (distribution/registry/handlers/app.go). */
function scopeOf(request: RegistryRequest): string {
  if (request.scope !== undefined) return request.scope;
  const actions = isRead(request) ? 'pull' : request.method === 'DELETE' ? 'delete' : 'pull,push';
  return `repository:${request.repository}:${actions}`;
}

/** `to push to base/web`. */
function actionOf(request: RegistryRequest): string {
  return `${isRead(request) ? 'to read' : request.method === 'DELETE' ? 'to delete in' : 'to push to'} ${request.repository}`;
}

/** Identity tokens come without a user's name. */
function nameOf({ username }: Credentials): string {
  return username === '' ? 'the login' : username;
}

/** `host`, `host:port`, `[v6]:port`. */
function splitHost(name: string): { readonly hostname: string; readonly port: number | undefined } {
  const [, bracketed, bare, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(name) ?? [];
  return { hostname: bracketed ?? bare ?? name, port: port === undefined ? undefined : Number(port) };
}

/** This machine itself: 127.0.0.0/8, ::1, localhost. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '::1' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
}
