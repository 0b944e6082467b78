import { describe, expect, it } from '@jest/globals';
import { createDigestDeletion } from '../../../src/execute/delete-digest.js';
import type { Happening } from '../../../src/execute/event.js';
import type { Digest } from '../../../src/shared/digest.js';
import { manifest, REGISTRY } from '../../support/plan-tree.js';

const ref = { registry: REGISTRY, repository: 'web', tag: '2.0' };
const PLANNED = { '2.0': 'two', latest: 'two', '1.1': 'one', '1.0': 'zero', prod: 'strange' };

/** Deletes `one`, then `zero`, from a registry in memory; `before` changes it at the beginning, `between` after the first. */
async function deleting(before: (tags: Map<string, Digest>) => void = () => undefined, between: (tags: Map<string, Digest>) => void = () => undefined, absent: readonly string[] = []) {
  const now = new Map(Object.entries(PLANNED).map(([tag, word]) => [tag, manifest(word)]));
  const tags = new Map(now);
  const told: Happening[] = [];
  const asked: string[] = [];
  const registry = {
    tagsOf: async () => [...now.keys()],
    digestOf: async ({ tag }: { readonly tag?: string }) => {
      asked.push(tag!);
      return now.get(tag!);
    },
    async deleteDigest(_: object, digest: Digest) {
      for (const [tag, named] of now) if (named === digest) now.delete(tag);
      return absent.some((word) => manifest(word) === digest) ? ('absent' as const) : ('deleted' as const);
    },
  };
  const act = createDigestDeletion({ ref, tags, moves: (tag) => tag === 'latest' || tag === 'prod' }, registry, (event) => void told.push(event));
  const step = (word: string, tag: string) => ({ image: 'web', action: 'delete-digest' as const, id: manifest(word), refs: [`${REGISTRY}/web:${tag}`], created: undefined, reasons: [] });
  before(now);
  const { signal } = new AbortController();
  await act(step('one', '1.1'), signal);
  const first = asked.splice(0).sort();
  between(now);
  await act(step('zero', '1.0'), signal);
  return { told: told.map((event) => (event.type === 'kept' ? event.because : event.type)), first, second: asked.sort() };
}
const moved = (tag: string, word: string) => (tags: Map<string, Digest>): void => void tags.set(tag, manifest(word));
const gone = (tag: string) => (tags: Map<string, Digest>): void => void tags.delete(tag);

describe('deleting a manifest', () => {
  it('happens when all tags are what the plan saw; what was deleted just now is no change', async () => {
    expect((await deleting()).told).toEqual(['deleted', 'deleted']);
  });
  it('looks at every tag before the first, then at those that may move and at its own', async () => {
    expect(await deleting()).toMatchObject({ first: ['1.0', '1.1', '2.0', 'latest', 'prod'], second: ['1.0', 'latest', 'prod'] });
  });
  it.each<[string, Parameters<typeof deleting>, readonly string[]]>([
    ['another tag was set to it', [moved('prod', 'one')], ['prod moved since this was planned; run it again', 'prod moved since this was planned; run it again']],
    ['its tag is another manifest now', [moved('1.1', 'other')], ['1.1 moved since this was planned; run it again', 'deleted']],
    [':latest moved', [moved('latest', 'zero')], ['latest moved since this was planned; run it again', 'latest moved since this was planned; run it again']],
    ['there is a new tag', [moved('3.0', 'three')], ['there is a new tag 3.0 since this was planned; run it again', 'there is a new tag 3.0 since this was planned; run it again']],
    ['a tag is gone', [gone('1.1')], ['the tag 1.1 is gone since this was planned; run it again', 'the tag 1.1 is gone since this was planned; run it again']],
    ['another tag moved after the first', [undefined, moved('latest', 'zero')], ['deleted', 'latest moved since this was planned; run it again']],
    ['there is a new tag after the first', [undefined, moved('3.0', 'zero')], ['deleted', 'there is a new tag 3.0 since this was planned; run it again']],
  ])('does not happen when %s', async (_, changes, told) => expect((await deleting(...changes)).told).toEqual(told));
  it('that is gone already is said, and no fault', async () => {
    expect((await deleting(undefined, undefined, ['one'])).told).toEqual([`${manifest('one').slice(0, 19)}… is gone already`, 'deleted']);
  });
});
