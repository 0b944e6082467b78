import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** An OpenPGP key of a test's own. */
export type SigningKey = {
  /** Its public half, binary. */
  readonly keyring: Buffer;
  readonly armored: string;
  /** 40 hex digits, capitals. */
  readonly fingerprint: string;
  gpg(...args: readonly string[]): Promise<Buffer>;
  /** Ends the agent that keeps it. */
  stop(): Promise<unknown>;
};

/** Makes a key in a folder of its own. */
export async function makeSigningKey(home: string): Promise<SigningKey> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const gpg = async (...args: readonly string[]): Promise<Buffer> =>
    (await run('gpg', ['--homedir', home, '--batch', '--yes', '--pinentry-mode', 'loopback', '--passphrase', '', ...args], { encoding: 'buffer' })).stdout;
  await gpg('--quick-generate-key', 'Test <test@example.org>', 'ed25519', 'sign', 'never');
  const listed = (await gpg('--with-colons', '--list-keys')).toString();
  return {
    keyring: await gpg('--export'),
    armored: (await gpg('--armor', '--export')).toString(),
    fingerprint: /^fpr:+([0-9A-F]{40}):/m.exec(listed)![1]!,
    gpg,
    stop: () => run('gpgconf', ['--homedir', home, '--kill', 'all']).catch(() => undefined),
  };
}
