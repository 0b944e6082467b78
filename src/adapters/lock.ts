import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, closeSync, constants, fchmodSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, Fault } from '../shared/errors.js';
import { inState, makePrivate } from './run-directory.js';

/** A lock that is held until `release`, or until this process is no more. */
export type Lock = {
  /** Leaves word for whoever finds the lock held. */
  say(text: string): void;
  release(): void;
};

/** Where all users of this machine find each other's locks (FHS 3.0, "/run/lock"). */
const SHARED = '/run/lock';

/**
 * The folder for locks that hold on the whole machine, whoever runs; made as open as /tmp is. Where there is none, the fallback:
 * a folder of this user's own.
 */
export function machineLockDirectory(fallback: string, shared = SHARED): string {
  const path = join(shared, 'build-images');
  try {
    if (!statSync(shared).isDirectory()) return fallback;
    try {
      mkdirSync(path);
      chmodSync(path, 0o1777);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return fallback;
    }
    accessSync(path, constants.W_OK | constants.X_OK);
    return path;
  } catch {
    return fallback;
  }
}

/** Takes a lock, or tells what its holder last said of itself. Never waits. In a shared folder every user can take it in turn. */
export function tryLock(directory: string, name: string): Lock | { readonly heldBy: string } {
  const isShared = isOpenToAll(directory);
  const path = lockPath(isShared ? directory : makePrivate(directory), name);
  const file = inState(path, () => openLock(path, isShared));
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
  let said = '';
  return {
    say(text) {
      if (text === said) return;
      said = text;
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

/** Whether a lock is held, and what its holder last said; taken for an instant to find out. */
export function heldBy(directory: string, name: string): string | undefined {
  const lock = tryLock(directory, name);
  if ('heldBy' in lock) return lock.heldBy;
  lock.release();
  return undefined;
}

/** What was last said of a lock, by its holder or a former one; nothing is taken. */
export function lastWord(directory: string, name: string): string {
  try {
    return readFileSync(lockPath(directory, name), 'utf8').trim();
  } catch {
    return '';
  }
}

function lockPath(directory: string, name: string): string {
  return join(directory, `${name.replace(/[^A-Za-z0-9._-]/g, '_')}.lock`);
}

function isOpenToAll(directory: string): boolean {
  try {
    return statSync(directory).mode === (constants.S_IFDIR | 0o1777);
  } catch {
    // Not there yet, or below something that is no folder: making it will tell.
    return false;
  }
}

/** Never through a link, and never another file under a second name: in a shared folder anybody may have put one there. */
function openLock(path: string, isShared: boolean): number {
  let file: number;
  try {
    // Without O_CREAT first: kernels refuse that for a file of another user in a folder like /tmp (sysctl fs.protected_regular).
    file = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    if (isShared) fchmodSync(file, 0o666);
  }
  const known = fstatSync(file);
  if (known.isFile() && known.nlink === 1) return file;
  closeSync(file);
  throw Object.assign(new Error('not a lock file'), { code: 'EINVAL' });
}
