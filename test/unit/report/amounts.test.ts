import { describe, expect, it } from '@jest/globals';
import { count, formatDuration } from '../../../src/report/amounts.js';

describe('amounts as people read them', () => {
  it.each([
    [0, '0.0s'],
    [0.44, '0.4s'],
    [9.94, '9.9s'],
    [9.96, '10s'],
    [29.4, '29s'],
    [59.4, '59s'],
    [59.6, '1m 00s'],
    [252, '4m 12s'],
    [3599.4, '59m 59s'],
    [3599.6, '1h 00m'],
    [3725, '1h 02m'],
    [90_000, '25h 00m'],
  ])('%d seconds: %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));
  it.each([
    [0, '0 images'],
    [1, '1 image'],
    [2, '2 images'],
  ])('%d: %s', (number, text) => expect(count(number, 'image')).toBe(text));
});
