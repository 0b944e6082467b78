import { setTimeout as pause } from 'node:timers/promises';

/** Waits until something of the outside holds that tells nobody when it begins to: a file's text, a process that ends. Seconds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, patience = 60): Promise<void> {
  for (const end = Date.now() + patience * 1000; !(await holds()); await pause(25)) {
    if (Date.now() > end) throw new Error(`not within ${patience} s: ${what}`);
  }
}
