import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { packTar } from 'modern-tar';
import { readLayer } from '../../../../src/adapters/package-files/layer-reading.js';
import { recordLayer } from '../../../../src/packages/layer-record.js';
import { OddLayer } from '../../../../src/packages/odd-layer.js';
import { PACKAGE_ROOTS } from '../../../../src/packages/package-paths.js';
import { digestOf } from '../../../../src/shared/digest.js';
import type { ReadLayer } from '../../../../src/state/image-layers.js';
import { layerTar } from '../../../support/layer-tar.js';

const SMALL = { 'etc/apt/sources.list': 'deb a\n' };

const read = (bytes: Uint8Array, piece = 65_536, maxBytes?: number): Promise<ReadLayer> => {
  const pieces = Array.from({ length: Math.ceil(bytes.length / piece) }, (_, at) => bytes.subarray(at * piece, (at + 1) * piece));
  return readLayer(Readable.from(pieces), recordLayer(PACKAGE_ROOTS), maxBytes);
};

/** A zstd frame of blocks that are not compressed (RFC 8878 §3.1.1), 100 bytes each. */
function storedZstd(bytes: Uint8Array): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(bytes.length / 100) }, (_, at) => {
    const block = bytes.subarray(at * 100, (at + 1) * 100);
    const head = Buffer.alloc(3);
    head.writeUIntLE((block.length << 3) | (at * 100 + 100 >= bytes.length ? 1 : 0), 0, 3);
    return Buffer.concat([head, block]);
  });
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]), ...blocks]);
}

/** A zstd frame of `count` blocks that each say: 128 kB of zeros, in four bytes. */
function zstdBomb(count: number): Uint8Array {
  const block = Buffer.from([0x02, 0x00, 0x10, 0x00]);
  const last = Buffer.from([0x03, 0x00, 0x10, 0x00]);
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]), ...Array.from({ length: count - 1 }, () => block), last]);
}

const SKIPPABLE = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);

const recorded = [['etc/apt/sources.list', { change: 'file', content: Buffer.from('deb a\n') }]];

describe('readLayer', () => {
  it.each<[string, (tar: Uint8Array) => Uint8Array, number]>([
    ['plain', (tar) => tar, 65_536],
    ['gzipped', (tar) => gzipSync(tar), 65_536],
    ['gzipped, a byte at a time', (tar) => gzipSync(tar), 1],
    ['gzipped in two members, as seekable layers are', (tar) => Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]), 65_536],
    ['by zstd', (tar) => storedZstd(tar), 65_536],
    ['by zstd, a byte at a time', (tar) => storedZstd(tar), 1],
    ['by zstd in two frames', (tar) => Buffer.concat([storedZstd(tar.subarray(0, 700)), storedZstd(tar.subarray(700))]), 65_536],
    ['by zstd behind a frame to be skipped', (tar) => Buffer.concat([SKIPPABLE, storedZstd(tar)]), 65_536],
    ['by zstd, a frame to be skipped at its end', (tar) => Buffer.concat([storedZstd(tar), SKIPPABLE]), 65_536],
  ])('%s', async (_, pack, piece) => {
    const tar = await layerTar(SMALL);
    expect(await read(pack(tar), piece)).toEqual({ diffId: digestOf(tar), record: recorded });
  });
  it.each([0, 1024])('one that is empty: %i zeros', async (zeros) => {
    expect((await read(gzipSync(Buffer.alloc(zeros)))).record).toEqual([]);
  });
  it('a long name, and what is no file', async () => {
    const long = `etc/apt/sources.list.d/${'x'.repeat(200)}.list`;
    const tar = await layerTar({ etc: undefined, [long]: 'deb b', 'etc/apt/empty': '', 'etc/apt/keyrings': '→ /opt', 'etc/apt/same': `= ${long}`, 'etc/apt/device': null });
    expect((await read(tar)).record.map(([path, { change }]) => `${path} ${change}`)).toEqual(['etc folder', `${long} file`, 'etc/apt/empty file', 'etc/apt/keyrings link', 'etc/apt/same same', 'etc/apt/device other']);
  });
  it('a file that comes in many pieces', async () => {
    const text = 'Package: a\n'.repeat(50_000);
    const { record } = await read(gzipSync(await layerTar({ 'var/lib/dpkg/status': text })), 1000);
    expect(record[0]).toMatchObject(['var/lib/dpkg/status', { change: 'file' }]);
    expect((record[0]![1] as { content: Uint8Array }).content).toHaveLength(text.length);
  });

  it.each<[string, () => Promise<Uint8Array>, RegExp]>([
    ['no tar', async () => Buffer.from('<html>'.repeat(1000)), /no good tar/],
    ['zeros that are no end', async () => Buffer.alloc(512), /no good tar/],
    ['a tar that ends in a file', async () => (await layerTar({ 'etc/apt/a': 'x'.repeat(5000) })).subarray(0, 2048), /no good tar/],
    ['gzip that ends too soon', async () => gzipSync(await layerTar(SMALL)).subarray(0, 80), /cannot be unpacked/],
    ['gzip that is damaged', async () => gzipSync(await layerTar(SMALL)).fill(0x55, 40, 60), /cannot be unpacked|no good tar/],
    ['zstd that ends too soon', async () => storedZstd(await layerTar(SMALL)).subarray(0, 1000), /cannot be unpacked|no good tar/],
    ['zstd that is damaged', async () => Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]), Buffer.alloc(50, 0xff)]), /cannot be unpacked/],
    ['packed twice', async () => gzipSync(gzipSync(await layerTar(SMALL))), /packed twice/],
    ['a name that leads out', async () => layerTar({ '../x': 'y' }), /leads out/],
    ['a header larger than any name', async () => packTar([{ header: { name: 'a', type: 'file', size: 0, pax: { path: 'x'.repeat(2 ** 20 + 100) } } }]), /header larger/],
  ])('%s is no layer', async (_, bytes, message) => {
    const reading = read(await bytes());
    await expect(reading).rejects.toThrow(OddLayer);
    await expect(reading).rejects.toThrow(message);
  });

  it.each<[string, (tar: Uint8Array) => Uint8Array]>([
    ['gzip', (tar) => gzipSync(tar)],
    ['zstd', () => zstdBomb(400)],
  ])('what unpacks to far more than it is ends where it is noticed (%s)', async (_, pack) => {
    const tar = await layerTar({ 'opt/zeros': new Uint8Array(50 * 1024 * 1024) });
    await expect(read(pack(tar), undefined, 1024 * 1024)).rejects.toThrow(/far more than it is/);
  });
  it('a layer of many zeros may be large', async () => {
    const tar = await layerTar({ 'opt/zeros': new Uint8Array(5 * 1024 * 1024) });
    expect((await read(gzipSync(tar))).diffId).toBe(digestOf(tar));
  });
  it('a large layer may be larger than that, if it is that large', async () => {
    const tar = await layerTar({ 'opt/noise': randomBytes(50_000) });
    expect((await read(gzipSync(tar), undefined, 1024)).diffId).toBe(digestOf(tar));
  });
  it('what breaks while it is read is no trouble of the layer\'s', async () => {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield gzipSync(await layerTar(SMALL)).subarray(0, 50);
      throw new Error('the line broke');
    };
    await expect(readLayer(broken(), recordLayer(PACKAGE_ROOTS))).rejects.toThrow('the line broke');
  });
});
