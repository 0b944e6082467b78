import { readFileSync } from 'node:fs';
import type { Renderer } from '../../src/definition/template.js';
import type { TemplateSettings } from '../../src/definition/template-settings.js';

/** A folder of template files; `Dockerfile.template` is rendered. */
export type TemplateCase = Readonly<Record<string, string>>;
/** What docker-pkg would know: its config, and the full references of its images. */
export type TemplateConfig = { readonly variables: Readonly<Record<string, unknown>>; readonly known: readonly string[] };

/** The templates and configs that docker-pkg and we must render alike. */
export function readTemplateCases(): { cases: Record<string, TemplateCase>; configs: Record<string, TemplateConfig> } {
  const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`../golden/templates/${name}`, import.meta.url), 'utf8'));
  return { cases: read('cases.json') as Record<string, TemplateCase>, configs: read('configs.json') as Record<string, TemplateConfig> };
}

/** Settings as docker-pkg would draw them from a config. */
export function settingsOf(config: TemplateConfig, files: TemplateCase = {}): TemplateSettings {
  const { variables, known } = config;
  const prefix = [variables['registry'], variables['namespace']].filter(Boolean).join('/');
  const refs = new Map(known.map((ref) => [ref.slice(prefix.length + 1, ref.lastIndexOf(':')), ref]));
  return {
    variables,
    trimBlocks: false,
    aptOptions: String(variables['apt_options']),
    aptProxy: (variables['apt_only_proxy'] as string | null) ?? undefined,
    knownUidMappings: (variables['known_uid_mappings'] as Record<string, number> | null) ?? undefined,
    imageTag: (name) => refs.get(name),
    knownNames: () => refs.keys(),
    readImport: (name) => (files[name] === undefined ? undefined : { path: `images/x/${name}`, text: files[name]! }),
  };
}

/** The text, or null where it is refused. */
export function renderCase(renderer: Renderer, files: TemplateCase, config: TemplateConfig): string | null {
  const rendered = renderer.render('images/x/Dockerfile.template', files['Dockerfile.template']!, settingsOf(config, files));
  return rendered.ok ? rendered.value.text : null;
}
