import { spawn } from 'node:child_process';
import thisProcess, { kill } from 'node:process';
import { existsSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import type { TestEnd, TestRunner } from '../execute/ports.js';

/** How long a stopped test may take to clean up before it is killed, in milliseconds. */
const GRACE = 2000;

/** Splits a stream of bytes into lines; `end` gives the last one, if it had no newline. */
export function lineSplitter(onLine: (line: string) => void): { write(chunk: Buffer): void; end(): void } {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return {
    write(chunk) {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop()!;
      for (const line of lines) onLine(line.replace(/\r$/, ''));
    },
    end() {
      const last = rest + decoder.end();
      rest = '';
      if (last !== '') onLine(last);
    },
  };
}

/**
 * Runs tests as processes of this machine, each in a process group of its own, so that what it started ends with it.
 * @param environment what every test gets: PATH, HOME and the engine's address
 */
export function createTestRunner(environment: Readonly<Record<string, string>>): TestRunner {
  const killers = new Set<(name: NodeJS.Signals) => void>();
  // A run that is forced to end has no time to wait for its tests.
  thisProcess.once('exit', () => killers.forEach((killGroup) => killGroup('SIGKILL')));
  return {
    exists: existsSync,
    run(test, signal) {
      signal.throwIfAborted();
      return new Promise<TestEnd>((resolve, reject) => {
        const child = spawn(test.command, [...test.args], {
          cwd: test.directory,
          env: { ...environment, ...test.environment },
          stdio: ['ignore', 'pipe', 'pipe'],
          detached: true,
        });
        let timedOut = false;
        let killer: NodeJS.Timeout | undefined;
        const killGroup = (name: NodeJS.Signals): void => {
          try {
            if (child.pid !== undefined) kill(-child.pid, name);
          } catch {
            // The group is gone already.
          }
        };
        const stop = (): void => {
          killGroup('SIGTERM');
          killer ??= setTimeout(() => killGroup('SIGKILL'), GRACE);
        };
        const timer = setTimeout(() => {
          timedOut = true;
          stop();
        }, test.timeoutSeconds * 1000);
        signal.addEventListener('abort', stop, { once: true });
        killers.add(killGroup);
        const outputs = [child.stdout, child.stderr].map((stream) => {
          const lines = lineSplitter(test.onLine);
          stream.on('data', (chunk: Buffer) => lines.write(chunk));
          return lines;
        });
        const settle = (end: TestEnd): void => {
          clearTimeout(timer);
          clearTimeout(killer);
          killers.delete(killGroup);
          signal.removeEventListener('abort', stop);
          // What the test left running in its group would hold its output open, and the next test's ports.
          killGroup('SIGKILL');
          for (const lines of outputs) lines.end();
          if (signal.aborted) reject(signal.reason as Error);
          else resolve(end);
        };
        child.on('error', (error: NodeJS.ErrnoException) => settle({ end: 'not-started', because: error.code === 'ENOENT' ? `there is no ${test.command}` : (error.code ?? error.message) }));
        child.on('exit', (code, killedBy) => {
          // Its last lines may still be on their way; a child of its own that keeps the pipe open is not waited for.
          const done = (): void => settle(timedOut ? { end: 'timed-out' } : code === null ? { end: 'killed', signal: killedBy ?? 'unknown signal' } : { end: 'exited', code });
          const patience = setTimeout(done, 200);
          child.once('close', () => {
            clearTimeout(patience);
            done();
          });
        });
      });
    },
  };
}
