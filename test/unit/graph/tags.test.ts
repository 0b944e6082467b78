import { describe, expect, it } from '@jest/globals';
import { asNightly, nightlyAt } from '../../../src/definition/nightly.js';
import { createTags, isCurrentTag, repositoryRefOf, tagOf } from '../../../src/graph/tags.js';
import { configOf } from '../../support/tree-in-memory.js';
import { nodeOf } from '../../support/plan-tree.js';

const web = { ...nodeOf('web', []).definition, image: 'base/web', repository: 'base/web' };
const run = { ...nodeOf('run', [], ['run']).definition, image: 'base/run', repository: 'base/run' };

describe('the tag by which others name an image', () => {
  it('is its version, or latest when it is rolling', () => expect([tagOf(web), tagOf(run)]).toEqual(['2.0', 'latest']));
  it('is that of a nightly build', () => expect([web, run].map((one) => tagOf(asNightly(one, nightlyAt('nightly', 0))))).toEqual(['2.0-19700101', 'nightly-19700101']));
  it.each([
    ['its version and latest', web, ['2.0', 'latest']],
    ['latest', run, ['latest']],
    ['in a nightly build its version, latest and the nightly tag', asNightly(web, nightlyAt('nightly', 0)), ['2.0', 'latest', '2.0-19700101']],
    ['in a nightly build of a rolling image latest and the nightly tag', asNightly(run, nightlyAt('nightly', 0)), ['latest', 'nightly-19700101']],
  ])('means what the run has of it under %s, and under no other', (_, definition, tags) => {
    expect(['2.0', '1.1', 'latest', '2.0-19700101', '2.0-19700102', 'nightly-19700101', '19700101'].filter((tag) => isCurrentTag(definition, tag))).toEqual(tags);
  });
});

describe('repositoryRefOf', () => {
  it.each([
    ['registry.example.org', { registry: 'registry.example.org', repository: 'base/web' }],
    ['registry.example.org/some/path', { registry: 'registry.example.org', repository: 'some/path/base/web' }],
  ])('below %s', (registry, ref) => expect(repositoryRefOf({ ...configOf(), registry }, 'base/web')).toEqual(ref));
});

describe('tags', () => {
  const tags = createTags([web, run], configOf('namespace: base\nbase_images: [docker.io/library/debian:12, "registry.example.org/base/hand", other/debian:11]\n'));

  it.each([
    ['an image of the tree', 'web', 'registry.example.org/base/web:2.0'],
    ['a rolling image', 'run', 'registry.example.org/base/run:latest'],
    ['one of base_images as it is written', 'docker.io/library/debian:12', 'docker.io/library/debian:12'],
    ['… by its repository', 'docker.io/library/debian', 'docker.io/library/debian:12'],
    ['… without its registry', 'library/debian', 'docker.io/library/debian:12'],
    ['… by its last part: the first of two keeps it', 'debian', 'docker.io/library/debian:12'],
    ['… without our registry and namespace; no tag means latest', 'hand', 'registry.example.org/base/hand:latest'],
    ['nothing', 'toString', undefined],
  ])('%s', (_, name, ref) => expect(tags.refOf(name)).toBe(ref));
  it('know an image by its repository, whatever its tag', () => {
    expect(tags.byRepository('registry.example.org/base/web')).toBe(web);
    expect(tags.byRepository('base/web')).toBeUndefined();
    expect(tags.byName('run')).toBe(run);
  });
  it('list every name that means something', () => expect(tags.names).toEqual(expect.arrayContaining(['web', 'run', 'debian', 'hand'])));
  it('hold a digest of base_images', () => {
    const pinned = `debian@sha256:${'a'.repeat(64)}`;
    expect(createTags([], configOf(`base_images: ["${pinned}"]\n`)).refOf('debian')).toBe(pinned);
  });
  it('let the names of definitions that cannot be read stand for something, but never in another\'s place', () => {
    const broken = createTags([web], configOf('namespace: base\nbase_images: [debian:12]\n'), ['lost', 'web', 'debian', 'Not A Name']);
    expect(['lost', 'web', 'debian', 'Not A Name'].map((name) => broken.refOf(name))).toEqual(['registry.example.org/base/lost:latest', 'registry.example.org/base/web:2.0', 'debian:12', undefined]);
    expect(createTags([], configOf(), ['lost']).refOf('lost')).toBe('registry.example.org/lost:latest');
  });
});
