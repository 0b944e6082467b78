import { describe, expect, it } from '@jest/globals';
import { formatSize, parseSize } from '../../../src/shared/size.js';

describe('sizes', () => {
  it.each([
    ['0', 0],
    ['0GB', 0],
    ['500MB', 500e6],
    ['20GB', 20e9],
    ['20 GB', 20e9],
    [' 20GB ', 20e9],
    ['1.5GB', 1.5e9],
    ['20GiB', 20 * 2 ** 30],
    ['64KiB', 65_536],
    ['7kB', 7000],
    ['12B', 12],
    ['3TB', 3e12],
  ])('%s is read as %d bytes', (text, bytes) => expect(parseSize(text)).toEqual({ bytes }));
  it.each([
    ['20', 'has no unit: "20GB"?'],
    ['20g', 'has an unknown unit: "20GB"?'],
    ['20Gb', 'has an unknown unit: "20GB"?'],
    ['20gb', 'has an unknown unit: "20GB"?'],
    ['500m', 'has an unknown unit: "500MB"?'],
    ['500mib', 'has an unknown unit: "500MiB"?'],
    ['9 K', 'has an unknown unit: "9kB"?'],
    ['20 gigs', 'has an unknown unit: "20GB"?'],
    ['2 zettabytes', 'has an unknown unit: "2GB"?'],
    ['20constructor', 'has an unknown unit: "20GB"?'],
    ['20  GB', 'is no size ("20GB", "500MB", 0)'],
    ['1,5GB', 'is no size ("20GB", "500MB", 0)'],
    ['-1GB', 'is no size ("20GB", "500MB", 0)'],
    ['GB', 'is no size ("20GB", "500MB", 0)'],
    ['', 'is no size ("20GB", "500MB", 0)'],
    ['99999999TB', 'is more than any disk holds'],
  ])('"%s" %s', (text, fault) => expect(parseSize(text)).toEqual({ fault }));
  it.each([
    [0, '1 kB'],
    [1499, '1 kB'],
    [999_499, '999 kB'],
    [999_600, '1 MB'],
    [81_000_000, '81 MB'],
    [999_600_000, '1.0 GB'],
    [2_340_000_000, '2.3 GB'],
  ])('%d bytes: %s', (bytes, text) => expect(formatSize(bytes)).toBe(text));
});
