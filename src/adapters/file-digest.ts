import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { Digest } from '../shared/digest.js';

/** How much of a file is in memory at once. */
export const PIECE_BYTES = 256 * 1024;

/** Bytes from which on reading a file a second time costs more than asking whether it changed. */
const BIG = 4 * 1024 * 1024;

/** Milliseconds in which a file may change twice and have the same time: the coarsest that file systems keep. */
const TICK = 2_000;

/** Digests of files; a big one is read once as long as the disk says that it stayed the same: nobody can set back when it last changed. `now`: milliseconds since 1970. */
export function createFileDigests(read: (path: string, size: number) => Digest = readDigest, now: () => number = Date.now): (path: string, size: number) => Digest {
  const known = new Map<string, { readonly state: string; readonly digest: Digest }>();
  return (path, size) => {
    if (size < BIG) return read(path, size);
    const before = stateOf(path);
    const had = known.get(path);
    if (had?.state === before.state) return had.digest;
    const digest = read(path, size);
    if (stateOf(path).state === before.state && now() - before.changed > TICK) known.set(path, { state: before.state, digest });
    return digest;
  };
}

function stateOf(path: string): { readonly state: string; /** Milliseconds since 1970. */ readonly changed: number } {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
  return { state: [dev, ino, size, mtimeNs, ctimeNs].join(), changed: Number(ctimeNs / 1_000_000n) };
}

const piece = Buffer.allocUnsafe(PIECE_BYTES);

/** `size` saves asking for more where the whole file came in one piece. */
function readDigest(path: string, size: number): Digest {
  const file = openSync(path, 'r');
  try {
    const first = readSync(file, piece);
    const hash = createHash('sha256').update(piece.subarray(0, first));
    if (first > 0 && (first !== size || first === piece.length)) for (let length; (length = readSync(file, piece)) > 0; ) hash.update(piece.subarray(0, length));
    return `sha256:${hash.digest('hex')}`;
  } finally {
    closeSync(file);
  }
}
