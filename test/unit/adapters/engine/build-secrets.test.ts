import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readBuildSecrets, type SecretAnswer } from '../../../../src/adapters/engine/build-secrets.js';
import type { BuildSecret } from '../../../../src/shared/build-secret.js';
import { formatProblem } from '../../../../src/shared/problem.js';
import { createRedactor } from '../../../../src/shared/redact.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'build-images-secrets-'));
  writeFileSync(join(directory, 'token'), 'of-a-file\n');
  writeFileSync(join(directory, 'large'), Buffer.alloc(500 * 1024 + 1, 'x'));
  writeFileSync(join(directory, 'largest'), Buffer.alloc(500 * 1024, 'x'));
  mkdirSync(join(directory, 'folder'));
  execFileSync('mkfifo', [join(directory, 'pipe')]);
});
afterAll(() => rmSync(directory, { recursive: true }));

function read(from: BuildSecret['from'], env: Readonly<Record<string, string>> = {}, id = 'npm') {
  const redactor = createRedactor();
  const secrets = readBuildSecrets([{ id, from, path: 'config.yaml', line: 7 }], { cwd: directory, env }, redactor);
  return { redactor, answer: secrets.get(id), warnings: secrets.warnings.map(formatProblem) };
}

const textOf = (answer: SecretAnswer): string => ('value' in answer ? Buffer.from(answer.value).toString() : 'none');

describe('a secret', () => {
  it('has the bytes of its file, or the value of its variable, and is hidden', () => {
    const file = read({ file: './token' });
    expect([textOf(file.answer), file.warnings, file.redactor.redact('see of-a-file here')]).toEqual(['of-a-file\n', [], 'see *** here']);
    const variable = read({ variable: 'NPM_TOKEN' }, { NPM_TOKEN: 'of-a-variable' });
    expect([textOf(variable.answer), variable.warnings, variable.redactor.redact('see of-a-variable')]).toEqual(['of-a-variable', [], 'see ***']);
    expect(textOf(read({ variable: 'EMPTY' }, { EMPTY: '' }).answer)).toBe('');
  });

  it('that names no source is a variable, else a file, of its name', () => {
    expect(textOf(read('its-name', { token: 'of-a-variable' }, 'token').answer)).toBe('of-a-variable');
    expect(textOf(read('its-name', {}, 'token').answer)).toBe('of-a-file\n');
    expect(read('its-name').answer).toEqual({ absent: 'there is neither a variable npm in the environment nor a file of that name' });
  });

  it('is as large as docker takes it', () => {
    expect('value' in read({ file: 'largest' }).answer).toBe(true);
    expect(read({ variable: 'A' }, { A: 'x'.repeat(500 * 1024 + 1) }).answer).toEqual({ unusable: 'it is larger than 500 KiB' });
  });

  it.each<[string, BuildSecret['from'], SecretAnswer]>([
    ['a file that is not there', { file: 'none' }, { absent: 'there is no file none' }],
    ['a file below what is no folder', { file: 'token/a' }, { absent: 'there is no file token/a' }],
    ['a variable that is not set', { variable: 'NONE' }, { absent: 'there is no variable NONE in the environment' }],
    ['a folder', { file: 'folder' }, { unusable: 'folder is no file' }],
    ['a pipe', { file: 'pipe' }, { unusable: 'pipe is no file' }],
    ['too much', { file: 'large' }, { unusable: 'it is larger than 500 KiB' }],
    ['a name that is none', { file: 'a\0b' }, { unusable: 'a\0b cannot be read: ERR_INVALID_ARG_VALUE' }],
  ])('from %s is none, and that is said', (_, from, answer) => {
    const secret = read(from);
    expect(secret.answer).toEqual(answer);
    expect(secret.warnings).toEqual([`config.yaml:7: secret "npm": ${Object.values(answer)[0] as string}  [warning]`]);
  });

  it('that nobody configured is none', () => {
    expect(readBuildSecrets([], { cwd: directory, env: {} }, createRedactor()).get('npm')).toEqual({ absent: 'build_secrets of the config does not have it' });
  });

  it('of several lines is hidden line by line; of one that is too short it is said that it is not', () => {
    const key = read({ variable: 'KEY' }, { KEY: '-----BEGIN KEY-----\r\n  MIIabc\n\nxyz==\n' });
    expect([key.redactor.redact('a MIIabc b'), key.redactor.redact('xyz=='), key.warnings]).toEqual(['a *** b', '***', []]);
    const short = read({ variable: 'KEY' }, { KEY: 'long enough\nabc\n' });
    expect([short.redactor.redact('abc long enough'), short.warnings]).toEqual(['abc ***', ['config.yaml:7: secret "npm": lines of fewer than 4 characters are not hidden in logs  [warning]']]);
  });
});
