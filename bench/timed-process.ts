import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** How a whole process went: wall time, the most memory it had, and what it printed. */
export type Timed = { readonly seconds: number; readonly mebibytes: number; readonly output: string };

/** Runs a program to its end; rejects when it fails. Its errors belong to what it printed. */
export function timedProcess(command: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<Timed> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, { cwd, env: { PATH: process.env['PATH']!, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let kibibytes = 0;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const poll = setInterval(() => {
      try {
        kibibytes = Math.max(kibibytes, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0));
      } catch {
        // It has just ended.
      }
    }, 25);
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(poll);
      if (code !== 0) reject(new Error(`${command} ${args.join(' ')} ended with ${code}: ${output}`));
      else resolve({ seconds: (performance.now() - started) / 1000, mebibytes: kibibytes / 1024, output });
    });
  });
}

/** The middle one of an odd number of values. */
export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Seconds of processor time of all children that have ended: proc_pid_stat(5), cutime and cstime, in ticks of 10 ms. */
export function childSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1').replace(/^.*\) /, '').split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}
