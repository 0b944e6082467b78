import { describe, expect, it } from '@jest/globals';
import { isWithin, joinPath } from '../../../src/definition/paths.js';

describe('joinPath', () => {
  it.each([
    ['images', 'web', 'images/web'],
    ['images/', 'web', 'images/web'],
    ['images', '.', 'images'],
    ['images', '', 'images'],
    ['.', 'web', 'web'],
    ['', 'web', 'web'],
    ['/', 'web', '/web'],
  ])('%s and %s', (directory, path, joined) => expect(joinPath(directory, path)).toBe(joined));
});

describe('isWithin', () => {
  it.each([
    ['a/b', 'a', true],
    ['a', 'a', true],
    ['ab', 'a', false],
    ['a', 'a/b', false],
    ['a', '.', true],
    ['.', '.', true],
  ])('%s in %s: %s', (path, folder, within) => expect(isWithin(path, folder)).toBe(within));
});
