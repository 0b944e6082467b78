import { EngineError, NoSpaceError, RegistryError } from '../../shared/errors.js';
import { formatImageRef, type ImageRef } from '../../shared/image-ref.js';
import { EngineRefusal, oneLine } from './engine-connection.js';
import { REFUSAL_MEANS, refusalHints, refusalIn } from '../registry/registry-refusal.js';

/** Whether an engine's text says that its disk is full. */
export function isDiskFull(text: string): boolean {
  return /no space left on device|disk quota exceeded/i.test(text);
}

/** The engine cannot store more. */
export function diskFull(): NoSpaceError {
  return new NoSpaceError("no space left on the engine's disk", ['docker system df   (shows what takes it)']);
}

/** What the engine tells of a registry that it asked for us, with the status that the text speaks of. */
export function registryFault(action: 'pull' | 'push', image: ImageRef, text: string, engineStatus?: number): RegistryError | EngineError {
  if (isDiskFull(text)) return diskFull();
  // What stands behind the question mark of an upload's address is for the registry alone.
  const words = oneLine(text).replace(/^Error response from daemon: /, '').replace(/(https?:\/\/[^\s?]+)\?\S*?(:?)(?=\s|$)/g, '$1$2');
  if (/does not exist locally|tag does not exist/.test(words)) return new EngineError(`the engine does not have ${formatImageRef(image)} any more`);
  const registry = image.registry === '' ? 'docker.io' : image.registry;
  const name = formatImageRef(image);
  if (/\bx509: /.test(words)) {
    // Read at each request: the engine need not be started again.
    const hints = [`the registry's CA in /etc/docker/certs.d/${registry}/ca.crt on the engine's machine`];
    return new RegistryError(`${name} could not be ${action}ed: the engine does not trust ${registry}: ${words.slice(words.indexOf('x509: '))}`, registry, undefined, hints, 'certificate');
  }
  if (/server gave HTTP response to HTTPS client/.test(words)) {
    const hints = [`"insecure-registries": ["${registry}"] in /etc/docker/daemon.json on the engine's machine, then systemctl reload docker`];
    return new RegistryError(`${name} could not be ${action}ed: ${registry} speaks no TLS, and the engine does not take it without`, registry, undefined, hints, 'no-tls');
  }
  const status = statusIn(words) ?? (engineStatus === 404 ? 404 : undefined);
  const bare = /unexpected status from PUT request to (\S+): (\d{3})[ A-Za-z]*$/.exec(words);
  if (bare !== null) return bareRefusal(name, registry, image, words, bare[1]!, Number(bare[2]));
  const refusal = action === 'push' ? refusalIn(words) : undefined;
  if (refusal !== undefined) {
    return new RegistryError(`${name} was refused by the registry: ${REFUSAL_MEANS[refusal]} (${words})`, registry, status, refusalHints(refusal, registry, image.repository, image.tag), refusal);
  }
  const verb = status === undefined ? `could not be ${action}ed` : status === 404 ? `was not found by the registry` : `was refused by the registry`;
  return new RegistryError(`${name} ${verb}: ${words}`, registry, status);
}

/** Engines with the containerd store, up to 26.1 at least, tell the status of a refused push and not the registry's words. */
function bareRefusal(name: string, registry: string, { repository, tag }: ImageRef, words: string, url: string, status: number): RegistryError {
  const said = words.slice(words.lastIndexOf(': ') + 2);
  // Harbor's and Quay's status for a tag that may not be set again.
  if (url.includes('/manifests/') && (status === 409 || status === 412)) {
    return new RegistryError(`${name} was refused by the registry: ${REFUSAL_MEANS['immutable-tag']} (${said})`, registry, status, refusalHints('immutable-tag', registry, repository, tag), 'immutable-tag');
  }
  const why = `the log of ${registry}, since the engine does not pass on its words: a quota that is used up and a right that is missing look alike`;
  return new RegistryError(`${name} was refused by the registry: ${said}`, registry, status, status < 500 && status !== 429 ? [why] : []);
}

/** The HTTP status that an engine's words about a registry stand for; undefined when they tell of none. */
export function statusIn(words: string): number | undefined {
  const written = /\b(?:HTTP|status(?: code)?(?: \[[^\]]*\]| from \S+ request to \S+)?):? (\d{3})\b/i.exec(words)?.[1];
  if (written !== undefined) return Number(written);
  if (/no basic auth credentials|unauthorized|authentication required|incorrect username or password/i.test(words)) return 401;
  if (/denied|forbidden/i.test(words)) return 403;
  if (/manifest unknown|name unknown|not found|does not exist/i.test(words)) return 404;
  if (/^unsupported: /i.test(words)) return 405;
  if (/toomanyrequests|too many requests/i.test(words)) return 429;
  return undefined;
}

/** The engine's no to something asked of it, as a fault; anything else as it is. `what`: behind "would not". */
export function refused(error: unknown, what: string): unknown {
  if (!(error instanceof EngineRefusal)) return error;
  return isDiskFull(error.message) ? diskFull() : new EngineError(`the engine would not ${what}: ${error.message}`);
}
