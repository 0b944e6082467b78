import { request as requestPlain, Agent as PlainAgent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { ConnectionFault } from '../registry/connection-fault.js';

/** Which proxy stands before a host; undefined: none. */
export type ProxyFor = (url: URL) => URL | undefined;

/**
 * `configured`, for every host, or else what the environment says, as curl and apt read it: `http_proxy`, `https_proxy`, and
 * `no_proxy` with hosts and domains that have none.
 */
export function createProxyFor(configured: string | undefined, env: Readonly<Record<string, string | undefined>>): ProxyFor {
  const said = (name: string): string | undefined => env[name] || env[name.toUpperCase()] || undefined;
  // HTTP_PROXY is what a web server makes of a request's header "Proxy": in capitals it is not looked at (CVE-2016-5385).
  const byScheme = { 'http:': configured ?? (env['http_proxy'] || undefined), 'https:': configured ?? said('https_proxy') } as const;
  const without = configured === undefined ? (said('no_proxy') ?? '').split(/[\s,]+/).filter(Boolean) : [];
  return (url) => {
    const written = url.protocol === 'http:' || url.protocol === 'https:' ? byScheme[url.protocol] : undefined;
    if (written === undefined || without.some((entry) => covers(entry, url))) return undefined;
    const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(written) ? written : `http://${written}`;
    return URL.canParse(text) ? new URL(text) : undefined;
  };
}

function covers(entry: string, { hostname, port }: URL): boolean {
  if (entry === '*') return true;
  const [name, own] = entry.replace(/^\*?\./, '').split(/:(?=\d+$)/);
  return (own === undefined || own === port) && (hostname === name || hostname.endsWith(`.${name!}`));
}

/** Connections to TLS hosts through a proxy's CONNECT (RFC 9110, 9.3.6). */
export function tunnelThrough(proxy: URL, context: SecureContext, limits: { readonly sockets: number }): TlsAgent {
  const agent = new TlsAgent({ keepAlive: true, maxSockets: limits.sockets, secureContext: context });
  type Options = { readonly host: string; readonly port: number };
  type Done = (error: Error | null, socket?: Socket) => void;
  const open = agent as unknown as { createConnection(options: Options, done: Done): undefined };
  open.createConnection = (options, done) => {
    const to = `${isIP(options.host) === 6 ? `[${options.host}]` : options.host}:${options.port}`;
    const asking = requestPlain({ host: hostOf(proxy), port: proxy.port || 80, method: 'CONNECT', path: to, headers: { host: to, ...proxyLogin(proxy) }, agent: new PlainAgent() });
    asking.once('connect', ({ statusCode }, socket: Socket) => {
      if (statusCode === 200) return done(null, connectTls({ ...options, socket, secureContext: context, ...(isIP(options.host) === 0 ? { servername: options.host } : {}) }));
      socket.destroy();
      done(new ConnectionFault('broken', `the proxy ${proxy.host} refuses (${statusCode ?? 'no status'})`));
    });
    asking.once('error', (error) => done(error));
    asking.end();
  };
  return agent;
}

/** Its login, in the header of requests to it. */
export function proxyLogin({ username, password }: URL): { readonly 'proxy-authorization'?: string } {
  if (username === '' && password === '') return {};
  return { 'proxy-authorization': `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}` };
}

/** A URL's host as sockets take it: without the brackets of an IPv6 address. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
