import { describe, expect, it } from '@jest/globals';
import type { Graph } from '../../../src/graph/graph.js';
import type { Digest } from '../../../src/shared/digest.js';
import { formatImageRef } from '../../../src/shared/image-ref.js';
import { createDigestMemory } from '../../../src/state/digest-memory.js';
import { readNeeds, type Outside } from '../../../src/state/read-state.js';
import { stateOf, type ImageState } from '../../../src/state/state.js';
import { isWithdrawn, withdrawnName, withdrawnTag } from '../../../src/state/withdrawn-tag.js';
import { image, manifest, REGISTRY, tree } from '../../support/plan-tree.js';

const [one, other] = [manifest('one'), manifest('other')];
const hex = one.slice('sha256:'.length, 'sha256:'.length + 12);

describe('the tag of what is withdrawn', () => {
  it.each([
    ['2.0-1', 'withdrawn-2.0-1'],
    ['20261120-2', 'withdrawn-20261120-2'],
    [undefined, `withdrawn-${hex}`],
    ['1'.repeat(119), `withdrawn-${hex}`],
    ['1'.repeat(118), `withdrawn-${'1'.repeat(118)}`],
  ])('%s → %s', (name, tag) => expect(withdrawnTag(name, one)).toBe(tag));
  it.each([['withdrawn-2.0', '2.0'], ['2.0', undefined], ['not-withdrawn-2.0', undefined]])('%s names %s', (tag, name) => expect(withdrawnName(tag)).toBe(name));
  it.each<[string, string, Digest | undefined, boolean]>([
    ['is on the image that it names', 'withdrawn-2.0', one, true],
    ['is on another image: lifted', 'withdrawn-2.0', other, false],
    ['names a tag that is gone', 'withdrawn-2.0', undefined, true],
    ['is on the digest that it names', `withdrawn-${hex}`, undefined, true],
    ['names another digest: lifted', `withdrawn-${'0'.repeat(12)}`, undefined, false],
    ['is any other tag', '2.0', one, false],
  ])('holds where it %s', (_, tag, named, holds) => expect(isWithdrawn(tag, one, named)).toBe(holds));
});

describe('readNeeds, what is withdrawn', () => {
  const read = async (graph: Graph, need: 'withdrawn' | 'dated-tags', name: string, state: Partial<ImageState>, tags: Readonly<Record<string, Digest>>) => {
    const asked: string[] = [];
    const digestOf = (how: string): Outside['published']['digestOf'] => async (ref) => {
      asked.push(`${how} ${ref.tag!}`);
      return tags[ref.tag!];
    };
    const published: Outside['published'] = { digestOf: digestOf('HEAD'), manifestOf: digestOf('GET'), configOf: async () => ({ labels: {}, created: undefined, platform: 'linux/amd64' }), tagsOf: async (ref) => (asked.push(`tags of ${formatImageRef(ref)}`), Object.keys(tags)) };
    const outside: Outside = { published, local: { list: async () => [] }, isAncestor: async () => undefined, memory: createDigestMemory(undefined) };
    const found = await readNeeds(graph, stateOf(new Map([[name, { version: undefined, latest: undefined, ...state }]])), [{ need, image: name }], outside, new AbortController().signal);
    return { asked, withdrawn: found.withdrawn.get(name)!.map(({ tag, digest }) => [tag, digest]), dated: found.dated.get(name)?.map(({ tag }) => tag) };
  };

  it.each<[string, Digest | undefined, readonly unknown[]]>([
    ['is', one, [['withdrawn-2.0', one]]],
    ['is not: there is no such tag', undefined, []],
    ['is not: the tag was lifted', other, []],
  ])('a version %s, by one question', async (_, mark, withdrawn) => {
    const tags = mark === undefined ? {} : { 'withdrawn-2.0': mark };
    expect(await read(tree('web'), 'withdrawn', 'web', { version: image('one'), latest: image('other') }, tags)).toMatchObject({ withdrawn, asked: ['GET withdrawn-2.0'] });
  });
  it('of a rolling image are all whose tags hold, and its tags are listed once', async () => {
    const tags = { latest: other, 20260101: other, '20260101-2': one, 'withdrawn-20260101': one, 'withdrawn-20260101-2': one, 'withdrawn-20251231': other, 'withdrawn-1': one, other: one };
    const { asked, withdrawn, dated } = await read(tree('run', ['run']), 'dated-tags', 'run', {}, tags);
    expect(withdrawn).toEqual([['withdrawn-20260101-2', one], ['withdrawn-20251231', other], ['withdrawn-1', one]]);
    expect(dated).toEqual(['20260101-2', '20260101']);
    expect(asked.filter((one) => one.startsWith('tags'))).toEqual([`tags of ${REGISTRY}/run:latest`]);
    expect(asked.filter((one) => one.startsWith('HEAD 2'))).toHaveLength(2);
  });
  it('of a rolling image are the newest ten at most', async () => {
    const days = Array.from({ length: 11 }, (_, at) => `202602${String(at + 10)}`);
    const { withdrawn } = await read(tree('run', ['run']), 'dated-tags', 'run', {}, Object.fromEntries(days.map((day) => [`withdrawn-${day}`, one])));
    expect(withdrawn.map(([tag]) => tag)).toEqual(days.slice(1).reverse().map((day) => `withdrawn-${day}`));
  });
  it('is looked for by its dated tag though that is no longer among the newest', async () => {
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`202602${String(at + 10)}`, other]));
    expect((await read(tree('run', ['run']), 'dated-tags', 'run', {}, { ...many, 20260101: other, 'withdrawn-20260101': one })).withdrawn).toEqual([]);
    expect((await read(tree('run', ['run']), 'dated-tags', 'run', {}, { ...many, 20260101: one, 'withdrawn-20260101': one })).withdrawn).toHaveLength(1);
  });
});
