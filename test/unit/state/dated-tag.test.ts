import { describe, expect, it } from '@jest/globals';
import { dayOf, newestDatedFirst, nextDatedTag, parseDatedTag } from '../../../src/state/dated-tag.js';

describe('dated tags', () => {
  it.each([
    ['the first second of a day', Date.UTC(2026, 0, 2, 0, 0, 0), '20260102'],
    ['the last one', Date.UTC(2026, 0, 2, 23, 59, 59, 999), '20260102'],
  ])('a day is UTC: %s', (_, at, day) => expect(dayOf(at)).toBe(day));
  it.each([
    ['20260101', { day: '20260101', count: 1 }],
    ['20260101-2', { day: '20260101', count: 2 }],
    ['20260101-10', { day: '20260101', count: 10 }],
    ['20260101-1', undefined],
    ['20260101-0', undefined],
    ['20260101-02', undefined],
    ['2026010', undefined],
    ['202601011', undefined],
    ['20260101-s1', undefined],
    ['x20260101', undefined],
    ['latest', undefined],
  ])('%s', (tag, parsed) => expect(parseDatedTag(tag)).toEqual(parsed));
  it('are ordered newest first, the suffix as a number; other tags are none', () => {
    expect(newestDatedFirst(['20260101-2', '20251231', 'latest', '20260101-10', '20260102', '20260101', '1.0'])).toEqual(['20260102', '20260101-10', '20260101-2', '20260101', '20251231']);
  });
  it.each([
    ['the first of a day', [], '20260101'],
    ['days do not count together', ['20251231', '20260102-7'], '20260101'],
    ['the second', ['20260101'], '20260101-2'],
    ['after the highest, though one below is free', ['20260101', '20260101-10', '20260101-9'], '20260101-11'],
    ['after a suffix without a first', ['20260101-2'], '20260101-3'],
  ])('the next tag: %s', (_, taken, next) => expect(nextDatedTag('20260101', taken)).toBe(next));
});
