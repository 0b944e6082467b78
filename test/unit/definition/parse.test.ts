import { describe, expect, it } from '@jest/globals';
import { parseTree } from '../../../src/definition/parse.js';
import { changelogOf, configOf, filesInMemory, production } from '../../support/tree-in-memory.js';

const parse = (texts: Readonly<Record<string, string>>, config = configOf()) => parseTree('images', filesInMemory(texts), config);
const ROOTFS = 'suite: trixie\nvariant: minbase\n';

function definitionsOf(texts: Readonly<Record<string, string>>, config = configOf()) {
  const tree = parse(texts, config);
  if (!tree.ok) throw new Error(JSON.stringify(tree.problems));
  return tree.value.definitions;
}

function problemsOf(texts: Readonly<Record<string, string>>): readonly string[] {
  const tree = parse(texts);
  return (tree.ok ? tree.warnings : tree.problems).map(({ path, line, message }) => `${path}${line === undefined ? '' : `:${line}`}: ${message}`);
}

describe('parseTree', () => {
  it('reads a versioned production image', () => {
    const [web] = definitionsOf({ ...production('web', 'FROM x\n', '', '2.0', '1.1', '1.0'), 'images/web/test.sh': '' }, configOf('namespace: base\n'));
    expect(web).toMatchObject({
      image: 'base/web',
      name: 'web',
      tree: 'images',
      path: 'web',
      directory: 'images/web',
      tagSource: { source: 'changelog', version: '2.0', older: ['1.1', '1.0'] },
      recipe: { kind: 'production', template: 'FROM x\n', templatePath: 'images/web/Dockerfile.template' },
      control: undefined,
    });
  });
  it('reads a base image: no changelog makes it rolling, its folder names it', () => {
    const [trixie] = definitionsOf({ 'images/base/trixie/rootfs.yaml': ROOTFS });
    expect(trixie).toMatchObject({ image: 'trixie', path: 'base/trixie', tagSource: { source: 'day' }, recipe: { kind: 'base', rootfsPath: 'images/base/trixie/rootfs.yaml' } });
  });
  it('names an image by its changelog, else by its control, else by its folder', () => {
    const names = definitionsOf({
      ...production('a', 'FROM x', 'Package: other\n'),
      'images/a/changelog': changelogOf('from-changelog', '1'),
      'images/b/rootfs.yaml': ROOTFS,
      'images/b/control': 'Package: from-control\n',
      'images/c/rootfs.yaml': ROOTFS,
    }).map(({ name }) => name);
    expect(names).toEqual(['from-changelog', 'from-control', 'c']);
  });
  it('refuses a folder that describes two images', () => {
    expect(problemsOf({ ...production('web', 'FROM x\n'), 'images/web/rootfs.yaml': ROOTFS })).toEqual(['images/web: has rootfs.yaml and Dockerfile.template: a folder describes one image']);
  });
  it('takes a production image without changelog for rolling only when its control says so', () => {
    const tree = parse({ 'images/run/Dockerfile.template': 'FROM x', 'images/run/control': 'Package: run\nRolling: yes\n', 'images/stray/Dockerfile.template': 'FROM x' });
    expect(tree.ok && tree.value.definitions.map(({ name, tagSource }) => [name, tagSource.source])).toEqual([['run', 'day']]);
    expect(tree.ok && tree.value.notes).toEqual(['images/stray: skipped, it has no changelog (and its control does not say "Rolling: yes")']);
  });
  it('knows which definitions lie in the folder of another', () => {
    const [web] = definitionsOf({ ...production('web', 'FROM x'), 'images/web/run/Dockerfile.template': 'FROM x', 'images/web/run/changelog': changelogOf('run', '1') });
    expect(web!.nested).toEqual(['run']);
  });
});

describe('what is wrong with a tree', () => {
  it('is said of all definitions at once', () => {
    const said = problemsOf({ ...production('a', 'FROM x'), 'images/a/changelog': 'nonsense', ...production('b', 'FROM x'), 'images/b/changelog': '' });
    expect(said.filter((line) => line.startsWith('images/a/'))).not.toEqual([]);
    expect(said.filter((line) => line.startsWith('images/b/'))).not.toEqual([]);
  });
  it('does not hide what is right: definitions that can be read, and the names that the others probably have', () => {
    const tree = parse({ ...production('good', 'FROM x'), ...production('folder', 'FROM x', 'Package: from-control\n'), 'images/folder/changelog': 'from-changelog (1.0\n' });
    expect(tree).toMatchObject({ ok: false, partial: [{ name: 'good' }], broken: ['folder', 'from-changelog', 'from-control'] });
  });
  it.each([
    ['two definitions of one name', { ...production('a', 'FROM x'), ...production('b', 'FROM x'), 'images/b/changelog': changelogOf('a', '1') }, 'images/b/changelog: the name "a" is taken by images/a/changelog'],
    ['two definitions of one name, by control', { 'images/x/rootfs.yaml': ROOTFS, 'images/y/rootfs.yaml': ROOTFS, 'images/y/control': 'Package: x\n' }, 'images/y/control: the name "x" is taken by images/x'],
    ['an image that is both', production('a', 'FROM x', 'Package: a\nRolling: yes\n'), 'images/a/control: "Rolling: yes" beside a changelog: an image is either rolling or versioned'],
    ['a name that no registry takes', { 'images/Web/rootfs.yaml': ROOTFS }, 'images/Web: "Web" cannot be an image\'s name (lower-case letters, digits, and single . _ - / between them)'],
    ['a control that is wrong hides no missing changelog', { 'images/a/Dockerfile.template': 'FROM x', 'images/a/control': 'nonsense' }, 'images/a/control'],
    ['a rootfs.yaml that is wrong', { 'images/a/rootfs.yaml': 'suite: [1]' }, 'images/a/rootfs.yaml'],
  ])('%s', (_, texts, expected) => {
    expect(problemsOf(texts).map((line) => (line.startsWith(expected) ? expected : line))).toContain(expected);
    expect(parse(texts).ok).toBe(false);
  });
  it('is not a warning of a folder that is skipped', () => {
    const tree = parse({ 'images/a/Dockerfile.template': 'FROM x', 'images/a/control': 'Package: a\nUnknown-Field: x\n' });
    expect(tree.ok && tree.value.notes).toHaveLength(1);
  });
});
