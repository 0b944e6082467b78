import { dirname } from 'node:path/posix';
import type { Config } from '../shared/config.js';
import { REPOSITORY_PATTERN } from '../shared/image-ref.js';
import { bad, errorAt, good, type Checked, type Problem } from '../shared/problem.js';
import { parseChangelog } from './changelog.js';
import { parseControl, type Control } from './control.js';
import type { Definition, Recipe, TagSource } from './definition.js';
import { discover, MARKERS, type Found } from './discover.js';
import { joinPath } from './paths.js';
import { parseRootFs } from './rootfs.js';
import type { SourceFiles } from './source-files.js';
import { parseStack, stackNameFault } from './stack.js';
import { stackPairProblems } from './stack-pairs.js';
import { parseToolforgeDefinition, toolforgeName } from './toolforge-layout.js';

/** Every definition of a tree, and the folders that look like one but are not built. */
export type Tree = {
  readonly definitions: readonly Definition[];
  /** `images/x: skipped, it has no changelog …`: one line each. */
  readonly notes: readonly string[];
};

/**
 * What was read of a tree in which something is wrong: the definitions that are right, so that more can be said of them, and
 * the names that the others probably have, so that nothing is said of who uses those.
 */
export type PartialTree = { readonly ok: false; readonly problems: readonly Problem[]; readonly partial: readonly Definition[]; readonly broken: readonly string[] };

/** Reads every definition below DIRECTORY; all problems of all of them, or the tree. */
export function parseTree(directory: string, files: SourceFiles, config: Config): Extract<Checked<Tree>, { ok: true }> | PartialTree {
  const walk = files.walk(directory);
  const problems: Problem[] = [...walk.problems];
  const definitions: Definition[] = [];
  const notes: string[] = [];
  const broken: string[] = [];
  for (const found of discover(walk)) {
    const parsed = config.layout.name === 'toolforge' ? inToolforge(directory, found, files, config.layout) : parseDefinition(directory, found, files, config);
    if (!parsed.ok) {
      problems.push(...parsed.problems);
      broken.push(...(config.layout.name === 'toolforge' ? [toolforgeName(found.folder.path, config.layout)] : probableNames(joinPath(directory, found.folder.path), files)));
    }
    else if ('note' in parsed.value) notes.push(parsed.value.note);
    else definitions.push(parsed.value.definition);
    if (parsed.ok) problems.push(...parsed.warnings);
  }
  problems.push(...sameNames(definitions), ...stackPairProblems(definitions));
  if (problems.some(({ severity }) => severity === 'error')) return { ok: false, problems, partial: definitions, broken };
  return { ok: true, value: { definitions, notes }, warnings: problems };
}

function inToolforge(...found: Parameters<typeof parseToolforgeDefinition>): Checked<{ definition: Definition }> {
  const parsed = parseToolforgeDefinition(...found);
  return parsed.ok ? good({ definition: parsed.value }, parsed.warnings) : parsed;
}

/** What a definition that cannot be read may be called: as changelog or control begin, or as its folder. */
function probableNames(directory: string, files: SourceFiles): readonly string[] {
  const first = (name: string, pattern: RegExp): readonly string[] => {
    const text = files.readText(joinPath(directory, name));
    return text.ok ? (pattern.exec(text.value)?.slice(1) ?? []) : [];
  };
  return [nameOfFolder(directory), ...first('changelog', /^([a-z0-9][a-z0-9._/-]*)/m), ...first('control', /^Package:[ \t]*(\S+)/im)];
}

/** Where a definition's name is written: its changelog's first line, its control, else its folder. */
function nameFile({ directory, tagSource, control }: Definition): string {
  if (tagSource.source === 'changelog') return joinPath(directory, 'changelog');
  return control?.package === undefined ? directory : control.path;
}

function sameNames(definitions: readonly Definition[]): readonly Problem[] {
  const first = new Map<string, Definition>();
  const problems: Problem[] = [];
  for (const definition of definitions) {
    const other = first.get(definition.image);
    if (other === undefined) first.set(definition.image, definition);
    else problems.push(errorAt(nameFile(definition), undefined, `the name "${definition.name}" is taken by ${nameFile(other)}`));
  }
  return problems;
}

function parseDefinition(tree: string, found: Found, files: SourceFiles, config: Config): Checked<{ definition: Definition } | { note: string }> {
  const { folder, marker, nested } = found;
  const directory = joinPath(tree, folder.path);
  const problems: Problem[] = [];
  const take = <T>(checked: Checked<T>): T | undefined => {
    problems.push(...(checked.ok ? checked.warnings : checked.problems));
    return checked.ok ? checked.value : undefined;
  };
  const read = <T>(name: string, parse: (path: string, text: string) => Checked<T>): T | undefined => {
    const path = joinPath(directory, name);
    const text = take(files.readText(path));
    return text === undefined ? undefined : take(parse(path, text));
  };

  const others = MARKERS.filter((name) => name !== marker && folder.files.has(name) && !(marker === 'stack.yaml' && name === 'Dockerfile.template'));
  if (others.length > 0) problems.push(errorAt(directory, undefined, `has ${[marker, ...others].join(' and ')}: a folder describes one image`));
  const control = folder.files.has('control') ? read('control', parseControl) : undefined;
  const changelog = folder.files.has('changelog') ? read('changelog', parseChangelog) : undefined;
  const controlIsWrong = folder.files.has('control') && control === undefined;
  if (marker === 'Dockerfile.template' && !folder.files.has('changelog') && !controlIsWrong && control?.rolling !== true) {
    const note = `${directory}: skipped, it has no changelog (and its control does not say "Rolling: yes")`;
    return problems.some(({ severity }) => severity === 'error') ? bad(problems) : good({ note }, problems);
  }

  const newest = changelog?.entries[0];
  if (newest !== undefined && control?.rolling === true) {
    problems.push(errorAt(control.path, undefined, '"Rolling: yes" beside a changelog: an image is either rolling or versioned'));
  }
  const name = changelog?.package ?? control?.package ?? nameOfFolder(directory);
  if (!REPOSITORY_PATTERN.test(name)) {
    problems.push(errorAt(directory, undefined, `"${name}" cannot be an image's name (lower-case letters, digits, and single . _ - / between them)`));
  }
  if (marker === 'stack.yaml' && changelog !== undefined) problems.push(errorAt(joinPath(directory, 'changelog'), 1, 'a stack image has no changelog: it is rolling, and its generation is in its name'));
  const recipe = read(marker, (path, text) => parseRecipe(marker, path, text, files));
  if (recipe?.kind === 'stack') {
    const fault = stackNameFault(name, recipe.stack);
    if (fault !== undefined) problems.push(errorAt(recipe.stackPath, recipe.lines.id, fault));
  }
  if (recipe === undefined || problems.some(({ severity }) => severity === 'error')) return bad(problems);

  const tagSource: TagSource =
    changelog === undefined || newest === undefined
      ? { source: 'day' }
      : { source: 'changelog', version: newest.version, older: changelog.entries.slice(1).map(({ version }) => version) };
  const repository = config.namespace === undefined ? name : `${config.namespace}/${name}`;
  const definition: Definition = {
    image: repository,
    repository,
    name,
    tree,
    path: folder.path,
    directory,
    tagSource,
    recipe,
    control: control as Control | undefined,
    nested,
  };
  return good({ definition }, problems);
}

function parseRecipe(marker: Found['marker'], path: string, text: string, files: SourceFiles): Checked<Recipe> {
  if (marker === 'Dockerfile.template') return good({ kind: 'production', template: text, templatePath: path });
  if (marker === 'stack.yaml') {
    const templatePath = joinPath(dirname(path), 'Dockerfile.template');
    const template = files.readText(templatePath);
    const stack = parseStack(path, text);
    if (!template.ok || !stack.ok) return bad([...(template.ok ? [] : template.problems), ...(stack.ok ? [] : stack.problems)]);
    return good({ kind: 'stack', template: template.value, templatePath, stackPath: path, ...stack.value }, stack.warnings);
  }
  const rootfs = parseRootFs(path, text, files);
  return rootfs.ok ? good({ kind: 'base', rootfs: rootfs.value, rootfsPath: path }, rootfs.warnings) : rootfs;
}

function nameOfFolder(directory: string): string {
  return directory.replace(/\/+$/, '').split('/').at(-1)!;
}
