import { describe, expect, it } from '@jest/globals';
import { isRunImage, readRepository, runImageOf } from '../../../src/state/repository-contents.js';
import { manifest, REGISTRY } from '../../support/plan-tree.js';

const config = (labels: Readonly<Record<string, string>>) => ({ labels, created: undefined, platform: 'linux/amd64' });
const metadata = (runImage: unknown) => config({ 'io.buildpacks.lifecycle.metadata': JSON.stringify({ runImage }) });
const digest = manifest('run');

describe('the run image of an app', () => {
  it.each([
    ['by reference', metadata({ reference: `registry.example.org/run@${digest}` }), digest],
    ['as in 2019', metadata({ sha: digest }), digest],
    ['of an engine: an image id names no manifest of a registry, and does no harm', metadata({ reference: digest }), digest],
    ['by a tag tells nothing', metadata({ reference: 'registry.example.org/run:latest' }), undefined],
    ['that names none', metadata(null), undefined],
    ['whose label is broken', config({ 'io.buildpacks.lifecycle.metadata': '{' }), undefined],
    ['that is none', config({}), undefined],
  ])('%s', (_, one, known) => expect(runImageOf(one)).toBe(known));
  it.each([
    ['names a stack', { 'io.buildpacks.stack.id': 'x' }, true],
    ['is a base since there are none', { 'io.buildpacks.base.id': 'x' }, true],
    ['has those labels emptied, as a child of it has', { 'io.buildpacks.stack.id': '', 'io.buildpacks.base.id': '' }, false],
    ['has none of these labels', {}, false],
  ])('can be one that %s', (_, labels, is) => expect(isRunImage(config(labels))).toBe(is));
});

describe('reading a repository', () => {
  it('asks for each tag once, and for what is behind each digest once; a tag that went away meanwhile is none', async () => {
    const asked: string[] = [];
    const tags: Readonly<Record<string, string | undefined>> = { a: 'one', b: 'one', c: 'two', gone: undefined };
    const read = await readRepository(
      { registry: REGISTRY, repository: 'web' },
      {
        tagsOf: async () => Object.keys(tags),
        digestOf: async ({ tag }) => (tags[tag!] === undefined ? undefined : manifest(tags[tag!]!)),
        async contentOf(_, one) {
          asked.push(one);
          return { children: [], configs: [] };
        },
        repositoriesOf: async () => [],
      },
      new AbortController().signal,
    );
    expect(Object.fromEntries(read.tags)).toEqual({ a: manifest('one'), b: manifest('one'), c: manifest('two') });
    expect(asked).toEqual([manifest('one'), manifest('two')]);
  });
});
