import { describe, expect, it } from '@jest/globals';

import { compareVersions, upstreamVersion } from '../../../src/definition/version.js';

describe('compareVersions', () => {
  it.each([
    ['1.2', '1.10', 'digits compare as numbers'],
    ['1.0~rc1', '1.0', 'a tilde sorts before the end'],
    ['1.0~~', '1.0~', 'two tildes sort before one'],
    ['1.0', '1.0a', 'the end sorts before a letter'],
    ['1.0a', '1.0+', 'a letter sorts before everything else'],
    ['1.0Z', '1.0a', 'letters sort as in ASCII'],
    ['9.9', '1:0.1', 'an epoch comes first'],
    ['1.0-1', '1.0-1+deb13u1', 'a longer revision is newer'],
    ['1.0-9', '1.0.1-1', 'the upstream version comes before the revision'],
    ['1-2-3', '1-3-1', 'only the last dash begins the revision'],
    ['20251101', '20251101-2', 'a suffix of the same day is newer'],
    ['1.99999999999999999998', '1.99999999999999999999', 'numbers of any length are told apart'],
    ['buster-1', 'buster-2', 'a version need not begin with a digit'],
  ])('%s is older than %s: %s', (older, newer) => {
    expect(Math.sign(compareVersions(older, newer))).toBe(-1);
    expect(Math.sign(compareVersions(newer, older))).toBe(1);
  });

  it.each([
    ['1.0', '1.0-0', 'no revision is revision 0'],
    ['0:1.0', '1.0', 'no epoch is epoch 0'],
    ['1.01', '1.1', 'leading zeros do not count'],
    ['1.', '1.0', 'no digits are zero'],
  ])('%s equals %s: %s', (a, b) => expect(compareVersions(a, b)).toBe(0));
});

describe('upstreamVersion', () => {
  it.each([
    ['1.2.3-1', '1.2.3'],
    ['2:1.2.3~rc1-1', '1.2.3~rc1'],
    ['1.0-s2', '1.0'],
    ['1-2-3', '1-2'],
    ['20251101', '20251101'],
  ])('of %s is %s', (version, upstream) => expect(upstreamVersion(version)).toBe(upstream));
});
