import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createPackageCache } from '../../../../src/adapters/package-files/package-cache.js';
import type { LayerRecord } from '../../../../src/packages/layer-record.js';
import type { PackageFiles } from '../../../../src/packages/package-files.js';
import { digestOf } from '../../../../src/shared/digest.js';

const DAY = 24 * 60 * 60 * 1000;
const ROOTS = ['etc/apt'];
const A = digestOf('a');
const B = digestOf('b');

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'package-cache-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** As a new process opens it, so many days from now. */
const open = (days = 0): ReturnType<typeof createPackageCache> => createPackageCache(join(folder, 'packages'), () => Date.now() + days * DAY);

const files = (...entries: readonly (readonly [string, string])[]): PackageFiles => new Map(entries.map(([path, text]) => [path, Buffer.from(text)]));

const SOME = files(['/var/lib/dpkg/status', 'Package: a\n'], ['/etc/apt/sources.list', 'deb a\n']);

const RECORD: LayerRecord = [
  ['etc', { change: 'folder' }],
  ['etc/apt/a', { change: 'file', content: Buffer.from('text') }],
  ['etc/apt/b', { change: 'link', to: '../x' }],
  ['etc/apt/c', { change: 'same', as: 'etc/apt/a' }],
  ['etc/apt/d', { change: 'other' }],
  ['etc/apt/e', { change: 'removed' }],
  ['etc/apt', { change: 'emptied' }],
];

/** Every file below the cache's folder. */
const kept = (): readonly string[] => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));

/** The one file whose path has this in it. */
const fileOf = (part: string): string => kept().find((path) => path.includes(part))!;

const texts = (found: PackageFiles | undefined): unknown => found && Object.fromEntries([...found].map(([path, bytes]) => [path, Buffer.from(bytes).toString()]));

describe('the cache of package files', () => {
  it('knows nothing that it was not told', () => {
    expect(open().image(A)).toBeUndefined();
    expect(open().layer(A, ROOTS)).toBeUndefined();
    expect(kept()).toEqual([]);
  });
  it('has what another process kept of an image', () => {
    open().keepImage(A, SOME);
    expect(texts(open().image(A))).toEqual({ '/etc/apt/sources.list': 'deb a\n', '/var/lib/dpkg/status': 'Package: a\n' });
  });
  it('has what another process kept of a layer, for the roots that it was recorded for', () => {
    open().keepLayer(A, ROOTS, RECORD);
    expect(open().layer(A, ROOTS)).toEqual(RECORD);
    expect(open().layer(A, [...ROOTS, 'opt'])).toBeUndefined();
    expect(open().layer(B, ROOTS)).toBeUndefined();
  });
  it('an image and a layer without any such file are known, too', () => {
    open().keepImage(A, new Map());
    open().keepLayer(A, ROOTS, []);
    expect(texts(open().image(A))).toEqual({});
    expect(open().layer(A, ROOTS)).toEqual([]);
  });
  it('images of equal files have one map, those of an equal file one object', () => {
    const cache = open();
    cache.keepImage(A, SOME);
    cache.keepImage(B, files(...[...SOME].map(([path, bytes]): [string, string] => [path, Buffer.from(bytes).toString()]).toReversed()));
    cache.keepImage(digestOf('c'), files(['/var/lib/dpkg/status', 'Package: a\n']));
    for (const one of [cache, open()]) {
      expect(one.image(A)).toBe(one.image(B));
      expect(one.image(digestOf('c'))!.get('/var/lib/dpkg/status')).toBe(one.image(A)!.get('/var/lib/dpkg/status'));
    }
  });
  it('a file lies on disk once, whoever has it, and for its owner alone', () => {
    const cache = open();
    cache.keepImage(A, SOME);
    cache.keepImage(B, files(['/other', 'deb a\n']));
    cache.keepLayer(A, ROOTS, [['x', { change: 'file', content: Buffer.from('deb a\n') }]]);
    expect(kept()).toHaveLength(5);
    expect([...new Set(kept().map((path) => statSync(path).mode & 0o777))]).toEqual([0o600]);
    expect(statSync(join(folder, 'packages')).mode & 0o777).toBe(0o700);
  });

  it.each<[string, string, (path: string) => void]>([
    ['of which a file is gone', 'contents', (path) => rmSync(path)],
    ['of which a file is cut', 'contents', (path) => writeFileSync(path, readFileSync(path).subarray(1))],
    ['of which a file is empty', 'contents', (path) => writeFileSync(path, '')],
    ['whose list is cut', 'images', (path) => writeFileSync(path, readFileSync(path).subarray(0, -3))],
    ['whose list is empty', 'images', (path) => writeFileSync(path, '')],
    ['whose list names another path', 'images', (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('/etc/', '/opt/'))],
  ])('an image %s is not known, and can be kept again', (_, part, damage) => {
    open().keepImage(A, SOME);
    damage(fileOf(part));
    expect(open().image(A)).toBeUndefined();
    open().keepImage(A, SOME);
    expect(texts(open().image(A))).toEqual(texts(SOME));
  });
  it.each<[string, string]>([['of which a file is gone', 'contents'], ['whose record is gone', 'layers']])('a layer %s is not known', (_, part) => {
    open().keepLayer(A, ROOTS, RECORD);
    rmSync(fileOf(part));
    expect(open().layer(A, ROOTS)).toBeUndefined();
  });
  it('where nothing can be written, nothing is kept, and nothing is amiss', () => {
    writeFileSync(join(folder, 'packages'), 'a file where the folder should be');
    const cache = open();
    cache.keepImage(A, SOME);
    cache.sweep();
    expect(open().image(A)).toBeUndefined();
  });

  it('what was not used for 90 days goes; what was used stays, with its files', () => {
    open().keepImage(A, SOME);
    open().keepImage(B, files(['/b', 'b']));
    open().keepLayer(A, ROOTS, RECORD);
    open(60).image(A);
    open(60).layer(A, ROOTS);
    open(91).sweep();
    expect(texts(open(91).image(A))).toEqual(texts(SOME));
    expect(open(91).layer(A, ROOTS)).toEqual(RECORD);
    expect(open(91).image(B)).toBeUndefined();
    expect(kept().filter((path) => readFileSync(path, 'utf8') === 'b')).toEqual([]);
  });
  it('it looks for that once a day', () => {
    open().keepImage(A, SOME);
    open().sweep();
    for (const path of kept()) if (!path.endsWith('swept')) utimesSync(path, 0, 0);
    open().sweep();
    expect(kept().length).toBeGreaterThan(1);
    open(1.1).sweep();
    expect(kept().map((path) => path.slice(path.lastIndexOf('/') + 1))).toEqual(['swept']);
  });
});
