import { describe, expect, it } from '@jest/globals';

import { parseControl } from '../../../src/definition/control.js';
import { formatProblem } from '../../../src/shared/problem.js';

function read(text: string) {
  const checked = parseControl('images/a/control', text);
  return checked.ok ? checked.value : checked.problems.map(formatProblem);
}

function namesOf(text: string): readonly string[] {
  const control = read(text);
  return 'dependencies' in control ? control.dependencies.map(({ name }) => name) : control;
}

describe('parseControl', () => {
  it('takes dependencies of all paragraphs, each with the line its name stands on', () => {
    expect(
      read('Package: web\nMaintainer: Ann <ann@example.org>\nDescription: A server\n Long.\n .\n End.\nBuild-Depends: base (>= 1),\n# a note\n tool\n\nPackage: other\nDEPENDS:\n python3 | python,\n  lib:any\nX-Lint-Ignore: stale-parent,\n old-tag\n'),
    ).toEqual({
      path: 'images/a/control',
      package: 'web',
      maintainer: 'Ann <ann@example.org>',
      description: 'A server\nLong.\n\nEnd.',
      rolling: false,
      lintIgnore: [{ rule: 'stale-parent', line: 15 }, { rule: 'old-tag', line: 16 }],
      dependencies: [
        { name: 'base', field: 'Build-Depends', line: 7 },
        { name: 'tool', field: 'Build-Depends', line: 9 },
        { name: 'python3', field: 'Depends', line: 13 },
        { name: 'python', field: 'Depends', line: 13 },
        { name: 'lib', field: 'Depends', line: 14 },
      ],
    });
  });

  it.each([
    ['Depends: a (>= 1) [amd64 !i386] <!nocheck> <stage1> | b, c:any', ['a', 'b', 'c']],
    ['Depends: a(= 1:2.0~rc1-3)', ['a']],
    ['Depends: ${misc:Depends}, a,', ['a']],
    ['Depends:', []],
    ['Depends:\n a\n ,b\n', ['a', 'b']],
    ['Depends: a\n \n b', ['images/a/control:1: Depends: "a b" is no dependency (a name, separated from the next by a comma)']],
    ['Depends: a,\n\t\n b', ['a', 'b']],
    ['Depends: releng/node20-base, g++', ['releng/node20-base', 'g++']],
    ['Depends: a\r\nBuild-Depends: b\r\n', ['a', 'b']],
    ['Package: x\n \nPackage: y\nDepends: a', ['a']],
    ['', []],
  ])('%j names %j', (text, names) => expect(namesOf(text)).toEqual(names));

  it.each([
    ['Rolling: yes', true],
    ['rolling:no', false],
    ['Package: a', false],
  ])('%j: rolling is %j', (text, rolling) => expect(read(text)).toMatchObject({ rolling }));

  it.each([
    ['Rolling: true', ['images/a/control:1: Rolling is "yes" or "no", not "true"']],
    ['Rolling: yes\n\nRolling: no', ['images/a/control:3: Rolling says something else than on line 1']],
    ['Package: a\nno field here\n  goes on', ['images/a/control:2: no field ("Name: value"): "no field here"', 'images/a/control:3: a line that goes on (it begins with a blank), but there is no field before it']],
    ['Depends: a\nDepends: b', ['images/a/control:2: field Depends stands already on line 1 of this paragraph']],
    ['Depends: a,\n b (>= 1,\n _c', ['images/a/control:2: Depends: "b (>= 1" is no dependency (a name, separated from the next by a comma)', 'images/a/control:3: Depends: "_c" is no dependency (a name, separated from the next by a comma)']],
    ['-a: b', ['images/a/control:1: no field ("Name: value"): "-a: b"']],
  ])('%j: problems with their lines', (text, problems) => expect(read(text)).toEqual(problems));
});
