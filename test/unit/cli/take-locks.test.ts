import { describe, expect, it } from '@jest/globals';
import { takeLocks } from '../../../src/cli/take-locks.js';
import { Fault } from '../../../src/shared/errors.js';

/** Takes locks of which some are held, and what was done to each. */
function take(places: readonly string[], held: readonly string[] = []) {
  const done: string[] = [];
  const locks = (): ReturnType<typeof takeLocks> =>
    takeLocks(
      new Map(places.map((name) => [name, `place ${name}`])),
      (name) => {
        done.push(`try ${name}`);
        return held.includes(name) ? { heldBy: `who has ${name}` } : { say: (text) => void done.push(`${name} says ${text}`), release: () => void done.push(`release ${name}`) };
      },
      (place, by) => new Fault(75, `${place}: ${by}`),
      'hello',
    );
  return { done, locks };
}

describe('several locks', () => {
  it('are taken in the order of their names, and are one', () => {
    const { done, locks } = take(['b', 'c', 'a']);
    const lock = locks();
    lock.say('more');
    lock.release();
    expect(done).toEqual(['try a', 'try b', 'try c', ...['a', 'b', 'c'].map((name) => `${name} says hello`), ...['a', 'b', 'c'].map((name) => `${name} says more`), ...['a', 'b', 'c'].map((name) => `release ${name}`)]);
  });

  it('are all let go when another run has one of them, which is named', () => {
    const { done, locks } = take(['b', 'c', 'a'], ['b']);
    expect(locks).toThrow('place b: who has b');
    expect(done).toEqual(['try a', 'try b', 'release a']);
  });
});
