import { describe, expect, it } from '@jest/globals';
import type { Graph } from '../../../src/graph/graph.js';
import { configOf, production, said, treeInMemory } from '../../support/tree-in-memory.js';

const R = 'registry.example.org';
const built = async (texts: Readonly<Record<string, string>>, config = configOf()) => (await treeInMemory(texts, config)).graph;

async function graphOf(texts: Readonly<Record<string, string>>, config = configOf()): Promise<Graph> {
  const graph = await built(texts, config);
  if (!graph.ok) throw new Error(said(graph).join('\n'));
  return graph.value;
}

const edges = (graph: Graph): Readonly<Record<string, readonly string[]>> => Object.fromEntries([...graph.nodes].map(([name, { parents }]) => [name, parents]));
const BASE = production('base', 'FROM scratch\n');

describe('edges', () => {
  it.each([
    ['FROM with the current version', `FROM ${R}/base:1.0\n`, ''],
    ['FROM without a tag', `FROM ${R}/base\n`, ''],
    ['FROM with :latest', `FROM ${R}/base:latest\n`, ''],
    ['FROM an image_tag', `FROM {{ "base" | image_tag }}\n`, ''],
    ['FROM an ARG default', `ARG FROM=${R}/base:1.0\nFROM \${FROM}\n`, ''],
    ['COPY --from', `FROM scratch\nCOPY --from=${R}/base:1.0 /a /a\n`, ''],
    ['RUN --mount from', `FROM scratch\nRUN --mount=type=bind,from=${R}/base:1.0 true\n`, ''],
    ['an image_tag that is only mentioned', `FROM scratch\nLABEL base={{ "base" | image_tag }}\n`, ''],
    ['Depends in control', 'FROM scratch\n', 'Package: web\nDepends: base\n'],
    ['Build-Depends in control', 'FROM scratch\n', 'Package: web\nBuild-Depends: base\n'],
  ])('come from %s', async (_, template, control) => {
    expect(edges(await graphOf({ ...BASE, ...production('web', template, control) }))).toEqual({ base: [], web: ['base'] });
  });
  it.each([
    ['another version is an outside image', `FROM ${R}/base:0.9\n`],
    ['a digest is an outside image', `FROM ${R}/base@sha256:${'a'.repeat(64)}\n`],
    ['the same name in another registry', 'FROM other.example.org/base:1.0\n'],
  ])('%s', async (_, template) => {
    const graph = await graphOf({ ...BASE, ...production('web', template) });
    expect(edges(graph)).toEqual({ base: [], web: [] });
    expect(graph.nodes.get('web')!.sources).toEqual([{ ref: template.slice(5).trim(), image: undefined }]);
  });
  it('a source is named once, in the order of the Dockerfile; the last stage tells the base', async () => {
    const graph = await graphOf({ ...BASE, ...production('web', `FROM ${R}/out:1 AS build\nFROM ${R}/base:1.0\nCOPY --from=build /a /a\nCOPY --from=${R}/out:1 /b /b\n`) });
    expect(graph.nodes.get('web')).toMatchObject({ sources: [{ ref: `${R}/out:1`, image: undefined }, { ref: `${R}/base:1.0`, image: 'base' }], base: `${R}/base:1.0`, ref: { tag: '1.0' } });
  });
  it('an image that names itself stands on an earlier build of it, and is no cycle', async () => {
    const graph = await graphOf(production('web', `FROM ${R}/web:latest\n`, 'Package: web\nDepends: web\n'));
    expect(graph.nodes.get('web')).toMatchObject({ parents: [], sources: [{ ref: `${R}/web:latest`, image: undefined }] });
  });
  it('parents stand in the order of their names', async () => {
    const graph = await graphOf({ ...BASE, ...production('alpha', 'FROM scratch\n'), ...production('web', `FROM ${R}/base\nCOPY --from=${R}/alpha /a /a\n`) });
    expect(edges(graph)['web']).toEqual(['alpha', 'base']);
  });
  it('a base image has neither Dockerfile nor sources', async () => {
    const graph = await graphOf({ 'images/trixie/rootfs.yaml': 'suite: trixie\n', ...production('web', 'FROM {{ "trixie" | image_tag }}\n') });
    expect(graph.nodes.get('trixie')).toMatchObject({ dockerfile: undefined, sources: [], base: undefined, parents: [], ref: { tag: 'latest' } });
    expect(edges(graph)['web']).toEqual(['trixie']);
  });
});

describe('what is wrong with a graph', () => {
  it('a cycle', async () => {
    const graph = await built({ ...production('a', `FROM ${R}/b\n`), ...production('b', `FROM ${R}/a\n`) });
    expect(said(graph)).toEqual(['images/a: stands on itself: a → b → a (each needs the next)']);
    expect(graph.ok).toBe(false);
  });
  it('a cycle is said although another definition is wrong', async () => {
    const graph = await built({ ...production('a', `FROM ${R}/b\n`), ...production('b', `FROM ${R}/a\nCOPY --from=${R}/wrong /a /a\n`), ...production('wrong', 'FROM {{ "bse" | image_tag }}\n'), ...BASE });
    expect(said(graph)).toEqual([expect.stringContaining('images/wrong/Dockerfile.template:1'), expect.stringContaining('stands on itself')]);
  });
  it('a name in control that no tree defines is a warning with near names', async () => {
    const graph = await built({ ...BASE, ...production('web', 'FROM scratch\n', 'Package: web\nDepends: bsae\n') });
    expect([graph.ok, said(graph)]).toEqual([true, ['images/web/control:2: Depends names "bsae", which no tree defines (near: base)  [warning]']]);
  });
  it('an image_tag that nobody knows is an error with near names', async () => {
    const graph = await built({ ...BASE, ...production('web', 'FROM {{ "bsae" | image_tag }}\n') });
    expect(graph.ok).toBe(false);
    expect(said(graph)[0]).toMatch(/^images\/web\/Dockerfile.template:1: .*bsae.*near: base/);
  });
  it('a FROM that is no image reference', async () => {
    expect(said(await built(production('web', 'FROM Not/An:Image:1\n')))).toEqual([expect.stringMatching(/^images\/web\/Dockerfile.template:1: "Not\/An:Image:1" is no image reference$/)]);
  });
  it('a user that is no number, when the config wants numbers', async () => {
    const texts = production('web', 'FROM scratch\nUSER nobody\n');
    expect((await built(texts)).ok).toBe(true);
    expect((await built(texts, configOf('force_numeric_user: true\n'))).ok).toBe(false);
  });
});

describe('where a FROM may point', () => {
  const outside = (template: string) => production('web', template);
  it('unset: elsewhere than the registry and base_images is warned about, at the template\'s line', async () => {
    const graph = await built(outside('# a comment\nFROM debian:12\n'));
    expect([graph.ok, said(graph)]).toEqual([true, [`images/web/Dockerfile.template:2: FROM debian:12 is neither of ${R} nor in base_images (allowed_sources in config.yaml can allow it)  [warning]`]]);
  });
  it.each([
    ['the registry\'s own', `FROM ${R}/anything:1\n`, ''],
    ['one of base_images, under any tag', 'FROM debian:11\n', 'base_images: [debian:12]\n'],
    ['an image of the tree', `FROM ${R}/web\n`, ''],
  ])('unset: %s is not', async (_, template, lines) => expect(said(await built(outside(template), configOf(lines)))).toEqual([]));
  it('a registry that only begins like ours is another', async () => {
    expect(said(await built(outside(`FROM ${R}.evil.example/x\n`)))).toHaveLength(1);
  });
  it('set: what no glob allows is refused', async () => {
    const config = configOf('allowed_sources: ["debian:*"]\n');
    expect(said(await built(outside('FROM debian:12\n'), config))).toEqual([]);
    expect(said(await built(outside('FROM alpine:3\nCOPY --from=busybox:1 /a /b\nRUN --mount=type=bind,from=nginx:1 true\n'), config))).toEqual([
      'images/web/Dockerfile.template:1: FROM alpine:3 is not among the allowed_sources of config.yaml',
      'images/web/Dockerfile.template:2: COPY --from busybox:1 is not among the allowed_sources of config.yaml',
      'images/web/Dockerfile.template:3: RUN --mount from nginx:1 is not among the allowed_sources of config.yaml',
    ]);
  });
  it('set: images of the tree need no glob', async () => {
    expect(said(await built({ ...BASE, ...production('web', `FROM ${R}/base\n`) }, configOf('allowed_sources: ["debian:*"]\n')))).toEqual([]);
  });
  it('a # syntax= line is a source too, but nothing that a build stands on', async () => {
    const texts = outside('# syntax=docker/dockerfile:1\nFROM scratch\n');
    expect(said(await built(texts, configOf('allowed_sources: ["debian:*"]\n')))).toEqual(['images/web/Dockerfile.template:1: # syntax=docker/dockerfile:1 is not among the allowed_sources of config.yaml']);
    expect((await graphOf(texts)).nodes.get('web')!.sources).toEqual([]);
  });
});
