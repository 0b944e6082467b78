import { describe, expect, it } from '@jest/globals';
import { createImageRenderer, type RememberedImage } from '../../../src/graph/render-image.js';
import { configOf, filesInMemory, production, treeInMemory } from '../../support/tree-in-memory.js';
import { copiedFiles } from '../../../src/definition/copied-files.js';
import { parseDockerfile } from '../../../src/definition/dockerfile.js';
import { createRenderer } from '../../../src/definition/template.js';
import { createTags } from '../../../src/graph/tags.js';
import { createTreeRenderer, neutralTag } from '../../../src/graph/render-tree.js';

/** Renders `web` of a tree of base and web with a memory that outlives trees, and says how often the engine was needed. */
async function renderWeb(memory: Map<string, RememberedImage>, template: string, baseVersion = '1.0') {
  const texts = { ...production('base', 'FROM scratch\n', '', baseVersion), ...production('web', template), 'images/web/macros': 'x' };
  const config = configOf('known_uid_mappings: { root: 0 }\n');
  const { definitions } = await treeInMemory(texts, config);
  const tags = createTags(definitions, config);
  let loaded = 0;
  const render = createImageRenderer(
    async () => {
      loaded++;
      return { renderer: createTreeRenderer(await createRenderer(), tags, config, filesInMemory(texts)), parseDockerfile, copiedFiles };
    },
    memory,
    (name) => (tags.refOf(name) === undefined ? undefined : [tags.refOf(name)!, neutralTag(name, tags, config)!]),
  );
  const rendered = await render(definitions.find(({ name }) => name === 'web')!);
  return { rendered, loaded };
}

describe('a rendered image', () => {
  const template = 'FROM {{ "base" | image_tag }}\nRUN true\n';

  it('is remembered while its template and its parents’ tags are what they were', async () => {
    const memory = new Map<string, RememberedImage>();
    const first = await renderWeb(memory, template);
    const second = await renderWeb(memory, template);
    expect([first.loaded, second.loaded]).toEqual([1, 0]);
    expect(second.rendered).toEqual(first.rendered);
  });
  it.each([
    ['another template', template, `${template}RUN false\n`, '1.0'],
    ['another tag of a parent', template, template, '1.1'],
    ['an import', `{% include "macros" %}\n${template}`, `{% include "macros" %}\n${template}`, '1.0'],
    ['a warning', `${template}USER {{ "nobody-knows" | uid }}\n`, `${template}USER {{ "nobody-knows" | uid }}\n`, '1.0'],
    ['a fault', `${template}{{ nope }}`, `${template}{{ nope }}`, '1.0'],
  ])('is rendered again for %s', async (_, before, after, version) => {
    const memory = new Map<string, RememberedImage>();
    await renderWeb(memory, before);
    const again = await renderWeb(memory, after, version);
    expect(again.loaded).toBe(1);
    const fresh = await renderWeb(new Map(), after, version);
    expect(again.rendered).toEqual(fresh.rendered);
  });
});
