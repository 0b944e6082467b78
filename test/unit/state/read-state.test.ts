import { describe, expect, it } from '@jest/globals';
import type { Graph } from '../../../src/graph/graph.js';
import type { Digest } from '../../../src/shared/digest.js';
import { RegistryError } from '../../../src/shared/errors.js';
import { formatImageRef } from '../../../src/shared/image-ref.js';
import { asNightly, nightlyAt } from '../../../src/definition/nightly.js';
import { createDigestMemory, type DigestMemory } from '../../../src/state/digest-memory.js';
import { formatParents, LABEL } from '../../../src/state/labels.js';
import { readNeeds, readState, type Outside } from '../../../src/state/read-state.js';
import { stateOf, type Need } from '../../../src/state/state.js';
import { manifest, REGISTRY, today, tree } from '../../support/plan-tree.js';

const graph = tree('web, run', ['run']);
const signal = new AbortController().signal;
const refused = new RegistryError('refused', REGISTRY, 503);

/** A registry that holds these tags, writes down what it is asked, and fails where it is told to. */
function outsideWith(tags: Readonly<Record<string, Digest>>, options: { readonly memory?: DigestMemory; readonly fails?: string; readonly labels?: Readonly<Record<Digest, Readonly<Record<string, string>>>> } = {}) {
  const asked: string[] = [];
  const ask = (what: string): void => {
    asked.push(what);
    if (what === options.fails) throw refused;
  };
  const outside: Outside = {
    published: {
      async digestOf(ref) {
        ask(`HEAD ${formatImageRef(ref).replace(`${REGISTRY}/`, '')}`);
        return tags[formatImageRef(ref).replace(`${REGISTRY}/`, '')];
      },
      async manifestOf(ref) {
        ask(`GET ${formatImageRef(ref).replace(`${REGISTRY}/`, '')}`);
        return tags[formatImageRef(ref).replace(`${REGISTRY}/`, '')];
      },
      async configOf(ref, digest) {
        ask(`config ${ref.repository}`);
        return { labels: options.labels?.[digest] ?? {}, created: undefined, platform: 'linux/amd64' };
      },
      async tagsOf(ref) {
        ask(`tags ${ref.repository}`);
        return Object.keys(tags).filter((tag) => tag.startsWith(`${ref.repository}:`)).map((tag) => tag.slice(ref.repository.length + 1));
      },
    },
    local: {
      async list() {
        ask('images');
        return [];
      },
    },
    isAncestor: async (revision) => {
      ask(`ancestor ${revision}`);
      return revision === 'old';
    },
    memory: options.memory ?? createDigestMemory(undefined),
  };
  return { asked, outside };
}

const ours = (name: string): Readonly<Record<string, string>> => ({ [LABEL.title]: name, [LABEL.definition]: today(name), [LABEL.parents]: formatParents({}) });
const readImages = async (...given: Parameters<typeof readState>) => (await readState(...given)).images;
const web = (part: Graph = graph) => [part.nodes.get('web')!];

describe('reading for a nightly build', () => {
  it('asks for its tag alone: neither :latest nor the version', async () => {
    const [node] = web();
    const definition = asNightly(node!.definition, nightlyAt('nightly', 0));
    const { asked, outside } = outsideWith({ 'web:2.0-19700101': manifest('night'), 'web:latest': manifest('two') }, { labels: { [manifest('night')]: ours('web') } });
    const images = await readImages([{ definition, ref: { ...node!.ref, tag: '2.0-19700101' } }], outside, signal);
    expect(images.get('web')).toMatchObject({ version: { digest: manifest('night'), provenance: { definition: today('web') } }, latest: undefined });
    expect(asked).toEqual(['HEAD web:2.0-19700101', 'config web']);
  });
});

describe('reading a versioned image', () => {
  const tags = { 'web:2.0': manifest('two'), 'web:latest': manifest('two') };
  it('takes at most four requests when nothing is remembered', async () => {
    const { asked, outside } = outsideWith({ 'web:2.0': manifest('two'), 'web:latest': manifest('one') }, { labels: { [manifest('two')]: ours('web') } });
    const state = await readImages(web(), outside, signal);
    expect(asked).toEqual(['GET web:latest', 'GET web:2.0', 'config web', 'config web']);
    expect(state.get('web')).toEqual({ version: { digest: manifest('two'), provenance: expect.objectContaining({ definition: today('web') }) }, latest: { digest: manifest('one'), provenance: undefined } });
  });
  it('takes one request when all is as it was', async () => {
    const memory = createDigestMemory(undefined);
    const cold = outsideWith(tags, { memory, labels: { [manifest('two')]: ours('web') } });
    await readImages(web(), cold.outside, signal);
    expect(cold.asked.length).toBeLessThanOrEqual(3);
    const warm = outsideWith(tags, { memory });
    const state = await readImages(web(), warm.outside, signal);
    expect(warm.asked).toEqual(['HEAD web:latest']);
    expect(state.get('web')?.version?.provenance?.definition).toBe(today('web'));
    expect(state.get('web')?.latest).toEqual(state.get('web')?.version);
  });
  it('asks for the version though it is remembered when :latest is something else', async () => {
    const memory = createDigestMemory(undefined);
    memory.rememberTag(`${REGISTRY}/web:2.0`, manifest('two'));
    memory.rememberProvenance('web', manifest('one'), null);
    const { asked, outside } = outsideWith({ 'web:latest': manifest('one') }, { memory });
    expect((await readImages(web(), outside, signal)).get('web')).toEqual({ version: undefined, latest: { digest: manifest('one'), provenance: undefined } });
    expect(asked).toEqual(['HEAD web:latest', 'HEAD web:2.0']);
  });
  it('remembers that an image is of unknown origin', async () => {
    const memory = createDigestMemory(undefined);
    await readImages(web(), outsideWith(tags, { memory }).outside, signal);
    const again = outsideWith(tags, { memory });
    expect((await readImages(web(), again.outside, signal)).get('web')?.latest).toEqual({ digest: manifest('two'), provenance: undefined });
    expect(again.asked).toEqual(['HEAD web:latest']);
  });
  it.each([
    ['nothing is published', {}, { version: undefined, latest: undefined }, 2],
    ['only the version is', { 'web:2.0': manifest('two') }, { version: { digest: manifest('two') }, latest: undefined }, 3],
    ['only :latest is', { 'web:latest': manifest('two') }, { version: undefined, latest: { digest: manifest('two') } }, 3],
  ])('%s', async (_, found, state, requests) => {
    const { asked, outside } = outsideWith(found);
    expect((await readImages(web(), outside, signal)).get('web')).toMatchObject(state);
    expect(asked).toHaveLength(requests);
  });
});

describe('reading a rolling image', () => {
  it('takes :latest and what it says of itself', async () => {
    const { asked, outside } = outsideWith({ 'run:latest': manifest('run') }, { labels: { [manifest('run')]: ours('run') } });
    expect((await readImages([graph.nodes.get('run')!], outside, signal)).get('run')).toEqual({ version: undefined, latest: { digest: manifest('run'), provenance: expect.objectContaining({ definition: today('run') }) } });
    expect(asked).toEqual(['HEAD run:latest', 'config run']);
  });
});

describe('reading all images', () => {
  it('says after each one that it was read, and nothing of one that was not', async () => {
    let read = 0;
    await readState([...graph.nodes.values()], outsideWith({}).outside, signal, () => void read++);
    expect(read).toBe(2);
    await expect(readState([...graph.nodes.values()], outsideWith({}, { fails: 'GET web:latest' }).outside, signal, () => void read++)).rejects.toBe(refused);
    expect(read).toBe(3);
  });
  it('reads every image of the graph and nothing else', async () => {
    const { asked, outside } = outsideWith({});
    const state = await readState([...graph.nodes.values()], outside, signal);
    expect([...state.images.keys()].sort()).toEqual(['run', 'web']);
    expect([state.local, state.dated.size, state.outside.size]).toEqual([undefined, 0, 0]);
    expect(asked.filter((what) => !/^(HEAD|GET) /.test(what))).toEqual([]);
  });
  it.each(['HEAD run:latest', 'GET web:2.0', 'config web'])('what the registry would not tell (%s) is thrown, and never taken for absent', async (fails) => {
    const { outside } = outsideWith({ 'web:2.0': manifest('two'), 'web:latest': manifest('one') }, { fails });
    await expect(readState([...graph.nodes.values()], outside, signal)).rejects.toBe(refused);
  });
  it('an interrupt is thrown, whatever came of the requests', async () => {
    const { outside } = outsideWith({}, { fails: 'HEAD web:latest' });
    await expect(readState([...graph.nodes.values()], outside, AbortSignal.abort('interrupted'))).rejects.toBe('interrupted');
  });
});

describe('reading what a plan needs', () => {
  const read = async (needs: readonly Need[], tags: Readonly<Record<string, Digest>>, options: Parameters<typeof outsideWith>[1] = {}, latest: Digest | undefined = manifest('unlabelled')) => {
    const { asked, outside } = outsideWith(tags, options);
    const before = stateOf(new Map([['web', { version: undefined, latest: latest === undefined ? undefined : { digest: latest, provenance: undefined } }], ['run', { version: undefined, latest: undefined }]]));
    return { asked, state: await readNeeds(graph, before, needs, outside, signal), before };
  };
  const older: Need = { need: 'older-version', image: 'web' };
  const dated: Need = { need: 'dated-tags', image: 'run' };

  it('looks for the older version newest first, one after the other, until one is found', async () => {
    const tags = { 'web:1.1': manifest('other'), 'web:1.0': manifest('unlabelled') };
    const { asked, state } = await read([older], tags);
    expect([asked, state.olderVersion.get('web')]).toEqual([['HEAD web:1.1', 'HEAD web:1.0'], '1.0']);
    const first = await read([older], { 'web:1.1': manifest('unlabelled') });
    expect([first.asked, first.state.olderVersion.get('web')]).toEqual([['HEAD web:1.1'], '1.1']);
  });
  it('says that none of the older versions is it', async () => {
    const { state } = await read([older], { 'web:1.1': manifest('other') });
    expect([state.olderVersion.has('web'), state.olderVersion.get('web')]).toEqual([true, null]);
  });
  it('remembers what older versions are', async () => {
    const memory = createDigestMemory(undefined);
    await read([older], { 'web:1.1': manifest('other') }, { memory });
    expect((await read([older], { 'web:1.1': manifest('other') }, { memory })).asked).toEqual(['HEAD web:1.0']);
  });
  it('reads the ten newest dated tags, newest first, and of other tags nothing', async () => {
    const days = Array.from({ length: 12 }, (_, at) => String(20260101 + at));
    const tags = Object.fromEntries([...days, 'latest', '1.0'].map((tag) => [`run:${tag}`, manifest(tag)]));
    const { asked, state } = await read([dated], tags);
    expect(state.dated.get('run')!.map(({ tag }) => tag)).toEqual([...days].reverse().slice(0, 10));
    expect(asked.filter((what) => what.startsWith('HEAD'))).toHaveLength(10);
    expect(state.dated.get('run')![0]).toEqual({ tag: '20260112', digest: manifest('20260112'), provenance: undefined });
  });
  it('believes the registry of a dated tag, not its memory of a registry that was there before', async () => {
    const memory = createDigestMemory(undefined);
    await read([dated], { 'run:20260101': manifest('a') }, { memory });
    const { state } = await read([dated], { 'run:20260101': manifest('b') }, { memory });
    expect(state.dated.get('run')).toMatchObject([{ tag: '20260101', digest: manifest('b') }]);
  });
  it('asks nobody for a version of the changelog that cannot be a tag', async () => {
    const node = graph.nodes.get('web')!;
    const odd = { ...graph, nodes: new Map([['web', { ...node, definition: { ...node.definition, tagSource: { source: 'changelog', version: '2.0', older: ['1.1+b1', '1.0~rc1', '1.0'] } as const } }]]) };
    const { asked, outside } = outsideWith({ 'web:1.0': manifest('unlabelled') });
    const state = await readNeeds(odd, stateOf(new Map([['web', { version: undefined, latest: { digest: manifest('unlabelled'), provenance: undefined } }]])), [older], outside, signal);
    expect([asked, state.olderVersion.get('web')]).toEqual([['HEAD web:1.0'], '1.0']);
  });
  it('leaves out a dated tag that is listed and gone', async () => {
    const { asked, outside } = outsideWith({});
    const listed: Outside = { ...outside, published: { ...outside.published, tagsOf: async () => ['20260101'] } };
    const state = await readNeeds(graph, stateOf(new Map()), [dated], listed, signal);
    expect([state.dated.get('run'), asked]).toEqual([[], ['HEAD run:20260101']]);
  });
  it.each([
    ['by its tag', 'docker.io/library/debian:12', manifest('debian'), ['HEAD docker.io/library/debian:12']],
    ['without a tag as :latest', 'docker.io/library/alpine', manifest('alpine'), ['HEAD docker.io/library/alpine:latest']],
    ['that is not there as null', 'docker.io/library/none:1', null, ['HEAD docker.io/library/none:1']],
    ['with a digest without asking', `debian@${manifest('pinned')}`, manifest('pinned'), []],
    ['that is no reference as null', 'Not A Reference', null, []],
  ])('reads an outside image %s', async (_, ref, digest, requests) => {
    const { asked, state } = await read([{ need: 'outside-digest', ref }], { 'docker.io/library/debian:12': manifest('debian'), 'docker.io/library/alpine:latest': manifest('alpine') });
    expect([state.outside.get(ref), asked]).toEqual([digest, requests]);
  });
  it('reads each fact once, however many images need it, and keeps what was known', async () => {
    const { asked, state, before } = await read([{ need: 'local-images' }, { need: 'local-images' }, { need: 'ancestry', revision: 'old', tree: 'images' }, { need: 'ancestry', revision: 'new', tree: 'images' }, { need: 'ancestry', revision: 'old', tree: 'images' }], {});
    expect([...asked].sort()).toEqual(['ancestor new', 'ancestor old', 'images']);
    expect([state.local, state.ancestry.get('old'), state.ancestry.get('new'), state.images]).toEqual([[], true, false, before.images]);
    const { outside } = outsideWith({});
    const more = await readNeeds(graph, state, [dated], outside, signal);
    expect([more.local, more.ancestry.get('old'), more.dated.get('run')]).toEqual([[], true, []]);
  });
  it('what was not told is thrown', async () => {
    await expect(read([dated, older], {}, { fails: 'tags run' })).rejects.toBe(refused);
  });
});
