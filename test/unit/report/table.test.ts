import { describe, expect, it } from '@jest/globals';
import { formatTable } from '../../../src/report/table.js';

describe('formatTable', () => {
  it('makes columns as wide as their widest cell, and leaves the last as it is', () => {
    expect(formatTable([['image', 'why'], ['a-long-name', 'x'], ['b', 'a longer reason']])).toEqual(['image        why', 'a-long-name  x', 'b            a longer reason']);
  });
  it('ends no line in blanks', () => expect(formatTable([['a', ''], ['', 'b']])).toEqual(['a', '   b']));
  it('has no lines without rows', () => expect(formatTable([])).toEqual([]));
  it('takes rows of differing length', () => expect(formatTable([['a'], ['b', 'c', 'd']])).toEqual(['a', 'b  c  d']));
});
