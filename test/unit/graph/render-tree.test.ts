import { describe, expect, it } from '@jest/globals';
import { configOf, production, treeInMemory } from '../../support/tree-in-memory.js';

const BASE = production('base', 'FROM scratch\n');

async function rendered(texts: Readonly<Record<string, string>>, lines = ''): Promise<{ readonly real: string; readonly neutral: string }> {
  const { definitions, renderer } = await treeInMemory(texts, configOf(lines));
  const web = definitions.find(({ name }) => name === 'web')!;
  const text = (which: 'real' | 'neutral'): string => {
    const made = renderer[which](web)!;
    return made.ok ? made.value.text : made.problems.map(({ message }) => message).join('\n');
  };
  return { real: text('real'), neutral: text('neutral') };
}

describe('rendering a tree', () => {
  it.each([
    ['a tag of the tree is 0 in the neutral text', '{{ "base" | image_tag }}', 'namespace: ns\n', 'registry.example.org/ns/base:1.0', 'ns/base:0'],
    ['an outside image of our registry loses its host', '{{ "hand" | image_tag }}', 'base_images: ["registry.example.org/hand:3"]\n', 'registry.example.org/hand:3', 'hand:3'],
    ['an outside image of another keeps it', '{{ "debian" | image_tag }}', 'base_images: ["docker.io/library/debian:12"]\n', 'docker.io/library/debian:12', 'docker.io/library/debian:12'],
    ['the registry is no part of the neutral text', 'A {{ registry }} B', '', 'A registry.example.org B', 'A  B'],
    ['a proxy is no part of the neutral text', 'A {{ http_proxy }} B', 'http_proxy: http://proxy.example.org:8080\n', 'A http://proxy.example.org:8080 B', 'A  B'],
    ['a proxy for apt alone neither', 'A {{ apt_only_proxy }} B', 'apt_only_proxy: http://proxy.example.org:8080\n', 'A http://proxy.example.org:8080 B', 'A  B'],
    ['other variables are', 'A {{ own }} B', 'own: value\n', 'A value B', 'A value B'],
  ])('%s', async (_, template, lines, real, neutral) => {
    expect(await rendered({ ...BASE, ...production('web', template) }, lines)).toEqual({ real, neutral });
  });
  it('a base image has no text', async () => {
    const { definitions, renderer } = await treeInMemory({ 'images/trixie/rootfs.yaml': 'suite: trixie\n' });
    expect([renderer.real(definitions[0]!), renderer.neutral(definitions[0]!)]).toEqual([undefined, undefined]);
  });
  it('the proxy that apt uses is no part of the neutral text', async () => {
    const { real, neutral } = await rendered({ ...BASE, ...production('web', '{{ "curl" | apt_install }}') }, 'http_proxy: http://proxy.example.org:8080\n');
    expect(real).toContain('proxy.example.org');
    expect(neutral).not.toContain('proxy.example.org');
  });
  it.each([
    ['beside the template', { 'images/web/m.j2': '1', 'images/m.j2': '2', 'm.j2': '3' }, '1'],
    ['from the tree\'s root', { 'images/m.j2': '2', 'm.j2': '3' }, '2'],
    ['beside the tree', { 'm.j2': '3' }, '3'],
  ])('an import is looked for %s', async (_, texts, text) => {
    expect((await rendered({ ...BASE, ...production('web', '{% include "m.j2" %}'), ...texts })).real).toBe(text);
  });
  it('an import that leads beyond the tree is refused, unless a later place has it', async () => {
    expect((await rendered({ ...production('web', '{% include "m.j2" %}'), 'images/web/m.j2': 'outside' })).real).toContain('lies outside the tree');
    expect((await rendered({ ...production('web', '{% include "m.j2" %}'), 'images/web/m.j2': 'outside', 'images/m.j2': '2' })).real).toBe('2');
    expect((await rendered(production('web', '{% include "m.j2" %}'))).real).toContain('is not there');
  });
});
