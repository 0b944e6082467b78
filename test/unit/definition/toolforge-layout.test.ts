import { describe, expect, it } from '@jest/globals';
import { contextFiles } from '../../../src/definition/context-files.js';
import { definitionDigest } from '../../../src/definition/definition-digest.js';
import { asNightly } from '../../../src/definition/nightly.js';
import { parseTree } from '../../../src/definition/parse.js';
import { promotionGroups } from '../../../src/execute/promotions.js';
import { isCurrentTag, tagOf } from '../../../src/graph/tags.js';
import { planPromote } from '../../../src/plan/promote.js';
import { formatPlan } from '../../../src/report/format-plan.js';
import { digestOf } from '../../../src/shared/digest.js';
import { planFor, formerly, image, manifest, provenance, rolled, stateFor, stepOf } from '../../support/plan-tree.js';
import { configOf, filesInMemory, said, treeInMemory } from '../../support/tree-in-memory.js';

const LAYOUT = 'layout: toolforge\n';
const R = 'registry.example.org';
const template = (path: string, text = 'FROM scratch\n'): Readonly<Record<string, string>> => ({ [`images/${path}/Dockerfile.template`]: text });
const treeOf = (texts: Readonly<Record<string, string>>, lines = '') => parseTree('images', filesInMemory(texts), configOf(LAYOUT + lines));
const problemsOf = (texts: Readonly<Record<string, string>>): readonly string[] => {
  const tree = treeOf(texts);
  return tree.ok ? said(tree) : tree.problems.map(({ path, message }) => `${path}: ${message}`);
};
const graphOf = async (texts: Readonly<Record<string, string>>, lines = '') => {
  const { graph } = await treeInMemory(texts, configOf(LAYOUT + lines));
  if (!graph.ok) throw new Error(said(graph).join('\n'));
  return graph.value;
};

describe('a definition in the layout of Toolforge', () => {
  it.each([
    ['a', '', 'toolforge-a'],
    ['python39-sssd/web', '', 'toolforge-python39-sssd-web'],
    ['a/b/c', 'image_prefix: toollabs\n', 'toollabs-a-b-c'],
  ])('in %s is called by its path', (path, lines, name) => {
    const tree = treeOf(template(path), lines);
    expect(tree.ok && tree.value.definitions).toMatchObject([{ image: name, name, path, context: 'images', tagSource: { source: 'day' }, nested: [], recipe: { kind: 'production' } }]);
  });

  it.each([
    ['the tree itself', { 'images/Dockerfile.template': 'FROM scratch\n' }, ["images/Dockerfile.template: the tree's root is no image in layout toolforge: an image is called as its folder"]],
    ['a folder that no name can be made of', template('Web'), ['images/Web: "toolforge-Web" cannot be an image\'s name (lower-case letters, digits, and single . _ - / between them)']],
    ['an image of another kind', { 'images/a/rootfs.yaml': 'suite: trixie\n' }, ['images/a/rootfs.yaml: layout toolforge knows images of Dockerfile.template alone: move it to a tree of another layout']],
    ['an image of two kinds', { ...template('a'), 'images/a/stack.yaml': '' }, ['images/a/stack.yaml: layout toolforge knows images of Dockerfile.template alone: move it to a tree of another layout']],
    ['two folders of one name', { ...template('a/b'), ...template('a-b') }, ['images/a/b: the name "toolforge-a-b" is taken by images/a-b']],
  ])('%s is refused', (_, texts, problems) => expect(problemsOf(texts)).toEqual(problems));

  it('says of a changelog and a control that nobody reads them', () => {
    const unread = 'is not looked at in layout toolforge: names, tags and parents come from path, config and Dockerfile  [warning]';
    expect(problemsOf({ ...template('a'), 'images/a/changelog': 'x', 'images/a/control': 'x' })).toEqual([`images/a/changelog: ${unread}`, `images/a/control: ${unread}`]);
  });

  it.each([
    ['by its rendered FROM', 'FROM {{registry}}/{{image_prefix}}-a:{{tag}}\n', ['toolforge-a'], '', 'latest'],
    ['without a tag', `FROM ${R}/toolforge-a\n`, ['toolforge-a'], '', 'latest'],
    ['under the config\'s tag', 'FROM {{registry}}/{{image_prefix}}-a:{{tag}}\n', ['toolforge-a'], 'tag: testing\n', 'testing'],
    ['not under :latest, where that is another tag', `FROM ${R}/toolforge-a:latest\n`, [], 'tag: testing\n', 'testing'],
    ['not without a tag, where that is another tag', `FROM ${R}/toolforge-a\n`, [], 'tag: testing\n', 'testing'],
    ['by image_tag', 'FROM {{ "toolforge-a" | image_tag }}\n', ['toolforge-a'], 'tag: testing\n', 'testing'],
  ])('stands on another %s', async (_, text, parents, lines, tag) => {
    const { nodes } = await graphOf({ ...template('a'), ...template('b', text) }, lines);
    expect(nodes.get('toolforge-b')).toMatchObject({ parents, ref: { tag } });
  });

  it.each([
    ['imports from the tree\'s root', { 'images/m.j2': 'FROM root', 'm.j2': 'FROM above', 'images/a/m.j2': 'FROM beside' }, '{% include "m.j2" %}', 'FROM root'],
    ['knows where it lies', {}, 'FROM x\nCOPY {{image_path}}/a /', 'FROM x\nCOPY a/a /'],
    ['leaves no lines of statements', {}, '{% set x = 1 %}\nFROM x\n  {% if x %}\nRUN true\n  {% endif %}\n', 'FROM x\nRUN true\n'],
  ])('%s', async (_, files, text, dockerfile) => expect((await graphOf({ ...files, ...template('a', text) })).nodes.get('toolforge-a')!.dockerfile).toBe(dockerfile));

  it('does not import from elsewhere', async () => {
    const { graph } = await treeInMemory({ 'm.j2': '', 'images/a/m.j2': '', ...template('a', 'FROM x\n{% include "m.j2" %}') }, configOf(LAYOUT));
    expect(said(graph)).toEqual(['images/a/Dockerfile.template:2: imports "m.j2", which is not there']);
  });

  it('is what a nightly build\'s FROM means under the config\'s tag', () => {
    const tree = treeOf(template('a'), 'tag: testing\n');
    const nightly = asNightly((tree.ok ? tree.value.definitions[0] : undefined)!, { build: 'nightly', suffix: '20261120' });
    expect([isCurrentTag(nightly, 'testing'), isCurrentTag(nightly, 'latest'), tagOf(nightly)]).toEqual([true, false, 'nightly-20261120']);
  });

  it('moves the config\'s tag, and says so', async () => {
    const graph = await graphOf(template('a'), 'tag: testing\n');
    const made = new Map([['toolforge-a', { id: 'sha256:1', digest: manifest('new') }]]);
    const plan = planFor(graph, {});
    expect(promotionGroups({ steps: plan.steps, results: new Map([['toolforge-a', 'done']]), made, graph })).toMatchObject([{ promotions: [{ image: 'toolforge-a', moving: 'testing' }] }]);
    expect(stepOf(planFor(graph, { images: { 'toolforge-a': rolled('toolforge-a') } }), 'toolforge-a')).toMatchObject({ action: 'keep', tag: 'testing' });
    const older = planFor(graph, { images: { 'toolforge-a': { latest: image('old', provenance({ definition: formerly('toolforge-a'), revision: 'a'.repeat(40) })) } }, ancestry: { ['a'.repeat(40)]: false } });
    expect(formatPlan(older, false).join('\n')).toMatch(/not moving :testing of 1 image[^]*\(:testing is of commit aaaaaaaaaaaa/);
    expect(planPromote(graph, stateFor(graph, { dated: { 'toolforge-a': [{ tag: '20260101', ...image('new') }] } }), 'toolforge-a', plan.publishing as never)).toMatchObject({ plan: { steps: [{ action: 'promote', moving: 'testing' }] } });
  });

  it('has one definition under all tags of the config', async () => {
    const neutral = async (tag: string): Promise<unknown> => {
      const { nodes } = await graphOf({ ...template('a'), ...template('b', 'FROM {{registry}}/{{image_prefix}}-a:{{tag}}\n') }, `tag: ${tag}\n`);
      return nodes.get('toolforge-b')!.neutral;
    };
    expect(await neutral('testing')).toBe(await neutral('latest'));
  });
});

describe('the files of its build', () => {
  const texts = { ...template('a'), 'images/a/x': '1', 'images/a/test.sh': '2', 'images/b/c/y': '3', 'images/bc': '4', 'images/.git/HEAD': '5', 'images/test.sh': '6' };
  const tree = treeOf(texts);
  const definition = tree.ok ? tree.value.definitions[0]! : undefined!;
  const taken = (copied: readonly string[] | undefined, also: Readonly<Record<string, string>> = {}) => {
    const files = contextFiles(filesInMemory({ ...texts, ...also }), definition, copied);
    return files.ok ? files.value : [];
  };

  it.each<readonly [string, readonly string[] | undefined, readonly string[]]>([
    ['are what its Dockerfile takes', ['a/x', 'b'], ['a/x', 'b/c/y']],
    ['are none where it takes none', [], []],
    ['are all of the tree where nobody knows, but git\'s own', undefined, ['a/Dockerfile.template', 'a/test.sh', 'a/x', 'b/c/y', 'bc', 'test.sh']],
  ])('%s', (_, copied, paths) => expect(taken(copied).map(({ path }) => path).sort()).toEqual(paths));

  it.each([
    ['every file that it takes', ['a', 'test.sh'], { 'images/test.sh': 'other' }, false],
    ['no file that it does not take', ['a'], { 'images/test.sh': 'other' }, true],
    ['all files, where nobody knows', undefined, { 'images/a/Dockerfile.template': 'other' }, false],
  ])('make its digest: %s counts', (_, copied, also, same) => {
    const digest = (files: ReturnType<typeof taken>): string => definitionDigest(definition, digestOf('FROM x'), files);
    expect(digest(taken(copied, also)) === digest(taken(copied))).toBe(same);
  });
});
