import { describe, expect, it } from '@jest/globals';

import { compileGlob } from '../../../src/graph/glob.js';

const IMAGE = 'registry.example.org:5000/dev/python3-web:3.13.5-2';

describe('compileGlob', () => {
  it.each([
    ['*', IMAGE],
    ['*python3-web:*', IMAGE],
    ['registry*:3.13.5-2', IMAGE],
    ['*/dev/*', IMAGE],
    ['*python?-web:*', IMAGE],
    ['*python[0-9]-*', IMAGE],
    ['*python[!a-z]-*', IMAGE],
    [IMAGE, IMAGE],
    ['*', ''],
    ['', ''],
    ['*', '.'],
    ['?', '.'],
    ['..', '..'],
    ['?', '/'],
    ['[/]', '/'],
    ['[+-0]', '/'],
    ['**', 'a/b'],
    ['[]]', ']'],
    ['[!]]', 'a'],
    ['[', '['],
    ['[a', '[a'],
    ['[^a]', '^'],
    ['[^]', '^'],
    ['[^-a]', '`'],
    ['[[:alpha:]]', 'a]'],
    ['\\*', '\\anything'],
    ['\\', '\\'],
    ['{a,b}', '{a,b}'],
    ['@(a)', '@(a)'],
    ['!a', '!a'],
    ['#a', '#a'],
    ['[!z-a]', 'x'],
    ['a?b', 'a\nb'],
  ])('%j matches %j', (pattern, text) => expect(compileGlob(pattern)(text)).toBe(true));

  it.each([
    ['python3-web', IMAGE],
    ['*python3-web', IMAGE],
    ['*PYTHON3*', IMAGE],
    ['?', ''],
    ['', 'a'],
    ['[!a]', 'a'],
    ['[^a]', 'b'],
    ['[!^]', '^'],
    ['[^-a]', 'z'],
    ['[!/]', '/'],
    ['[z-a]', 'z'],
    ['x[z-a]*', 'xz'],
    ['{a,b}', 'a'],
    ['+(a)', 'aa'],
    ['\\a', 'a'],
    ['!a', 'b'],
    ['[[:alpha:]]', 'a'],
    ['a*', 'b/a'],
  ])('%j does not match %j', (pattern, text) => expect(compileGlob(pattern)(text)).toBe(false));
});
