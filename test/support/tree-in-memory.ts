import type { Definition } from '../../src/definition/definition.js';
import { parseTree } from '../../src/definition/parse.js';
import type { SourceEntry, SourceFiles } from '../../src/definition/source-files.js';
import { copiedFiles } from '../../src/definition/copied-files.js';
import { parseDockerfile } from '../../src/definition/dockerfile.js';
import { createRenderer } from '../../src/definition/template.js';
import { buildGraph } from '../../src/graph/build-graph.js';
import type { Graph } from '../../src/graph/graph.js';
import { createImageRenderer } from '../../src/graph/render-image.js';
import { createTreeRenderer, neutralTag, type TreeRenderer } from '../../src/graph/render-tree.js';
import { createTags } from '../../src/graph/tags.js';
import type { Config, RunConfig } from '../../src/shared/config.js';
import { digestOf } from '../../src/shared/digest.js';
import { parseConfig } from '../../src/shared/parse-config.js';
import { bad, errorAt, good, type Checked } from '../../src/shared/problem.js';

/** A config.yaml with these lines beside its registry. */
export function configOf(lines = ''): Config {
  const parsed = parseConfig('config.yaml', `registry: registry.example.org\n${lines}`);
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  return parsed.value;
}

/** The config of a run of one tree, `images`. */
export function runConfigOf(config: Config): RunConfig {
  return { path: config.path, platform: config.platform, jobs: config.jobs, minFree: config.minFree, engineCache: config.engineCache, nightlyKeep: config.nightlyKeep, keepRuns: config.keepRuns, trees: [{ name: 'images', directory: 'images', config }] };
}

/** A disk that holds these files; 'outside' as text stands for a file beyond the source root. */
export function filesInMemory(texts: Readonly<Record<string, string>>): SourceFiles {
  const inside = (directory: string): string[] => Object.keys(texts).filter((path) => path.startsWith(`${directory}/`)).map((path) => path.slice(directory.length + 1));
  return {
    walk(directory) {
      const folders = new Map<string, Set<string>>([['.', new Set()]]);
      for (const path of inside(directory).sort()) {
        const parts = path.split('/');
        for (let depth = 0; depth < parts.length; depth++) {
          const folder = depth === 0 ? '.' : parts.slice(0, depth).join('/');
          const files = folders.get(folder) ?? new Set();
          folders.set(folder, files);
          if (depth === parts.length - 1) files.add(parts[depth]!);
        }
      }
      return { folders: [...folders].map(([path, files]) => ({ path, files })), problems: [] };
    },
    readText: (path) => (texts[path] === undefined ? bad([errorAt(path, undefined, 'there is no such file')]) : good(texts[path])),
    readBytes: (path) => (texts[path] === undefined ? bad([errorAt(path, undefined, 'there is no such file')]) : good(Buffer.from(texts[path], 'latin1'))),
    readImport: (path) => (texts[path] === undefined ? 'absent' : texts[path] === 'outside' ? 'outside' : { text: texts[path] }),
    readContext: (directory, except) => good(inside(directory).filter((path) => path.split('/')[0] !== except).map((path) => fileEntry(path, texts[`${directory}/${path}`]!))),
  };
}

/** One file of a build context. */
export function fileEntry(path: string, text: string, mode: 0o644 | 0o755 = 0o644): SourceEntry {
  return { type: 'file', path, mode, size: text.length, digest: () => digestOf(text), read: async function* () { yield Buffer.from(text); } };
}

/** The changelog of a package, versions newest first. */
export function changelogOf(name: string, ...versions: readonly string[]): string {
  return versions.map((version) => `${name} (${version}) wikimedia; urgency=low\n\n  * Entry.\n\n -- A Person <a@example.org>  Thu, 01 Jan 2026 00:00:00 +0000\n`).join('\n');
}

/** The files of one versioned production image. */
export function production(name: string, template: string, control = '', ...versions: readonly string[]): Readonly<Record<string, string>> {
  return {
    [`images/${name}/Dockerfile.template`]: template,
    [`images/${name}/changelog`]: changelogOf(name, ...(versions.length === 0 ? ['1.0'] : versions)),
    ...(control === '' ? {} : { [`images/${name}/control`]: control }),
  };
}

/** Everything that is made of a tree's files. */
export type TreeInMemory = { readonly definitions: readonly Definition[]; readonly renderer: TreeRenderer; readonly graph: Checked<Graph> };

/** Reads `images`; its definitions must be right. */
export async function treeInMemory(texts: Readonly<Record<string, string>>, config: Config = configOf()): Promise<TreeInMemory> {
  const files = filesInMemory(texts);
  const parsed = parseTree('images', files, config);
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  const { definitions } = parsed.value;
  const tags = createTags(definitions, config);
  const renderer = createTreeRenderer(await createRenderer(), tags, config, files);
  const render = createImageRenderer(async () => ({ renderer, parseDockerfile, copiedFiles }), new Map(), (name) => (tags.refOf(name) === undefined ? undefined : [tags.refOf(name)!, neutralTag(name, tags, config)!]));
  return { definitions, renderer, graph: await buildGraph([{ tree: runConfigOf(config).trees[0]!, definitions, tags, render }], () => undefined) };
}

/** The problems of something checked, warnings too, as people see them. */
export function said<T>(checked: Checked<T>): readonly string[] {
  return (checked.ok ? checked.warnings : checked.problems).map(({ path, line, message, severity }) => `${path}${line === undefined ? '' : `:${line}`}: ${message}${severity === 'warning' ? '  [warning]' : ''}`);
}
