import { STATUS_CODES } from 'node:http';
import { RegistryError, type RegistryTrouble } from '../../shared/errors.js';
import type { ConnectionFault } from './connection-fault.js';
import type { Answer } from './registry-connection.js';
import { REFUSAL_MEANS, refusalHints, refusalIn } from './registry-refusal.js';

/** What was done before giving up. */
export type Effort = {
  readonly tries: number;
  readonly seconds: number;
  /** Milliseconds that the registry last asked to wait, if it did. */
  readonly retryAfter: number | undefined;
};

/** Every way in which a registry can fail us, as one line and what to try. No credential and no URL with a query ever gets in. */
export function registryFaults(host: string, scheme: 'https' | 'http') {
  const tryIt = [`curl -v ${scheme}://${host === 'docker.io' ? 'registry-1.docker.io' : host}/v2/`];
  const error = (message: string, status: number | undefined, hints: readonly string[] = tryIt, trouble?: RegistryTrouble): RegistryError => new RegistryError(message, host, status, hints, trouble);
  const searched = (source: string | undefined): readonly string[] => [...(source === undefined ? [] : [`check the login in ${source}: credentials were looked for there`]), `docker login ${host}`];
  return {
    noAnswer(fault: ConnectionFault, effort: Effort): RegistryError {
      switch (fault.kind) {
        case 'certificate':
          return error(`${host} is not trusted: ${fault.message}`, undefined, [...tryIt, 'ca_bundle in the config names a file of CAs to trust beside the system\'s'], 'certificate');
        case 'no-tls':
          return error(`${host} speaks no TLS`, undefined, [...tryIt, 'insecure_registries in the config lists hosts where plain HTTP is tolerated'], 'no-tls');
        case 'tls':
        case 'unknown-host':
        case 'too-large':
          return error(`${host} cannot be used: ${fault.message}`, undefined);
        case 'connect':
        case 'idle':
        case 'broken':
          return error(`${host} does not answer (${fault.message}, ${inWords(effort)})`, undefined);
      }
    },
    noClearAnswer(answer: Answer, effort: Effort): RegistryError {
      const asked = effort.retryAfter === undefined ? '' : `, asks to wait ${Math.round(effort.retryAfter / 1000)}s`;
      return error(`${host} answers ${statusOf(answer)} (${inWords(effort)}${asked})`, answer.status);
    },
    /** `what`: "to push to base/web", where others may read without a login; undefined: nothing is open to all. */
    loginMissing(what: string | undefined, source: string | undefined): RegistryError {
      return error(`${host} asks for a login${what === undefined ? '' : ` ${what}`}, and there is none for it (401)`, 401, searched(source));
    },
    /** The login is good, but not for this. `user` undefined: there is no login. */
    notAllowed(user: string | undefined, what: string, source: string | undefined): RegistryError {
      if (user === undefined) return this.loginMissing(what, source);
      return error(`${host} does not allow ${user} ${what} (401, insufficient scope)`, 401, [`the rights of ${user} at ${host}: a push needs pull and push`, ...searched(source)]);
    },
    loginRefused(user: string | undefined, source: string | undefined): RegistryError {
      const whose = user === undefined ? 'a request without login' : user === '' ? 'the login' : `the login of ${user}`;
      return error(`${host} refuses ${whose} (401)`, 401, searched(source));
    },
    badTokenServer(why: string): RegistryError {
      return error(`${host} names a token server that cannot be used: ${why}`, undefined);
    },
    badRedirect(why: string): RegistryError {
      return error(`${host} redirects ${why}`, undefined);
    },
    /** `what`: "to show base/web:1", "a push to base/web". `about`: what the refusal of a write would be about. */
    refuses(what: string, answer: Answer, about?: { readonly repository: string; readonly tag?: string }): RegistryError {
      const detail = detailOf(answer);
      const refusal = about === undefined || detail === undefined ? undefined : refusalIn(detail);
      if (about !== undefined && refusal !== undefined) {
        return error(`${host} refuses ${what}: ${REFUSAL_MEANS[refusal]} (${answer.status}, ${detail})`, answer.status, refusalHints(refusal, host, about.repository, about.tag), refusal);
      }
      return error(`${host} refuses ${what}: ${statusOf(answer)}${detail === undefined ? '' : ` (${detail})`}`, answer.status);
    },
    /** A registry in which deleting is switched off, or not a thing at all. */
    deletesNothing(answer: Answer): RegistryError {
      const detail = detailOf(answer);
      return error(`${host} deletes nothing: ${statusOf(answer)}${detail === undefined ? '' : ` (${detail})`}`, 405, ['REGISTRY_STORAGE_DELETE_ENABLED=true (storage.delete.enabled) for docker-registry; for others what they say of deleting']);
    },
    /** An answer that no registry should give. */
    confused(message: string, status?: number): RegistryError {
      return error(`${host}: ${message}`, status);
    },
  };
}

/** `4 tries in 58s`. */
function inWords({ tries, seconds }: Effort): string {
  return tries === 1 ? `1 try, ${seconds.toFixed(0)}s` : `${tries} tries in ${seconds.toFixed(0)}s`;
}

function statusOf({ status }: Answer): string {
  const name = STATUS_CODES[status];
  return name === undefined ? String(status) : `${status} ${name}`;
}

/** The error codes in a registry's answer (OCI distribution spec, "Error Codes"); empty when it speaks in another way. */
export function errorCodesOf({ body }: Answer): readonly string[] {
  return errorsOf(body).flatMap(({ code }) => (typeof code === 'string' ? [code] : []));
}

function detailOf({ body }: Answer): string | undefined {
  const [first] = errorsOf(body);
  if (first === undefined) return undefined;
  const words = [first.code, first.message].filter((part) => typeof part === 'string' && part !== '').join(': ');
  return words === '' ? undefined : words.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, 200);
}

function errorsOf(body: Buffer): readonly { readonly code?: unknown; readonly message?: unknown }[] {
  try {
    const { errors } = JSON.parse(body.toString('utf8')) as { errors?: unknown };
    return Array.isArray(errors) ? errors.filter((error) => typeof error === 'object' && error !== null) : [];
  } catch {
    return [];
  }
}
