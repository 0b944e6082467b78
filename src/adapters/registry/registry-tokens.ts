import type { Clock } from '../clock.js';
import { ConnectionFault } from './connection-fault.js';
import type { Credentials } from './credentials.js';
import { parseToken, tokenRequest, type Challenge, type TokenRequest } from './registry-auth.js';
import type { Answer } from './registry-connection.js';
import type { registryFaults } from './registry-faults.js';
import { isTemporary } from './registry-retry.js';

/** What tokens are fetched with. */
export type TokenOptions = {
  readonly challenge: Challenge & { readonly scheme: 'bearer' };
  readonly credentials: Credentials | undefined;
  /** Where logins were looked for, in words. */
  readonly credentialsSource: string | undefined;
  readonly clock: Clock;
  readonly faults: ReturnType<typeof registryFaults>;
  /** Asks the token server once; undefined when the address is one that may not be told a login. */
  ask(request: TokenRequest): Promise<Answer> | undefined;
};

/** An Authorization header. `fresh`: just made, so that a registry which refuses it means the right and not the token's age. */
export type Authorization = { readonly header: string; readonly fresh: boolean };

/** The tokens of one registry, one per scope, each fetched once for all who wait for it. */
export type Tokens = {
  /** A token for a scope, good for at least a moment. `refused`: one that the registry would not take just now. */
  tokenFor(scope: string, options: TokenOptions, signal: AbortSignal, refused?: string): Promise<Authorization>;
  /** Whether the token server has ever taken our login. */
  readonly granted: boolean;
};

/** Milliseconds before its end at which a token is not used any more; of short-lived ones, half of their life. */
const MARGIN = 5000;

/** Holds no token yet. */
export function createTokens(): Tokens {
  const kept = new Map<string, { readonly header: string; readonly until: number }>();
  const coming = new Map<string, Promise<Authorization>>();
  let granted = false;

  async function fetchToken(scope: string, { challenge, credentials, credentialsSource, clock, faults, ask }: TokenOptions): Promise<Authorization> {
    const asked = clock.now();
    const request = tokenRequest(challenge, scope, credentials);
    const pending = request === undefined ? undefined : ask(request);
    if (pending === undefined) throw faults.badTokenServer(request === undefined ? 'its address is none' : `${request.url.origin} may not be told a login: only https is, named by a registry that itself speaks TLS`);
    const answer = await pending;
    if (answer.status === 401 || answer.status === 403) throw faults.loginRefused(credentials?.username, credentialsSource);
    if (isTemporary(answer.status)) throw new ConnectionFault('broken', `its token server answers ${answer.status}`);
    const token = answer.status === 200 ? parseToken(answer.body) : undefined;
    if (token === undefined) throw faults.badTokenServer(`it answers ${answer.status} without a token`);
    granted = true;
    const life = token.seconds * 1000;
    const header = `Bearer ${token.token}`;
    kept.set(scope, { header, until: asked + life - Math.min(MARGIN, life / 2) });
    return { header, fresh: true };
  }

  return {
    get granted() {
      return granted;
    },
    async tokenFor(scope, options, signal, refused) {
      for (;;) {
        signal.throwIfAborted();
        const had = kept.get(scope);
        if (had !== undefined && had.header !== refused && options.clock.now() < had.until) return { header: had.header, fresh: false };
        const shared = coming.get(scope);
        if (shared === undefined) {
          const mine = fetchToken(scope, options).finally(() => coming.delete(scope));
          coming.set(scope, mine);
          return mine;
        }
        try {
          return await shared;
        } catch (error) {
          // Another's abort is not ours; another's refused login is: asking again would lock the account.
          if (error instanceof ConnectionFault || (error as { registry?: unknown }).registry !== undefined) throw error;
        }
      }
    },
  };
}
