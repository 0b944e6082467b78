import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PROGRAM, type Scenario } from './scenario.js';

/** What stands on a terminal. */
export type Shown = {
  /** What has scrolled away, and what is on the screen; blank lines at the end are left out. */
  readonly lines: readonly string[];
  readonly red: readonly string[];
  readonly cursorHidden: boolean;
  /** By Ctrl-Z, until it goes on. */
  readonly stopped: boolean;
};

/** The program at work on a terminal of its own. */
export type TerminalRun = {
  /** What stands there when it first holds; rejects when the program ends without, or after 60 s. */
  waitFor(what: string, holds: (shown: Shown) => boolean): Promise<Shown>;
  type(text: string): void;
  signal(number: number): void;
  resize(columns: number, rows: number): void;
  /** How it ended, what stands there then, and every byte that it wrote. */
  readonly ended: Promise<Shown & { readonly code: number; readonly written: string }>;
};

/** Runs the program in a scenario's folder, on a terminal that test/support/pty_screen.py plays. */
export function startOnTerminal(scenario: Scenario, args: readonly string[], options: { readonly columns?: number; readonly rows?: number; readonly env?: Readonly<Record<string, string>> } = {}): TerminalRun {
  const { columns = 80, rows = 24, env = {} } = options;
  const script = join(dirname(fileURLToPath(import.meta.url)), 'pty_screen.py');
  // Debian's own: pyte is one of its packages.
  const child = spawn('/usr/bin/python3', [script, String(columns), String(rows), process.execPath, PROGRAM, ...args], {
    cwd: scenario.directory,
    env: { ...scenario.environment, TERM: 'xterm-256color', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const order = (value: unknown): void => void child.stdin.write(`${JSON.stringify(value)}\n`);
  let shown: Shown = { lines: [], red: [], cursorHidden: false, stopped: false };
  const watchers = new Set<() => void>();
  const ended = new Promise<Awaited<TerminalRun['ended']>>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const told = JSON.parse(line) as { exit: number; written: string } | { above: string[]; lines: string[]; red: string[]; hidden: boolean; stopped: boolean };
      if ('exit' in told) return resolve({ ...shown, code: told.exit, written: Buffer.from(told.written, 'base64').toString() });
      const all = [...told.above, ...told.lines];
      shown = { lines: all.slice(0, all.findLastIndex((one) => one !== '') + 1), red: told.red, cursorHidden: told.hidden, stopped: told.stopped };
      for (const watch of watchers) watch();
    });
  });
  return {
    type: (text) => order({ type: text }),
    signal: (number) => order({ signal: number }),
    resize: (width, height) => order({ resize: [width, height] }),
    ended,
    waitFor: (what, holds) =>
      new Promise((resolve, reject) => {
        const settle = (error?: Error): void => {
          clearTimeout(timer);
          watchers.delete(watch);
          if (error === undefined) resolve(shown);
          else reject(error);
        };
        const watch = (): void => {
          if (holds(shown)) settle();
        };
        const timer = setTimeout(() => settle(new Error(`not within 60 s: ${what}\n${shown.lines.join('\n')}`)), 60_000);
        watchers.add(watch);
        watch();
        void ended.then(() => settle(new Error(`ended before: ${what}\n${shown.lines.join('\n')}`)));
      }),
  };
}
