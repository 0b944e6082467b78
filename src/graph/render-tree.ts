import { dirname } from 'node:path/posix';
import { templateOf, type Definition } from '../definition/definition.js';
import { joinPath } from '../definition/paths.js';
import type { SourceFiles } from '../definition/source-files.js';
import type { Rendered, Renderer } from '../definition/template.js';
import { markLines, readMarks, withoutMarks } from '../definition/template-lines.js';
import type { ImportedFile, TemplateSettings } from '../definition/template-settings.js';
import type { Config } from '../shared/config.js';
import { formatImageRef, parseImageRef } from '../shared/image-ref.js';
import type { Checked } from '../shared/problem.js';
import type { Tags } from './tags.js';

/** Variables that name the outside and not the image: neutral texts have none of them. */
const OUTSIDE_VARIABLES = ['registry', 'http_proxy', 'apt_only_proxy'];

/** Renders one definition's template in two ways. Base images have none. */
export type TreeRenderer = {
  /** The Dockerfile as it is built, but for its parents' digests. */
  real(definition: Definition): Checked<Rendered> | undefined;
  /** For the definition digest: every tag of the tree is `0`, and neither the registry's host nor a proxy is in it. */
  neutral(definition: Definition): Checked<Rendered> | undefined;
  /** For each line of the Dockerfile the line of the template that it came from, as far as it can be told: a lookup, both from 1. */
  lines(definition: Definition): (line: number) => number | undefined;
};

/** Renders the templates of one tree of definitions. */
export function createTreeRenderer(renderer: Renderer, tags: Tags, config: Config, files: SourceFiles): TreeRenderer {
  const isToolforge = config.layout.name === 'toolforge';
  const shared = { trimBlocks: isToolforge, knownUidMappings: config.knownUidMappings, aptOptions: config.aptOptions, knownNames: () => tags.names };
  const real: Omit<TemplateSettings, 'readImport'> = { ...shared, variables: config.variables, aptProxy: config.aptProxy, imageTag: (name) => tags.refOf(name) };
  const neutralVariables = {
    ...config.variables,
    ...Object.fromEntries(OUTSIDE_VARIABLES.filter((key) => Object.hasOwn(config.variables, key)).map((key) => [key, ''])),
    ...(isToolforge ? { tag: '0' } : {}),
  };
  const neutral: Omit<TemplateSettings, 'readImport'> = { ...shared, variables: neutralVariables, aptProxy: undefined, imageTag: (name) => neutralTag(name, tags, config) };

  const render = (definition: Definition, settings: Omit<TemplateSettings, 'readImport'>, change = (text: string): string => text): Checked<Rendered> | undefined => {
    const template = templateOf(definition);
    if (template === undefined) return undefined;
    const variables = isToolforge ? { ...settings.variables, image_path: definition.path } : settings.variables;
    const folders = isToolforge ? [definition.tree] : [definition.directory, definition.tree, dirname(definition.tree)];
    return renderer.render(template.path, change(template.text), { ...settings, variables, readImport: (name) => readImport(name, folders, files) });
  };
  return {
    real: (definition) => render(definition, real),
    neutral: (definition) => render(definition, neutral),
    lines(definition) {
      const unmarked = render(definition, real);
      const marked = render(definition, { ...real, imageTag: (name) => tags.refOf(withoutMarks(name)) }, (text) => markLines(text) ?? text);
      if (marked?.ok !== true || unmarked?.ok !== true) return () => undefined;
      const { text, lines } = readMarks(marked.value.text);
      // Where a mark changed what came out, it tells nothing. What a stack's own lines are is in no template.
      const own = 'template' in definition.recipe ? definition.recipe.template.split(/\r\n?|\n/).length : 0;
      return (line) => (text === unmarked.value.text && (lines[line - 1] ?? Infinity) <= own ? lines[line - 1] : undefined);
    },
  };
}

/** What image_tag answers in a neutral text. */
export function neutralTag(name: string, tags: Tags, config: Config): string | undefined {
  const definition = tags.byName(name);
  if (definition !== undefined) return `${definition.repository}:0`;
  const outside = tags.refOf(name);
  const ref = outside === undefined ? undefined : parseImageRef(outside);
  if (ref === undefined) return outside;
  return formatImageRef(ref.registry === config.registry.split('/')[0] ? { ...ref, registry: '' } : ref);
}

/** An imported file is looked for in some folders, one after the other: beside the template, then from the root of its tree; in layout toolforge from the root alone. */
function readImport(name: string, folders: readonly string[], files: SourceFiles): ImportedFile | undefined {
  let outside = false;
  for (const folder of folders) {
    const path = joinPath(folder, name);
    const found = files.readImport(path);
    if (found === 'outside') outside = true;
    else if (found !== 'absent') return { path, text: found.text };
  }
  return outside ? 'outside' : undefined;
}
