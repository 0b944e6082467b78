import { describe, expect, it } from '@jest/globals';
import { joinFiles } from '../../../src/cli/tree-files.js';
import { filesInMemory } from '../../support/tree-in-memory.js';

const files = joinFiles([
  { directory: 'a', files: filesInMemory({ 'a/x': 'of a', 'b/x': 'of b, by a' }) },
  { directory: 'ab', files: filesInMemory({ 'ab/x': 'of ab' }) },
  { directory: '../b', files: filesInMemory({ '../b/c/x': 'of b', '../b/c/link': 'outside' }) },
]);

describe('the files of several trees', () => {
  it.each([
    ['a/x', 'of a'],
    ['ab/x', 'of ab'],
    ['../b/c/x', 'of b'],
    ['b/x', 'of b, by a'],
  ])('%s is read as its tree may read it, what is of none as the first may', (path, text) => {
    expect(files.readText(path)).toMatchObject({ ok: true, value: text });
    expect(files.readBytes(path)).toMatchObject({ ok: true, value: Buffer.from(text) });
    expect(files.readImport(path)).toEqual({ text });
  });

  it('a tree is walked and a context is read with its own rights', () => {
    expect(files.walk('../b').folders.map(({ path }) => path)).toEqual(['.', 'c']);
    expect(files.readContext('../b/c')).toMatchObject({ ok: true, value: [{ path: 'x' }, { path: 'link' }] });
    expect(files.readImport('../b/c/link')).toBe('outside');
  });
});
