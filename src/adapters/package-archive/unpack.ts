import { spawn } from 'node:child_process';
import { createGunzip } from 'node:zlib';

/** Forms of files that can be read, the first one preferred. */
export const PACKED_FORMS = ['.xz', '.zst', '.gz', '.bz2', ''] as const;

/** One of them. */
export type PackedForm = (typeof PACKED_FORMS)[number];

/** It is not what its name says, or more than it may be. */
export class UnpackFault extends Error {}

/** There is no program for this form on this machine. */
export class NoUnpacker extends Error {}

const PROGRAMS: Readonly<Record<Exclude<PackedForm, '.gz' | ''>, readonly string[]>> = {
  '.xz': ['xz', '-dc', '--memlimit-decompress=200MiB'],
  '.zst': ['zstd', '-dcq', '--memory=200MB'],
  '.bz2': ['bzip2', '-dc'],
};

/** What is packed, piece by piece; throws an UnpackFault, a NoUnpacker, or the signal's reason. `atMost`: bytes; `path`: where programs are looked for. */
export async function* unpack(form: PackedForm, packed: Buffer, atMost: number, path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  signal.throwIfAborted();
  let size = 0;
  try {
    for await (const chunk of piecesOf(form, packed, path, signal)) {
      size += chunk.length;
      if (size > atMost) throw new UnpackFault(`holds more than ${atMost} bytes`);
      yield chunk;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof NoUnpacker || error instanceof UnpackFault ? error : new UnpackFault('cannot be unpacked');
  }
}

function piecesOf(form: PackedForm, packed: Buffer, path: string, signal: AbortSignal): AsyncIterable<Buffer> | Iterable<Buffer> {
  if (form === '') return [packed];
  if (form !== '.gz') return decompressed(PROGRAMS[form], packed, path, signal);
  const gunzip = createGunzip({ chunkSize: 64 * 1024 });
  gunzip.end(packed);
  return gunzip as AsyncIterable<Buffer>;
}

/** In a group of its own: an interrupt at the terminal ends it by the signal. */
async function* decompressed([command, ...args]: readonly string[], packed: Buffer, path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const child = spawn(command!, args, { env: { PATH: path, LC_ALL: 'C' }, stdio: ['pipe', 'pipe', 'ignore'], signal, detached: true });
  const ended = new Promise<void>((settle, reject) => {
    child.once('error', (error) => reject((error as NodeJS.ErrnoException).code === 'ENOENT' ? new NoUnpacker(`there is no ${command!} on this machine`) : error));
    child.once('close', (code) => (code === 0 ? settle() : reject(new UnpackFault('cannot be unpacked'))));
  });
  ended.catch(() => undefined);
  // It stops reading when it finds out that this is nothing of its kind.
  child.stdin.on('error', () => undefined).end(packed);
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) yield chunk;
    await ended;
  } finally {
    if (child.exitCode === null && child.pid !== undefined) child.kill('SIGKILL');
  }
}
