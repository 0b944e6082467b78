import { describe, expect, it } from '@jest/globals';
import { isTemporary, parseRetryAfter, retryDelay, type FailedTry } from '../../../../src/adapters/registry/registry-retry.js';

const failed = (more: Partial<FailedTry>): FailedTry => ({ tries: 1, retryAfter: undefined, waited: 0, left: undefined, random: 1, ...more });

describe('retryDelay', () => {
  it.each<[string, Partial<FailedTry>, number | undefined]>([
    ['the first wait is a second', { tries: 1 }, 1000],
    ['the second wait is twice the first', { tries: 2 }, 2000],
    ['the third wait is twice the second', { tries: 3 }, 4000],
    ['the fourth try is the last', { tries: 4 }, undefined],
    ['jitter takes at most half of a wait', { tries: 2, random: 0 }, 1000],
    ['what the registry asks for is waited, to the millisecond', { retryAfter: 7000, random: 0 }, 7000],
    ['a minute asked for is waited', { retryAfter: 60_000 }, 60_000],
    ['more than a minute is not waited', { retryAfter: 60_001 }, undefined],
    ['several waits together are not more than a minute', { retryAfter: 31_000, waited: 30_000 }, undefined],
    ['a first answer is not waited for beyond its time', { left: 1000 }, undefined],
    ['a first answer is waited for within its time', { left: 1001 }, 1000],
  ])('%s', (_, more, expected) => expect(retryDelay(failed(more))).toBe(expected));
});

describe('parseRetryAfter', () => {
  const now = Date.parse('2026-11-20T10:00:00Z');
  it.each<[string, string | undefined, number | undefined]>([
    ['seconds', '12', 12_000],
    ['an HTTP date', 'Fri, 20 Nov 2026 10:00:30 GMT', 30_000],
    ['a date that has passed asks for no wait', 'Fri, 20 Nov 2026 09:00:00 GMT', 0],
    ['no header says nothing', undefined, undefined],
    ['nonsense says nothing', 'soon', undefined],
  ])('%s', (_, header, expected) => expect(parseRetryAfter(header, now)).toBe(expected));
});

describe('isTemporary', () => {
  it.each([429, 500, 502, 503, 504])('%d may pass', (status) => expect(isTemporary(status)).toBe(true));
  it.each([200, 301, 400, 401, 403, 404, 405, 501])('%d stays', (status) => expect(isTemporary(status)).toBe(false));
});
