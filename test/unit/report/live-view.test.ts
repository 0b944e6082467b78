import { describe, expect, it } from '@jest/globals';
import stringWidth from 'string-width';
import type { Event, Happening, Progress } from '../../../src/execute/event.js';
import { afterEvent, afterProgress, drawLiveView, liveView, type LiveView, type Window } from '../../../src/report/live-view.js';
import { manifest, planFor, published, tree } from '../../support/plan-tree.js';

const WIDE: Window = { columns: 80, rows: 24, now: 60_000 };
const DIGEST = manifest('pushed');

type Told = Happening | Progress;
const start = (image: string): Happening => ({ type: 'step-started', image, action: 'build', reasons: [] });
const at = (image: string, phase: Progress['phase'], step?: string): Progress => ({ image, phase, step });
const pushed = (image: string): Happening => ({ type: 'published', image, tag: '2.0', digest: DIGEST });
const failed = (image: string, phase: 'build' | 'promote' = 'build'): Happening => ({ type: 'failed', image, phase, message: 'x', detail: [], log: undefined, exit: 1 });

/** What is seen of a run that began at 0 s, a second after each thing that was told. */
function viewOf(graph: string, told: readonly Told[], outside = {}): LiveView {
  const { publishing, steps } = planFor(tree(graph), outside);
  let view = afterEvent(liveView(0), { at: 0, type: 'run-started', run: 'r', publishing, steps });
  for (const [index, one] of told.entries()) view = 'type' in one ? afterEvent(view, { at: (index + 1) * 1000, ...one } as Event) : afterProgress(view, one, (index + 1) * 1000);
  return view;
}
const draw = (graph: string, told: readonly Told[], window: Partial<Window> = {}, outside = {}): readonly string[] => drawLiveView(viewOf(graph, told, outside), { ...WIDE, ...window });

describe('what is shown of a run', () => {
  it.each<[string, string, readonly Told[], readonly string[]]>([
    ['before anything begins: how much is to do', 'a, b', [], ['2 waiting   1m 00s']],
    ['who is at work, since when, in which phase and at which step', 'base, tool', [start('base'), start('tool'), at('base', 'build', '[4/7] RUN make')], ['base  build       59s  [4/7] RUN make', 'tool              58s', '2 running   1m 00s']],
    ['a phase without a step', 'a', [start('a'), at('a', 'build', '[1/1] RUN x'), at('a', 'test')], ['a  test        59s', '1 running   1m 00s']],
    ['what has ended, and how', 'a, b, c ← d, e', [start('a'), pushed('a'), start('b'), { type: 'finished-locally', image: 'b', tag: '1', id: 'x', because: 'y' }, start('c'), failed('c'), { type: 'blocked', image: 'd', by: 'c' }, { type: 'not-started', image: 'e', because: 'z' }], ['2 done, 1 failed, 1 blocked, 1 not done   1m 00s']],
    ['images without the namespace that all share', 'ns/a', [start('ns/a')], ['a              59s', '1 running   1m 00s']],
    ['a promotion, after all else', 'a', [start('a'), pushed('a'), at('a', 'promote')], ['a  promote     57s', '1 running   1m 00s']],
    ['a promotion that is done', 'a', [start('a'), pushed('a'), at('a', 'promote'), { type: 'promoted', image: 'a', tag: '2', digest: DIGEST, from: undefined, was: undefined }], ['1 done   1m 00s']],
    ['a promotion that failed', 'a', [start('a'), pushed('a'), at('a', 'promote'), failed('a', 'promote')], ['1 failed   1m 00s']],
    ['an instruction of several lines, and what would move the cursor, on one line', 'a', [start('a'), at('a', 'build', '[1/1] RUN a \\\n\tb\u001B[2J')], ['a  build       59s  [1/1] RUN a \\ b [2J', '1 running   1m 00s']],
    ['what ends a phase and no work changes nothing', 'a', [start('a'), at('a', 'build'), { type: 'built', image: 'a', seconds: 1, size: 1, id: 'x' }, { type: 'warning', image: 'a', message: 'x' }], ['a  build       59s', '1 running   1m 00s']],
  ])('%s', (_, graph, told, lines) => expect(draw(graph, told)).toEqual(lines));

  it('what the plan keeps is not counted', () => expect(draw('a, b', [], {}, { images: { a: published('a') } })).toEqual(['1 waiting   1m 00s']));
  it.each([
    [59_999, '59s'],
    [60_000, '1m 00s'],
    [3_700_000, '1h 01m'],
  ])('%d ms: %s, in whole seconds', (now, text) => expect(draw('a', [], { now })).toEqual([`1 waiting   ${text}`]));
  it('a clock that was set back shows no time below none', () => expect(draw('a', [], { now: -5_000 })).toEqual(['1 waiting   0s']));
});

describe('what there is no room for', () => {
  const six = 'a, b, c, d, e, f';
  const told = ['a', 'b', 'c', 'd', 'e', 'f'].map(start);

  it.each([
    [8, ['a', 'b', 'c', 'd', 'e', 'f', '6']],
    [7, ['a', 'b', 'c', 'd', '+2', '6']],
    [4, ['a', '+5', '6']],
    [3, ['+6', '6']],
    [2, ['6']],
    [1, ['6']],
  ])('of rows, in a window of %d: those that began last are counted', (rows, words) => {
    const lines = draw(six, told, { rows });
    expect(lines.map((line) => line.split(' ')[0])).toEqual(words);
    expect(lines.length).toBeLessThanOrEqual(Math.max(1, rows - 1));
  });
  it.each([20, 45, 80, 100])('of columns, in a window of %d: no line reaches the last one, wide characters or not', (columns) => {
    const name = 'a-name-that-is-longer-than-names-should-be-in-any-tree';
    const lines = draw(`${name}, 短い名前`, [start(name), start('短い名前'), at('短い名前', 'build', '[1/2] RUN echo 日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語'), at(name, 'build', '[2/2] RUN make')], { columns });
    expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThan(columns);
    expect(lines[2]).toMatch(/^2 running/);
    if (columns >= 80) expect(lines.slice(0, 2)).toEqual([expect.stringMatching(/^a-name.*….*tree {2}build {7}59s {2}\[2\/2\] RUN make$/), expect.stringMatching(/^短い名前 +build {7}58s {2}\[1\/2\] RUN echo 日本語.*…$/)]);
  });
  it('names take as many columns as the widest that is shown', () => {
    const [one, two] = draw('ab, 日本', [start('ab'), start('日本')]);
    expect([one, two]).toEqual(['ab                59s', '日本              58s']);
  });
});
