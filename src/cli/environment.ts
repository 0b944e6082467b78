import { join } from 'node:path';
import type { Clock } from '../adapters/clock.js';
import type { Terminal } from '../adapters/terminal.js';

/** The process as the command line sees it; main.ts makes it. */
export type Environment = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  readonly home: string;
  readonly isRoot: boolean;
  readonly pid: number;
  readonly cores: number;
  readonly clock: Clock;
  random(): number;
  /** Aborted when the process is asked to end. */
  readonly signal: AbortSignal;
  /** Where a person watches standard output; undefined: lines go to a pipe, a file or a terminal that can do no more. */
  readonly terminal: Terminal | undefined;
  /** All of standard input. */
  input(): Promise<string>;
  /** Asks whoever sits at the terminal, and resolves to the answer; empty when there comes none. Undefined: there is nobody. */
  ask?(question: string): Promise<string>;
  /** One line to standard output. */
  out(line: string): void;
  /** One line to standard error. */
  err(line: string): void;
};

/** Losing it costs time: what registries said. */
export function cacheDirectory({ env, home, isRoot }: Environment): string {
  if (env['XDG_CACHE_HOME']) return join(env['XDG_CACHE_HOME'], 'build-images');
  return isRoot ? '/var/cache/build-images' : join(home, '.cache', 'build-images');
}

/** Losing it costs undo and history: journals, logs, locks. */
export function stateDirectory({ env, home, isRoot }: Environment): string {
  if (env['XDG_STATE_HOME']) return join(env['XDG_STATE_HOME'], 'build-images');
  return isRoot ? '/var/lib/build-images' : join(home, '.local', 'state', 'build-images');
}
