import type { Lock } from '../adapters/lock.js';
import type { Fault } from '../shared/errors.js';

/** Begins what a night says of itself to who finds its locks held: it gives way when it is asked to. */
export const NIGHT = 'a night, ';

/**
 * Takes several locks as one, in the order of their names, so that two runs never wait for each other; all or none.
 * @param places what each lock is of, by its name
 * @param taken what is said of one that another run holds
 */
export function takeLocks(places: ReadonlyMap<string, string>, tryLock: (name: string) => Lock | { readonly heldBy: string }, taken: (place: string, heldBy: string) => Fault, word: string): Lock {
  const locks: Lock[] = [];
  const all: Lock = {
    say: (text) => locks.forEach((lock) => lock.say(text)),
    release: () => locks.forEach((lock) => lock.release()),
  };
  for (const [name, place] of [...places].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const lock = tryLock(name);
    if ('heldBy' in lock) {
      all.release();
      throw taken(place, lock.heldBy);
    }
    locks.push(lock);
  }
  all.say(word);
  return all;
}
