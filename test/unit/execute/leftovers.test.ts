import { describe, expect, it } from '@jest/globals';
import { leftoverTags, ownerOfTag, runToken, untestedTag } from '../../../src/execute/leftovers.js';
import { local } from '../../support/plan-tree.js';

const TOKEN = runToken('20261120-2104', 'abc123');

describe('temporary tags', () => {
  it.each([
    [untestedTag(TOKEN, '1.0'), { run: '20261120-2104', mark: 'abc123' }],
    [`run-${TOKEN}`, { run: '20261120-2104', mark: 'abc123' }],
    [`run-${TOKEN}.2`, { run: '20261120-2104', mark: 'abc123' }],
    [`run-${runToken('20261120-2104b', 'abc123')}`, { run: '20261120-2104b', mark: 'abc123' }],
    ['run-20261120-2104', undefined],
    ['run-20261120-2104.abc12', undefined],
    ['run-20261120-2104.abc1234', undefined],
    ['x-untested-20261120-2104.abc123-1.0', undefined],
    ['latest', undefined],
    ['runner-1.0', undefined],
  ])('%s', (tag, owner) => expect(ownerOfTag(tag)).toEqual(owner));
  it('stay within what a tag may be, their owner still to be told', () => {
    const tag = untestedTag(TOKEN, 'v'.repeat(128));
    expect([tag.length, ownerOfTag(tag)?.run]).toEqual([128, '20261120-2104']);
  });
});

describe('leftoverTags', () => {
  const images = [local('a', [`r.example.org:5000/web:run-${TOKEN}`, 'r.example.org:5000/web:1.0'], 'web', 'sha256:x'), local('b', [`r.example.org:5000/web:${untestedTag(TOKEN, '2.0')}`], 'web', 'sha256:x')];
  it('are those of runs that are no more, and no other tag', () => {
    expect(leftoverTags(images, 'abc123', () => false)).toEqual([`r.example.org:5000/web:run-${TOKEN}`, `r.example.org:5000/web:${untestedTag(TOKEN, '2.0')}`]);
  });
  it('are never those of a run that lives, nor another state directory\'s', () => {
    expect(leftoverTags(images, 'abc123', (run) => run === '20261120-2104')).toEqual([]);
    expect(leftoverTags(images, 'ffffff', () => false)).toEqual([]);
  });
});
