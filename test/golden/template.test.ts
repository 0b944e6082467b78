import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { createRenderer, type Renderer } from '../../src/definition/template.js';
import { readTemplateCases, renderCase } from '../support/template-cases.js';

// expected.json is what docker-pkg 4.0.4 printed; test/integration/template-oracle.test.ts asks it again.
const expected = JSON.parse(readFileSync(new URL('templates/expected.json', import.meta.url), 'utf8')) as Record<string, Record<string, string | null>>;
const { cases, configs } = readTemplateCases();

describe('a template renders to the byte as in docker-pkg', () => {
  let renderer: Renderer;
  beforeAll(async () => {
    renderer = await createRenderer();
  });

  for (const name of Object.keys(cases)) {
    it.each(Object.keys(configs))(`${name}, %s`, (config) => {
      expect(renderCase(renderer, cases[name]!, configs[config]!)).toEqual(expected[name]![config]);
    });
  }
});
