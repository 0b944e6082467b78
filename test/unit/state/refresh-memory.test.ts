import { describe, expect, it } from '@jest/globals';
import { createRefreshMemory, isRefreshData } from '../../../src/state/refresh-memory.js';
import { manifest } from '../../support/plan-tree.js';

const [a, b, c] = [manifest('a'), manifest('b'), manifest('c')];
const TRIED = { marks: ['x'], at: 1 };

describe('what is remembered of refreshes', () => {
  it('is there again', () => {
    const memory = createRefreshMemory(undefined);
    expect([memory.changed, memory.content(a), memory.tried(a)]).toEqual([false, undefined, undefined]);
    memory.rememberContent(a, b);
    memory.rememberTried(a, TRIED);
    const again = createRefreshMemory(memory.data());
    expect([memory.changed, again.changed, again.content(a), again.tried(a)]).toEqual([true, false, b, TRIED]);
  });
  it('is no more than the newest', () => {
    const memory = createRefreshMemory(undefined, 2);
    for (const digest of [a, b, c]) memory.rememberContent(digest, digest);
    memory.rememberContent(b, b);
    for (const digest of [a, b, c]) memory.rememberTried(digest, TRIED);
    expect([Object.keys(memory.data().contents), Object.keys(memory.data().tried)]).toEqual([[c, b], [b, c]]);
  });
  it.each<[string, unknown, boolean]>([
    ['what it wrote', { contents: { [a]: b }, tried: { [a]: TRIED } }, true],
    ['nothing', undefined, false],
    ['a part of it', { contents: {} }, false],
    ['a digest that is none', { contents: { [a]: 'x' }, tried: {} }, false],
    ['marks that are none', { contents: {}, tried: { [a]: { at: 1 } } }, false],
    ['a time that is none', { contents: {}, tried: { [a]: { marks: [], at: 'x' } } }, false],
    ['an entry of nothing', { contents: {}, tried: { [a]: null } }, false],
  ])('a cache file may hold %s', (_, value, expected) => expect(isRefreshData(value)).toBe(expected));
});
