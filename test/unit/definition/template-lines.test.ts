import { describe, expect, it } from '@jest/globals';
import { configOf, production, treeInMemory } from '../../support/tree-in-memory.js';

describe('the lines of a template that a Dockerfile came from', () => {
  const CONFIG = configOf('base_images: [registry.example.org/debian:12]\nwords: [a, b]');
  /** Each line of the Dockerfile with the template's line that is told for it. */
  const linesOf = async (template: string, more: Readonly<Record<string, string>> = {}, config = CONFIG): Promise<readonly string[]> => {
    const { definitions, renderer } = await treeInMemory({ ...production('b', template), ...more }, config);
    const definition = definitions.find(({ name }) => name === 'b')!;
    const real = renderer.real(definition)!;
    if (!real.ok) throw new Error(JSON.stringify(real.problems));
    const lineOf = renderer.lines(definition);
    return real.value.text.split('\n').map((line, index) => `${lineOf(index + 1) ?? '?'} ${line}`.trimEnd());
  };

  it.each<readonly [what: string, template: string, lines: readonly string[]]>([
    ['plain text', 'FROM a\n\nRUN b', ['1 FROM a', '2', '3 RUN b']],
    ['more empty lines than are printed', 'FROM a\n{# x\n#}\n\nRUN b', ['1 FROM a', '1', '1', '5 RUN b']],
    ['comments and statements take lines', '{# one\ntwo #}\n{% set x = 1 %}\nFROM a', ['?', '?', '4 FROM a']],
    ['what is stripped', 'FROM a\n{%- set x = 1 -%}\n\n  RUN b\n  {{- " c" }}', ['1 FROM aRUN b c']],
    ['a filter of several lines', 'FROM {{ "debian" | image_tag }}\nRUN {{ "x" | apt_remove }}&& y\nUSER 1', ['1 FROM registry.example.org/debian:12', '2 RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get remove --yes --purge x \\', '2     && apt-get clean && rm -rf /var/lib/apt/lists/* && y', '3 USER 1']],
    ['captured text is that of the tag that prints it', '{% set x -%}\na\nb\n{%- endset -%}\nFROM a\nRUN {{ x }}\nUSER 1', ['5 FROM a', '6 RUN a', '6 b', '7 USER 1']],
    ['captured text that a filter meets', '{% set x -%}\n debian \n{%- endset -%}\n\nFROM {{ x | trim | image_tag }}', ['5 FROM registry.example.org/debian:12']],
    ['captured text that a filter changes by its length', 'FROM a\nRUN {% filter length %}ab\nc{% endfilter %}\nUSER 1', ['1 FROM a', '2 RUN 4', '4 USER 1']],
    ['a macro that names an image', '{% macro m() %}debian{% endmacro -%}\nFROM {{ m() | image_tag }}', ['2 FROM registry.example.org/debian:12']],
    ['a macro that is given text', '{% macro m() %}RUN {{ caller() }}{% endmacro -%}\nFROM a\n{% call m() %}x\ny{% endcall %}', ['2 FROM a', '1 RUN x', '4 y']],
    ['a macro has its own lines', '{% macro m(x) %}RUN {{ x }}\nUSER 1{% endmacro -%}\nFROM a\n{{ m(2) }}\nCMD c', ['3 FROM a', '1 RUN 2', '2 USER 1', '5 CMD c']],
    ['a loop', 'FROM a{% for w in words %}\nRUN {{ w }}{% endfor %}\nUSER 1', ['1 FROM a', '2 RUN a', '2 RUN b', '3 USER 1']],
    ['a tag of several lines', 'FROM a\nRUN {{ "x"\n  | upper }} && y\nUSER 1', ['1 FROM a', '2 RUN X && y', '4 USER 1']],
    ['raw text', 'FROM a\n{% raw %}RUN {{ x }}\nRUN y{% endraw %}\nUSER 1', ['1 FROM a', '1 RUN {{ x }}', '1 RUN y', '4 USER 1']],
    ['line ends of another system', 'FROM a\r\n{# x\r\n#}RUN b', ['1 FROM a', '3 RUN b']],
    ['line ends of an old system', 'FROM a\rRUN b', ['1 FROM a', '2 RUN b']],
    ['text in a macro that a filter changes by its length: nothing is told', '{% macro m() %}a b{% endmacro -%}\nFROM a\nRUN {{ m() | length }}', ['? FROM a', '? RUN 3']],
    ['the characters of marks are in it: nothing is told', 'FROM a\nRUN \uE000', ['? FROM a', '? RUN \uE000']],
  ])('%s', async (_, template, lines) => expect(await linesOf(template)).toEqual(lines));

  it('an imported file has none: what it prints is at the line that asks for it', async () => {
    expect(await linesOf('FROM a\n{% import "m.txt" as m %}\n{{ m.x() }}\nUSER 1', { 'images/b/m.txt': '\n\n{% macro x() %}RUN b\nRUN c{% endmacro %}' })).toEqual(['1 FROM a', '2', '3 RUN b', '3 RUN c', '4 USER 1']);
  });
  it('what a stack adds is in no template', async () => {
    const stack = { 'images/s/stack.yaml': 'id: org.example.stack.s1\nrole: run\nuid: 1001\ngid: 1000\ndistro: { name: debian, version: "13" }\n', 'images/s/Dockerfile.template': 'FROM a\nUSER 1001\n' };
    const { definitions, renderer } = await treeInMemory({ ...stack, 'images/s/control': 'Package: s1-run\nMaintainer: A <a@example.org>\nHomepage: https://example.org\nDescription: d\n' }, CONFIG);
    const lineOf = renderer.lines(definitions[0]!);
    const real = renderer.real(definitions[0]!)!;
    if (!real.ok) throw new Error('not rendered');
    const told = real.value.text.split('\n').map((_, index) => lineOf(index + 1));
    expect(told.slice(0, 2)).toEqual([1, 2]);
    expect(new Set(told.slice(3))).toEqual(new Set([undefined]));
  });
});
