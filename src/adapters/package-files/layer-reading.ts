import { createHash } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { LayerEntry, LayerRecording } from '../../packages/layer-record.js';
import { OddLayer } from '../../packages/odd-layer.js';
import type { ReadLayer } from '../../state/image-layers.js';

/** Bytes that any layer may unpack to, and how many times its own size beyond that. Real ones come to four times. */
const MAX_BYTES = 8 * 1024 ** 3;
const MAX_RATIO = 100;

/** Larger pieces than Node's own 16 kB: a third less time. */
const PIECE = 256 * 1024;

/**
 * Reads a layer to its end, of which nothing is kept but its record: a tar, plain, gzipped or by zstd, told by its first bytes.
 * Throws an OddLayer when it is none.
 */
export async function readLayer(source: AsyncIterable<Uint8Array>, recording: LayerRecording, maxBytes = MAX_BYTES): Promise<ReadLayer> {
  const { Parser } = await import('tar/parse');
  const hash = createHash('sha256');
  let odd: unknown;
  let hasEnd = false;
  const parser = new Parser({
    onwarn: (code, message) => {
      // A build that changes nothing makes a layer of nothing but an end, or of nothing: the parser takes it for no tar.
      const isEmpty = code === 'TAR_BAD_ARCHIVE' && (hasEnd || unpacked === 0);
      if (code !== 'TAR_ENTRY_INFO' && !isEmpty) odd ??= new OddLayer(`it is no good tar: ${String(message)}`);
    },
    onReadEntry: (entry) => {
      const { path, linkpath = '', size } = entry;
      let accept: ((content: Uint8Array) => void) | undefined;
      try {
        accept = odd === undefined ? recording.enter({ path, linkpath, size, type: typeOf(entry.type) }) : undefined;
      } catch (error) {
        odd = error;
      }
      if (accept !== undefined) {
        const pieces: Buffer[] = [];
        const take = accept;
        entry.on('data', (piece: Buffer) => void pieces.push(piece));
        entry.on('end', () => {
          try {
            take(Buffer.concat(pieces));
          } catch (error) {
            odd ??= error;
          }
        });
      }
      entry.resume();
    },
  });
  parser.on('eof', () => (hasEnd = true));
  // A name of a megabyte would be left out unsaid.
  parser.on('ignoredEntry', () => (odd ??= new OddLayer('it has a header larger than any name')));
  const ended = new Promise<void>((resolve, reject) => {
    parser.once('end', resolve);
    parser.once('error', reject);
  });
  ended.catch(() => undefined);

  let compressed = 0;
  let unpacked = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      compressed += piece.length;
      yield piece;
    }
  };
  const sink = new Writable({
    highWaterMark: PIECE,
    write(piece: Buffer, _, done) {
      unpacked += piece.length;
      if (unpacked > maxBytes && unpacked > compressed * MAX_RATIO) return done(new OddLayer('it unpacks to far more than it is'));
      if (odd !== undefined) return done(odd as Error);
      // What unpacks to something packed is no layer, and the parser would unpack it.
      if (unpacked === piece.length && packingOf(piece) !== 'none') return done(new OddLayer('it is packed twice'));
      hash.update(piece);
      // All of it is taken at once: nothing waits for an entry.
      parser.write(piece);
      done();
    },
    final(done) {
      parser.end();
      ended.then(() => done(odd as Error | undefined), done);
    },
  });
  const { packing, whole } = await sniff(counted());
  try {
    if (packing === 'gzip') await pipeline(whole, createGunzip({ chunkSize: PIECE }), sink);
    else if (packing === 'zstd') await pipeline(unpackZstd(whole), sink);
    else await pipeline(whole, sink);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_') === true) throw new OddLayer(`it cannot be unpacked: ${(error as Error).message}`);
    throw error;
  }
  return { diffId: `sha256:${hash.digest('hex')}`, record: recording.record() };
}

function typeOf(type: string): LayerEntry['type'] {
  switch (type) {
    case 'File':
    case 'OldFile':
    case 'ContiguousFile':
      return 'file';
    case 'Directory':
    case 'GNUDumpDir':
      return 'folder';
    case 'SymbolicLink':
      return 'link';
    case 'Link':
      return 'hard link';
    default:
      return 'other';
  }
}

/** What first bytes tell (RFC 1952 §2.3.1; RFC 8878 §3.1.1, skippable frames too). */
function packingOf(first: Uint8Array): 'gzip' | 'zstd' | 'none' {
  const [a, b, c, d] = first;
  if (a === 0x1f && b === 0x8b) return 'gzip';
  const isZstd = (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) || (a !== undefined && (a & 0xf0) === 0x50 && b === 0x2a && c === 0x4d && d === 0x18);
  return isZstd ? 'zstd' : 'none';
}

async function sniff(source: AsyncGenerator<Uint8Array>): Promise<{ readonly packing: ReturnType<typeof packingOf>; readonly whole: AsyncIterable<Uint8Array> }> {
  let first: Uint8Array = new Uint8Array();
  while (first.length < 4) {
    const { value, done } = await source.next();
    if (done === true) break;
    first = first.length === 0 ? value : Buffer.concat([first, value]);
  }
  const whole = Readable.from(
    (async function* (): AsyncGenerator<Uint8Array> {
      if (first.length > 0) yield first;
      yield* source;
    })(),
    { objectMode: false },
  );
  return { packing: packingOf(first), whole };
}

/** Bytes that are unpacked in one go: zstd can make 32 kB of each. */
const ZSTD_PIECE = 4096;

/** By a library, since Node has zstd from 22.15 on. */
async function* unpackZstd(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { Decompress } = await import('fzstd');
  let ready: Uint8Array[] = [];
  const stream = new Decompress((piece) => void ready.push(piece));
  try {
    for await (const piece of packed) {
      for (let at = 0; at < piece.length; at += ZSTD_PIECE) {
        stream.push(piece.subarray(at, at + ZSTD_PIECE));
        yield* ready;
        ready = [];
      }
    }
    stream.push(new Uint8Array(), true);
  } catch (error) {
    throw isZstdError(error) ? new OddLayer(`it cannot be unpacked: ${error.message}`) : error;
  }
  yield* ready;
}

function isZstdError(error: unknown): error is Error {
  return error instanceof Error && typeof (error as { code?: unknown }).code === 'number';
}
