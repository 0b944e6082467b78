import { copiedFiles } from '../../src/definition/copied-files.js';
import { parseDockerfile } from '../../src/definition/dockerfile.js';
import { parseTree } from '../../src/definition/parse.js';
import { createRenderer } from '../../src/definition/template.js';
import { buildGraph } from '../../src/graph/build-graph.js';
import type { Graph } from '../../src/graph/graph.js';
import { joinTrees } from '../../src/graph/join-trees.js';
import { createImageRenderer } from '../../src/graph/render-image.js';
import { createTreeRenderer, neutralTag } from '../../src/graph/render-tree.js';
import { createTags } from '../../src/graph/tags.js';
import type { Subject } from '../../src/lint/finding.js';
import { lintTree } from '../../src/lint/lint-tree.js';
import { formatFinding } from '../../src/report/format-findings.js';
import type { TreeConfig } from '../../src/shared/config.js';
import { parseConfig } from '../../src/shared/parse-config.js';
import { formatProblem, type Checked } from '../../src/shared/problem.js';
import { filesInMemory, production } from './tree-in-memory.js';

/** A tree in the folder of its name: image → template, or template and control. */
export type Sketch = { readonly config: string; readonly images: Readonly<Record<string, string | readonly [template: string, control: string]>> };

/** Several trees as one. */
export type TreesInMemory = { readonly graph: Checked<Graph>; /** What joining and ordering found. */ readonly said: readonly string[]; /** What lint finds, tree by tree. */ readonly linted: readonly string[] };

/** Reads trees whose definitions are right; all images are of version 1.0. */
export async function treesInMemory(sketches: Readonly<Record<string, Sketch>>): Promise<TreesInMemory> {
  const read = Object.entries(sketches).map(([name, { config, images }]) => {
    const checked = parseConfig(`${name}.yaml`, config);
    if (!checked.ok) throw new Error(checked.problems.map(formatProblem).join('\n'));
    const texts = Object.entries(images).flatMap(([image, written]) => Object.entries(typeof written === 'string' ? production(image, written) : production(image, written[0], written[1])));
    const files = filesInMemory(Object.fromEntries(texts.map(([path, text]) => [path.replace(/^images/, name), text])));
    const tree: TreeConfig = { name, directory: name, config: checked.value };
    const parsed = parseTree(name, files, tree.config);
    if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
    return { tree, files, definitions: parsed.value.definitions };
  });
  const joined = joinTrees(read);
  const renderer = await createRenderer();
  const trees = joined.trees.map((one, index) => {
    const { tree, definitions } = one;
    const tags = createTags(definitions, tree.config, [], joined.trees.filter((other) => other !== one));
    const treeRenderer = createTreeRenderer(renderer, tags, tree.config, read[index]!.files);
    const answer = (name: string): readonly [string, string] | undefined => (tags.refOf(name) === undefined ? undefined : [tags.refOf(name)!, neutralTag(name, tags, tree.config)!]);
    return { ...one, tags, treeRenderer, files: read[index]!.files, render: createImageRenderer(async () => ({ renderer: treeRenderer, parseDockerfile, copiedFiles }), new Map(), answer) };
  });
  const graph = await buildGraph(trees, () => undefined);
  const linted: string[] = [];
  for (const { tree, definitions, tags, files, render, treeRenderer } of trees) {
    const subjects: Subject[] = [];
    for (const definition of definitions) {
      const image = await render(definition);
      subjects.push({ definition, image: image?.ok === true ? image.value : undefined });
    }
    linted.push(...lintTree(subjects, { config: tree.config, tags, files, changed: new Map() }, [], (definition) => treeRenderer.lines(definition)).map(formatFinding));
  }
  return { graph, said: [...joined.problems, ...(graph.ok ? graph.warnings : graph.problems)].map(formatProblem), linted };
}
