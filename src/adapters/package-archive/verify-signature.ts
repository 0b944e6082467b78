import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import type { SignedText } from './cleartext-signature.js';

/** Whether a text is signed by one of some keys; else what is wrong, as what follows its name: `is signed by none of the image's keys`. */
export type Verdict = { readonly good: true } | { readonly good: false; readonly says: string };

/** A signature: the key that made it, and the main key that this belongs to. Hex digits in capitals. */
type Signer = { readonly key: string; readonly main: string };

/**
 * Checks a detached signature as apt does (apt-pkg/contrib/gpgv.cc), with gpgv, or sqv where only that is. One good signature is
 * enough, and one that is of another text too many.
 * @param keyring binary keys
 * @param fingerprints those of the keys that may sign it, as `Signed-By` has them; undefined: all in the keyring
 * @param place where programs are looked for, and where temporary files go
 */
export async function verifySignature({ text, signature }: SignedText, keyring: Uint8Array, fingerprints: readonly string[] | undefined, { path, scratch }: { readonly path: string; readonly scratch: string }, signal: AbortSignal): Promise<Verdict> {
  let folder: string | undefined;
  try {
    const made = (folder = await mkdtemp(join(scratch, 'build-images-signature-')));
    const file = (name: string): string => join(made, name);
    await Promise.all([writeFile(file('keys.gpg'), keyring), writeFile(file('signature.asc'), signature), writeFile(file('text'), text)]);
    const run = (command: string, ...args: readonly string[]): Promise<Ended | undefined> => runVerifier(command, args, { PATH: path, LC_ALL: 'C', HOME: made, GNUPGHOME: made }, signal);
    const gpgv = await run('gpgv', '--ignore-time-conflict', '--status-fd', '1', '--keyring', file('keys.gpg'), file('signature.asc'), file('text'));
    if (gpgv !== undefined) return verdictOfGpgv(gpgv.output, fingerprints);
    const sqv = await run('sqv', '--keyring', file('keys.gpg'), file('signature.asc'), file('text'));
    if (sqv !== undefined) return verdictOfSqv(sqv, fingerprints);
    return { good: false, says: 'cannot be checked: there is neither gpgv nor sqv on this machine' };
  } catch (error) {
    signal.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    // No room for temporary files, or a program that may not be run.
    return { good: false, says: `cannot be checked: ${code}` };
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** How a verifier ended, and what it printed. */
export type Ended = { readonly code: number; readonly output: string; readonly errors: string };

/** Undefined: there is no such program. */
async function runVerifier(command: string, args: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Ended | undefined> {
  signal.throwIfAborted();
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], signal, detached: true });
  const ended = new Promise<number | undefined>((settle, reject) => {
    child.once('error', (error) => ((error as NodeJS.ErrnoException).code === 'ENOENT' ? settle(undefined) : reject(signal.aborted ? (signal.reason as Error) : error)));
    child.once('close', (code) => settle(code ?? 1));
  });
  const [code, output, errors] = await Promise.all([ended, readText(child.stdout as Readable), readText(child.stderr as Readable)]);
  return code === undefined ? undefined : { code, output, errors };
}

/** Algorithms of digests that prove nothing (RFC 9580, 9.5): MD5, SHA-1, RIPEMD-160. */
const WEAK_DIGESTS = new Set(['1', '2', '3']);

/** GnuPG's status lines (doc/DETAILS). VALIDSIG stands with signatures of expired and revoked keys as well; only GOODSIG tells. */
export function verdictOfGpgv(status: string, fingerprints: readonly string[] | undefined): Verdict {
  const signatures = status.split(/^\[GNUPG:\] NEWSIG.*$/m).slice(1).map((part) => new Map([...part.matchAll(/^\[GNUPG:\] (\S+) ?(.*)$/gm)].map(([, word, rest]) => [word!, rest!.split(' ')])));
  const signers = signatures.flatMap((words): readonly Signer[] => {
    const [key = '', , , , , , , digest = '', , main = key] = words.get('VALIDSIG') ?? [];
    return words.has('GOODSIG') && key !== '' && !WEAK_DIGESTS.has(digest) ? [{ key, main }] : [];
  });
  if (signatures.some((words) => words.has('BADSIG'))) return { good: false, says: 'does not fit its signature' };
  if (signers.length > 0) return allowed(signers, fingerprints);
  const said = (word: string): string | undefined => signatures.find((words) => words.has(word))?.get(word)?.[0];
  const missing = signatures.flatMap((words) => words.get('NO_PUBKEY') ?? []);
  if (said('EXPKEYSIG') !== undefined) return { good: false, says: `is signed by a key that has expired (${said('EXPKEYSIG')})` };
  if (said('REVKEYSIG') !== undefined) return { good: false, says: `is signed by a key that was revoked (${said('REVKEYSIG')})` };
  if (said('EXPSIG') !== undefined) return { good: false, says: 'has a signature that has expired' };
  if (said('GOODSIG') !== undefined) return { good: false, says: 'is signed with a digest that proves nothing' };
  if (missing.length > 0) return { good: false, says: `is signed by none of the image's keys (${missing.join(', ')})` };
  return { good: false, says: 'has no signature that can be read' };
}

/** sqv prints the fingerprint of the main key of each good signature (sqv(1)). */
export function verdictOfSqv({ code, output, errors }: Ended, fingerprints: readonly string[] | undefined): Verdict {
  const signers = [...output.matchAll(/^([0-9A-F]{40,64})$/gm)].map(([, key]) => ({ key: key!, main: key! }));
  if (code === 0 && signers.length > 0) return allowed(signers, fingerprints);
  const missing = [...errors.matchAll(/^Missing key ([0-9A-F]+)/gim)].map(([, key]) => key!.slice(-16));
  if (/manipulated/.test(errors)) return { good: false, says: 'does not fit its signature' };
  if (missing.length > 0) return { good: false, says: `is signed by none of the image's keys (${missing.join(', ')})` };
  const last = errors.trim().split('\n').at(-1)!.trim();
  return { good: false, says: `has no good signature${last === '' ? '' : ` (${last})`}` };
}

/** sources.list(5), "Signed-By": a fingerprint names a key with its subkeys, with `!` behind it that one alone. */
function allowed(signers: readonly Signer[], fingerprints: readonly string[] | undefined): Verdict {
  const wanted = fingerprints?.map((text) => text.replaceAll(' ', '').toUpperCase());
  if (wanted === undefined || signers.some(({ key, main }) => wanted.some((one) => one === key || one === main || one === `${key}!`))) return { good: true };
  return { good: false, says: `is signed by a key that its Signed-By does not name (${signers.map(({ main }) => main).join(', ')})` };
}
