import { randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from './certificate.js';

/** How a token server gives tokens, as Harbor's does: what is asked for and not allowed is left out of the token, without an error. */
export type TokenRules = {
  /** Who may do what; unset: a user everything, nobody else anything. `user` undefined: a request without login. */
  readonly may?: (user: string | undefined, repository: string, action: string) => boolean;
  /** What `expires_in` says, in seconds (300); 0: it is left out. */
  readonly expiresIn?: number;
  /** For how many seconds the registry takes a token, whatever `expires_in` says (300). */
  readonly serves?: number;
  /** Refresh tokens, as `docker login` stores them at some registries, and whose they are. */
  readonly identityTokens?: Readonly<Record<string, string>>;
};

/** One request for a token. */
export type TokenAsked = { readonly method: string; readonly user: string | undefined; readonly service: string; readonly scopes: readonly string[]; readonly status: number };

/** A token server of a test's own (Distribution spec, "Token Authentication Specification"). */
export type TokenServer = {
  /** What the registry's challenge names. */
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  readonly asked: readonly TokenAsked[];
  /** Answers this status, and nothing else, from now on; undefined: serves again. */
  refuse(status: number | undefined): void;
  /** Changes a rule from now on. */
  rule(rules: TokenRules): void;
  /** A token for everything in one repository, for the test's own requests. */
  ownerToken(repository: string): string;
  stop(): Promise<void>;
};

export const TOKEN_SERVICE = 'harbor-registry';
const ISSUER = 'harbor-token-issuer';

/** What the registry adds to a token's end (distribution/registry/auth/token, `Leeway`), in seconds. */
const LEEWAY = 60;

/** Listens on a loopback port; `certificate` signs the tokens and, with `tls`, is the server's own. */
export async function startTokenServer(users: Readonly<Record<string, string>>, certificate: Certificate, first: TokenRules = {}, tls = false): Promise<TokenServer> {
  const key = readFileSync(certificate.keyFile, 'utf8');
  const leaf = readFileSync(certificate.certificateFile, 'utf8').replace(/-----[A-Z ]+-----|\s/g, '');
  const asked: TokenAsked[] = [];
  let rules = first;
  let refusal: number | undefined;

  function makeToken(user: string, access: readonly object[]): string {
    const now = Math.floor(Date.now() / 1000);
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const end = now - LEEWAY + (rules.serves ?? 300);
    const text = `${part({ typ: 'JWT', alg: 'ES256', x5c: [leaf] })}.${part({ iss: ISSUER, sub: user, aud: TOKEN_SERVICE, exp: end, nbf: now - 10, iat: now, jti: randomUUID(), access })}`;
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }

  /** `repository:NAME:pull,push` less what is not allowed. */
  function granted(user: string | undefined, scope: string): object[] {
    const [, name = '', actions = ''] = /^repository:(.+):([a-z,*]+)$/.exec(scope) ?? [];
    const may = rules.may ?? ((who: string | undefined) => who !== undefined);
    const allowed = actions.split(',').filter((action) => action !== '' && may(user, name, action));
    return allowed.length === 0 ? [] : [{ type: 'repository', name, actions: allowed }];
  }

  function serve(request: IncomingMessage, response: ServerResponse, body: string): void {
    const { searchParams } = new URL(request.url ?? '/', 'http://token.invalid');
    const form = request.method === 'POST' ? new URLSearchParams(body) : searchParams;
    // Docker sends several scopes as several parameters, or as one with spaces between them.
    const scopes = form.getAll('scope').flatMap((scope) => scope.split(' '));
    const service = form.get('service') ?? '';
    const answer = (status: number, value: object, user?: string): void => {
      asked.push({ method: request.method ?? '', user, service, scopes, status });
      response.writeHead(status, { 'content-type': 'application/json', ...(status === 401 ? { 'www-authenticate': 'Basic realm="harbor"' } : {}) }).end(JSON.stringify(value));
    };
    if (refusal !== undefined) return answer(refusal, { errors: [{ code: 'UNKNOWN', message: 'not now' }] });
    const login = loginOf(request, form);
    if (login === 'wrong' || service !== TOKEN_SERVICE) return answer(401, { errors: [{ code: 'UNAUTHORIZED', message: 'unauthorized: unauthorized' }] });
    const token = makeToken(login ?? '', scopes.flatMap((scope) => granted(login, scope)));
    const seconds = rules.expiresIn ?? 300;
    answer(200, { [request.method === 'POST' ? 'access_token' : 'token']: token, ...(seconds === 0 ? {} : { expires_in: seconds }), issued_at: new Date().toISOString() }, login);
  }

  function loginOf(request: IncomingMessage, form: URLSearchParams): string | undefined | 'wrong' {
    if (request.method === 'POST') return form.get('grant_type') === 'refresh_token' ? (rules.identityTokens?.[form.get('refresh_token') ?? ''] ?? 'wrong') : 'wrong';
    const [, basic] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    if (basic === undefined) return undefined;
    const [user = '', ...rest] = Buffer.from(basic, 'base64').toString().split(':');
    return users[user] === rest.join(':') ? user : 'wrong';
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => serve(request, response, body));
  };
  const server = tls ? createTls({ cert: readFileSync(certificate.certificateFile), key }, listener) : createPlain(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    realm: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}/service/token`,
    service: TOKEN_SERVICE,
    issuer: ISSUER,
    asked,
    refuse: (status) => void (refusal = status),
    rule: (more) => void (rules = { ...rules, ...more }),
    ownerToken: (repository) => makeToken('owner', [{ type: 'repository', name: repository, actions: ['pull', 'push', 'delete', '*'] }]),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
