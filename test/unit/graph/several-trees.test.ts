import { describe, expect, it } from '@jest/globals';
import { joinTrees } from '../../../src/graph/join-trees.js';
import { nodeOf } from '../../support/plan-tree.js';
import { treesInMemory, type Sketch } from '../../support/trees-in-memory.js';

const A = (images: Sketch['images'], lines = ''): Sketch => ({ config: `registry: a.example.org\nnamespace: ns\n${lines}`, images });
const B = (images: Sketch['images'], lines = ''): Sketch => ({ config: `registry: b.example.org\nnamespace: apps\n${lines}`, images });
const C = (images: Sketch['images']): Sketch => ({ config: 'registry: c.example.org\n', images });

/** Image → [reference, parents], or what is wrong. */
async function graphOf(trees: Readonly<Record<string, Sketch>>): Promise<unknown> {
  const { graph, said } = await treesInMemory(trees);
  if (!graph.ok || said.length > 0) return said;
  return Object.fromEntries([...graph.value.nodes].map(([image, { ref, parents, dockerfile, tree }]) => [image, [tree.name, `${ref.registry}/${ref.repository}:${ref.tag}`, parents, dockerfile]]));
}

const BASE = { base: 'FROM scratch' };
const base = ['a', 'a.example.org/ns/base:1.0', [], 'FROM scratch'];

describe('several trees', () => {
  it.each([
    ['a name of another tree', '{{ "base" | image_tag }}', 'a.example.org/ns/base:1.0'],
    ['a name with its namespace', '{{ "ns/base" | image_tag }}', 'a.example.org/ns/base:1.0'],
    ['a full reference', 'a.example.org/ns/base:1.0', 'a.example.org/ns/base:1.0'],
    ['a full reference that moves', 'a.example.org/ns/base:latest', 'a.example.org/ns/base:latest'],
  ])('%s is an edge', async (_, from, rendered) => {
    expect(await graphOf({ b: B({ web: `FROM ${from}` }), a: A(BASE) })).toEqual({ 'ns/base': base, 'apps/web': ['b', 'b.example.org/apps/web:1.0', ['ns/base'], `FROM ${rendered}`] });
  });

  it('a name in control is one, too', async () => {
    expect(await graphOf({ a: A(BASE), b: B({ web: ['FROM scratch', 'Package: web\nDepends: base\n'] }) })).toMatchObject({ 'apps/web': ['b', 'b.example.org/apps/web:1.0', ['ns/base'], 'FROM scratch'] });
  });

  it("an image of another tree under a version that it is not is an outside image", async () => {
    expect(await graphOf({ a: A(BASE), b: B({ web: 'FROM a.example.org/ns/base:0.9' }, 'allowed_sources: ["a.example.org/*"]\n') })).toMatchObject({ 'apps/web': ['b', expect.anything(), [], 'FROM a.example.org/ns/base:0.9'] });
  });

  it("a name is its own tree's first, whatever the others have", async () => {
    expect(await graphOf({ a: A(BASE), b: B({ base: 'FROM scratch', web: 'FROM {{ "base" | image_tag }}' }) })).toMatchObject({ 'apps/web': ['b', expect.anything(), ['apps/base'], 'FROM b.example.org/apps/base:1.0'] });
  });

  it.each([
    ['its current version, and so an edge', '1.0', ['ns/base']],
    ['an older one, and so no edge', '0.9', []],
  ])('what base_images says of a name counts before the other trees: %s', async (_, version, parents) => {
    expect(await graphOf({ a: A(BASE), b: B({ web: 'FROM {{ "base" | image_tag }}' }, `base_images: [a.example.org/ns/base:${version}]\n`) })).toMatchObject({ 'apps/web': ['b', expect.anything(), parents, `FROM a.example.org/ns/base:${version}`] });
  });

  it('what base_images says of a name is not ambiguous, though two other trees have it', async () => {
    expect(await graphOf({ a: A(BASE), b: B({ web: 'FROM {{ "base" | image_tag }}' }, 'base_images: [c.example.org/base:1.0]\n'), c: C(BASE) })).toMatchObject({ 'apps/web': ['b', expect.anything(), ['base'], 'FROM c.example.org/base:1.0'] });
  });

  it('two definitions of one name in one tree are for the reading of that tree', () => {
    const { definition, tree } = nodeOf('web', []);
    expect(joinTrees([{ tree, definitions: [definition, { ...definition, directory: 'images/other' }] }]).problems).toEqual([]);
    expect(joinTrees([{ tree, definitions: [definition] }, { tree: { ...tree, name: 'b' }, definitions: [{ ...definition, tree: 'b', directory: 'b/web', tagSource: { source: 'day' } }] }]).problems).toMatchObject([{ path: 'b/web' }]);
  });

  it('one namespace and name on two registries are two images, called by their full names', async () => {
    const other: Sketch = { config: 'registry: b.example.org\nnamespace: ns\n', images: { base: 'FROM scratch', web: 'FROM {{ "base" | image_tag }}' } };
    expect(await graphOf({ a: A(BASE), b: other })).toEqual({
      'a.example.org/ns/base': base,
      'b.example.org/ns/base': ['b', 'b.example.org/ns/base:1.0', [], 'FROM scratch'],
      'ns/web': ['b', 'b.example.org/ns/web:1.0', ['b.example.org/ns/base'], 'FROM b.example.org/ns/base:1.0'],
    });
  });

  it('what an image is called does not change what its definition is', async () => {
    const neutrals = async (trees: Readonly<Record<string, Sketch>>): Promise<unknown> => {
      const { graph } = await treesInMemory(trees);
      return graph.ok && [...graph.value.nodes.values()].find(({ definition }) => definition.name === 'web')!.neutral;
    };
    const images = { base: 'FROM scratch', web: 'FROM {{ "base" | image_tag }}' };
    expect(await neutrals({ a: A(images), b: { config: 'registry: b.example.org\nnamespace: ns\n', images: BASE } })).toBe(await neutrals({ a: A(images) }));
  });

  it.each([
    ['one full name in two trees', { a: A(BASE), b: A(BASE) }, ['b/base/changelog: the image a.example.org/ns/base is that of a/base/changelog: trees that have a registry and a namespace in common cannot have a name in common']],
    ['a name that two others have, in a template', { a: A(BASE), b: B({ web: 'FROM scratch\nCOPY --from={{ "base" | image_tag }} /a /a' }), c: C(BASE) }, ['b/web/Dockerfile.template:2: "base" could be a.example.org/ns/base:1.0 or c.example.org/base:1.0, which are of other trees: name it with its namespace']],
    ['a name that two others have, in control', { a: A(BASE), b: B({ web: ['FROM scratch', 'Package: web\nDepends: base\n'] }), c: C(BASE) }, ['b/web/control:2: Depends: "base" could be a.example.org/ns/base:1.0 or c.example.org/base:1.0, which are of other trees: name it with its namespace']],
    ['a name that none has', { a: A(BASE), b: B({ web: 'FROM {{ "bsae" | image_tag }}' }) }, ['b/web/Dockerfile.template:1: no tree and no base_images entry has an image "bsae" (near: base)']],
    ['a name of another tree with a namespace that it has not', { a: A(BASE), b: B({ web: ['FROM scratch', 'Package: web\nDepends: other/base\n'] }) }, ['b/web/control:2: Depends names "other/base", which no tree defines (near: base)  [warning]']],
    ['a cycle', { a: A({ base: 'FROM {{ "web" | image_tag }}' }), b: B({ web: 'FROM {{ "base" | image_tag }}' }) }, ['b/web: stands on itself: apps/web → ns/base → apps/web (each needs the next)']],
    ['a source that its own config does not allow', { a: A({ base: 'FROM d.example.org/x:1' }, 'allowed_sources: ["d.example.org/*"]\n'), b: B({ web: 'FROM d.example.org/x:1' }, 'allowed_sources: ["e.example.org/*"]\n') }, ['b/web/Dockerfile.template:1: FROM d.example.org/x:1 is not among the allowed_sources of b.yaml']],
  ] as const)('%s', async (_, trees, problems) => {
    expect((await treesInMemory(trees as unknown as Readonly<Record<string, Sketch>>)).said).toEqual(problems);
  });
});

describe('lint of several trees', () => {
  it.each([
    ['need not name the images of other trees in control', '{{ "base" | image_tag }}', 'Package: web\n', []],
    ['may name them', '{{ "base" | image_tag }}', 'Package: web\nDepends: base\n', []],
    ['may name them with their namespace', '{{ "base" | image_tag }}', 'Package: web\nDepends: ns/base\n', []],
    ['name them for nothing', 'scratch', 'Package: web\nDepends: base\n', ['b/web/control:2: warning: Depends names base, which the Dockerfile does not use [stale-parent]']],
    ['may write them by hand, since nothing else works when a tree is built alone', 'a.example.org/ns/base:1.0', 'Package: web\n', []],
    ['are not what the other tree makes of theirs any more', 'a.example.org/ns/base:0.9', 'Package: web\n', ['b/web/Dockerfile.template:1: error: FROM a.example.org/ns/base:0.9: the changelog of base has no version 0.9 (its newest is 1.0) [unknown-tag]']],
    ["mean the other tree's image and not their own of that name", 'a.example.org/ns/same:1.0', 'Package: web\nDepends: same\n', ['b/web/control:2: warning: Depends names same, which the Dockerfile does not use [stale-parent]']],
  ])('images %s', async (_, from, control, findings) => {
    const { linted } = await treesInMemory({ a: A({ ...BASE, same: 'FROM scratch' }), b: B({ web: [`FROM ${from}`, control], same: 'FROM scratch' }) });
    expect(linted.filter((line) => /parent|literal|tag\]/.test(line))).toEqual(findings);
  });
});
