import { describe, expect, it } from '@jest/globals';
import { count, formatDuration, formatReading } from '../../../src/report/amounts.js';

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
  it.each([
    [0, 1, 'reading 0 of 1 image from a.example'],
    [412, 1000, 'reading 412 of 1,000 images from a.example'],
    [1234567, 10_000_000, 'reading 1,234,567 of 10,000,000 images from a.example'],
  ])('%d of %d: %s', (read, many, text) => expect(formatReading(read, many, 'a.example')).toBe(text));
});
