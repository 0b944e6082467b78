import { describe, expect, it } from '@jest/globals';
import { failingAfter, isResting, nextTry, restFailing, type Failing, type Night } from '../../../src/plan/retry.js';
import { digestOf, type Digest } from '../../../src/shared/digest.js';
import { formerly, image, planFor, provenance, today, tree } from '../../support/plan-tree.js';

const DAY = 24 * 3_600_000;
const HOUR = 3_600_000;
const START = Date.UTC(2026, 10, 20, 2);
const A = digestOf('a');
const B = digestOf('b');

/** One night for each word: `-` it was not tried, `a` or `b` failed as that, `ok` it was done. */
function nights(text: string): readonly Night[] {
  return text.split(' ').map((word, index): Night => {
    const tried = { a: A, b: B }[word];
    return { at: START + index * DAY, tries: tried === undefined ? {} : { web: tried }, done: new Set(word === 'ok' ? ['web'] : []), failed: new Map(tried === undefined ? [] : [['web', `as ${word}`]]) };
  });
}
const failing = (nightsFailed: number, tried: Digest = A): Failing => ({ nights: nightsFailed, last: START, tried, message: 'exit 1' });

describe('what fails', () => {
  it.each([
    ['', undefined],
    ['a', 1],
    ['a - a', 2],
    ['a a b', 1],
    ['a ok', undefined],
    ['a ok a', 1],
    ['a b a', 1],
  ])('after %s is counted in nights: %s', (text, count) => expect(failingAfter(nights(text)).get('web')?.nights).toBe(count));
  it('is known with its last night and its last words', () => {
    expect(failingAfter(nights('a a')).get('web')).toEqual({ nights: 2, last: START + DAY, tried: A, message: 'as a' });
  });
  it('is not counted where nobody said what was tried', () => {
    expect(failingAfter([{ at: START, tries: {}, done: new Set(), failed: new Map([['web', 'x']]) }]).size).toBe(0);
  });
});

describe('the next try', () => {
  it.each([[1, 1], [2, 2], [3, 4], [4, 8], [5, 8], [30, 8]])('after %i nights is %i nights later', (count, days) => {
    expect(nextTry(failing(count))).toBe(START + days * DAY);
  });
  it.each([
    ['the same night', 1, A, HOUR, true],
    ['the next night, though its timer struck early', 1, A, DAY - HOUR, false],
    ['the next night, as something else', 2, B, DAY, false],
    ['the next night, after two', 2, A, DAY, true],
    ['two nights later', 2, A, 2 * DAY - HOUR, false],
  ])('%s', (_, count, tries, later, rests) => expect(isResting(failing(count), tries, START + later)).toBe(rests));
});

describe('a plan of a night', () => {
  const graph = tree('base ← web ← api, base ← tool');
  const resting = new Map([['web', failing(2)]]);

  it('leaves what rests and all that would be built on it', () => {
    const { steps } = restFailing(planFor(graph, {}), graph, resting);
    expect(Object.fromEntries(steps.map((step) => [step.image, step.action]))).toEqual({ base: 'build', web: 'blocked', api: 'blocked', tool: 'build' });
    const [web, api] = ['web', 'api'].map((name) => steps.find((step) => step.image === name)!);
    expect([web!.reasons[0], api!.reasons[0]]).toEqual([{ why: 'resting', nights: 2, next: START + 2 * DAY }, { why: 'rests-with', parent: 'web' }]);
    expect([web!.publishes, web!.promotes]).toEqual([false, false]);
  });
  it('moves :latest to what is published all the same', () => {
    const found = { images: { web: { version: image('web 2.0', provenance({ definition: today('web'), version: '2.0' })), latest: image('old', provenance({ definition: formerly('web'), version: '1.1' })) } } };
    const { steps } = restFailing(planFor(tree('web'), found), tree('web'), resting);
    expect(steps[0]!.action).toBe('promote');
  });
});
