import { describe, expect, it } from '@jest/globals';
import { imageTest } from '../../../src/execute/test-command.js';
import type { Config } from '../../../src/shared/config.js';

const testOf = (verifyArgs: readonly string[], there: readonly string[] = []) => imageTest({ verifyCommand: '/bin/bash', verifyArgs } as unknown as Config, '/tree/web', 'r/web:1', (path) => there.includes(path));

describe('imageTest', () => {
  it('fills in path and image', () => {
    expect(testOf(['-c', '{path}/test.sh {image}'], ['/tree/web/test.sh'])).toEqual({ command: '/bin/bash', args: ['-c', '/tree/web/test.sh r/web:1'] });
  });
  it('has nothing to run when the file in {path} is not there', () => {
    expect(testOf(['-c', '{path}/test.sh {image}'])).toEqual({ nothing: 'there is no test.sh' });
  });
  it.each([
    ['the first word is a program', 'bash {path}/test.sh', false],
    ['the word is quoted', `sh "{path}/test.sh"`, false],
    ['a second file is missing', '{path}/test.sh {path}/other', true],
    ['no word names the path', 'true', false],
  ])('looks at every word: %s', (_, arg, nothing) => {
    expect('nothing' in testOf(['-c', arg], ['/tree/web/test.sh'])).toBe(nothing);
  });
  it('takes doubled braces for braces', () => {
    expect(testOf(['{{x}} {image}'])).toMatchObject({ args: ['{x} r/web:1'] });
  });
});
