import { parseTree } from '../../src/definition/parse.js';
import { copiedFiles } from '../../src/definition/copied-files.js';
import { parseDockerfile } from '../../src/definition/dockerfile.js';
import { createRenderer } from '../../src/definition/template.js';
import { buildGraph } from '../../src/graph/build-graph.js';
import { createImageRenderer } from '../../src/graph/render-image.js';
import { createTreeRenderer, neutralTag } from '../../src/graph/render-tree.js';
import { createTags, type Tags } from '../../src/graph/tags.js';
import { changedSince, type Change } from '../../src/lint/changed-files.js';
import type { Finding, Subject } from '../../src/lint/finding.js';
import { lintTree } from '../../src/lint/lint-tree.js';
import { formatFinding } from '../../src/report/format-findings.js';
import type { Config } from '../../src/shared/config.js';
import { configOf, filesInMemory, runConfigOf } from './tree-in-memory.js';

/** What lint is given of a tree. */
export type Linted = { readonly findings: readonly Finding[]; /** As people see them. */ readonly lines: readonly string[]; readonly subjects: readonly Subject[]; readonly tags: Tags };

/** Lints `images`; `changes` is what git would tell, newest first. */
export async function lintInMemory(texts: Readonly<Record<string, string>>, config: Config = configOf(), changes: readonly Change[] = []): Promise<Linted> {
  const files = filesInMemory(texts);
  const parsed = parseTree('images', files, config);
  const definitions = parsed.ok ? parsed.value.definitions : parsed.partial;
  const tags = createTags(definitions, config, parsed.ok ? [] : parsed.broken);
  const renderer = createTreeRenderer(await createRenderer(), tags, config, files);
  const render = createImageRenderer(async () => ({ renderer, parseDockerfile, copiedFiles }), new Map(), (name) => (tags.refOf(name) === undefined ? undefined : [tags.refOf(name)!, neutralTag(name, tags, config)!]));
  const graph = await buildGraph([{ tree: runConfigOf(config).trees[0]!, definitions, tags, render }], () => undefined);
  const subjects: Subject[] = [];
  for (const definition of definitions) {
    const image = await render(definition);
    subjects.push({ definition, image: image?.ok === true ? image.value : undefined });
  }
  const told = async function* (): AsyncIterable<Change> {
    yield* changes;
  };
  const changed = await changedSince(definitions, told(), files);
  const problems = [...(parsed.ok ? parsed.warnings : parsed.problems), ...(graph.ok ? graph.warnings : graph.problems)];
  const findings = lintTree(subjects, { config, tags, files, changed }, problems, (definition) => renderer.lines(definition));
  return { findings, lines: findings.map(formatFinding), subjects, tags };
}
