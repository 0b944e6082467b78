import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openLogFile } from '../../../src/adapters/log-file.js';

let folder: string;
let said: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'build-images-log-'));
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true }));
const open = (path: string) => openLogFile(path, (because) => said.push(because));

describe('a log file', () => {
  it('is appended to, each line at once', () => {
    writeFileSync(join(folder, 'log'), 'before\n');
    const log = open(join(folder, 'log'))!;
    log.line('one');
    expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('before\none\n');
    log.close();
    log.line('nobody reads this');
    log.close();
    expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('before\none\n');
    expect(said).toEqual([]);
  });
  it.each([
    ['a directory', '.', 'it is a directory'],
    ['what lies in none', 'none/log', 'its directory is gone'],
    ['a name that is too long', 'x'.repeat(300), 'ENAMETOOLONG'],
  ])('%s cannot be opened', (_, path, because) => {
    expect(open(join(folder, path))).toBeUndefined();
    expect(said).toEqual([because]);
  });
  it('says once that the disk is full, and costs no run', () => {
    const log = open('/dev/full')!;
    log.line('one');
    log.line('two');
    log.close();
    expect(said).toEqual(['no space left on device']);
  });
});
