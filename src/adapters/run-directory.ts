import { closeSync, createWriteStream, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Event } from '../execute/event.js';
import type { ImageLog } from '../execute/ports.js';
import { EXIT, Fault } from '../shared/errors.js';

/** A run's folder under the state directory: its journal and its logs. */
export type RunDirectory = {
  /** Names the run. */
  readonly run: string;
  readonly path: string;
  /** Appends to the journal; on disk when it returns, so that a kill loses nothing that was told. A full disk costs the journal, not the run. */
  record(event: Event): void;
  openLog(image: string): ImageLog;
  close(): void;
};

/** Makes a directory that only its owner may look into. */
export function makePrivate(path: string): string {
  return inState(path, () => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  });
}

const UNUSABLE: Readonly<Record<string, string>> = {
  // What Node makes of a read-only file system when it makes folders with their parents.
  ENOENT: 'it cannot be made (is the file system read-only?)',
  ENOTDIR: 'it lies below something that is no directory',
  EEXIST: 'it is no directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on device',
  EDQUOT: 'the disk quota is used up',
};

/** Does something at a path of the state directory; what keeps us from it is a fault that names the path. */
export function inState<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new Fault(EXIT.failed, `the state directory ${path} cannot be used: ${reasonOf(error)}`, ['XDG_STATE_HOME=/path   names another place']);
  }
}

function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return UNUSABLE[code] ?? (code || message);
}

/** `20261120-2104` of an instant, UTC; `attempt` 1 is `…b`. */
export function runName(milliseconds: number, attempt: number): string {
  const iso = new Date(milliseconds).toISOString();
  const letters = attempt === 0 ? '' : attempt < 25 ? String.fromCharCode(98 + attempt - 1) : `z${'b'.repeat(attempt - 24)}`;
  return `${iso.slice(0, 10).replaceAll('-', '')}-${iso.slice(11, 16).replace(':', '')}${letters}`;
}

/** Makes the folder of a new run; two runs in one minute get names that differ. `complain`: told once, when the journal cannot be written any more. */
export function createRunDirectory(stateDirectory: string, now: number, redact: (line: string) => string, complain: (line: string) => void): RunDirectory {
  const runs = makePrivate(join(stateDirectory, 'runs'));
  for (let attempt = 0; ; attempt++) {
    const run = runName(now, attempt);
    const path = join(runs, run);
    if (!isNew(path)) continue;
    makePrivate(join(path, 'logs'));
    return openRunDirectory(run, path, redact, complain);
  }
}

/** Makes a run's folder; false when another run, perhaps of another registry, has it. */
function isNew(path: string): boolean {
  return inState(path, () => {
    try {
      mkdirSync(path, { mode: 0o700 });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  });
}

function openRunDirectory(run: string, path: string, redact: (line: string) => string, complain: (line: string) => void): RunDirectory {
  const journal = inState(path, () => openSync(join(path, 'journal.jsonl'), 'a', 0o600));
  let whole = 0;
  let complained = false;
  return {
    run,
    path,
    record(event) {
      try {
        const line = Buffer.from(`${redact(JSON.stringify(event))}\n`);
        if (writeSync(journal, line) < line.length) throw Object.assign(new Error(), { code: 'ENOSPC' });
        whole += line.length;
        // What is about to change the registry must be readable after a power cut.
        if (event.type === 'promotion-intended' || event.type === 'promoted' || event.type === 'withdrawn' || event.type === 'put-back' || event.type === 'published') fsyncSync(journal);
      } catch (error) {
        // Half a line would spoil those that follow, should there be room again.
        ftruncateSync(journal, whole);
        if (!complained) complain(`the journal of this run cannot be written (${reasonOf(error)}): the run goes on, but nobody can undo it from ${path}`);
        complained = true;
      }
    },
    openLog(image) {
      // No name holds a plus sign, but `a/b` and `a_b` may both be images.
      const file = join(path, 'logs', `${image.replaceAll('/', '+')}.log`);
      const stream = createWriteStream(file, { flags: 'a', mode: 0o600 });
      // A full disk must not end the run through a stray event; the build itself will say so.
      stream.on('error', () => undefined);
      return {
        path: file,
        line: (text) => void stream.write(`${redact(text)}\n`),
        close: () => new Promise((resolve) => void stream.end(() => resolve())),
      };
    },
    close: () => closeSync(journal),
  };
}

/** Removes folders of runs that began before an instant (milliseconds since 1970) and are no more; resolves to how many. What cannot be removed stays. */
export function removeOldRuns(stateDirectory: string, before: number, isAlive: (run: string) => boolean): number {
  const runs = join(stateDirectory, 'runs');
  const oldest = runName(before, 0);
  let removed = 0;
  for (const run of existsSync(runs) ? readdirSync(runs) : []) {
    if (!/^\d{8}-\d{4}[a-z]*$/.test(run) || run >= oldest || isAlive(run)) continue;
    try {
      rmSync(join(runs, run), { recursive: true });
      removed++;
    } catch {
      // Somebody made it another user's; the next night tries again.
    }
  }
  return removed;
}
