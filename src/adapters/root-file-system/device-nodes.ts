const BLOCK = 512;
const END = /^\0*$/;

/**
 * A tar stream without device nodes and without what lies in `./dev` (the folder itself stays): engines make their own. All
 * other entries pass byte for byte, with their extended headers (POSIX.1-2017, pax). Throws on a stream that was cut.
 */
export async function* withoutDeviceNodes(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let carried: Buffer = Buffer.alloc(0);
  /** Extended headers that belong to the entry to come. */
  let held: Buffer[] = [];
  let left = 0;
  let fate: 'keep' | 'drop' | 'hold' | 'end' = 'keep';
  for await (const piece of archive) {
    let bytes: Buffer = carried.length === 0 ? Buffer.from(piece.buffer, piece.byteOffset, piece.length) : Buffer.concat([carried, piece]);
    carried = Buffer.alloc(0);
    while (bytes.length > 0) {
      if (fate === 'end') {
        yield bytes;
        break;
      }
      if (left === 0 && bytes.length < BLOCK) {
        carried = Buffer.from(bytes);
        break;
      }
      let part: Buffer;
      if (left === 0) {
        part = bytes.subarray(0, BLOCK);
        const header = readHeader(part);
        left = header.size;
        fate = header.fate;
        if (fate === 'keep' || fate === 'end') yield* held;
        if (fate !== 'hold') held = [];
      } else {
        part = bytes.subarray(0, left);
        left -= part.length;
      }
      bytes = bytes.subarray(part.length);
      if (fate === 'hold') held.push(Buffer.from(part));
      else if (fate !== 'drop') yield part;
    }
  }
  if (fate !== 'end') throw new Error('the tar file ends too early');
}

/** What becomes of an entry, and how many bytes follow its header, padding included. */
function readHeader(header: Buffer): { readonly fate: 'keep' | 'drop' | 'hold' | 'end'; readonly size: number } {
  if (END.test(header.toString('latin1'))) return { fate: 'end', size: 0 };
  const type = String.fromCharCode(header[156]!);
  const size = Math.ceil(readSize(header) / BLOCK) * BLOCK;
  // Extended headers of the next entry: pax, GNU long name, GNU long link.
  if (type === 'x' || type === 'L' || type === 'K') return { fate: 'hold', size };
  const inDev = /^(?:\.\/)?dev\/./.test(text(header, 0, 100));
  return { fate: inDev || type === '3' || type === '4' ? 'drop' : 'keep', size };
}

/** Octal digits, or base 256 when the first bit is set (GNU tar, for files of 8 GiB and more). */
function readSize(header: Buffer): number {
  if ((header[124]! & 0x80) === 0) return Number.parseInt(text(header, 124, 12).trim() || '0', 8);
  return Number(BigInt(`0x${header.subarray(125, 136).toString('hex')}`));
}

function text(header: Buffer, start: number, length: number): string {
  const field = header.toString('utf8', start, start + length);
  const end = field.indexOf('\0');
  return end < 0 ? field : field.slice(0, end);
}
