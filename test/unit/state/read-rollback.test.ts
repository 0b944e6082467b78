import { describe, expect, it } from '@jest/globals';
import type { Digest } from '../../../src/shared/digest.js';
import { LABEL, formatParents } from '../../../src/state/labels.js';
import type { PublishedImages } from '../../../src/state/published-images.js';
import { readNamedTarget, readTarget } from '../../../src/state/read-rollback.js';
import { image, manifest, stateFor, today, tree } from '../../support/plan-tree.js';

const graph = tree('web, run', ['run']);
const [one, other] = [manifest('one'), manifest('other')];
const signal = new AbortController().signal;
const labelled = (name: string, version?: string): Readonly<Record<string, string>> => ({ [LABEL.title]: name, [LABEL.definition]: today(name), [LABEL.parents]: formatParents({}), ...(version === undefined ? {} : { [LABEL.version]: version }) });

/** A registry that has these tags, and one image under each digest. */
function registryOf(tags: Readonly<Record<string, Digest>>, labels: Readonly<Record<string, string>> = {}): PublishedImages {
  const digestOf: PublishedImages['digestOf'] = async ({ tag, digest }) => (tag !== undefined ? tags[tag] : Object.values(tags).find((there) => there === digest));
  return { digestOf, manifestOf: digestOf, configOf: async () => ({ labels, created: undefined, platform: 'linux/amd64' }), tagsOf: async () => Object.keys(tags) };
}

describe('readTarget', () => {
  const state = stateFor(graph, { dated: { run: [{ tag: '20260102', ...image('one') }] } });
  it.each<[string, 'web' | 'run', Readonly<Record<string, Digest>>, string | undefined, Readonly<Record<string, string>>, object]>([
    ['is not there when the registry has no such manifest', 'web', { '1.0': other }, '1.0', {}, { isThere: false, tag: undefined, mark: undefined }],
    ['is called as people called it, if that is its tag', 'web', { '1.0': one }, '1.0', {}, { isThere: true, tag: '1.0', mark: undefined }],
    ['… and by the version of its labels, if not', 'web', { '1.0': other, '1.1': one }, '1.0', labelled('web', '1.1'), { isThere: true, tag: '1.1' }],
    ['… nor by a version that is another image', 'web', { '1.0': other, '1.1': other, x: one }, '1.0', labelled('web', '1.1'), { isThere: true, tag: undefined }],
    ['… nor by what is no tag, or the tag that moves', 'web', { latest: one }, 'latest', {}, { isThere: true, tag: undefined }],
    ['is called by its date, whatever people called it', 'run', { 20260102: one, other: one }, 'other', {}, { tag: '20260102' }],
    ['is withdrawn when its mark is on it', 'web', { '1.0': one, 'withdrawn-1.0': one }, '1.0', {}, { mark: 'withdrawn-1.0' }],
    ['… and is not when that is elsewhere', 'web', { '1.0': one, 'withdrawn-1.0': other }, '1.0', {}, { mark: undefined }],
    ['is withdrawn by its digest, when it has no tag', 'web', { x: one, [`withdrawn-${one.slice(7, 19)}`]: one }, undefined, {}, { tag: undefined, mark: `withdrawn-${one.slice(7, 19)}` }],
  ])('%s', async (_, name, tags, named, labels, target) => {
    expect(await readTarget(graph.nodes.get(name)!, one, named, state, registryOf(tags, labels), signal)).toMatchObject({ digest: one, ...target });
  });
});

describe('readNamedTarget', () => {
  it.each<[string, 'web' | 'run', string, Readonly<Record<string, string>>, object]>([
    ['a version of the changelog', 'web', '1.1', labelled('web', '1.1'), { digest: one }],
    ['a version without labels', 'web', '1.1', {}, { digest: one }],
    ['a digest of such a version', 'web', one, labelled('web', '1.1'), { digest: one }],
    ['a digest without labels', 'web', one, {}, { refused: 'not-its-own' }],
    ['a tag without labels that is no version', 'web', 'x', {}, { refused: 'not-its-own' }],
    ['a version that the changelog does not know', 'web', 'x', labelled('web', '0.9'), { refused: 'not-its-own' }],
    ['a nightly build', 'web', 'x', labelled('web', '1.1-20260101'), { refused: 'not-its-own' }],
    ['another image', 'web', 'x', labelled('run'), { refused: 'not-its-own' }],
    ['a date', 'run', '20260102', {}, { digest: one }],
    ['a dated build by its digest', 'run', one, labelled('run'), { digest: one }],
    ['a nightly build of a rolling image', 'run', 'x', labelled('run', 'nightly-20260101'), { refused: 'not-its-own' }],
    ['what has neither labels nor a date', 'run', 'x', {}, { refused: 'not-its-own' }],
    ['what is not there', 'web', '1.9', {}, { refused: 'absent' }],
    ['a digest that is not there', 'web', manifest('gone'), {}, { refused: 'absent' }],
    ['what is no tag', 'web', 'a b', {}, { refused: 'no-tag' }],
  ])('%s', async (_, name, text, labels, found) => {
    const registry = registryOf({ '1.1': one, 20260102: one, x: one }, labels);
    expect(await readNamedTarget(graph.nodes.get(name)!, text, registry, signal)).toEqual(found);
  });
});
