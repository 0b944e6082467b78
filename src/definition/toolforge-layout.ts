import type { ToolforgeLayout } from '../shared/layout.js';
import { REPOSITORY_PATTERN } from '../shared/image-ref.js';
import { bad, errorAt, good, warningAt, type Checked, type Problem } from '../shared/problem.js';
import type { Definition } from './definition.js';
import { MARKERS, type Found } from './discover.js';
import { joinPath } from './paths.js';
import type { SourceFiles } from './source-files.js';

const MARKER = 'Dockerfile.template';
/** Files that say something in the other layout. */
const NOT_READ = ['changelog', 'control'];

/** The name of the image of a folder (relative to the tree): `web/base` is `PREFIX-web-base`. */
export function toolforgeName(path: string, layout: ToolforgeLayout): string {
  return `${layout.imagePrefix}-${path.replaceAll('/', '-')}`;
}

/** One definition in the layout of Toolforge's images: a folder with a Dockerfile.template, whose path is the name. */
export function parseToolforgeDefinition(tree: string, { folder, marker }: Found, files: SourceFiles, layout: ToolforgeLayout): Checked<Definition> {
  const directory = joinPath(tree, folder.path);
  const problems: Problem[] = [];
  const others = MARKERS.filter((name) => name !== MARKER && folder.files.has(name));
  if (marker !== MARKER || others.length > 0) problems.push(errorAt(joinPath(directory, others[0]!), undefined, `layout toolforge knows images of ${MARKER} alone: move it to a tree of another layout`));
  if (folder.path === '.') problems.push(errorAt(joinPath(directory, marker), undefined, 'the tree\'s root is no image in layout toolforge: an image is called as its folder'));
  const name = toolforgeName(folder.path, layout);
  if (folder.path !== '.' && !REPOSITORY_PATTERN.test(name)) problems.push(errorAt(directory, undefined, `"${name}" cannot be an image's name (lower-case letters, digits, and single . _ - / between them)`));
  for (const file of NOT_READ) if (folder.files.has(file)) problems.push(warningAt(joinPath(directory, file), undefined, 'is not looked at in layout toolforge: names, tags and parents come from path, config and Dockerfile'));
  const templatePath = joinPath(directory, MARKER);
  const template = files.readText(templatePath);
  if (!template.ok) problems.push(...(marker === MARKER ? template.problems : []));
  if (!template.ok || problems.some(({ severity }) => severity === 'error')) return bad(problems);
  const definition: Definition = {
    image: name,
    repository: name,
    name,
    tree,
    path: folder.path,
    directory,
    tagSource: { source: 'day', moving: layout.tag === 'latest' ? undefined : layout.tag },
    recipe: { kind: 'production', template: template.value, templatePath },
    control: undefined,
    context: tree,
    nested: [],
  };
  return good(definition, problems);
}
