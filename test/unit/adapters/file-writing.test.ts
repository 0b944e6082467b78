import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createFileWriting } from '../../../src/adapters/file-writing.js';

let top: string;
beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'build-images-write-')));
  writeFileSync(join(top, 'file'), 'old\n');
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const text = (path: string): string => readFileSync(join(top, path), 'utf8');

describe('writing a file', () => {
  it('nothing is to be seen of the new content before it is in place, and nothing else after', () => {
    const staged = createFileWriting(top).stage('file', 'new\n');
    expect([text('file'), readdirSync(top).length]).toEqual(['old\n', 2]);
    staged.commit();
    expect([text('file'), readdirSync(top)]).toEqual(['new\n', ['file']]);
  });
  it('what is given up leaves nothing', () => {
    createFileWriting(top).stage('file', 'new\n').discard();
    expect([text('file'), readdirSync(top)]).toEqual(['old\n', ['file']]);
  });
  it.each([0o644, 0o664, 0o755, 0o600])('the mode %o stays', (mode) => {
    chmodSync(join(top, 'file'), mode);
    createFileWriting(top).stage('file', 'new\n').commit();
    expect(statSync(join(top, 'file')).mode & 0o7777).toBe(mode);
  });
  it('a link stays one, and what it names is written', () => {
    mkdirSync(join(top, 'real'));
    writeFileSync(join(top, 'real/changelog'), 'old\n');
    symlinkSync('real/changelog', join(top, 'link'));
    createFileWriting(top).stage('link', 'new\n').commit();
    expect([lstatSync(join(top, 'link')).isSymbolicLink(), text('real/changelog'), readdirSync(join(top, 'real'))]).toEqual([true, 'new\n', ['changelog']]);
  });
  it('what a killed run left beside it is no hindrance', () => {
    createFileWriting(top).stage('file', 'of a dead run');
    createFileWriting(top).stage('file', 'new\n').commit();
    expect([text('file'), readdirSync(top)]).toEqual(['new\n', ['file']]);
  });
  it('a file that is not there is a reason in words', () => {
    expect(() => createFileWriting(top).stage('nowhere', '')).toThrow(/^there is no such file$/);
    expect(() => createFileWriting(top).read('nowhere')).toThrow(/^there is no such file$/);
  });
  it('what cannot take the place of the old one says why', () => {
    const staged = createFileWriting(top).stage('file', 'new\n');
    rmSync(join(top, 'file'));
    mkdirSync(join(top, 'file/full'), { recursive: true });
    expect(() => staged.commit()).toThrow(/^E[A-Z]+$/);
    staged.discard();
    expect(readdirSync(top)).toEqual(['file']);
  });
});
