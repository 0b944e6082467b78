import { resolve } from 'node:path';
import { createSourceFiles, sourceRootOf } from '../adapters/files.js';
import { contextFiles } from '../definition/context-files.js';
import { templateOf, type Definition } from '../definition/definition.js';
import { parseDockerignore, keptEntries } from '../definition/dockerignore.js';
import { asNightly, nightlyAt, nightlyFaults, type Nightly } from '../definition/nightly.js';
import { parseTree } from '../definition/parse.js';
import type { SourceFiles } from '../definition/source-files.js';
import type { Renderer } from '../definition/template.js';
import { buildGraph } from '../graph/build-graph.js';
import type { Graph } from '../graph/graph.js';
import { joinTrees } from '../graph/join-trees.js';
import { createImageRenderer, type ImageRenderer } from '../graph/render-image.js';
import { createTreeRenderer, neutralTag, type TreeRenderer } from '../graph/render-tree.js';
import { createTags, repositoryRefOf, tagOf, type Tags } from '../graph/tags.js';
import type { RunConfig, TreeConfig } from '../shared/config.js';
import { EXIT, Fault, UsageError } from '../shared/errors.js';
import { parseRunConfig } from '../shared/parse-run-config.js';
import { bad, distinctProblems, formatProblem, type Checked, type Problem } from '../shared/problem.js';
import type { Named } from '../state/read-state.js';
import { configDisk, readConfigFiles } from './config-files.js';
import type { Environment } from './environment.js';
import { openRenderMemory } from './render-memory.js';
import { joinFiles } from './tree-files.js';
import type { Options } from './verb.js';

/** A definition or the config is wrong: all problems, ready to be shown. */
export class WrongDefinitions extends Fault {
  /**
   * @param unsaid the problems are still to be shown, as part of the message
   * @param undone what was not done because of them
   */
  constructor(
    readonly problems: readonly Problem[],
    unsaid = false,
    undone = 'nothing was built',
  ) {
    const places = new Set(problems.map(({ path }) => path.slice(0, path.lastIndexOf('/') + 1))).size;
    const files = places === 1 ? '1 definition' : `${places} definitions`;
    super(EXIT.definition, `${unsaid ? `${problems.map(formatProblem).join('\n')}\n` : ''}\n${problems.length === 1 ? '1 problem' : `${problems.length} problems`} in ${files}; ${undone}.`);
  }
}

/** Everything that definitions and configs say, of one tree or of several. */
export type Tree = {
  readonly config: RunConfig;
  readonly definitions: readonly Definition[];
  readonly files: SourceFiles;
  /** Of all trees together; each node says whose config is its own. */
  readonly graph: Graph;
  /** Set: the definitions' tags are those of a nightly or snapshot build. */
  readonly nightly: Nightly | undefined;
};

/** Reads the config, those of its trees, and what lies below; their warnings are said, their errors thrown. */
export async function readConfig(options: Options, environment: Environment): Promise<RunConfig> {
  const { file, under } = readConfigFiles(options.config, environment);
  const run = settle(parseRunConfig(file, under, options.directory, configDisk(environment)), options, environment);
  const listed = run.trees.some(({ config }) => config.path !== run.path);
  if (listed && options.directoryGiven) {
    const place = resolve(environment.cwd, options.directory);
    const alone = run.trees.filter(({ directory }) => resolve(environment.cwd, directory) === place).map(({ config }) => `build-images -c ${config.path} ${options.directory}   is of one tree alone`);
    throw new UsageError(`${run.path} names its trees: leave ${options.directory} out`, alone);
  }
  // That the one file was read that was named is no news.
  if (options.verbose) {
    for (const { name, config } of run.trees) {
      const under = config.under.map(({ path }) => path);
      if (listed || under.length > 0) environment.err(`${listed ? `tree ${name}: ` : ''}config ${config.path}${under.length === 0 ? '' : `; what it does not say: ${under.join(', then ')}`}`);
    }
  }
  return run;
}

/** A tree as far as it can be read, before it is known whether it is right. */
export type OpenTree = {
  readonly tree: TreeConfig;
  readonly parsed: ReturnType<typeof parseTree>;
  /** Those that can be read. */
  readonly definitions: readonly Definition[];
  readonly files: SourceFiles;
  readonly tags: Tags;
  readonly render: ImageRenderer;
  readonly renderer: () => Promise<TreeRenderer>;
};

/** All trees of a run, each as far as it can be read. */
export type OpenTrees = {
  readonly trees: readonly OpenTree[];
  /** Those that can be read, of all trees. */
  readonly definitions: readonly Definition[];
  readonly files: SourceFiles;
  /** What reading found: of each tree, and between them. Warnings alone: they are right. */
  readonly problems: readonly Problem[];
  /** What is wrong with the tags of a nightly build. */
  readonly unusable: readonly Problem[];
  readonly nightly: Nightly | undefined;
  /** Keeps what was rendered. */
  save(): void;
};

/**
 * Reads the definitions of all trees and gets ready to render them.
 * @param named told of the images as soon as their names and tags are known, long before all is rendered
 */
export async function openTrees(config: RunConfig, options: Options, environment: Environment, named?: (images: readonly Named[]) => void): Promise<OpenTrees> {
  const nightly = nightlyOf(options, environment);
  const read = config.trees.map((tree) => {
    const files = createSourceFiles(sourceRootOf(tree.config.path, tree.directory), (path, text, entries) => {
      const rules = parseDockerignore(path, text);
      return rules.ok ? { ok: true, value: keptEntries(rules.value, entries), warnings: rules.warnings } : rules;
    });
    const parsed = parseTree(tree.directory, files, tree.config);
    // A tree with faults is rendered all the same where it can be: a person mends everything in one go.
    return { tree, files, parsed, written: parsed.ok ? parsed.value.definitions : parsed.partial };
  });
  const unusable = nightly === undefined ? [] : read.flatMap(({ written }) => nightlyFaults(written, nightly));
  const joined = joinTrees(read.map(({ tree, written }) => ({ tree, definitions: nightly === undefined ? written : written.map((definition) => asNightly(definition, nightly)) })));
  const problems = [...read.flatMap(({ parsed }) => (parsed.ok ? parsed.warnings : parsed.problems)), ...joined.problems];
  if (!problems.some(isError)) named?.(joined.trees.flatMap(({ tree, definitions }) => definitions.map((definition) => ({ definition, ref: { ...repositoryRefOf(tree.config, definition.repository), tag: tagOf(definition) } }))));

  let engine: Promise<Renderer> | undefined;
  const openEngine = (): Promise<Renderer> => (engine ??= import('../definition/template.js').then(({ createRenderer }) => createRenderer()));
  const memories = await Promise.all(config.trees.map((tree) => openRenderMemory(tree, environment)));
  const trees = joined.trees.map((one, index): OpenTree => {
    const { tree, definitions } = one;
    const { files, parsed } = read[index]!;
    const tags = createTags(definitions, tree.config, parsed.ok ? [] : parsed.broken, joined.trees.filter((other) => other !== one));
    let opened: Promise<TreeRenderer> | undefined;
    const renderer = (): Promise<TreeRenderer> => (opened ??= openEngine().then((loaded) => createTreeRenderer(loaded, tags, tree.config, files)));
    const render = createImageRenderer(
      async () => {
        const [loaded, { parseDockerfile }, { copiedFiles }] = await Promise.all([renderer(), import('../definition/dockerfile.js'), import('../definition/copied-files.js')]);
        return { renderer: loaded, parseDockerfile, copiedFiles };
      },
      memories[index]!,
      (name) => {
        const [real, neutral] = [tags.refOf(name), neutralTag(name, tags, tree.config)];
        return real === undefined || neutral === undefined ? undefined : [real, neutral];
      },
    );
    return { ...one, parsed, files, tags, render, renderer };
  });
  return {
    trees,
    definitions: trees.flatMap(({ definitions }) => definitions),
    files: joinFiles(read.map(({ tree, files }) => ({ directory: tree.directory, files }))),
    problems,
    unusable,
    nightly,
    save() {
      // A tag of this day alone is not worth forgetting the others for.
      if (nightly === undefined) for (const memory of memories) memory.save();
    },
  };
}

/**
 * Reads all trees and makes their graph; all problems of all of them are thrown at once.
 * @param named told of the images as soon as their names and tags are known, long before all is rendered
 */
export async function readTree(config: RunConfig, options: Options, environment: Environment, named?: (images: readonly Named[]) => void): Promise<Tree> {
  const { trees, definitions, files, problems, unusable, nightly, save } = await openTrees(config, options, environment, named);
  const wrong = problems.some(isError);
  const graphed = await buildGraph(trees, pauses(environment));
  const built: typeof graphed = unusable.length === 0 ? graphed : bad([...unusable, ...(graphed.ok ? graphed.warnings : graphed.problems)]);
  save();
  const fromGraph = built.ok ? built.warnings : built.problems;
  // What is wrong is said at once, so what would only be found later is looked for now.
  const inContexts = !wrong && built.ok ? [] : contextFaults(definitions, files);
  if (wrong) throw new WrongDefinitions(say([...problems, ...[...fromGraph, ...inContexts].filter(isError)], environment));
  if (options.verbose) for (const { parsed } of trees) if (parsed.ok) for (const note of parsed.value.notes) environment.err(note);
  const graph = settle(built.ok ? { ...built, warnings: [...problems, ...built.warnings] } : { ...built, problems: [...problems, ...built.problems, ...inContexts] }, options, environment);
  for (const { tree, definitions: own } of trees) {
    if (own.length === 0) environment.err(`${tree.directory}: there is no definition in it (a folder with Dockerfile.template and changelog, or with rootfs.yaml)`);
  }
  return { config, definitions, files, graph, nightly };
}

function isError({ severity }: Problem): boolean {
  return severity === 'error';
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
