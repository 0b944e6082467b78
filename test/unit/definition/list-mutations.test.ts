import { beforeAll, describe, expect, it } from '@jest/globals';
import { createRenderer, type Renderer } from '../../../src/definition/template.js';
import { formatProblem } from '../../../src/shared/problem.js';
import { settingsOf } from '../../support/template-cases.js';

const variables = { word: 'w', list: ['a', 'b'], number: 3 };
const FILES = { m: '{% set own = [] %}', i: 'x' };

describe('a list that a template adds to', () => {
  let renderer: Renderer;
  beforeAll(async () => {
    renderer = await createRenderer();
  });
  const render = (source: string) => renderer.render('t', source, settingsOf({ variables, known: [] }, FILES));

  it.each([
    ['is longer', "{% set l = [] %}{% do l.append('a') %}{% do l.extend(list) %}{{ l }}{{ list }}", "['a', 'a', 'b']['a', 'b']"],
    ['is longer behind a condition', "{% set l = ['a'] %}{% if word %}{% do l.append(word) %}{% else %}{% do l.append(1) %}{% endif %}{{ l }}", "['a', 'w']"],
    ['may begin in the branch', '{% if word %}{% set l = [] %}{% do l.append(word) %}{{ l }}{% endif %}', "['w']"],
    ['may begin as a copy', '{% set l = list | list %}{% do l.append(l | length) %}{{ l }}{{ list }}', "['a', 'b', 2]['a', 'b']"],
    ['may begin as a sum, or a text that is split', "{% set l = ['a'] + 'b c'.split(' ') %}{% set l = l + ['d'] %}{% do l.append('e') %}{{ l }}", "['a', 'b', 'c', 'd', 'e']"],
    ['is a list still', "{% set l = [] %}{% do l.append('a') %}{{ l[0] }}{{ l is sequence }}{{ l == ['a'] }}{{ l[:1] }}", "aTrueTrue['a']"],
    ['gives a text that does not grow with it', "{% set l = ['b'] %}{% set t = l | sort | join(' ') %}{% set n = [l | length] %}{% do l.append('c') %}{{ t }}{{ n }}", 'b[1]'],
    ['is added to another', "{% set l = ['b'] %}{% set k = [] %}{% do k.extend(l) %}{% do l.append('c') %}{{ k }}{{ l }}", "['b']['b', 'c']"],
    ['is added to itself', "{% set l = ['a'] %}{% do l.extend(l) %}{{ l }}", "['a', 'a']"],
    ['of a namespace is not what stands beside it', '{% set n = namespace(a=[], b=1) %}{% set k = n.b %}{% do n.a.append(k) %}{{ n.a }}', '[1]'],
    ['may be long', '{% set n = namespace(a=[]) %}{% for x in range(3000) %}{% do n.a.append(x) %}{% endfor %}{{ n.a | length }}{{ n.a[2999] }}', '30002999'],
    ['of a namespace grows in loops', '{% set n = namespace(a=[], b=[1, 2]) %}{% for x in list %}{% for y in n.b %}{% if y %}{% do n.a.append(x ~ y) %}{% endif %}{% endfor %}{% set n.c = x %}{% endfor %}{{ n.a }}', null],
    ['of a namespace grows in loops over others', '{% set n = namespace(a=[], b=1) %}{% for x in list %}{% do n.a.append(x) %}{% set n.b = x %}{% endfor %}{% set n.a = n.a | list %}{{ n.a }}{{ n.b }}', "['a', 'b']b"],
    ['may be given to a macro as a copy', '{% macro m(x) %}{{ x | join }}{% endmacro %}{% set l = [] %}{% do l.append(1) %}{{ m(l | list) }}', '1'],
    ['may be given to a method, a filter and a test', "{% set l = ['a'] %}{% do l.append('b') %}{{ '-'.join(l) }}{{ nope | default(l) }}{{ 'a' is in(l) }}{{ list[0] in l }}", "a-b['a', 'b']TrueTrue"],
    ['is not what a macro of a file does', "{% import 'm' as m %}{% set l = [] %}{% do l.append(m.own | length) %}{{ l }}", '[0]'],
  ])('%s', (_, source, text) => {
    const rendered = render(source);
    expect(rendered.ok ? rendered.value.text : null).toBe(text);
  });

  it.each([
    ['of the config', '{% do list.append(1) %}', '"list" is not surely set by the same template before'],
    ['set behind it', '{% do l.append(1) %}{% set l = [] %}', '"l" is not surely set by the same template before'],
    ['set in another branch', '{% if word %}{% set l = [] %}{% else %}{% do l.append(1) %}{% endif %}', '"l" is not surely set by the same template before'],
    ['set behind a condition that is over', '{% if word %}{% set l = [] %}{% endif %}{% do l.append(1) %}', '"l" is not surely set by the same template before'],
    ['in a loop', '{% set l = [] %}{% for x in list %}{% do l.append(x) %}{% endfor %}', 'it stands in a "for"'],
    ['in a macro', '{% macro m() %}{% set l = [] %}{% do l.append(1) %}{% endmacro %}', 'it stands in a "macro"'],
    ['in a set block', '{% set l = [] %}{% set x %}{% do l.append(1) %}{% endset %}', 'it stands in a "set"'],
    ['in with', '{% set l = [] %}{% with x = 1 %}{% do l.append(1) %}{% endwith %}', 'it stands in a "with"'],
    ['in a filter block', '{% set l = [] %}{% filter upper %}{% do l.append(1) %}{% endfilter %}', 'it stands in a "filter"'],
    ['in a call', '{% macro m() %}{{ caller() }}{% endmacro %}{% set l = [] %}{% call m() %}{% do l.append(1) %}{% endcall %}', 'it stands in a "call"'],
    ['that is the config\'s', '{% set l = list %}{% do l.append(1) %}', '"l" is not set to a new list (line 2)'],
    ['that may be the config\'s', '{% set l = list if word else [] | list %}{% do l.append(1) %}', '"l" is not set to a new list (line 2)'],
    ['that is a pair', '{% set l = (1, 2) %}{% do l.append(1) %}', '"l" is not set to a new list (line 2)'],
    ['that is the config\'s by the same name', '{% set l = [] %}{% if word %}{% set l = l %}{% endif %}{% do l.append(1) %}', '"l" is not set to a new list (line 2)'],
    ['that is a pair without brackets', '{% set l = 1, list | list %}{% do l.append(1) %}', '"l" is not set to a new list (line 2)'],
    ['that is an item', '{% set l = [[1]][0] %}{% do l.append(1) %}', '"l" is not set to a new list (line 2)'],
    ['set in a loop, too', '{% set l = [] %}{% for x in list %}{% set l = [] %}{% endfor %}{% do l.append(1) %}', '"l" is set in a block, too (line 2)'],
    ['that a loop sets, too', '{% set l = [] %}{% for l in list %}{% endfor %}{% do l.append(1) %}', '"l" is set in a block, too (line 2)'],
    ['with a second name', '{% set l = [] %}{% set k = l %}{% do l.append(1) %}', '"l" may be kept under another name (line 2)'],
    ['with a second name by a default', '{% set l = [] %}{% set k = l | default([]) %}{% do l.append(1) %}', '"l" may be kept under another name (line 2)'],
    ['with a second name in with', '{% set l = [] %}{% with k = l %}{% endwith %}{% do l.append(1) %}', '"l" may be kept under another name (line 2)'],
    ['in a list', '{% set l = [] %}{% for x in [l] %}{% endfor %}{% do l.append(1) %}', '"l" may be kept under another name (line 2)'],
    ['in a mapping', "{% set l = [] %}{% if {'a': l} %}{% endif %}{% do l.append(1) %}", '"l" may be kept under another name (line 2)'],
    ['in a pair', '{% set l = [] %}{% for x in (l, 1) %}{% endfor %}{% do l.append(1) %}', '"l" may be kept under another name (line 2)'],
    ['in another', '{% set l = [] %}{% set k = [] %}{% do k.append(l) %}{% do l.append(1) %}', '"l" may be kept under another name (line 2)'],
    ['in itself', '{% set l = [] %}{% do l.append(l) %}', '"l" may be kept under another name (line 2)'],
    ['that a macro may keep', '{% set n = namespace() %}{% macro m(x) %}{% set n.k = x %}{% endmacro %}{% set l = [] %}{{ m(l) }}{% do l.append(1) %}{{ n.k }}', '"l" may be kept under another name (line 2)'],
    ['that a macro of a file may keep', "{% import 'm' as m %}{% set l = [] %}{{ m.join(l) }}{% do l.append(1) %}", '"l" may be kept under another name (line 2)'],
    ['that a loop remembers', '{% set l = [] %}{% for x in list %}{{ loop.changed(l) }}{% endfor %}{% do l.append(1) %}', '"l" may be kept under another name (line 2)'],
    ['that a macro looks at', '{% set l = [] %}{% macro m() %}{{ l }}{% endmacro %}{% do l.append(1) %}', '"l" is looked at in a macro (line 2)'],
    ['beside a block', '{% set l = [] %}{% block b %}{% endblock %}{% do l.append(1) %}', 'the template has a "block"'],
    ['beside a file that sees it', "{% import 'm' as m with context %}{% set l = [] %}{% do l.append(1) %}", 'a file that is imported "with context" may keep the list (line 2)'],
    ['given nothing at times', "{% set l = [] %}{% do l.append('a' if word) %}", 'its argument is an "if" without "else"'],
  ])('is refused %s', (_, source, why) => {
    const rendered = render(`\n${source}`);
    const method = /(\w+)\.append/.exec(source)![1]!;
    const said = rendered.ok ? [] : rendered.problems.map(formatProblem);
    expect(said).toContain(`t:2: "${/\b(l)\.append/.test(source) ? 'l' : method}.append" is not supported in templates here: ${why}`);
  });

  it.each([
    ['in a loop that looks at it', '{% set n = namespace(a=[]) %}{% for x in list if x not in n.a %}{% do n.a.append(x) %}{% endfor %}', 'the loop it stands in looks at it, or is recursive'],
    ['in a loop within itself', '{% set n = namespace(a=[]) %}{% for x in list recursive %}{% do n.a.append(x) %}{% endfor %}', 'the loop it stands in looks at it, or is recursive'],
    ['in a macro', '{% set n = namespace(a=[]) %}{% macro m() %}{% do n.a.append(1) %}{% endmacro %}', 'it stands in a "macro"'],
    ['that begins as the config\'s', '{% set n = namespace(a=list) %}{% do n.a.append(1) %}', '"n" is set to something else than one namespace with a list "a" (line 2)'],
    ['that is not there', '{% set n = namespace(b=[]) %}{% do n.a.append(1) %}', '"n" is set to something else than one namespace with a list "a" (line 2)'],
    ['of one of two', '{% set n = namespace(a=[]) %}{% set n = namespace(a=[]) %}{% do n.a.append(1) %}', '"n" is set to something else than one namespace with a list "a" (line 2)'],
    ['that becomes the config\'s', '{% set n = namespace(a=[]) %}{% set n.a = list %}{% do n.a.append(1) %}', '"n.a" is not set to a new list (line 2)'],
    ['with a second name', '{% set n = namespace(a=[]) %}{% set k = n.a %}{% do n.a.append(1) %}', '"n.a" may be kept under another name (line 2)'],
    ['with a second name beside it', '{% set n = namespace(a=[]) %}{% set n.b = n.a %}{% do n.a.append(1) %}', '"n.a" may be kept under another name (line 2)'],
    ['given away as a whole', '{% set n = namespace(a=[]) %}{{ n.b(n) }}{% do n.a.append(1) %}', '"n" is looked at as a whole (line 2)'],
    ['beside a file that sees it', "{% set n = namespace(a=[]) %}{% include 'i' %}{% do n.a.append(1) %}", 'an included file may keep the list (line 2)'],
  ])('is refused in a namespace %s', (_, source, why) => {
    const rendered = render(`\n${source}`);
    expect(rendered.ok ? [] : rendered.problems.map(formatProblem)).toContain(`t:2: "n.a.append" is not supported in templates here: ${why}`);
  });

  it.each(['', '1, 2', '*list', 'object=1'])('is not added to by append(%s)', (given) => {
    expect(render(`{% set l = [] %}{% do l.append(${given}) %}`).ok).toBe(false);
  });

  it('is not extended by a text or a mapping, whose parts Python would take', () => {
    const said = ["'ab'", "{'a': 1}"].map((by) => render(`\n{% set l = [] %}{% do l.extend(${by}) %}`)).map((rendered) => (rendered.ok ? [] : rendered.problems.map(formatProblem)));
    expect(said).toEqual(['string', 'map'].map((kind) => [`t:2: a list is extended by, or added to, a list: not a ${kind}`]));
  });
});
