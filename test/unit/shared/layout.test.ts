import { describe, expect, it } from '@jest/globals';
import { parseConfig } from '../../../src/shared/parse-config.js';
import { formatProblem } from '../../../src/shared/problem.js';

const REGISTRY = 'registry: registry.example.org\n';
const said = (lines: string): readonly string[] => {
  const checked = parseConfig('config.yaml', REGISTRY + lines);
  return (checked.ok ? checked.warnings : checked.problems).map(formatProblem);
};
const read = (lines: string) => {
  const checked = parseConfig('config.yaml', REGISTRY + lines);
  if (!checked.ok) throw new Error(checked.problems.map(formatProblem).join('\n'));
  return checked.value;
};

describe('the layout of a tree', () => {
  it.each([
    ['is docker-pkg\'s', '', { name: 'docker-pkg' }],
    ['may be named', 'layout: docker-pkg\n', { name: 'docker-pkg' }],
    ['of Toolforge has a prefix and a tag', 'layout: toolforge\n', { name: 'toolforge', imagePrefix: 'toolforge', tag: 'latest' }],
    ['of Toolforge takes both from the config', 'layout: toolforge\nimage_prefix: toollabs\ntag: testing\n', { name: 'toolforge', imagePrefix: 'toollabs', tag: 'testing' }],
  ])('%s', (_, lines, layout) => expect(read(lines).layout).toEqual(layout));

  it.each([
    ['with their defaults', 'layout: toolforge\n', { image_prefix: 'toolforge', tag: 'latest' }],
    ['as written', 'layout: toolforge\nimage_prefix: toollabs\ntag: testing\n', { image_prefix: 'toollabs', tag: 'testing' }],
  ])('prefix and tag are variables, %s', (_, lines, variables) => expect(read(lines).variables).toMatchObject(variables));

  it('image_prefix and tag are variables like any other in docker-pkg\'s', () => {
    expect(said('image_prefix: Not A Name\ntag: 3.10\n')).toEqual(['config.yaml:3: 3.10 is a number and renders as 3.1: put it in quotes  [warning]']);
    expect(read('').variables).not.toHaveProperty('tag');
  });

  it.each([
    ['an unknown name', 'layout: toolfrge\n', 'config.yaml:2: layout "toolfrge" is no layout (near: toolforge)'],
    ['a name near to none', 'layout: flat\n', 'config.yaml:2: layout "flat" is no layout (there are: docker-pkg, toolforge)'],
    ['a namespace', 'layout: toolforge\nnamespace: images\n', 'config.yaml:3: namespace has no place in layout toolforge, where names are registry/PREFIX-PATH: leave it out, or write it behind the registry (registry.example.org/path)'],
    ['a prefix that no name can have', 'layout: toolforge\nimage_prefix: Tool\n', "config.yaml:3: image_prefix cannot begin an image's name (lower-case letters, digits, and single . _ - / between them)"],
    ['a tag that none can be', 'layout: toolforge\ntag: "a:b"\n', 'config.yaml:3: tag is no tag (letters, digits, _ . -, at most 128 characters, not beginning with . or -)'],
    ['a tag of a day', 'layout: toolforge\ntag: "20261120-2"\n', 'config.yaml:3: tag is a tag of one day, which never moves: name the one that moves to the newest build ("latest", "testing")'],
    ['a tag that is a number', 'layout: toolforge\ntag: 1.10\n', 'config.yaml:3: tag must be text, not a number: put it in quotes'],
  ])('%s is refused, with its line', (_, lines, problem) => expect(said(lines)).toEqual([problem]));
});
