import { describe, expect, it } from '@jest/globals';
import { discover } from '../../../src/definition/discover.js';

const walk = (...folders: readonly [string, ...string[]][]) => ({ folders: folders.map(([path, ...files]) => ({ path, files: new Set(files) })), problems: [] });

describe('discover', () => {
  it('finds the folders that hold a marker, in the order of the walk', () => {
    const found = discover(walk(['.'], ['a', 'Dockerfile.template', 'x'], ['b', 'Dockerfile'], ['c', 'rootfs.yaml']));
    expect(found.map(({ folder, marker }) => [folder.path, marker])).toEqual([['a', 'Dockerfile.template'], ['c', 'rootfs.yaml']]);
  });
  it('takes rootfs.yaml for the marker where both are', () => {
    expect(discover(walk(['a', 'Dockerfile.template', 'rootfs.yaml'])).map(({ marker }) => marker)).toEqual(['rootfs.yaml']);
  });
  it('tells every folder which definitions lie in it, however deep, relative to it', () => {
    const found = discover(walk(['a', 'Dockerfile.template'], ['a/b', 'Dockerfile.template'], ['a/b/c', 'x'], ['a/b/c/d', 'Dockerfile.template'], ['a/e', 'rootfs.yaml'], ['ab', 'Dockerfile.template']));
    expect(Object.fromEntries(found.map(({ folder, nested }) => [folder.path, nested]))).toEqual({ a: ['b', 'b/c/d', 'e'], 'a/b': ['c/d'], 'a/b/c/d': [], 'a/e': [], ab: [] });
  });
  it('knows that all lies in a definition that is DIRECTORY itself', () => {
    expect(discover(walk(['.', 'Dockerfile.template'], ['a', 'Dockerfile.template']))[0]!.nested).toEqual(['a']);
  });
});
