import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { ArchiveLayer } from '../../execute/image-archive.js';
import type { PackLayer } from '../../execute/ports.js';
import type { Digest } from '../../shared/digest.js';
import type { EngineConnection } from './engine-connection.js';
import { refused } from './engine-faults.js';
import { engineInfo, hasContainerdStore } from './engine-info.js';

/**
 * Puts layers into the form that an engine is to get them in. The containerd image store pushes a layer as it was loaded, so there it
 * gets gzip's; graph drivers compress when they push. `patience`: how long the engine may take to tell which it has, seconds.
 */
export function createLayerPacking(connection: EngineConnection, patience: number): PackLayer {
  return async ({ layerPath, diffId, size }, signal) => {
    const packed = await pushesAsLoaded(connection, patience, signal);
    return packed ? gzipped(layerPath, signal) : { digest: diffId, size, compression: 'none', read: () => createReadStream(layerPath, { highWaterMark: PIECE }) };
  };
}

/** Bytes read at once. */
const PIECE = 256 * 1024;

async function pushesAsLoaded(connection: EngineConnection, patience: number, signal: AbortSignal): Promise<boolean> {
  const info = await engineInfo(connection, patience, signal).catch((error: unknown) => {
    throw refused(error, 'tell which image store it has');
  });
  return hasContainerdStore(info);
}

/** Written beside the layer. Equal layers give equal bytes, as long as Node.js has the same zlib. */
async function gzipped(layerPath: string, signal: AbortSignal): Promise<ArchiveLayer> {
  const path = `${layerPath}.gz`;
  const hash = createHash('sha256');
  let size = 0;
  await pipeline(
    createReadStream(layerPath, { highWaterMark: PIECE }),
    createGzip({ level: 6, chunkSize: PIECE }),
    async function* (packed: AsyncIterable<Uint8Array>) {
      for await (const piece of packed) {
        hash.update(piece);
        size += piece.length;
        yield piece;
      }
    },
    createWriteStream(path),
    { signal },
  );
  return { digest: `sha256:${hash.digest('hex')}` as Digest, size, compression: 'gzip', read: () => createReadStream(path, { highWaterMark: PIECE }) };
}
