import { describe, expect, it } from '@jest/globals';
import { formatAge, parseAge } from '../../../src/shared/age.js';

describe('an age', () => {
  it.each([
    ['12h', 43_200_000],
    ['30d', 2_592_000_000],
    ['4w', 2_419_200_000],
    ['0d', 0],
    ['30', undefined],
    ['30 d', undefined],
    ['d', undefined],
    ['1.5d', undefined],
    ['-1d', undefined],
    ['30m', undefined],
    ['30dd', undefined],
    ['123456d', undefined],
  ])('%s', (text, milliseconds) => expect(parseAge(text)).toBe(milliseconds));
  it.each([
    [0, '0h'],
    [47.9 * 3_600_000, '47h'],
    [48 * 3_600_000, '2d'],
    [71 * 3_600_000, '2d'],
  ])('%d ms is said as %s', (milliseconds, said) => expect(formatAge(milliseconds)).toBe(said));
});
