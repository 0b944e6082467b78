import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { createRenderer, type Renderer } from '../../src/definition/template.js';
import { pythonWithDockerPkg } from '../support/python-with-docker-pkg.js';
import { readTemplateCases, renderCase, settingsOf, type TemplateCase } from '../support/template-cases.js';
import { growTemplate } from '../support/template-grammar.js';

type Answers = Record<string, Record<string, string | null>>;

const { cases, configs } = readTemplateCases();
const script = fileURLToPath(new URL('../support/render-with-docker-pkg.py', import.meta.url));
const frozen = JSON.parse(readFileSync(new URL('../golden/templates/expected.json', import.meta.url), 'utf8')) as Answers;

function ask(python: string, ...options: string[]): Answers {
  const answer = execFileSync(python, [script, ...options], { input: JSON.stringify({ cases, configs }), encoding: 'utf8', maxBuffer: 1 << 28 });
  return JSON.parse(answer) as Answers;
}

type Grown = { readonly seed: number; readonly files: TemplateCase; readonly config: string };

/** Templates of these seeds, each with one of the configs. */
function grow(from: number, count: number, own: boolean): readonly Grown[] {
  // The last config lacks most variables.
  const names = ['plain', 'proxied', 'plain', 'proxied', 'plain', 'bare'];
  return Array.from({ length: count }, (_, index) => ({ seed: from + index, files: growTemplate(from + index, own), config: names[index % names.length]! }));
}

/** What refuses a template that Jinja2 renders must name the construct. */
const NAMED = [
  /^the Jinja2 filter "\w+" is not supported here$/,
  /^the method "\w+" is not supported in templates here: use the filter/,
  /^"\w+" is a method that is not supported in templates here$/,
  /^"\w+(?:\.\w+)?\.(?:append|extend)" is not supported in templates here: ./,
  /^"(?:\/\/|%|\*\*)" is not supported in templates here$/,
  /^"(?:\/" by a negative number|and" between two values that are written out) is not supported in templates here$/,
  /^"\w+" gives no list: add "\| list"/,
  /^a range is walked through, or made a list first/,
  /^a list is printed where there are pairs/,
  /^a mapping is printed/,
  /^a number that may be 2 or 2\.0 is printed/,
  /^several values are printed at once/,
  /^\w+ is given nothing$/,
  /^\w+ takes a string, not a (?:number|boolean)$/,
  /^an undefined value or none is printed$/,
  /^"\w+" of the config is not seen in a file that is imported without "with context"$/,
  // Of an undefined variable that nobody looks at: an item, an argument.
  /is not defined/,
];
/** What Python refuses when it is run, and we do not. */
const LAXER = /^TypeError: '[<>]=?' not supported between instances/;

/** How each template ends, compared with what a judge makes of it; those that end in no way that may be. */
function compare(renderer: Renderer, grown: readonly Grown[], judge: string, options: readonly string[]): { readonly counts: Readonly<Record<'equal' | 'both fail' | 'refused' | 'laxer' | 'equal with lists that grow', number>>; readonly faults: readonly unknown[] } {
  // docker-pkg's variable of that name hides the language's own function.
  const used = options.includes('--language-only') ? Object.fromEntries(Object.entries(configs).map(([name, { variables: { namespace, ...variables }, known }]) => [name, { variables, known }])) : configs;
  const input = JSON.stringify({ cases: Object.fromEntries(grown.map(({ seed, files }) => [seed, files])), configs: used, only: Object.fromEntries(grown.map(({ seed, config }) => [seed, [config]])) });
  const answers = JSON.parse(execFileSync(judge, [script, '--why', ...options], { input, encoding: 'utf8', maxBuffer: 1 << 28 })) as Record<string, Record<string, [string | null, string | null]>>;
  const counts = { equal: 0, 'both fail': 0, refused: 0, laxer: 0, 'equal with lists that grow': 0 };
  const faults: unknown[] = [];
  for (const { seed, files, config } of grown) {
    const [theirs, said] = answers[seed]![config]!;
    const rendered = renderer.render('Dockerfile.template', files['Dockerfile.template']!, { ...settingsOf(used[config]!, files), trimBlocks: options.includes('--trim') });
    const ours = rendered.ok ? rendered.value.text : null;
    if (ours !== null && ours === theirs && Object.values(files).some((text) => /\.(?:append|extend)\(/.test(text))) counts['equal with lists that grow']++;
    const problems = rendered.ok ? [] : rendered.problems.filter(({ severity }) => severity === 'error');
    if (ours === null && problems.some(({ line }) => line === undefined)) faults.push({ seed, config, files, problems });
    else if (ours === theirs) counts[ours === null ? 'both fail' : 'equal']++;
    else if (ours === null && problems.every(({ message }) => NAMED.some((named) => named.test(message)))) counts.refused++;
    else if (theirs === null && LAXER.test(said!)) counts.laxer++;
    else faults.push({ seed, config, files, ours, theirs, said, problems });
  }
  return { counts, faults };
}

describe('templates, with real Jinja2 as the judge', () => {
  let renderer: Renderer;
  beforeAll(async () => {
    renderer = await createRenderer();
  });

  it("Debian's Jinja2 renders every template that needs no filter of ours as we do", () => {
    const filters = /apt_|image_tag|uid\b|add_user|upstream_version/;
    const theirs = ask('/usr/bin/python3', '--language-only');
    const names = Object.keys(cases).filter((name) => !Object.values(cases[name]!).some((text) => filters.test(text)));
    expect(names.length).toBeGreaterThan(60);
    for (const name of names) {
      for (const config of Object.keys(configs)) {
        expect({ name, config, text: renderCase(renderer, cases[name]!, configs[config]!) }).toEqual({ name, config, text: theirs[name]![config] });
      }
    }
  });

  it.each([
    ['as docker-pkg sets it up', 1_000, []],
    ['as Toolforge sets it up', 2_000, ['--trim']],
  ])("renders grown templates as Debian's Jinja2 does, %s, or refuses them by name", (_, from, options) => {
    const { counts, faults } = compare(renderer, grow(from, 500, false), '/usr/bin/python3', ['--language-only', ...options]);
    console.info(`500 grown templates, ${_}: ${JSON.stringify(counts)}`);
    expect(faults).toEqual([]);
    expect(counts.equal).toBeGreaterThan(200);
    expect(counts['equal with lists that grow']).toBeGreaterThan(25);
    expect(counts.refused).toBeLessThan(90);
  });

  it('renders grown templates with its filters as docker-pkg itself does, or refuses them by name', () => {
    const python = pythonWithDockerPkg();
    if (python === undefined) {
      console.warn('docker-pkg could not be installed: it judged no grown templates');
      return;
    }
    const { counts, faults } = compare(renderer, grow(3_000, 500, true), python, []);
    console.info(`500 grown templates with docker-pkg's filters: ${JSON.stringify(counts)}`);
    expect(faults).toEqual([]);
    expect(counts.equal).toBeGreaterThan(200);
    expect(counts['equal with lists that grow']).toBeGreaterThan(25);
    expect(counts.refused).toBeLessThan(90);
  }, 300_000);

  it('docker-pkg itself still prints what the golden files say', () => {
    const python = pythonWithDockerPkg();
    if (python === undefined) {
      // No package index to be had: Debian's Jinja2 above has judged the language, the golden suite the filters.
      console.warn('docker-pkg could not be installed: its filters were not asked again');
      return;
    }
    expect(ask(python)).toEqual(frozen);
  }, 300_000);
});
