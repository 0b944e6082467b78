import { describe, expect, it } from '@jest/globals';

import { formatProblem } from '../../../src/shared/problem.js';
import { parseYaml, pointerStep } from '../../../src/shared/yaml-document.js';

const TEXT = `# a comment
a: 1
list:
  - x
  - y: yes
    z: 0755
base: &base {q: 1}
merged:
  <<: *base
  "o/p": 1.10
block: |
  one
  two
last: ä
`;

function read(text: string) {
  const checked = parseYaml('f.yaml', text);
  if (!checked.ok) throw new Error(checked.problems.map(formatProblem).join('\n'));
  return checked.value;
}

describe('parseYaml', () => {
  it('takes booleans and numbers as YAML 1.1 readers do, and merges', () => {
    expect(read(TEXT).value).toEqual({ a: 1, list: ['x', { y: true, z: 493 }], base: { q: 1 }, merged: { q: 1, 'o/p': 1.1 }, block: 'one\ntwo\n', last: 'ä' });
  });

  it.each(['', '\n', '# only a comment\n', '---\n'])('%j is an empty mapping', (text) => expect(read(text).value).toEqual({}));

  it.each([
    ['', 2],
    ['/a', 2],
    ['/list', 3],
    ['/list/0', 4],
    ['/list/1', 5],
    ['/list/1/z', 6],
    ['/merged', 8],
    ['/merged/q', 9],
    [`/merged${pointerStep('o/p')}`, 10],
    ['/last', 14],
    ['/merged/o~1p/below', 10],
    ['/list/7', 3],
    ['/nowhere', 2],
  ])('%j stands on line %d', (pointer, line) => expect(read(TEXT).lineOf(pointer)).toBe(line));

  it('gives an unquoted scalar as it was written', () => {
    expect(read(TEXT).plainTextOf('/merged/o~1p')).toBe('1.10');
    expect(read('a: "1.10"').plainTextOf('/a')).toBeUndefined();
  });

  it('a key that names something of every object is a key', () => {
    const { value, lineOf } = read('a: 1\n__proto__: 2\nconstructor: 3\n');
    expect(Object.entries(value as object)).toEqual([['a', 1], ['__proto__', 2], ['constructor', 3]]);
    expect(lineOf('/constructor')).toBe(3);
  });

  it.each([
    ['a: 1\nb: 2\na: 3\nb:\n  c: 1\n  c: 2\n', ['f.yaml:3: key "a" stands already on line 1', 'f.yaml:4: key "b" stands already on line 2', 'f.yaml:6: key "c" stands already on line 5']],
    ['a:\n\tb: 1', ['f.yaml:2: not YAML: tab characters must not be used in indentation']],
    ['a: 1\n---\nb: 2\n', ['f.yaml: more than one YAML document in one file']],
    ['ok: 1\npassword: *hunter2', ['f.yaml:2: not YAML: unidentified alias']],
    ['ok: 1\npassword: !hunter2 x', ['f.yaml:2: not YAML: unknown scalar tag']],
  ])('%j is a problem with its line, and shows no value', (text, problems) => {
    const checked = parseYaml('f.yaml', text);
    expect(checked.ok ? [] : checked.problems.map(formatProblem)).toEqual(problems);
  });
});
