import { runCommandLine } from '../../src/cli/run-command-line.js';
// What the command line loads late: jest finds a CommonJS library only once something has imported it from the start.
import '../../src/definition/dockerfile.js';

/** How a command line ended. */
export type EndedHere = { readonly exit: number; readonly out: string; readonly err: string };

/** Where, and with what, a command line is run. */
export type Here = { readonly cwd: string; readonly env?: Readonly<Record<string, string>>; readonly input?: string; /** Milliseconds since 1970. */ readonly now?: number; /** Asks it to end. */ readonly signal?: AbortSignal };

/**
 * Runs a command line in this process: as the program would, but for signals and terminals, and in the time of a call. Paths in it
 * must be absolute, since trees are read from where the process is.
 */
export async function runHere(args: readonly string[], { cwd, env = {}, input = '', now = Date.UTC(2026, 10, 20, 9), signal = new AbortController().signal }: Here): Promise<EndedHere> {
  const out: string[] = [];
  const err: string[] = [];
  const exit = await runCommandLine(args, {
    env: { PATH: process.env['PATH'], HOME: cwd, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', XDG_STATE_HOME: `${cwd}/.state`, XDG_CACHE_HOME: `${cwd}/.cache`, ...env },
    cwd,
    home: cwd,
    isRoot: false,
    pid: process.pid,
    cores: 2,
    clock: { now: () => now, sleep: () => Promise.resolve() },
    random: () => 0.5,
    signal,
    terminal: undefined,
    input: () => Promise.resolve(input),
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
  });
  return { exit, out: out.join('\n'), err: err.join('\n') };
}
