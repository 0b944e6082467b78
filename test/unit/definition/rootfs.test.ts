import { describe, expect, it } from '@jest/globals';

import { parseRootFs } from '../../../src/definition/rootfs.js';
import { formatProblem } from '../../../src/shared/problem.js';

function read(text: string) {
  const checked = parseRootFs('rootfs.yaml', text);
  return checked.ok ? checked.value : checked.problems.map(formatProblem);
}

describe('parseRootFs', () => {
  it('a suite is enough', () => {
    expect(read('suite: trixie\n')).toEqual({
      suite: 'trixie',
      components: ['main'],
      variant: 'minbase',
      include: [],
      mirrors: undefined,
      suites: undefined,
      env: {},
      cmd: ['bash'],
      user: undefined,
    });
  });

  it('takes every key', () => {
    const text =
      'suite: trixie\ncomponents: [main, contrib, non-free-firmware]\nvariant: apt\ninclude: [g++, libstdc++-14-dev]\nmirrors: ["https://archive.example.org/debian", "file:///srv/archive"]\nsuites: [trixie-updates, stable/updates]\nenv: {LANG: C.UTF-8}\ncmd: [sleep, "1"]\nuser: "33:33"\n';
    expect(read(text)).toEqual({
      suite: 'trixie',
      components: ['main', 'contrib', 'non-free-firmware'],
      variant: 'apt',
      include: ['g++', 'libstdc++-14-dev'],
      mirrors: ['https://archive.example.org/debian', 'file:///srv/archive'],
      suites: ['trixie-updates', 'stable/updates'],
      env: { LANG: 'C.UTF-8' },
      cmd: ['sleep', '1'],
      user: '33:33',
    });
  });

  it.each([
    ['', ['rootfs.yaml: suite is missing ("suite: trixie")']],
    ['- trixie', ['rootfs.yaml:1: the file must be a mapping ("key: value"), not a list']],
    ['suite: trixie\nincludes: []', ['rootfs.yaml:2: includes is not a key of rootfs.yaml (near: include)']],
    ['suite: trixie\nzzz: 1', ['rootfs.yaml:2: zzz is not a key of rootfs.yaml (there are: suite, components, variant, include, mirrors, suites, env, cmd, user)']],
    ['suite: "Trixie 1"', ['rootfs.yaml:1: suite is no such name (lower-case letters, digits, . + _ - /)']],
    ['suite: trixie\ninclude:\n  - ok\n  - Not OK\n  - 1', ['rootfs.yaml:4: include: "Not OK" is no package name (lower-case letters, digits, + . -)', 'rootfs.yaml:5: include: item 3 must be text, not a number']],
    ['suite: trixie\ninclude: bash', ['rootfs.yaml:2: include must be a list, not text']],
    ['suite: trixie\ninclude:', ['rootfs.yaml:2: include must be a list, not nothing']],
    ['suite: trixie\nenv:\n  A: "1"\n  1B: x\n  C: on', ['rootfs.yaml:4: env.1B is no name of an environment variable (letters, digits, _)', 'rootfs.yaml:5: env.C must be text, not true or false: put it in quotes']],
    ['suite: trixie\ncmd: []', ['rootfs.yaml:2: cmd needs at least one item']],
    ['suite: trixie\nuser: 33', ['rootfs.yaml:2: user must be text, not a number: put it in quotes']],
    ['suite: trixie\nsuites: [trixie-updates]', ['rootfs.yaml:2: suites needs mirrors: without them the suites with updates and security are taken anyway']],
    ['suite: trixie\nmirrors:\n  - https://me:secret@archive.example.org/debian\n  - nothing', ['rootfs.yaml:3: mirrors: "https://…@archive.example.org/debian" must not hold credentials', 'rootfs.yaml:4: mirrors: "nothing" is no URL ("https://archive.example.org/debian")']],
    ['suite: trixie\nsuite: forky', ['rootfs.yaml:2: key "suite" stands already on line 1']],
    ['suite: [trixie', ['rootfs.yaml:1: not YAML: unexpected end of the stream within a flow collection']],
  ])('%j: problems with their lines', (text, problems) => expect(read(text)).toEqual(problems));
});
