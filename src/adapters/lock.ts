import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, Fault } from '../shared/errors.js';
import { inState, makePrivate } from './run-directory.js';

/** A lock that is held until `release`, or until this process is no more. */
export type Lock = {
  /** Leaves word for whoever finds the lock held. */
  say(text: string): void;
  release(): void;
};

/** Takes a lock, or tells what its holder last said of itself. Never waits. */
export function tryLock(directory: string, name: string): Lock | { readonly heldBy: string } {
  const path = join(makePrivate(directory), `${name.replace(/[^A-Za-z0-9._-]/g, '_')}.lock`);
  const file = inState(path, () => openSync(path, 'a+', 0o600));
  // The lock belongs to the open file and so to us: flock(1) takes it on our own descriptor and ends.
  const { status, error } = spawnSync('flock', ['-n', '-x', '3'], { stdio: ['ignore', 'ignore', 'ignore', file] });
  if (error !== undefined) {
    closeSync(file);
    throw new Fault(EXIT.failed, `cannot take a lock: flock(1) does not start (${(error as NodeJS.ErrnoException).code ?? error.message})`, ['apt-get install util-linux']);
  }
  if (status !== 0) {
    const heldBy = readFileSync(path, 'utf8').trim();
    closeSync(file);
    return { heldBy };
  }
  ftruncateSync(file, 0);
  return {
    say(text) {
      ftruncateSync(file, 0);
      try {
        writeSync(file, text, 0);
      } catch {
        // The disk is full: the lock itself needs no room, and its word is only a help.
      }
    },
    release: () => closeSync(file),
  };
}
