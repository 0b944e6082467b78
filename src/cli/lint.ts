import { resolve } from 'node:path';
import { isWithin } from '../definition/paths.js';
import { buildGraph } from '../graph/build-graph.js';
import type { RenderedImage } from '../graph/render-image.js';
import { repositoryRefOf, tagOf } from '../graph/tags.js';
import { planMending } from '../plan/mend-control.js';
import type { WriteFile } from '../plan/write-file.js';
import { changedSince, type Changed } from '../lint/changed-files.js';
import type { Finding, Subject } from '../lint/finding.js';
import { countLevels, joinFindings, lintTree, ownerOf, type LineOf } from '../lint/lint-tree.js';
import { switchedOff } from '../lint/switched-off.js';
import { findingsToJson, formatFinding, formatLintSummary, formatMending, type Unable } from '../report/format-findings.js';
import { findingsToSarif } from '../report/format-sarif.js';
import type { RunConfig } from '../shared/config.js';
import { EXIT, UsageError } from '../shared/errors.js';
import type { ImageName } from '../shared/image-ref.js';
import { formatProblem, type Checked, type Problem } from '../shared/problem.js';
import type { Environment } from './environment.js';
import { lockTrees } from './lock-trees.js';
import { selection } from './planning.js';
import { programVersion } from './program-version.js';
import { openTrees, pauses, readConfig, type OpenTree } from './tree.js';
import type { Options, Verb } from './verb.js';

/** Says what is wrong, odd or careless in a tree; asks neither registry nor engine. */
export const lint: Verb = async (options, environment) => {
  if (options.json && options.sarif) throw new UsageError('--json and --sarif are two forms of one thing: ask for one of them');
  const config = await readConfig(options, environment);
  if (options.fix) {
    const lock = options.dryRun ? undefined : await lockTrees(config, environment);
    try {
      const steps = await mend(config, options, environment);
      if (options.dryRun) return EXIT.ok;
      if (steps.length > 0 && !options.json && !options.sarif) environment.out('');
    } finally {
      lock?.release();
    }
  }
  const { findings, unable, images } = await inspect(config, options, environment);
  if (options.json) environment.out(JSON.stringify(findingsToJson(findings, unable, images), null, 2));
  else if (options.sarif) environment.out(JSON.stringify(findingsToSarif(findings, programVersion), null, 2));
  else for (const line of [...findings.map(formatFinding), ...formatLintSummary(findings, images)]) environment.out(line);
  if (!options.json) for (const { rule, why } of unable) environment.err(`${rule} was not looked for: ${why}`);
  const { error, warning } = countLevels(findings);
  return error > 0 || (options.strict && warning > 0) ? EXIT.definition : EXIT.ok;
};

/** Writes what can be mended, all or none, or shows what would be written. */
async function mend(config: RunConfig, options: Options, environment: Environment): Promise<readonly WriteFile[]> {
  const readings = await readSubjects(config, options, environment);
  const mendings = readings.map(({ opened: { tree, tags, files }, subjects }) =>
    planMending(subjects, tags, tree.config, (path) => {
      const bytes = files.readBytes(path);
      return bytes.ok ? bytes.value : undefined;
    }),
  );
  const steps = mendings.flatMap((mending) => mending.steps);
  for (const problem of mendings.flatMap(({ left }) => left)) environment.err(formatProblem(problem));
  const isQuiet = options.json || options.sarif;
  if (options.dryRun && options.json) environment.out(JSON.stringify({ steps }, null, 2));
  if (!options.dryRun) {
    const [{ writeFiles }, { createFileWriting }] = await Promise.all([import('../execute/write-files.js'), import('../adapters/file-writing.js')]);
    environment.signal.throwIfAborted();
    writeFiles(steps, createFileWriting(environment.cwd));
  }
  if (!isQuiet) for (const line of formatMending(steps, options.dryRun)) environment.out(line);
  return steps;
}

/** A tree as lint sees it: the selected definitions, and what reading and ordering found wrong in it. */
type Reading = { readonly opened: OpenTree; readonly subjects: readonly Subject[]; readonly problems: readonly Problem[] };

async function readSubjects(config: RunConfig, options: Options, environment: Environment): Promise<readonly Reading[]> {
  const { trees, problems: fromReading, save } = await openTrees(config, options, environment);
  const nodes = new Map(trees.flatMap(({ tree, definitions }) => definitions.map((definition) => [definition.image, { definition, ref: { ...repositoryRefOf(tree.config, definition.repository), tag: tagOf(definition) } }])));
  // Of a tree that cannot be read whole nobody knows whether a glob matches nothing.
  const selected = trees.every(({ parsed }) => parsed.ok) ? selection({ graph: { nodes } }, options) : undefined;
  const rendered = new Map((await Promise.all(trees.map(renderAll))).flatMap((images) => [...images]));
  const graph = await buildGraph(trees.map((tree) => ({ ...tree, render: ({ image }) => rendered.get(image) })), pauses(environment));
  save();
  const problems = [...fromReading, ...(graph.ok ? graph.warnings : graph.problems)];
  return trees.map((opened): Reading => {
    const subjects = opened.definitions.flatMap((definition): readonly Subject[] => {
      const image = rendered.get(definition.image);
      return selected?.has(definition.image) === false ? [] : [{ definition, image: image?.ok === true ? image.value : undefined }];
    });
    const held = opened.definitions.map((definition) => ({ definition }));
    const own = problems.filter(({ path }) => {
      const image = ownerOf(path, held)?.definition.image;
      // What lies in no tree is said with the first one.
      return (trees.find(({ tree }) => isWithin(path, tree.directory)) ?? trees[0]) === opened && (image === undefined || selected?.has(image) !== false);
    });
    return { opened, subjects, problems: own };
  });
}

/** Everything that is found in the selected images. */
async function inspect(config: RunConfig, options: Options, environment: Environment): Promise<{ readonly findings: readonly Finding[]; readonly unable: readonly Unable[]; readonly images: number }> {
  const readings = await readSubjects(config, options, environment);
  if (options.verbose) for (const { opened: { parsed } } of readings) if (parsed.ok) for (const note of parsed.value.notes) environment.err(note);
  const withoutGit: string[] = [];
  const findings: (readonly Finding[])[] = [];
  for (const { opened, subjects, problems } of readings) {
    const { tree, tags, files } = opened;
    const changed = await lookForChanges(opened, environment);
    if (changed === undefined) withoutGit.push(tree.directory);
    findings.push(lintTree(subjects, { config: tree.config, tags, files, changed: changed ?? new Map() }, problems, await linesOf(opened, subjects)));
  }
  return {
    findings: joinFindings(findings),
    unable: withoutGit.length === 0 ? [] : [{ rule: 'changed-without-changelog', why: `${withoutGit.join(', ')} ${withoutGit.length === 1 ? 'lies' : 'lie'} in no git work tree with a commit (or there is no git)` }],
    images: readings.reduce((sum, { subjects }) => sum + subjects.length, 0),
  };
}

async function renderAll({ definitions, render }: OpenTree): Promise<ReadonlyMap<ImageName, Checked<RenderedImage>>> {
  const rendered = new Map<ImageName, Checked<RenderedImage>>();
  for (const definition of definitions) {
    const image = await render(definition);
    if (image !== undefined) rendered.set(definition.image, image);
  }
  return rendered;
}

/** The template engine is loaded for nothing when nothing is found, which costs less than to wait for it in the middle. */
async function linesOf(tree: OpenTree, subjects: readonly Subject[]): Promise<LineOf> {
  if (subjects.every(({ image }) => image === undefined)) return () => () => undefined;
  const renderer = await tree.renderer();
  return (definition) => renderer.lines(definition);
}

/** Asks git, once for each tree, unless nobody wants to know; undefined: git knows nothing of it. */
async function lookForChanges({ tree: { config, directory }, definitions, files }: OpenTree, environment: Environment): Promise<ReadonlyMap<ImageName, Changed> | undefined> {
  const asked = definitions.filter((definition) => definition.tagSource.source === 'changelog' && !switchedOff(definition, config).has('changed-without-changelog'));
  if (asked.length === 0) return new Map();
  const { createChangeHistory } = await import('../adapters/git-history.js');
  const changes = await createChangeHistory().changes(resolve(environment.cwd, directory));
  return changes === undefined ? undefined : changedSince(definitions, changes, files);
}
