import { TAG_PATTERN, REPOSITORY_PATTERN } from './image-ref.js';
import { nearHint } from './near-names.js';
import type { YamlFields } from './yaml-fields.js';

/** How a tree lies on disk: what makes a folder a definition, and where names, tags and contexts come from. */
export type Layout = { readonly name: 'docker-pkg' } | ToolforgeLayout;

/** The layout of Toolforge's own images: names from paths, one tag for all, the tree's root as the context of every build. */
export type ToolforgeLayout = { readonly name: 'toolforge'; readonly imagePrefix: string; /** What moves to the newest build. */ readonly tag: string };

const LAYOUTS: readonly string[] = ['docker-pkg', 'toolforge'];

/** Keys that mean something in one layout alone, with what they are when the config does not say it; elsewhere they are variables like any other. */
export const LAYOUT_KEYS: Readonly<Record<Layout['name'], Readonly<Record<string, string>>>> = {
  'docker-pkg': {},
  toolforge: { image_prefix: 'toolforge', tag: 'latest' },
};

/** Reads `layout` and the keys that belong to it. */
export function readLayout(fields: YamlFields): Layout {
  const name = fields.checkedText('layout', layoutFault);
  if (name !== 'toolforge') return { name: 'docker-pkg' };
  if (fields.text('namespace')) fields.problem('namespace', 'has no place in layout toolforge, where names are registry/PREFIX-PATH: leave it out, or write it behind the registry (registry.example.org/path)');
  const imagePrefix = fields.checkedText('image_prefix', prefixFault) ?? LAYOUT_KEYS.toolforge['image_prefix']!;
  const tag = fields.checkedText('tag', tagFault) ?? LAYOUT_KEYS.toolforge['tag']!;
  return { name, imagePrefix, tag };
}

function layoutFault(text: string): string | undefined {
  return LAYOUTS.includes(text) ? undefined : `"${text}" is no layout${nearHint(text, LAYOUTS) || ` (there are: ${LAYOUTS.join(', ')})`}`;
}

function prefixFault(text: string): string | undefined {
  return REPOSITORY_PATTERN.test(text) ? undefined : 'cannot begin an image\'s name (lower-case letters, digits, and single . _ - / between them)';
}

function tagFault(text: string): string | undefined {
  if (!TAG_PATTERN.test(text)) return 'is no tag (letters, digits, _ . -, at most 128 characters, not beginning with . or -)';
  return /^\d{8}(?:-\d+)?$/.test(text) ? 'is a tag of one day, which never moves: name the one that moves to the newest build ("latest", "testing")' : undefined;
}
