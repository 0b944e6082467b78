import { accessSync, closeSync, constants, fchmodSync, fchownSync, fsyncSync, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { FileWriting } from '../execute/write-files.js';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'there is no such file',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on device',
  EDQUOT: 'the disk quota is used up',
  EBUSY: 'something is mounted there',
};

/** Where the file is that a path names, links resolved; the path itself when nothing is there. */
export function realPath(cwd: string, path: string): string {
  try {
    return realpathSync(resolve(cwd, path));
  } catch {
    return resolve(cwd, path);
  }
}

/** Takes away what a killed run was about to put in place of a file, if a path names that. */
export function discardUnfinished(path: string): boolean {
  if (!/^\..+\.build-images-new$/.test(basename(path))) return false;
  rmSync(path, { force: true });
  return true;
}

/** Writes files of a tree on this machine's disk. A link stays one: what it names is written. */
export function createFileWriting(cwd: string): FileWriting {
  return {
    read: (path) => saying(() => readFileSync(resolve(cwd, path))),
    stage: (path, content) =>
      saying(() => {
        const real = realpathSync(resolve(cwd, path));
        const known = statSync(real);
        // A rename asks only for the folder: a file that is not for writing stays as it is.
        accessSync(real, constants.W_OK);
        const beside = join(dirname(real), `.${basename(real)}.build-images-new`);
        const discard = (): void => {
          try {
            rmSync(beside, { force: true });
          } catch {
            // Nobody may write in this folder any more: the next run that may takes it away.
          }
        };
        // What a killed run left. Who writes here holds the tree's lock.
        discard();
        try {
          write(beside, content, known);
        } catch (error) {
          discard();
          // The file itself may be written to: who is told only of that looks in vain.
          if (/^(?:EACCES|EPERM)$/.test((error as NodeJS.ErrnoException).code ?? '')) throw new Error('its folder may not be written to');
          throw error;
        }
        return {
          // The folder is not synced: after a power cut each file is the old one or the new one, and the same command goes on.
          commit: () => saying(() => renameSync(beside, real)),
          discard,
        };
      }),
  };
}

function write(path: string, content: string | Uint8Array, { mode, uid, gid }: { readonly mode: number; readonly uid: number; readonly gid: number }): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(file, content);
    try {
      fchownSync(file, uid, gid);
    } catch {
      // Only root gives files away; who may write to the file of another gets one of the same mode.
    }
    fchmodSync(file, mode & 0o7777);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function saying<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new Error(REASONS[code] ?? (code || message));
  }
}
