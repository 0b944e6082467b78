import { beforeAll, describe, expect, it } from '@jest/globals';
import { createRenderer, type Renderer } from '../../../src/definition/template.js';
import type { TemplateSettings } from '../../../src/definition/template-settings.js';
import { formatProblem } from '../../../src/shared/problem.js';

const REFS: Readonly<Record<string, string>> = { base: 'localhost:5000/ns/base:1.0-1', debian: 'debian:12' };

function settings(files: Readonly<Record<string, string>> = {}, over: Partial<TemplateSettings> = {}): TemplateSettings {
  return {
    trimBlocks: false,
    variables: { registry: 'localhost:5000', word: 'w', unsorted: { b: 1, a: 2 } },
    aptOptions: '',
    aptProxy: undefined,
    knownUidMappings: { 'www-data': 33 },
    imageTag: (name) => REFS[name],
    knownNames: () => Object.keys(REFS),
    readImport: (name) => (name.startsWith('../') ? 'outside' : files[name] === undefined ? undefined : { path: `images/${name}`, text: files[name]! }),
    ...over,
  };
}

describe('a template', () => {
  let renderer: Renderer;
  beforeAll(async () => {
    renderer = await createRenderer();
  });

  const render = (source: string, files?: Readonly<Record<string, string>>, over?: Partial<TemplateSettings>) => renderer.render('a/Dockerfile.template', source, settings(files, over));
  const problemsOf = (source: string, files?: Readonly<Record<string, string>>, over?: Partial<TemplateSettings>): readonly string[] => {
    const rendered = render(source, files, over);
    return rendered.ok ? rendered.warnings.map(formatProblem) : rendered.problems.map(formatProblem);
  };

  it('says which images it asked for, in order', () => {
    expect(render("{{ 'debian'|image_tag }}{% for i in [1, 2] %}{{ 'base'|image_tag }}{% endfor %}")).toEqual({
      ok: true,
      warnings: [],
      value: {
        text: 'debian:12localhost:5000/ns/base:1.0-1localhost:5000/ns/base:1.0-1',
        imageTags: ['debian', 'base', 'base'].map((name) => ({ name, ref: REFS[name] })),
      },
    });
  });

  it('may use a registry with a port in image_tag and upstream_version', () => {
    const rendered = render("{{ 'base'|image_tag|upstream_version }} {{ registry }}");
    expect(rendered.ok && rendered.value.text).toBe('1.0 localhost:5000');
  });

  it.each([
    ['an output keeps what is around it', '  {{ [1] }}\n  {{ word }}\n\n', '  [1]\n  w\n'],
    ['a statement leaves nothing of its line', 'a\n  {% if word %}\nb\n  {# c #}\n  {% endif %}\nd', 'a\nb\nd'],
    ['plus signs keep it', '  {%+ if word +%}\nb{% endif %}', '  \nb'],
    ['an included file leaves nothing of its line', 'a\n  {% include "m" %}\nb', 'a\nMb'],
  ])('where blocks are trimmed, %s', (_, source, text) => {
    expect(render(source, { m: 'M' }, { trimBlocks: true })).toMatchObject({ value: { text } });
  });

  it('is rendered anew with other settings', () => {
    const source = "{{ 'base'|image_tag }} {{ word }}";
    expect(render(source)).toMatchObject({ value: { text: 'localhost:5000/ns/base:1.0-1 w' } });
    expect(render(source, {}, { imageTag: () => 'base:0', variables: { word: 'v' } })).toMatchObject({ value: { text: 'base:0 v' } });
    expect(problemsOf(source, {}, { variables: {} })).toEqual(['a/Dockerfile.template:1: "word" is not defined']);
  });

  it.each([
    ['an unknown filter is a problem with its line and near names', 'a\n\n{{ word | apt_instal }}', ['a/Dockerfile.template:3: "apt_instal" is not a filter (near: apt_install)']],
    ['an unknown image is a problem with near names', "\n{{ 'bse'|image_tag }}", ['a/Dockerfile.template:2: no tree and no base_images entry has an image "bse" (near: base)']],
    ['an undefined variable is a problem with its line and near names', '\n{{ registri }}', ['a/Dockerfile.template:2: "registri" is not defined (near: registry)']],
    ['an undefined variable given to a filter of ours is named', '{{ nope | apt_install }}', ['a/Dockerfile.template:1: "nope" is not defined']],
    ['a list is no package list', "{{ ['a'] | apt_install }}", ['a/Dockerfile.template:1: apt_install takes a string, not a list']],
    ['every fault of a file is told at once', "{{ one }}\n{{ 'two' | image_tag }}\n{{ 'three' | add_user }}", [
      'a/Dockerfile.template:1: "one" is not defined',
      'a/Dockerfile.template:2: no tree and no base_images entry has an image "two"',
      'a/Dockerfile.template:3: known_uid_mappings has no "three"',
    ]],
    ['a syntax error is a problem with its line', 'a\n{{ word', ['a/Dockerfile.template:2: template syntax: unexpected end of input, expected end of variable block']],
    ['lines count on behind a folded string', "{{ 'a \\\n b' }}\n{{ nope }}", ['a/Dockerfile.template:3: "nope" is not defined']],
    ['the engine counts lines on behind a folded string', "{{ 'a \\\n b' }}\n{{ word + 1 }}", ['a/Dockerfile.template:3: tried to use + operator on unsupported types string and number']],
    ['the engine counts lines on behind a read over lines', "{{ 'x' ~ unsorted\n.a }}\n{{ word + 1 }}", ['a/Dockerfile.template:3: tried to use + operator on unsupported types string and number']],
    ['lines count on behind a string over lines', "{{ 'a\n b' }}\n{{ 'x' ~ nope }}", ['a/Dockerfile.template:3: "nope" is not defined']],
    ['lines count alike with DOS line ends', 'a\r\nb\r\n{{ nope }}', ['a/Dockerfile.template:3: "nope" is not defined']],
    ['a user without a mapping is a warning', "\n{{ 'www-dat' | uid }}", ['a/Dockerfile.template:2: known_uid_mappings has no "www-dat" (near: www-data): the name stands as it is  [warning]']],
    ['a method that Python has and the engine lacks is a problem', "{{ 'a{}'.format(1) }}", ['a/Dockerfile.template:1: "format" is a method that is not supported in templates here']],
    ['a text is not made by %', '{{ "%s" % word }}', ['a/Dockerfile.template:1: "%" is not supported in templates here']],
    ['a quotient that may be negative is refused', '{% set n = 7 %}\n{{ n // 2 }}', ['a/Dockerfile.template:2: "//" is not supported in templates here']],
    ['a rest that may be negative is refused', '{{ -7 % 2 }}', ['a/Dockerfile.template:1: "%" is not supported in templates here']],
    ['a quotient by what is negative is refused', '{{ 0 / -2 }}', ['a/Dockerfile.template:1: "/" by a negative number is not supported in templates here']],
    ['a row of comparisons is refused', '{{ 1 < 2 < 3 }}', ['a/Dockerfile.template:1: a row of comparisons (a < b < c) is not supported in templates here: join them by "and"']],
    ['a printed range is refused', '{{ range(3) }}', ['a/Dockerfile.template:1: a range is walked through, or made a list first (range(3) | list), in templates here']],
    ['a printed walk is refused', "{{ ['a'] | map('upper') }}", ['a/Dockerfile.template:1: "map" gives no list: add "| list"']],
    ['a text turned round is to be joined', '{{ word | reverse }}', ['a/Dockerfile.template:1: "reverse" gives no list: add "| list", or "| join" for a text']],
    ['a printed pair is refused', "{% for p in [('a', 1)] %}{{ p }}{% endfor %}", ['a/Dockerfile.template:1: a list is printed where there are pairs: the two look the same here']],
    ['a number that may have had a fraction is refused in a list', '{{ [4 / 2] }}', ['a/Dockerfile.template:1: a number that may be 2 or 2.0 is printed in a list, through a filter or beside "~": the two are the same there']],
    ['a number that Python would write otherwise is refused', '{{ 1e16 }}', ['a/Dockerfile.template:1: a number as large or as small as 1e16 is not supported in templates here']],
    ['a number that begins with 0 is refused', '{{ 07 }}', ['a/Dockerfile.template:1: a number does not begin with 0 (07)']],
    ['an item by a dot is refused', '{{ [1].0 }}', ['a/Dockerfile.template:1: an item by a dot and a number (list.0) is not supported in templates here: list[0]']],
    ['a method with another meaning is refused', "{{ word.title() }}", ['a/Dockerfile.template:1: the method "title" is not supported in templates here: use the filter (| title)']],
    ['get with a default is refused', "{{ {'a': 1}.get('b', 2) }}", ['a/Dockerfile.template:1: "get" takes one argument in templates here: add "| default(…)"']],
    ['a not behind an operator is refused', "{{ 'a' ~ not word }}{{ word == not word }}", ['a/Dockerfile.template:1: template syntax: "not" behind an operator stands in brackets']],
    ['varargs are refused', '{% macro m() %}{{ varargs | join }}{% endmacro %}', ['a/Dockerfile.template:1: "varargs" is not supported in templates here: name the macro\'s parameters']],
    ['arguments from a list are refused', "{% macro m(a) %}{% endmacro %}{{ m(*['x']) }}", ['a/Dockerfile.template:1: arguments from a list or a mapping (*, **) are not supported in templates here']],
    ['a default that reads another parameter is refused', '{% macro m(a, b=a) %}{% endmacro %}', ['a/Dockerfile.template:1: a macro\'s default reads "a", which the same tag gives a value: that is not supported in templates here']],
    ['with that reads its own names is refused', '{% with a=1, b=a %}{% endwith %}', ['a/Dockerfile.template:1: "with" reads "a", which the same tag gives a value: that is not supported in templates here']],
    ['and between literals is refused', "{{ 'a' and none }}", ['a/Dockerfile.template:1: "and" between two values that are written out is not supported in templates here']],
    ['a filter of the engine that Jinja2 lacks is none', '{{ word | lines }}', ['a/Dockerfile.template:1: "lines" is not a filter']],
    ['a test of the engine that Jinja2 lacks is none', "{{ word is startingwith 'w' }}", ['a/Dockerfile.template:1: "startingwith" is not a test']],
    ['a raw block that Jinja2 does not know is refused', '{% raw +%}a{% endraw %}', ['a/Dockerfile.template:1: a raw block begins with "{% raw %}" or "{% raw -%}"']],
    ['a filter is not given nothing', "{{ ('a'.split(',')[7]) | upper }}", ['a/Dockerfile.template:1: upper is given nothing']],
    ['a filter is not given nothing for an argument', "{{ word | replace('a', [] | first) }}", ['a/Dockerfile.template:1: replace is given nothing for an argument']],
    ['a filter knows its arguments', "{{ word | indent(2, by=3) }}{{ word | trim('a', 'b') }}{{ word | upper('x') }}", ['indent has no argument "by" here', 'trim takes no more than chars here', 'upper takes no arguments'].map((said) => `a/Dockerfile.template:1: ${said}`)],
    ['a filter of a map is known by its name', "{{ ['a'] | map('zork') | list }}{{ ['a'] | map('center') | list }}", ['a/Dockerfile.template:1: "zork" is not a filter', 'a/Dockerfile.template:1: "center" is not a filter that is supported here']],
    ['a filter of a map tells its line', "\n{{ ['a', ['b']] | map('indent') | list }}", ['a/Dockerfile.template:2: indent takes a text here']],
    ['what is beside ~ is no mapping', "{{ 'a' ~ {'b': 1, 'c': 2} }}", ['a/Dockerfile.template:1: a mapping is printed: name what is wanted of it, its order is not kept here']],
    ['setting two names at once is refused', '\n{% set a, b = 1, 2 %}', ['a/Dockerfile.template:2: setting several names at once is not supported in templates here: set one at a time']],
    ['break is refused', '{% for a in [1] %}\n{% break %}{% endfor %}', ['a/Dockerfile.template:2: "break" is not part of docker-pkg\'s templates']],
    ['a filter that prints otherwise than in Jinja2 is refused', '{{ word|tojson }}', ['a/Dockerfile.template:1: the Jinja2 filter "tojson" is not supported here']],
    ['walking through a mapping that the engine would sort is refused', '{% for k in unsorted %}{{ k }}{% endfor %}', ['a/Dockerfile.template:1: "unsorted" is walked through: its keys must stand in sorted order in the config']],
    ['walking through an unsorted literal is refused', "{% for k, v in {'b': 1, 'a': 2}.items() %}{{ k }}{% endfor %}", ['a/Dockerfile.template:1: a mapping that is walked through must have its keys in sorted order here']],
    ['a printed mapping is refused', '{{ unsorted }}', ['a/Dockerfile.template:1: a mapping is printed: name what is wanted of it, its order is not kept here']],
    ['an endless loop comes to an end', '{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}', ['a/Dockerfile.template:1: the template does not come to an end']],
    ['the values of variables cannot be listed', '{{ debug() }}', ['a/Dockerfile.template:1: "debug" is not defined']],
    ['an import from outside the tree is refused', "\n{% import '../m' as m %}", ['a/Dockerfile.template:2: imports "../m", which lies outside the tree']],
    ['an import that is not there is a problem with its line', "\n{% from 'nope' import m %}", ['a/Dockerfile.template:2: imports "nope", which is not there']],
    ['a comma too many is refused', '\n{{ word, }}{{ (word, word) }}{{ (word.split(",")) }}', ['a/Dockerfile.template:2: several values are printed at once (a comma too many?)']],
    ['an import by a computed name is refused', "{% include 'm' ~ word %}", ['a/Dockerfile.template:1: include takes the name of a file in quotes here']],
    ['an import must be named in quotes', '{% include word %}', ['a/Dockerfile.template:1: include takes the name of a file in quotes here']],
  ])('%s', (_, source, expected) => {
    expect(problemsOf(source)).toEqual(expected);
  });

  it.each([
    ['in a macro', "{% import 'm' as m %}\n{{ m.f() }}", { m: '\n{% macro f() %}\n{{ nope }}{% endmacro %}' }, 'images/m:3: "nope" is not defined'],
    ['in a filter', "\n\n{% include 'm' %}", { m: '\n\n\n{{ nope | upper }}' }, 'images/m:4: "nope" is not defined'],
    ['of the engine', "\n{% include 'm' %}", { m: "{% include 'n' %}", n: '\n\n{{ word + 1 }}' }, 'images/n:3: tried to use + operator on unsupported types string and number'],
    ['in a file that sees no variables', "{% import 'm' as m %}", { m: '\n{% macro f(word) %}{{ word }}{% endmacro %}\n{{ registry }}' }, 'images/m:3: "registry" of the config is not seen in a file that is imported without "with context"'],
    ['of syntax', "{% include 'm' %}", { m: '\n{{ word' }, 'images/m:2: template syntax: unexpected end of input, expected end of variable block'],
    ['of a filter name', "{% include 'm' %}", { m: '\n{{ word|zork }}' }, 'images/m:2: "zork" is not a filter'],
    ['of inclusion in itself', "\n{% include 'm' %}", { m: "{% include 'm' %}" }, 'images/m:1: "m" cannot be rendered here'],
  ])('names the imported file of a fault %s', (_, source, files, expected) => {
    expect(problemsOf(source, files)).toEqual([expected]);
  });

  it('sees the present text of an imported file, and none that another template imported', () => {
    const source = "{% include 'm' ignore missing %}";
    expect(render(source, { m: 'one' })).toMatchObject({ value: { text: 'one' } });
    expect(render(source, { m: 'two' })).toMatchObject({ value: { text: 'two' } });
    expect(render(source)).toMatchObject({ value: { text: '' } });
  });

  it('outlives a template that breaks the engine', () => {
    expect(problemsOf(`{{ ${'[1] + '.repeat(5000)}[1] }}`)).toEqual(['a/Dockerfile.template: the template is nested too deeply for the template engine']);
    expect(render('{{ word }}')).toMatchObject({ value: { text: 'w' } });
  });

  it('outlives a caller that throws inside a filter', () => {
    const imageTag = (): string => {
      throw new Error('boom');
    };
    expect(problemsOf("{{ 'base' | image_tag }}", {}, { imageTag })).toEqual(['a/Dockerfile.template: a template filter failed: boom']);
    expect(render("{{ 'base' | image_tag }}")).toMatchObject({ value: { text: REFS['base'] } });
  });

  it('treats names of object members as any other', () => {
    expect(problemsOf('{{ constructor }}{{ toString }}{{ __proto__ }}')).toEqual(
      ['constructor', 'toString', '__proto__'].map((name) => `a/Dockerfile.template:1: "${name}" is not defined`),
    );
  });
});
