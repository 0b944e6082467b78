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
    ['a method that Python has and the engine lacks is a problem', "{{ 'a{}'.format(1) }}", ['a/Dockerfile.template:1: "format" is a method that a string does not have here']],
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
    ['of the engine', "\n{% include 'm' %}", { m: "{% include 'n' %}", n: '\n\n{{ word + 1 }}' }, 'images/n:3: tried to use + operator on unsupported types string and number'],
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
