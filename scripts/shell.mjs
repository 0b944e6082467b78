import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What keeps a script from going on, in one line, with what to try. */
export class Stop extends Error {
  constructor(message, hint, exitCode = 1) {
    super(message);
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

// `su` without a dash leaves an admin's folders out, and dockerd is in one of them.
process.env.PATH = [...new Set([...(process.env.PATH ?? '').split(delimiter).filter(Boolean), '/usr/sbin', '/sbin', '/usr/bin', '/bin'])].join(delimiter);

/** One line to the person who waits. */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** Where a command is, or undefined. */
export function whereIs(command) {
  for (const folder of process.env.PATH.split(delimiter)) {
    const path = join(folder, command);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return undefined;
}

/** Runs a command to its end and keeps its output. Never throws: a command that cannot be started is code 127. */
export function run(command, args, { env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (piece) => (output += piece);
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', (fault) => resolve({ code: 127, output: `${output}${fault.message}\n` }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Runs a command whose output is for the person; resolves to its exit code. */
export function show(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', () => resolve(127));
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

/** The last lines of an output, to be shown below what failed. */
export function lastLines(text, count = 5) {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .map((line) => `    ${line}`)
    .join('\n');
}

/** A file's text; '' when it cannot be read. */
export function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

export function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Calls `look` until it is true or the time (in seconds) is over; says which. */
export async function waitFor(look, seconds) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(100)) {
    if (await look()) return true;
  }
  return false;
}

/** Runs a script's main function; what stops it is said in one line, and the exit code tells. */
export async function main(body) {
  try {
    process.exitCode = await body();
  } catch (fault) {
    if (!(fault instanceof Stop)) throw fault;
    process.stderr.write(`${fault.message}\n${fault.hint === undefined ? '' : `  try: ${fault.hint}\n`}`);
    process.exitCode = fault.exitCode;
  }
}
