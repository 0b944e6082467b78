import { createGunzip } from 'node:zlib';
import { PACKED_FORMS, unpack } from './unpack.js';

/** Bytes that the files of a package may have in all: the smallest of a source has few. */
const AT_MOST = 256 * 1024 * 1024;
/** Bytes of a changelog's beginning that are kept: years of entries. */
const BEGINNING = 128 * 1024;

/** The beginning of the changelog in a package (deb(5)); undefined: there is none. Throws where the package cannot be read. */
export async function readPackageChangelog(deb: Buffer, path: string, signal: AbortSignal): Promise<string | undefined> {
  const data = membersOf(deb).find(({ name }) => name.startsWith('data.tar'));
  const form = PACKED_FORMS.find((one) => `data.tar${one}` === data?.name);
  if (data === undefined || form === undefined) throw new Error('this is no package');
  const { Parser } = await import('tar/parse');
  let fault: Error | undefined;
  const found = new Map<string, Buffer>();
  const parser = new Parser({
    onReadEntry(entry) {
      const file = /^(?:\.\/)?usr\/share\/doc\/[^/]+\/(changelog(?:\.Debian)?\.gz)$/.exec(entry.path)?.[1];
      const pieces: Buffer[] = [];
      if (file !== undefined && entry.size < AT_MOST) {
        entry.on('data', (piece: Buffer) => void pieces.push(Buffer.from(piece)));
        entry.on('end', () => void found.set(file, Buffer.concat(pieces)));
      }
      entry.resume();
    },
  });
  parser.on('error', (error: Error) => (fault ??= error));
  for await (const chunk of unpack(form, data.content, AT_MOST, path, signal)) {
    if (fault !== undefined) throw fault;
    if (!parser.write(chunk)) await new Promise((drained) => parser.once('drain', drained as () => void));
    // Packages that upstream did not make for Debian have an upstream changelog beside their own.
    if (found.has('changelog.Debian.gz')) break;
  }
  parser.end();
  const packed = found.get('changelog.Debian.gz') ?? found.get('changelog.gz');
  return packed === undefined ? undefined : beginningOf(packed);
}

/** Members of an `ar` archive (deb(5)): a header of 60 bytes, then the content, padded to an even length. */
function membersOf(bytes: Buffer): readonly { readonly name: string; readonly content: Buffer }[] {
  const members: { name: string; content: Buffer }[] = [];
  if (bytes.toString('latin1', 0, 8) !== '!<arch>\n') return members;
  for (let at = 8; at + 60 <= bytes.length; ) {
    const size = Number(bytes.toString('latin1', at + 48, at + 58).trim());
    if (!Number.isSafeInteger(size) || size < 0) return members;
    members.push({ name: bytes.toString('latin1', at, at + 16).replace(/\/?\s*$/, ''), content: bytes.subarray(at + 60, at + 60 + size) });
    at += 60 + size + (size % 2);
  }
  return members;
}

async function beginningOf(packed: Buffer): Promise<string> {
  const gunzip = createGunzip();
  gunzip.end(packed);
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of gunzip as AsyncIterable<Buffer>) {
    pieces.push(piece);
    size += piece.length;
    if (size >= BEGINNING) break;
  }
  return Buffer.concat(pieces).subarray(0, BEGINNING).toString('utf8');
}
