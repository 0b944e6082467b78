import { describe, expect, it } from '@jest/globals';
import { createFirstSeen, type FirstSeenData } from '../../../src/state/first-seen.js';
import { upgradeOf } from '../../support/upgrades-in-memory.js';

const DAY = 24 * 3_600_000;
const FIRST = Date.UTC(2026, 0, 1);
const ssl = upgradeOf('ssl', '1 → 2')!;

/** What runs at these days remember, the last of which is asked. */
function waiting(days: readonly number[], upgrade = ssl): number | undefined {
  let stored: FirstSeenData | undefined;
  let answer: number | undefined;
  for (const [at, day] of days.entries()) {
    const seen = createFirstSeen(stored, FIRST + day * DAY);
    answer = seen.waiting(at === days.length - 1 ? upgrade : ssl);
    stored = seen.data();
  }
  return answer;
}

describe('how long an upgrade is offered', () => {
  it.each<readonly [string, readonly number[], number | undefined]>([
    ['nobody knows when it is seen first', [0], undefined],
    ['nor in the same moment', [0, 0], undefined],
    ['is counted from when it was seen first', [0, 1, 3], 3 * DAY],
    ['nobody knows when a clock went back', [3, 1], undefined],
    ['is remembered for three months after it was last seen', [0, 89, 170], 170 * DAY],
    ['and then forgotten', [0, 90], undefined],
  ])('%s', (_, days, expected) => expect(waiting(days)).toBe(expected));
  it.each([
    ['another version', '1 → 3'],
    ['another suite', '1 → 2 security'],
  ])('is that of this one: %s is another', (_, written) => expect(waiting([0, 1], upgradeOf('ssl', written)!)).toBeUndefined());
  it('does not depend on what an image has of it now', () => expect(waiting([0, 1], upgradeOf('ssl', '1.5 → 2')!)).toBe(DAY));
});
