import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makePrivate } from './run-directory.js';

/** A JSON file of ours; undefined when it is not there or is not what it should be: a cache is made again. */
export function readJson<T>(path: string, isValid: (value: unknown) => value is T): T | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isValid(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Writes a JSON file whole or not at all. A cache that cannot be written is done without. */
export function writeJson(path: string, value: unknown): void {
  try {
    makePrivate(dirname(path));
    const temporary = `${path}.${Math.random().toString(36).slice(2)}`;
    writeFileSync(temporary, JSON.stringify(value), { mode: 0o600 });
    renameSync(temporary, path);
  } catch {
    // Read-only or full: the next run asks the registry again.
  }
}
