import { resolve } from 'node:path';
import { contextFiles } from '../definition/context-files.js';
import { templateOf, type Definition } from '../definition/definition.js';
import { asNightly, nightlyAt, nightlyFaults, type Nightly } from '../definition/nightly.js';
import type { SourceFiles } from '../definition/source-files.js';
import type { parseTree } from '../definition/parse.js';
import type { Graph } from '../graph/graph.js';
import type { ImageRenderer } from '../graph/render-image.js';
import type { TreeRenderer } from '../graph/render-tree.js';
import type { Tags } from '../graph/tags.js';
import type { Config } from '../shared/config.js';
import { EXIT, Fault, UsageError } from '../shared/errors.js';
import { bad, distinctProblems, formatProblem, type Checked, type Problem } from '../shared/problem.js';
import type { Named } from '../state/read-state.js';
import type { Environment } from './environment.js';
import type { Options } from './verb.js';

/** A definition or the config is wrong: all problems, ready to be shown. */
export class WrongDefinitions extends Fault {
  /** @param unsaid the problems are still to be shown, as part of the message */
  constructor(
    readonly problems: readonly Problem[],
    unsaid = false,
  ) {
    const places = new Set(problems.map(({ path }) => path.slice(0, path.lastIndexOf('/') + 1))).size;
    const files = places === 1 ? '1 definition' : `${places} definitions`;
    super(EXIT.definition, `${unsaid ? `${problems.map(formatProblem).join('\n')}\n` : ''}\n${problems.length === 1 ? '1 problem' : `${problems.length} problems`} in ${files}; nothing was built.`);
  }
}

/** Everything that definitions and config say. */
export type Tree = {
  readonly config: Config;
  readonly definitions: readonly Definition[];
  readonly files: SourceFiles;
  readonly graph: Graph;
  /** Set: the definitions' tags are those of a nightly or snapshot build. */
  readonly nightly: Nightly | undefined;
};

/** Reads the config; its warnings are said, its errors thrown. */
export async function readConfig(options: Options, environment: Environment): Promise<Config> {
  const { readFile } = await import('node:fs/promises');
  let text;
  try {
    text = await readFile(resolve(environment.cwd, options.config), 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new UsageError(`${options.config}: ${code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code ?? 'unknown'})`}`, ['name the config with -c FILE']);
  }
  const { parseConfig } = await import('../shared/parse-config.js');
  return settle(parseConfig(options.config, text), options, environment);
}

/** A tree as far as it can be read, before it is known whether it is right. */
export type OpenTree = {
  readonly parsed: ReturnType<typeof parseTree>;
  /** Those that can be read. */
  readonly definitions: readonly Definition[];
  readonly files: SourceFiles;
  readonly tags: Tags;
  readonly render: ImageRenderer;
  readonly renderer: () => Promise<TreeRenderer>;
  /** What is wrong with the tags of a nightly build. */
  readonly unusable: readonly Problem[];
  readonly nightly: Nightly | undefined;
  /** Keeps what was rendered. */
  save(): void;
};

/**
 * Reads the definitions of a tree and gets ready to render them.
 * @param named told of the images as soon as their names and tags are known, long before all is rendered
 */
export async function openTree(config: Config, options: Options, environment: Environment, named?: (images: readonly Named[]) => void): Promise<OpenTree> {
  const [{ createSourceFiles, sourceRootOf }, { parseTree }, { parseDockerignore, keptEntries }, { createTags, repositoryRefOf, tagOf }, { createTreeRenderer, neutralTag }, { createImageRenderer }, { openRenderMemory }] = await Promise.all([
    import('../adapters/files.js'),
    import('../definition/parse.js'),
    import('../definition/dockerignore.js'),
    import('../graph/tags.js'),
    import('../graph/render-tree.js'),
    import('../graph/render-image.js'),
    import('./render-memory.js'),
  ]);
  const files = createSourceFiles(sourceRootOf(options.config, options.directory), (path, text, entries) => {
    const rules = parseDockerignore(path, text);
    return rules.ok ? { ok: true, value: keptEntries(rules.value, entries), warnings: rules.warnings } : rules;
  });
  const parsed = parseTree(options.directory, files, config);
  // A tree with faults is rendered all the same where it can be: a person mends everything in one go.
  const written = parsed.ok ? parsed.value.definitions : parsed.partial;
  const nightly = nightlyOf(options, environment);
  const definitions = nightly === undefined ? written : written.map((definition) => asNightly(definition, nightly));
  const unusable = nightly === undefined ? [] : nightlyFaults(written, nightly);
  if (parsed.ok) named?.(definitions.map((definition) => ({ definition, ref: { ...repositoryRefOf(config, definition.image), tag: tagOf(definition) } })));
  const tags = createTags(definitions, config, parsed.ok ? [] : parsed.broken);
  const memory = await openRenderMemory(config, options, environment);
  let renderer: Promise<TreeRenderer> | undefined;
  const openRenderer = (): Promise<TreeRenderer> => (renderer ??= import('../definition/template.js').then(async ({ createRenderer }) => createTreeRenderer(await createRenderer(), tags, config, files)));
  const render = createImageRenderer(
    async () => {
      const [opened, { parseDockerfile }, { copiedFiles }] = await Promise.all([openRenderer(), import('../definition/dockerfile.js'), import('../definition/copied-files.js')]);
      return { renderer: opened, parseDockerfile, copiedFiles };
    },
    memory,
    (name) => {
      const [real, neutral] = [tags.refOf(name), neutralTag(name, tags, config)];
      return real === undefined || neutral === undefined ? undefined : [real, neutral];
    },
  );
  // A tag of this day alone is not worth forgetting the others for.
  return { parsed, definitions, files, tags, render, renderer: openRenderer, unusable, nightly, save: () => (nightly === undefined ? memory.save() : undefined) };
}

/**
 * Reads a tree of definitions and makes its graph; all problems of all of them are thrown at once.
 * @param named told of the images as soon as their names and tags are known, long before all is rendered
 */
export async function readTree(config: Config, options: Options, environment: Environment, named?: (images: readonly Named[]) => void): Promise<Tree> {
  const { buildGraph } = await import('../graph/build-graph.js');
  const { parsed, definitions, files, tags, render, unusable, nightly, save } = await openTree(config, options, environment, named);
  const graphed = await buildGraph(definitions, tags, config, render, pauses(environment));
  const built: typeof graphed = unusable.length === 0 ? graphed : bad([...unusable, ...(graphed.ok ? graphed.warnings : graphed.problems)]);
  save();
  const fromGraph = built.ok ? built.warnings : built.problems;
  // What is wrong is said at once, so what would only be found later is looked for now.
  const inContexts = parsed.ok && built.ok ? [] : contextFaults(definitions, files);
  if (!parsed.ok) throw new WrongDefinitions(say([...parsed.problems, ...[...fromGraph, ...inContexts].filter(({ severity }) => severity === 'error')], environment));
  if (options.verbose) for (const note of parsed.value.notes) environment.err(note);
  const graph = settle(built.ok ? { ...built, warnings: [...parsed.warnings, ...built.warnings] } : { ...built, problems: [...parsed.warnings, ...built.problems, ...inContexts] }, options, environment);
  if (graph.nodes.size === 0) environment.err(`${options.directory}: there is no definition in it (a folder with Dockerfile.template and changelog, or with rootfs.yaml)`);
  return { config, definitions, files, graph, nightly };
}

/** The nightly or snapshot build that the command line asks for. */
function nightlyOf({ nightly, snapshot, rebuild }: Options, { clock }: Environment): Nightly | undefined {
  if (nightly && snapshot) throw new UsageError('--nightly and --snapshot are two builds: ask for one of them');
  if (!nightly && !snapshot) return undefined;
  if (rebuild) throw new UsageError(`--rebuild makes new dated tags, and --${nightly ? 'nightly' : 'snapshot'} makes tags of its own: ask for one of them`);
  return nightlyAt(nightly ? 'nightly' : 'snapshot', clock.now());
}

/** What is wrong with the files of the definitions that are right so far. */
function contextFaults(definitions: readonly Definition[], files: SourceFiles): readonly Problem[] {
  const found = definitions.flatMap((definition) => {
    const context = templateOf(definition) === undefined ? undefined : contextFiles(files, definition, undefined);
    return context?.ok === false ? context.problems : [];
  });
  return distinctProblems(found);
}

/** Lets answers of the outside in, now and then: rendering thousands of templates is one long computation. */
export function pauses({ clock }: Environment): () => Promise<void> | undefined {
  let last = clock.now();
  return () => {
    if (clock.now() - last < 20) return undefined;
    return new Promise((done) =>
      setImmediate(() => {
        last = clock.now();
        done();
      }),
    );
  };
}

function say(problems: readonly Problem[], environment: Environment): readonly Problem[] {
  for (const problem of problems) environment.err(formatProblem(problem));
  return problems;
}

/** The value, its warnings said; or all problems said and thrown. `--strict` makes errors of warnings. */
export function settle<T>(checked: Checked<T>, options: Options, environment: Environment): T {
  const problems = checked.ok ? checked.warnings : checked.problems;
  const counted = options.strict ? problems.map((problem): Problem => ({ ...problem, severity: 'error' })) : problems;
  say(counted, environment);
  const errors = counted.filter(({ severity }) => severity === 'error');
  if (errors.length > 0 || !checked.ok) throw new WrongDefinitions(errors);
  return checked.value;
}
