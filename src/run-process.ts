import { cpus, homedir } from 'node:os';
import { ask } from './adapters/ask.js';
import { systemClock } from './adapters/clock.js';
import { createScreen } from './adapters/terminal.js';
import type { Environment } from './cli/environment.js';
import { Interruption, interruptionExit, interruptionWord } from './cli/interruption.js';
import { EXIT, type ExitCode } from './shared/errors.js';

/** How long a stopped run may take to clean up, in milliseconds. */
const GRACE = 4500;

const SIGNALS = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated, SIGHUP: EXIT.hangup } as const;

/** The process edge of a program: its arguments, signals, terminal and exit code. The process ends with the program. */
export async function runProcess(program: (argv: readonly string[], environment: Environment) => Promise<ExitCode>): Promise<void> {
  const screen = createScreen(process.stdout, process.stderr, process.env['TERM'] === 'dumb');
  process.on('exit', () => screen.close());
  // Ctrl-Z: what the shell and others write meanwhile would be taken for the frame, and drawn over.
  process.on('SIGTSTP', () => {
    screen.close();
    process.kill(process.pid, 'SIGSTOP');
  });

  const ending = new AbortController();
  for (const [name, exit] of Object.entries(SIGNALS) as [keyof typeof SIGNALS, ExitCode][]) {
    process.on(name, () => {
      // A second one forces; so does one whose cleaning up takes too long.
      if (ending.signal.aborted) process.exit(exit);
      screen.err(`${interruptionWord(exit)}: stopping what is under way; once more ends it at once`);
      ending.abort(new Interruption(exit));
      setTimeout(() => process.exit(exit), GRACE).unref();
    });
  }
  // Of its own accord Node would end with 1, which means that an image failed.
  process.on('uncaughtException', (error: unknown) => {
    screen.err(`build-images has a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exit(ending.signal.aborted ? interruptionExit(ending.signal) : EXIT.bug);
  });
  // Whoever reads us may stop reading: `build-images plan | head`.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

  process.exitCode = EXIT.bug;
  const exit = await program(process.argv.slice(2), {
    env: process.env,
    cwd: process.cwd(),
    home: process.env['HOME'] ?? homedir(),
    isRoot: process.getuid?.() === 0,
    pid: process.pid,
    cores: Math.max(1, cpus().length),
    clock: systemClock,
    random: Math.random,
    signal: ending.signal,
    terminal: screen.terminal,
    input: async () => Buffer.concat(await process.stdin.toArray()).toString(),
    ...(process.stdin.isTTY && process.stdout.isTTY ? { ask: (question: string) => ask(question, process.stdin, process.stdout, ending.signal) } : {}),
    out: (line) => screen.out(line),
    err: (line) => screen.err(line),
  });
  // Explicitly, since a library's idle socket must not keep us; but not before everything is written.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(exit)));
}
