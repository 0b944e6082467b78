import { beforeAll, describe, expect, it } from '@jest/globals';
import { createRenderer, type Renderer } from '../../src/definition/template.js';
import { markLines, readMarks, withoutMarks } from '../../src/definition/template-lines.js';
import { templatePieces } from '../../src/definition/template-tokens.js';
import { readTemplateCases, settingsOf } from '../support/template-cases.js';

const { cases, configs } = readTemplateCases();

describe('the lines that a rendered text came from, over all templates that docker-pkg renders', () => {
  let renderer: Renderer;
  beforeAll(async () => {
    renderer = await createRenderer();
  });

  it('are told for nearly all of them, and never a line that the text shows not to be the one', () => {
    const count = { templates: 0, told: 0, lines: 0, checked: 0 };
    for (const files of Object.values(cases)) {
      for (const config of Object.values(configs)) {
        const source = files['Dockerfile.template']!;
        const settings = settingsOf(config, files);
        const plain = renderer.render('x', source, settings);
        if (!plain.ok) continue;
        count.templates++;
        const marked = renderer.render('x', markLines(source)!, { ...settings, imageTag: (name) => settings.imageTag(withoutMarks(name)) });
        if (!marked.ok) continue;
        const { text, lines } = readMarks(marked.value.text);
        if (text !== plain.value.text) continue;
        count.told++;
        const written = plainLines(source);
        for (const [index, line] of text.split('\n').entries()) {
          count.lines++;
          const places = written.flatMap((other, at) => (line.trim() !== '' && other?.trim() === line.trim() ? [at + 1] : []));
          if (places.length !== 1) continue;
          count.checked++;
          expect({ source, line, told: lines[index] }).toEqual({ source, line, told: places[0] });
        }
      }
    }
    expect(count.templates).toBeGreaterThanOrEqual(346);
    expect(count.checked).toBeGreaterThanOrEqual(37);
    expect(count.told / count.templates).toBeGreaterThan(0.98);
  });
});

/** The lines of a template that no tag touches; undefined for the others. */
function plainLines(source: string): readonly (string | undefined)[] {
  const touched = new Set<number>();
  let line = 0;
  for (const piece of templatePieces(source.replace(/\r\n?/g, '\n'))) {
    const text = piece.kind === 'text' ? piece.text : piece.open + piece.tokens.map(({ before, text: word }) => before + word).join('') + piece.close;
    const end = line + text.split('\n').length - 1;
    if (piece.kind !== 'text' || /^\{[#%]/.test(text)) for (let at = line; at <= end; at++) touched.add(at);
    line = end;
  }
  return source.split(/\r\n?|\n/).map((content, at) => (touched.has(at) ? undefined : content));
}
