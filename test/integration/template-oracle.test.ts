import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { createRenderer, type Renderer } from '../../src/definition/template.js';
import { pythonWithDockerPkg } from '../support/python-with-docker-pkg.js';
import { readTemplateCases, renderCase } from '../support/template-cases.js';

type Answers = Record<string, Record<string, string | null>>;

const { cases, configs } = readTemplateCases();
const script = fileURLToPath(new URL('../support/render-with-docker-pkg.py', import.meta.url));
const frozen = JSON.parse(readFileSync(new URL('../golden/templates/expected.json', import.meta.url), 'utf8')) as Answers;

function ask(python: string, ...options: string[]): Answers {
  const answer = execFileSync(python, [script, ...options], { input: JSON.stringify({ cases, configs }), encoding: 'utf8', maxBuffer: 1 << 28 });
  return JSON.parse(answer) as Answers;
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
