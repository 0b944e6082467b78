import type { Clock } from '../../src/adapters/clock.js';

/** A clock that real time does not move: waiting moves it at once, and is written down. */
export type QuickClock = Clock & { /** Milliseconds of every wait so far. */ readonly waits: readonly number[] };

/** Starts at a time in milliseconds since 1970. */
export function quickClock(start: number): QuickClock {
  let now = start;
  const waits: number[] = [];
  return {
    waits,
    now: () => now,
    sleep(milliseconds, signal) {
      if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
      waits.push(milliseconds);
      now += milliseconds;
      return Promise.resolve();
    },
  };
}
