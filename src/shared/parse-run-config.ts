import { dirname, isAbsolute, join } from 'node:path/posix';
import type { RunConfig, TreeConfig } from './config.js';
import { layeredFields } from './layered-fields.js';
import { parseConfig, readRunKeys, type ConfigFile } from './parse-config.js';
import { bad, errorAt, formatProblem, good, type Checked, type Problem } from './problem.js';
import { parseYaml } from './yaml-document.js';
import type { YamlFields } from './yaml-fields.js';

/** What reading the configs of several trees needs of a disk. */
export type ConfigDisk = {
  /** The text of a file, or what is wrong with it ("there is no such file"). */
  read(path: string): { readonly text: string } | { readonly fault: string };
  isDirectory(path: string): boolean;
};

/** One item of `trees:`, its paths as a person would type them. */
type TreeEntry = { readonly name: string; readonly directory: string; readonly config: string; readonly fields: YamlFields };

const ENTRY_KEYS: readonly string[] = ['name', 'directory', 'config'];

/**
 * Reads the config of a run: that of one tree, or a list of trees with a config each, below which lies what the list's file itself
 * says. All problems of all files are reported at once.
 * @param under files that lie below all of them, the nearest first
 * @param directory the folder of a tree alone
 */
export function parseRunConfig(file: ConfigFile, under: readonly ConfigFile[], directory: string, disk: ConfigDisk): Checked<RunConfig> {
  const misplaced = under.flatMap(({ path, text }) => treesOf(path, text).map((line) => errorAt(path, line, 'trees are listed in the config that is named with -c')));
  if (misplaced.length > 0) return bad(misplaced);
  if (treesOf(file.path, file.text).length > 0) return parseTrees(file, under, disk);
  const config = parseConfig(file.path, file.text, under);
  if (!config.ok) return config;
  const { path, platform, jobs, minFree, engineCache, nightlyKeep, keepRuns } = config.value;
  return good({ path, platform, jobs, minFree, engineCache, nightlyKeep, keepRuns, trees: [{ name: directory, directory, config: config.value }] }, config.warnings);
}

/** The line of `trees:` in a file that has it. */
function treesOf(path: string, text: string): readonly number[] {
  const parsed = parseYaml(path, text);
  return parsed.ok && typeof parsed.value.value === 'object' && parsed.value.value !== null && Object.hasOwn(parsed.value.value, 'trees') ? [parsed.value.lineOf('/trees')] : [];
}

function parseTrees(file: ConfigFile, under: readonly ConfigFile[], disk: ConfigDisk): Checked<RunConfig> {
  const problems: Problem[] = [];
  const layers = [file, ...under].flatMap(({ path, text }) => {
    const parsed = parseYaml(path, text);
    if (!parsed.ok) problems.push(...parsed.problems);
    return parsed.ok ? [{ path, document: parsed.value }] : [];
  });
  if (problems.length > 0) return bad(problems);
  const fields = layeredFields(layers, [], problems);
  if (fields === undefined) return bad(problems);
  const run = { path: file.path, ...readRunKeys(fields) };
  const entries = readEntries(file.path, fields, problems);
  problems.push(...sameTwice(file.path, entries, disk));
  const trees = entries.flatMap((entry): readonly TreeConfig[] => {
    const config = readTreeConfig(entry, file, under, disk);
    problems.push(...(config.ok ? config.warnings : config.problems));
    if (!config.ok) return [];
    const { platform } = config.value;
    if (platform !== run.platform) problems.push(errorAt(entry.config, undefined, `platform is ${platform ?? 'not set'}, but ${run.platform ?? 'not set'} in ${file.path}: all images of a run are for one platform`));
    return [{ name: entry.name, directory: entry.directory, config: config.value }];
  });
  const all = distinct(problems);
  return all.some(({ severity }) => severity === 'error') ? bad(all) : good({ ...run, trees }, all);
}

function readEntries(path: string, fields: YamlFields, problems: Problem[]): readonly TreeEntry[] {
  const place = (written: string): string => (isAbsolute(written) ? written : join(dirname(path), written));
  const before = problems.length;
  const entries = fields.mappings('trees').flatMap((tree): readonly TreeEntry[] => {
    for (const key of tree.keys) if (!ENTRY_KEYS.includes(key)) tree.problem(key, `is no key of a tree (there are: ${ENTRY_KEYS.join(', ')}; all else belongs into its config)`);
    const name = tree.checkedText('name', (text) => (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text) ? undefined : 'is no name of a tree (letters, digits, . _ -)'));
    const [directory, config] = [tree.checkedText('directory', emptyFault), tree.checkedText('config', emptyFault)];
    for (const key of ENTRY_KEYS) if (!tree.keys.includes(key)) problems.push(errorAt(path, tree.line, `this tree has no ${key}: each has a name, a directory and a config`));
    return name === undefined || directory === undefined || config === undefined ? [] : [{ name, directory: place(directory), config: place(config), fields: tree }];
  });
  if (entries.length === 0 && problems.length === before) fields.problem('trees', 'is empty: a run has at least one tree');
  return entries;
}

function emptyFault(text: string): string | undefined {
  return text === '' ? 'is empty' : undefined;
}

/** Names that are there twice, folders that are not there, and folders that lie in one another. */
function sameTwice(path: string, entries: readonly TreeEntry[], disk: ConfigDisk): readonly Problem[] {
  return entries.flatMap(({ name, directory, fields }, index) => {
    const before = entries.slice(0, index);
    const error = (key: string, message: string): Problem => errorAt(path, fields.lineOf(key), message);
    const named = before.find((other) => other.name === name);
    const holds = before.find((other) => isWithin(directory, other.directory) || isWithin(other.directory, directory));
    return [
      ...(named === undefined ? [] : [error('name', `the name "${name}" stands already on line ${named.fields.lineOf('name')}`)]),
      ...(disk.isDirectory(directory) ? [] : [error('directory', `there is no directory ${directory}`)]),
      ...(holds === undefined ? [] : [error('directory', `${directory} and ${holds.directory} of tree "${holds.name}" lie in one another: each definition is of one tree`)]),
    ];
  });
}

function isWithin(path: string, folder: string): boolean {
  const [inner, outer] = [join(path, '/'), join(folder, '/')];
  return inner.startsWith(outer) || (outer === './' && !isAbsolute(inner) && !inner.startsWith('../'));
}

function readTreeConfig({ name, config, fields }: TreeEntry, file: ConfigFile, under: readonly ConfigFile[], disk: ConfigDisk): ReturnType<typeof parseConfig> {
  const found = disk.read(config);
  if ('fault' in found) return bad([errorAt(file.path, fields.lineOf('config'), `the config ${config} of tree "${name}": ${found.fault}`)]);
  const [line] = treesOf(config, found.text);
  if (line !== undefined) return bad([errorAt(config, line, `this is the config of tree "${name}" in ${file.path}: it can have no trees of its own`)]);
  return parseConfig(config, found.text, [file, ...under]);
}

/** What lies under several trees is wrong once. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [formatProblem(problem), problem])).values()];
}
