import { describe, expect, it } from '@jest/globals';
import { packTar, unpackTar, type TarEntry } from 'modern-tar';
import { withoutDeviceNodes } from '../../../../src/adapters/root-file-system/device-nodes.js';

const file = (name: string, body: string, pax: Record<string, string> = {}): TarEntry => ({ header: { name, size: body.length, type: 'file', mtime: new Date(0), pax }, body });
const folder = (name: string): TarEntry => ({ header: { name, size: 0, type: 'directory', mtime: new Date(0) } });
const device = (name: string): TarEntry => ({ header: { name, size: 0, type: 'character-device', mtime: new Date(0) } });

async function filter(archive: Uint8Array, pieceLength: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  const source = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < archive.length; at += pieceLength) yield archive.subarray(at, at + pieceLength);
  };
  for await (const piece of withoutDeviceNodes(source())) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces);
}

const LONG = `./usr/share/${'long-name/'.repeat(30)}file`;
const kept = [folder('./dev/'), folder('./'), file('./usr/bin/dev', 'x'.repeat(1500)), file(LONG, 'long'), file('./etc/capable', 'c', { 'SCHILY.xattr.user.a': 'b' })];

describe('withoutDeviceNodes', () => {
  it.each([1, 511, 512, 513, 65536])('drops devices and what lies in ./dev, and passes everything else byte for byte (pieces of %i bytes)', async (pieceLength) => {
    const devices = [device('./dev/null'), file('./dev/shm-left-over', 'zz'), file(`./dev/${'long-name/'.repeat(30)}node`, 'zz'), device('./var/spool/random')];
    const all = await packTar([kept[0]!, ...devices, ...kept.slice(1)]);
    expect((await filter(all, pieceLength)).equals(await packTar(kept))).toBe(true);
  });
  it('the names that are left are the names that were there', async () => {
    const names = (await unpackTar(await filter(await packTar([...kept, device('./dev/zero')]), 4096))).map(({ header }) => header.name);
    expect(names).toContain(LONG.replace(/^\.\//, './'));
    expect(names).not.toContain('./dev/zero');
  });
  it("GNU's long name and long link stay with their entry, and go with it", async () => {
    // An entry of another type: the filter does not read the checksum.
    const ofType = async (type: string, entry: TarEntry): Promise<Buffer> => {
      const bytes = Buffer.from(await packTar([entry])).subarray(0, -1024);
      bytes.write(type, 156);
      return bytes;
    };
    const names = [await ofType('K', file('././@LongLink', 'target')), await ofType('L', file('././@LongLink', 'name'))];
    const end = Buffer.alloc(1024);
    const link = Buffer.concat([...names, await ofType('2', file('./link', '')), end]);
    expect((await filter(link, 512)).equals(link)).toBe(true);
    expect((await filter(Buffer.concat([...names, await ofType('3', file('./node', '')), end]), 512)).equals(end)).toBe(true);
  });
  it.each([512, 1000])('a stream that was cut after %i bytes is refused', async (length) => {
    await expect(filter((await packTar([file('./a', 'x'.repeat(2000))])).subarray(0, length), 4096)).rejects.toThrow('ends too early');
  });
});
