import { closeSync, createWriteStream, fsyncSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Event } from '../execute/event.js';
import type { ImageLog } from '../execute/ports.js';

/** A run's folder under the state directory: its journal and its logs. */
export type RunDirectory = {
  /** Names the run. */
  readonly run: string;
  readonly path: string;
  /** Appends to the journal; on disk when it returns, so that a kill loses nothing that was told. */
  record(event: Event): void;
  openLog(image: string): ImageLog;
  close(): void;
};

/** Makes a directory that only its owner may look into. */
export function makePrivate(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

/** `20261120-2104` of an instant, UTC; `attempt` 1 is `…b`. */
export function runName(milliseconds: number, attempt: number): string {
  const iso = new Date(milliseconds).toISOString();
  const letters = attempt === 0 ? '' : attempt < 25 ? String.fromCharCode(98 + attempt - 1) : `z${'b'.repeat(attempt - 24)}`;
  return `${iso.slice(0, 10).replaceAll('-', '')}-${iso.slice(11, 16).replace(':', '')}${letters}`;
}

/** Makes the folder of a new run; two runs in one minute get names that differ. */
export function createRunDirectory(stateDirectory: string, now: number, redact: (line: string) => string): RunDirectory {
  const runs = makePrivate(join(stateDirectory, 'runs'));
  for (let attempt = 0; ; attempt++) {
    const run = runName(now, attempt);
    const path = join(runs, run);
    if (existsSync(path)) continue;
    mkdirSync(join(path, 'logs'), { recursive: true, mode: 0o700 });
    return openRunDirectory(run, path, redact);
  }
}

function openRunDirectory(run: string, path: string, redact: (line: string) => string): RunDirectory {
  const journal = openSync(join(path, 'journal.jsonl'), 'a', 0o600);
  return {
    run,
    path,
    record(event) {
      writeSync(journal, `${redact(JSON.stringify(event))}\n`);
      // What is about to change the registry must be readable after a power cut.
      if (event.type === 'promotion-intended' || event.type === 'promoted' || event.type === 'published') fsyncSync(journal);
    },
    openLog(image) {
      const file = join(path, 'logs', `${image.replaceAll('/', '_')}.log`);
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

/** A new empty folder for temporary files. */
export function scratchFolder(parent: string): { readonly path: string; release(): Promise<void> } {
  const path = mkdtempSync(join(parent, 'build-images-'));
  return { path, release: async () => rmSync(path, { recursive: true, force: true }) };
}
