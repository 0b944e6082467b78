import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Digest } from '../shared/digest.js';

/** A file with the digest and the size (bytes) of what is in it. */
export type CompressedLayer = { readonly path: string; readonly digest: Digest; readonly size: number };

/**
 * Writes a layer's gzip form to another file. For engines with the containerd image store, which push a layer as it was loaded:
 * a third of the bytes. Equal layers give equal bytes with the same Node.js.
 */
export async function compressLayer(layerPath: string, path: string, signal: AbortSignal): Promise<CompressedLayer> {
  const hash = createHash('sha256');
  let size = 0;
  await pipeline(
    createReadStream(layerPath, { highWaterMark: 1 << 20 }),
    createGzip({ level: 6, chunkSize: 1 << 18 }),
    async function* (compressed: AsyncIterable<Uint8Array>) {
      for await (const piece of compressed) {
        hash.update(piece);
        size += piece.length;
        yield piece;
      }
    },
    createWriteStream(path),
    { signal },
  );
  return { path, digest: `sha256:${hash.digest('hex')}` as Digest, size };
}
