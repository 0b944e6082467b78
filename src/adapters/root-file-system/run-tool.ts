import { spawn, type ChildProcess } from 'node:child_process';
import { dirname } from 'node:path';
import { kill } from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Repository } from '../../definition/apt-settings.js';
import { explainFailure } from './apt-failure.js';
import { scratchFull } from '../scratch-folder.js';

/** Milliseconds that a tool gets to take its mounts down before it is killed. */
const GRACE = 2_000;

/** Where a tool works. */
export type Place = {
  /** Temporary folder of this run. */
  readonly folder: string;
  readonly path: string;
  /** Whether a mount namespace can be had: what is mounted in one goes away with its last process. */
  readonly unshare: boolean;
};

/**
 * Runs a program that installs packages to its end; the lines it printed as errors. Rejects with what its failure means, or with
 * the signal's reason; nothing that it started is left then.
 */
export async function runTool(
  tool: readonly [string, ...(readonly string[])],
  run: {
    /** What the tool is called when nothing better can be said of its failure. */
    readonly name: string;
    readonly environment: NodeJS.ProcessEnv;
    readonly repositories: readonly Repository[];
    readonly place: Place;
    onLine(line: string): void;
    /** Takes what it prints as its output; unset: nobody wants it. */
    useOutput?(output: Readable): Promise<void>;
  },
  signal: AbortSignal,
): Promise<readonly string[]> {
  signal.throwIfAborted();
  const { environment, place, onLine, useOutput = ignoreOutput } = run;
  const [command, ...commandLine] = place.unshare ? ['unshare', '--mount', '--', ...tool] : tool;
  // A process group of its own: apt, dpkg and maintainer scripts are stopped with it.
  const child = spawn(command!, commandLine, { cwd: place.folder, env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const full = new AbortController();
  const stop = stopOnAbort(child, AbortSignal.any([signal, full.signal]));
  const lines: string[] = [];
  const reader = createInterface({ input: child.stderr });
  reader.on('line', (line) => {
    lines.push(line);
    onLine(line);
    // apt waits for ever for a helper that could not write.
    if (/no space left on device|don't have enough free space/i.test(line)) full.abort();
  });
  try {
    const status = new Promise<string>((settle, reject) => {
      child.once('error', reject);
      child.once('close', (code, by) => settle(code === 0 ? '' : code === null ? `killed by ${by}` : `exit ${code}`));
    });
    const [ended, used] = await Promise.allSettled([status, useOutput(child.stdout)]);
    signal.throwIfAborted();
    if (ended.status === 'rejected') throw ended.reason;
    if (full.signal.aborted || (used.status === 'rejected' && (used.reason as NodeJS.ErrnoException).code === 'ENOSPC')) throw scratchFull(dirname(place.folder));
    if (ended.value !== '') throw explainFailure(lines, `${run.name}: ${ended.value}`, run.repositories);
    if (used.status === 'rejected') throw used.reason;
    return lines;
  } finally {
    stop.done();
  }
}

/** Stops a child's whole group when the signal aborts: first kindly, so that it can take its mounts down, then for good. */
function stopOnAbort(child: ChildProcess, signal: AbortSignal): { done(): void } {
  let timer: NodeJS.Timeout | undefined;
  const signalGroup = (name: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) kill(-child.pid, name);
    } catch {
      // The group is gone already.
    }
  };
  const onAbort = (): void => {
    signalGroup('SIGTERM');
    timer = setTimeout(() => signalGroup('SIGKILL'), GRACE);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (signal.aborted) signalGroup('SIGKILL');
    },
  };
}

async function ignoreOutput(output: Readable): Promise<void> {
  output.resume();
}

/** Whether a command can be started and ends well. In a group of its own: an interrupt at the terminal must not stop cleaning up. */
export function runs(command: string, commandLine: readonly string[], path: string): Promise<boolean> {
  return new Promise((settle) => {
    const child = spawn(command, commandLine, { env: { PATH: path, LC_ALL: 'C' }, stdio: 'ignore', detached: true });
    child.once('error', () => settle(false));
    child.once('close', (code) => settle(code === 0));
  });
}
