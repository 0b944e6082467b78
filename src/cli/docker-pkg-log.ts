import { resolve } from 'node:path';
import { openLogFile } from '../adapters/log-file.js';
import type { LogLevel } from '../report/log-lines.js';
import { DOCKER_PKG_LOG_FILE } from '../shared/docker-pkg-log-file.js';
import type { Environment } from './environment.js';

/** docker-pkg's log: what happens, and all that builds and tests print. Lines must be free of secrets. */
export type DockerPkgLog = {
  /** `source`: the image that printed it; unset: the program itself. */
  line(level: LogLevel, text: string, source?: string): void;
  /** A line that a person should see as well, if it is a warning or an error. */
  say(level: LogLevel, text: string): void;
  /** Whether it is a file. */
  inFile(): boolean;
  close(): void;
};

/** The log, as docker-pkg calls it. */
export const LOG_FILE = `./${DOCKER_PKG_LOG_FILE}`;

/**
 * Opens the log: the file, which is appended to, or standard error. A file that cannot be written is no reason not to build.
 * @param wanted what of it goes to standard error; undefined: nothing, it is a file
 */
export function openDockerPkgLog(wanted: 'info' | 'debug' | undefined, { cwd, clock, err }: Environment): DockerPkgLog {
  const complain = (because: string): void => err(`${LOG_FILE} cannot be written (${because}): the run goes on without it`);
  const file = wanted === undefined ? openLogFile(resolve(cwd, LOG_FILE), complain) : undefined;
  const line: DockerPkgLog['line'] = (level, text, source = 'build-images') => {
    if (level === 'DEBUG' && wanted !== 'debug') return;
    for (const one of text.split('\n').filter((part) => part !== '')) {
      const whole = `${localTime(clock.now())} [docker-pkg-build] ${level} - ${one} (${source})`;
      if (wanted === undefined) file?.line(whole);
      else err(whole);
    }
  };
  return {
    line,
    say(level, text) {
      if (wanted === undefined && (level === 'WARNING' || level === 'ERROR')) err(text);
      line(level, text);
    },
    inFile: () => file !== undefined,
    close: () => file?.close(),
  };
}

/** `2026-11-20 21:04:11` where the machine is, as Python's logging writes it. */
function localTime(milliseconds: number): string {
  const at = new Date(milliseconds);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
