import type { Credentials } from './credentials.js';

/** What a registry asks for in WWW-Authenticate (RFC 9110 §11.6.1; Distribution spec, "Token Authentication"). */
export type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service: string | undefined; readonly scope: string | undefined };

/** The first challenge that we can meet; undefined when there is none. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  if (header === undefined) return undefined;
  const bearer = /(?:^|,)\s*bearer\s+/i.exec(header);
  if (bearer !== null) {
    const parameters = new Map<string, string>();
    const rest = header.slice(bearer.index + bearer[0].length);
    for (const [, name, quoted, bare] of rest.matchAll(/([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi)) {
      if (!parameters.has(name!.toLowerCase())) parameters.set(name!.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '');
    }
    const realm = parameters.get('realm');
    if (realm !== undefined) return { scheme: 'bearer', realm, service: parameters.get('service'), scope: parameters.get('scope') };
  }
  return /(?:^|,)\s*basic\b/i.test(header) ? { scheme: 'basic' } : undefined;
}

/** The Authorization header of a user and password (RFC 7617, UTF-8). */
export function basicAuthorization({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

/** What to ask a token server: a GET with the login, or a POST that trades an identity token (Distribution spec, "OAuth2 Token Authentication"). */
export type TokenRequest = {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
};

/** The request for a token of one scope; undefined when the realm is no URL. */
export function tokenRequest(challenge: Challenge & { scheme: 'bearer' }, scope: string, credentials: Credentials | undefined): TokenRequest | undefined {
  let url: URL;
  try {
    url = new URL(challenge.realm);
  } catch {
    return undefined;
  }
  if (credentials?.identityToken !== undefined) {
    const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: credentials.identityToken, client_id: 'build-images', scope });
    if (challenge.service !== undefined) form.set('service', challenge.service);
    return { method: 'POST', url, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: Buffer.from(form.toString()) };
  }
  if (challenge.service !== undefined) url.searchParams.set('service', challenge.service);
  url.searchParams.set('scope', scope);
  return { method: 'GET', url, headers: credentials === undefined ? {} : { authorization: basicAuthorization(credentials) }, body: undefined };
}

/** A token and for how many seconds it serves (60 when the server does not say, as the specification rules); undefined when the answer holds none. */
export function parseToken(body: Buffer): { readonly token: string; readonly seconds: number } | undefined {
  try {
    const answer = JSON.parse(body.toString('utf8')) as { token?: unknown; access_token?: unknown; expires_in?: unknown };
    const token = answer.token ?? answer.access_token;
    if (typeof token !== 'string' || token === '' || /[^\x21-\x7e]/.test(token)) return undefined;
    return { token, seconds: typeof answer.expires_in === 'number' && answer.expires_in > 0 ? answer.expires_in : 60 };
  } catch {
    return undefined;
  }
}
