import { describe, expect, it } from '@jest/globals';
import { chainLengths, schedule, type Task } from '../../../src/execute/schedule.js';

const tasks = (text: string): readonly Task[] =>
  text.split(' ').map((part) => {
    const [image, parents = ''] = part.split('<');
    return { image: image!, parents: parents.split('+').filter((name) => name !== '') };
  });

/** Runs that end when the test says so. */
function gates() {
  const started: string[] = [];
  const open = new Map<string, (ok: boolean) => void>();
  const run = (image: string): Promise<boolean> => {
    started.push(image);
    return new Promise((resolve) => open.set(image, resolve));
  };
  const end = async (image: string, ok = true): Promise<void> => {
    open.get(image)!(ok);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  return { started, run, end };
}

describe('schedule', () => {
  it('starts no more than the wanted number at once', async () => {
    const { started, run, end } = gates();
    const done = schedule(tasks('a b c'), { jobs: 2, run, mayStart: () => true, onBlocked: () => undefined });
    expect(started).toEqual(['a', 'b']);
    await end('b');
    expect(started).toEqual(['a', 'b', 'c']);
    await end('a');
    await end('c');
    expect([...(await done).values()]).toEqual(['done', 'done', 'done']);
  });
  it('starts the longest chain of descendants first', async () => {
    const { started, run, end } = gates();
    const done = schedule(tasks('a b c<b d<c'), { jobs: 1, run, mayStart: () => true, onBlocked: () => undefined });
    expect(started).toEqual(['b']);
    await end('b');
    await end('c');
    expect(started).toEqual(['b', 'c', 'a']);
    await end('a');
    await end('d');
    await done;
  });
  it('starts those of last behind all others, however long their chains are', async () => {
    const { started, run, end } = gates();
    const done = schedule(tasks('a b<a c d'), { jobs: 1, run, mayStart: () => true, last: new Set(['a', 'c']), onBlocked: () => undefined });
    for (const image of ['d', 'a', 'b', 'c']) {
      expect(started.at(-1)).toBe(image);
      await end(image);
    }
    await done;
  });
  it('never starts a child before all of its parents are done', async () => {
    const { started, run, end } = gates();
    const done = schedule(tasks('a b c<a+b'), { jobs: 3, run, mayStart: () => true, onBlocked: () => undefined });
    await end('a');
    expect(started).not.toContain('c');
    await end('b');
    expect(started).toContain('c');
    await end('c');
    await done;
  });
  it('blocks descendants of a failure, and nobody else', async () => {
    const blocked: string[] = [];
    const results = await schedule(tasks('a b<a c<b d'), { jobs: 1, run: async (image) => image !== 'a', mayStart: () => true, onBlocked: (image, by) => blocked.push(`${image} by ${by}`) });
    expect(Object.fromEntries(results)).toEqual({ a: 'failed', b: 'blocked', c: 'blocked', d: 'done' });
    expect(blocked).toEqual(['b by a', 'c by a']);
  });
  it('blocks an image once, however many ways lead to it', async () => {
    const blocked: string[] = [];
    await schedule(tasks('a b<a c<a d<b+c'), { jobs: 2, run: async () => false, mayStart: () => true, onBlocked: (image, by) => blocked.push(`${image} by ${by}`) });
    expect(blocked).toEqual(['b by a', 'c by a', 'd by a']);
  });
  it('starts nothing new once it may not, and lets what runs end', async () => {
    let go = true;
    const { started, run, end } = gates();
    const done = schedule(tasks('a b c'), { jobs: 2, run, mayStart: () => go, onBlocked: () => undefined });
    go = false;
    await end('a');
    await end('b');
    expect([started, Object.fromEntries(await done)]).toEqual([['a', 'b'], { a: 'done', b: 'done', c: 'not-started' }]);
  });
  it('takes parents that are no tasks for done', async () => {
    const results = await schedule(tasks('a<elsewhere'), { jobs: 1, run: async () => true, mayStart: () => true, onBlocked: () => undefined });
    expect(results.get('a')).toBe('done');
  });
});

describe('chainLengths', () => {
  it('counts the longest way down', () => {
    expect(Object.fromEntries(chainLengths(tasks('a b<a c<a d<c')))).toEqual({ a: 3, b: 1, c: 2, d: 1 });
  });
});
