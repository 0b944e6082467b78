import { describe, expect, it } from '@jest/globals';
import { definitionDigest } from '../../../src/definition/definition-digest.js';
import { templateOf, type Definition } from '../../../src/definition/definition.js';
import { parseTree } from '../../../src/definition/parse.js';
import { changelogOf, configOf, fileEntry, filesInMemory } from '../../support/tree-in-memory.js';

const stackYaml = (role: string, lines = '', id = 'org.example.stack.trixie1'): string =>
  `id: ${id}\nrole: ${role}\nuid: ${role === 'run' ? 1001 : 1000}\ngid: 1000\ndistro: { name: debian, version: "13" }\n${lines}`;
const image = (name: string, stack: string, template = 'FROM trixie\n'): Readonly<Record<string, string>> => ({ [`images/${name}/stack.yaml`]: stack, [`images/${name}/Dockerfile.template`]: template });
const PAIR = { ...image('trixie1-run', stackYaml('run')), ...image('trixie1-build', stackYaml('build')) };

function problemsOf(texts: Readonly<Record<string, string>>): readonly string[] {
  const tree = parseTree('images', filesInMemory(texts), configOf());
  return (tree.ok ? tree.warnings : tree.problems).map(({ path, line, message, severity }) => `${path}${line === undefined ? '' : `:${line}`}: ${message}${severity === 'warning' ? '  [warning]' : ''}`);
}

function definitionsOf(texts: Readonly<Record<string, string>>): readonly Definition[] {
  const tree = parseTree('images', filesInMemory(texts), configOf());
  if (!tree.ok) throw new Error(JSON.stringify(tree.problems));
  return tree.value.definitions;
}

describe('a stack image', () => {
  it('is told by stack.yaml beside its Dockerfile.template, is rolling, and may have any prefix', () => {
    const [run] = definitionsOf(image('any-prefix-trixie1-run', stackYaml('run', 'mixins: [curl, "run:tzdata"]\n')));
    expect(run).toMatchObject({
      name: 'any-prefix-trixie1-run',
      tagSource: { source: 'day' },
      recipe: { kind: 'stack', templatePath: 'images/any-prefix-trixie1-run/Dockerfile.template', stack: { id: 'org.example.stack.trixie1', role: 'run', uid: 1001, gid: 1000, distro: { name: 'debian', version: '13' }, mixins: ['curl', 'run:tzdata'] } },
    });
  });
  it.each([
    ['run', 'FROM trixie\n\n# From stack.yaml\nUSER 1001:1000\n'],
    ['build', 'FROM trixie\n\n# From stack.yaml\nENV CNB_USER_ID=1000 CNB_GROUP_ID=1000 CNB_STACK_ID=org.example.stack.trixie1\nUSER 1000:1000\n'],
  ])('has its user at the end of its Dockerfile, and a build image what the lifecycle reads (%s)', (role, text) => {
    expect(templateOf(definitionsOf(image(`trixie1-${role}`, stackYaml(role)))[0]!)!.text).toBe(text);
  });
  it('is another definition when its promise is another, not when stack.yaml is written otherwise', () => {
    const digestOf = (stack: string): string => definitionDigest(definitionsOf(image('trixie1-run', stack))[0]!, undefined, [fileEntry('stack.yaml', stack)]);
    expect(digestOf(stackYaml('run', '# a comment\nmixins: []\n'))).toBe(digestOf(stackYaml('run')));
    expect(digestOf(stackYaml('run', 'mixins: [curl]\n'))).not.toBe(digestOf(stackYaml('run')));
  });
  it('may stand with the other of its stack, and says nothing then', () => expect(problemsOf(PAIR)).toEqual([]));

  it.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    ['without a template', { 'images/trixie1-run/stack.yaml': stackYaml('run') }, ['images/trixie1-run/Dockerfile.template: there is no such file']],
    ['with another marker', { ...PAIR, 'images/trixie1-run/rootfs.yaml': 'suite: trixie\n' }, ['images/trixie1-run: has rootfs.yaml and stack.yaml and Dockerfile.template: a folder describes one image']],
    ['with a changelog', { ...PAIR, 'images/trixie1-run/changelog': changelogOf('trixie1-run', '1.0') }, ['images/trixie1-run/changelog:1: a stack image has no changelog: it is rolling, and its generation is in its name']],
    ['of another name than its stack\'s', image('trixie-run', stackYaml('run')), ['images/trixie-run/stack.yaml:1: "trixie-run" is no name for the run image of stack org.example.stack.trixie1: it has to end in "trixie1-run"']],
    ['of a name that merely ends alike', image('xtrixie1-run', stackYaml('run')), ['images/xtrixie1-run/stack.yaml:1: "xtrixie1-run" is no name for the run image of stack org.example.stack.trixie1: it has to end in "trixie1-run"']],
    ['with nothing in its file', image('trixie1-run', '{}'), ['id', 'role', 'uid', 'gid', 'distro'].map((key) => `images/trixie1-run/stack.yaml: ${key} is missing`)],
    [
      'with wrong values',
      image('trixie1-run', 'id: trixie1\nrole: ruin\nuid: 0\ngid: "1"\ndistro: { nam: debian, version: 13 }\nmixin: []\nmixins: [curl, "a b"]\n'),
      [
        'images/trixie1-run/stack.yaml:6: mixin is not a key of stack.yaml (near: mixins)',
        'images/trixie1-run/stack.yaml:2: role is "run" or "build", not "ruin"',
        'images/trixie1-run/stack.yaml:5: distro.nam is not known (near: name)',
        'images/trixie1-run/stack.yaml:5: distro.name is missing',
        'images/trixie1-run/stack.yaml:1: id is no stack id ("org.example.stack.trixie1": letters, digits and - between dots)',
        'images/trixie1-run/stack.yaml:3: uid must be a whole number from 1 to 4294967294',
        'images/trixie1-run/stack.yaml:4: gid must be a whole number from 1 to 4294967294, not text',
        'images/trixie1-run/stack.yaml:5: distro.version must be text, not a number: put it in quotes',
        'images/trixie1-run/stack.yaml:7: mixins: "a b" is no mixin ("curl", "build:git", "run:tzdata")',
      ],
    ],
    ['without a generation', image('trixie-run', stackYaml('run', '', 'org.example.stack.trixie')), ['images/trixie-run/stack.yaml:1: id must end in the ABI\'s name and generation ("trixie1"): an ABI that changes is another stack']],
    ['with a mixin of the other image', image('trixie1-run', stackYaml('run', 'mixins: ["build:git", "x:git"]\n')), ['images/trixie1-run/stack.yaml:6: mixins: "build:git" is of the build image, and this is the run image', 'images/trixie1-run/stack.yaml:6: mixins: "x:git" begins with neither "build:" nor "run:"']],
  ])('is refused %s', (_, texts, problems) => expect(problemsOf(texts)).toEqual(problems));
});

describe('a run image and a build image of one stack', () => {
  const pair = (run: string, build: string, names = ['a-trixie1-build', 'a-trixie1-run']): readonly string[] => problemsOf({ ...image(names[0]!, build), ...image(names[1]!, run) });
  it.each<[string, readonly string[], readonly string[]]>([
    ['another distro', pair(stackYaml('run').replace('"13"', '"12"'), stackYaml('build')), ['images/a-trixie1-run/stack.yaml:5: distro is debian 12, but that of a-trixie1-build is debian 13: what is built on one would not run on the other']],
    ['a mixin that the run image lacks', pair(stackYaml('run', 'mixins: ["run:tzdata"]\n'), stackYaml('build', 'mixins: [curl, "build:git"]\n')), ['images/a-trixie1-run/stack.yaml:6: mixin "curl" of a-trixie1-build is missing in a-trixie1-run (one of the build image alone is "build:curl")']],
    ['other names', pair(stackYaml('run'), stackYaml('build'), ['a-trixie1-build', 'b-trixie1-run']), ['images/b-trixie1-run/stack.yaml:1: "b-trixie1-run" is of the stack of "a-trixie1-build", whose images are called a-trixie1-run and a-trixie1-build']],
    ['ids that differ in case', pair(stackYaml('run', '', 'org.Example.stack.trixie1'), stackYaml('build')), ['images/a-trixie1-run/stack.yaml:1: id differs from "org.example.stack.trixie1" of a-trixie1-build in its letters\' case alone']],
    ['one user', pair(stackYaml('run').replace('1001', '1000'), stackYaml('build')), ['images/a-trixie1-run/stack.yaml:3: uid 1000 is that of a-trixie1-build too: an app could change its own layers (trixie1\'s run image should have another)  [warning]']],
    ['one role', problemsOf({ ...image('a-trixie1-run', stackYaml('run')), ...image('b-trixie1-run', stackYaml('run')) }), ['images/b-trixie1-run/stack.yaml:2: the run image of stack org.example.stack.trixie1 is images/a-trixie1-run already']],
  ])('do not fit with %s', (_, found, problems) => expect(found).toEqual(problems));
  it('may differ in mixins that name one of them, and a run image may have more', () => {
    expect(pair(stackYaml('run', 'mixins: [curl, tzdata, "run:x"]\n'), stackYaml('build', 'mixins: [curl, "build:git"]\n'))).toEqual([]);
  });
  it('of two stacks have nothing to do with each other', () => {
    expect(problemsOf({ ...image('trixie1-run', stackYaml('run')), ...image('trixie2-build', stackYaml('build', '', 'org.example.stack.trixie2').replace('"13"', '"14"')) })).toEqual([]);
  });
});
