import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileDigests } from '../../../src/adapters/file-digest.js';
import { digestOf, type Digest } from '../../../src/shared/digest.js';

const BIG = 5 * 1024 * 1024;
const LATER = (): number => Date.now() + 60_000;
let path: string;
let reads: number;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'file-digest-')), 'file');
  reads = 0;
});
afterEach(() => rmSync(join(path, '..'), { recursive: true }));

/** Digests whose reads are counted. */
function digests(now: () => number): (size: number) => Digest {
  const read = createFileDigests((file, size) => (reads++, digestOf(`${file} ${size} ${reads}`)), now);
  return (size) => read(path, size);
}

describe('the digest of a file', () => {
  it.each([0, 1, 262_143, 262_144, 262_145, BIG])('of %d bytes is that of its bytes', (size) => {
    const bytes = Buffer.alloc(size, 'ab');
    writeFileSync(path, bytes);
    expect(createFileDigests()(path, size)).toBe(digestOf(bytes));
  });
  it('that is big and stayed the same is not read again', () => {
    writeFileSync(path, Buffer.alloc(BIG));
    const digest = digests(LATER);
    expect(digest(BIG)).toBe(digest(BIG));
    expect(reads).toBe(1);
  });
  it('that is big and changed is, though its size and date are as before', () => {
    writeFileSync(path, Buffer.alloc(BIG, 'a'));
    const { atime, mtime } = statSync(path);
    const digest = createFileDigests(undefined, LATER);
    const before = digest(path, BIG);
    rmSync(path);
    writeFileSync(path, Buffer.alloc(BIG, 'b'));
    utimesSync(path, atime, mtime);
    expect(digest(path, BIG)).not.toBe(before);
  });
  it('that changed a moment ago is read again: it may change once more in the same moment', () => {
    writeFileSync(path, Buffer.alloc(BIG));
    const digest = digests(() => Number(statSync(path, { bigint: true }).ctimeMs) + 1_999);
    digest(BIG);
    digest(BIG);
    expect(reads).toBe(2);
  });
  it('that changed while it was read is read again', () => {
    writeFileSync(path, Buffer.alloc(BIG));
    const read = createFileDigests((file) => (reads++, rmSync(file), writeFileSync(file, Buffer.alloc(BIG)), digestOf('x')), LATER);
    read(path, BIG);
    read(path, BIG);
    expect(reads).toBe(2);
  });
  it('that is small is always read', () => {
    writeFileSync(path, 'a');
    const digest = digests(LATER);
    digest(1);
    digest(1);
    expect(reads).toBe(2);
  });
});
