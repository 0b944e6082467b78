import { describe, expect, it } from '@jest/globals';
import { publicSource } from '../../../src/adapters/git.js';

describe('publicSource', () => {
  it.each([
    ['https://git.example.org/images', 'https://git.example.org/images'],
    ['https://user:secret@git.example.org/images', 'https://git.example.org/images'],
    ['https://user:se@cret@git.example.org/images', 'https://git.example.org/images'],
    ['https://secret@git.example.org:8443/a@b', 'https://git.example.org:8443/a@b'],
    ['https://git.example.org/images?private_token=secret', 'https://git.example.org/images'],
    ['ssh://git@git.example.org/images', 'ssh://git.example.org/images'],
    ['git@git.example.org:base/images', 'git.example.org:base/images'],
    ['file:///srv/images', undefined],
    ['/srv/images', undefined],
  ])('%s is %s', (remote, source) => expect(publicSource(remote)).toBe(source));
});
