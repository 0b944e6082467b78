import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** Forms of an index that can be read, the first one preferred. */
export const PACKED_FORMS = ['.xz', '.gz', '.bz2', ''] as const;

/** One of them. */
export type PackedForm = (typeof PACKED_FORMS)[number];

/** It is not what its name says, or more than it may be. */
export class UnpackFault extends Error {}

/** There is no program for this form on this machine. */
export class NoUnpacker extends Error {}

/** Hands on what is packed, piece by piece; rejects with an UnpackFault, a NoUnpacker, or the signal's reason. `atMost`: bytes. */
export async function unpackIndex(form: PackedForm, packed: Buffer, atMost: number, use: (chunk: Buffer) => void, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (form === '') return use(packed);
  const source = form === '.gz' ? unzipped(packed) : decompressed(form === '.xz' ? ['xz', '-dc', '--memlimit-decompress=200MiB'] : ['bzip2', '-dc'], packed, signal);
  let size = 0;
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > atMost) throw new UnpackFault(`holds more than ${atMost} bytes`);
      use(chunk);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof NoUnpacker || error instanceof UnpackFault ? error : new UnpackFault('cannot be unpacked');
  }
}

function unzipped(packed: Buffer): Readable {
  const gunzip = createGunzip();
  gunzip.end(packed);
  return gunzip;
}

/** In a group of its own: an interrupt at the terminal ends it by the signal. */
async function* decompressed(command: readonly string[], packed: Buffer, signal: AbortSignal): AsyncGenerator<Buffer> {
  const child = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'ignore'], signal, detached: true });
  const ended = new Promise<void>((settle, reject) => {
    child.once('error', (error) => reject((error as NodeJS.ErrnoException).code === 'ENOENT' ? new NoUnpacker(`there is no ${command[0]!} on this machine`) : error));
    child.once('close', (code) => (code === 0 ? settle() : reject(new UnpackFault('cannot be unpacked'))));
  });
  ended.catch(() => undefined);
  // It stops reading when it finds out that this is nothing of its kind.
  (child.stdin as Writable).on('error', () => undefined).end(packed);
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) yield chunk;
    await ended;
  } finally {
    if (child.exitCode === null && child.pid !== undefined) child.kill('SIGKILL');
  }
}
