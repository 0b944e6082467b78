import { templateOf, type Definition } from '../definition/definition.js';
import { checkNumericUser } from '../definition/numeric-user.js';
import type { Dockerfile } from '../definition/dockerfile.js';
import { fileOf, type Config, type TreeConfig } from '../shared/config.js';
import { parseImageRef, repositoryOf, type ImageName } from '../shared/image-ref.js';
import { nearHint } from '../shared/near-names.js';
import { bad, errorAt, good, warningAt, type Checked, type Problem } from '../shared/problem.js';
import { compileGlob } from './glob.js';
import { orderGraph, type Graph, type Node, type Source } from './graph.js';
import type { ImageRenderer, RenderedImage } from './render-image.js';
import { isCurrentTag, repositoryRefOf, tagOf, type Tags, type TreeDefinitions } from './tags.js';

/** A tree with what its templates are rendered by. */
export type TreeToRender = TreeDefinitions & { readonly tags: Tags; readonly render: ImageRenderer };

/**
 * The dependency graph of all trees: edges come from the rendered Dockerfiles together with control. All problems of all
 * definitions, or the graph.
 * @param pause called between definitions, so that answers of the outside are not kept waiting
 */
export async function buildGraph(trees: readonly TreeToRender[], pause: () => Promise<void> | undefined): Promise<Checked<Graph>> {
  const problems: Problem[] = [];
  const nodes: Node[] = [];
  for (const { tree, definitions, tags, render } of trees) {
    const rules = sourceRules(tree.config);
    for (const definition of definitions) {
      const rendering = render(definition);
      // Without waiting for what is there already: thousands of templates may be remembered.
      const rendered = rendering instanceof Promise ? await rendering : rendering;
      const node = buildNode(definition, tags, tree, rendered, rules);
      problems.push(...(node.ok ? node.warnings : node.problems));
      if (node.ok) nodes.push(node.value);
      await pause();
    }
  }
  const failed = problems.some(({ severity }) => severity === 'error');
  // A cycle needs all of its members; with some of them wrong, the others are ordered anyway to find cycles among them.
  const known = new Set(nodes.map(({ definition }) => definition.image));
  const ordered = orderGraph(failed ? nodes.map((node) => ({ ...node, parents: node.parents.filter((parent) => known.has(parent)) })) : nodes);
  const all = [...problems, ...ordered.problems];
  return failed || ordered.problems.length > 0 ? bad(all) : good(ordered.graph, all);
}

function buildNode(definition: Definition, tags: Tags, tree: TreeConfig, rendered: Checked<RenderedImage> | undefined, rules: SourceRules): Checked<Node> {
  const problems: Problem[] = [...checkControl(definition, tags)];
  const { config } = tree;
  const ref = { ...repositoryRefOf(config, definition.repository), tag: tagOf(definition) };
  const fromControl = (definition.control?.dependencies ?? []).flatMap(({ name }) => tags.byName(name)?.image ?? []);
  if (rendered === undefined) {
    return good({ definition, tree, ref, dockerfile: undefined, neutral: undefined, sources: [], base: undefined, parents: parentsOf(definition, fromControl) }, problems);
  }
  if (!rendered.ok) return bad([...problems, ...rendered.problems]);
  problems.push(...rendered.warnings);
  const { text, neutral, names, dockerfile, copied } = rendered.value;
  const { path } = dockerfile;
  const userFault = config.forceNumericUser ? checkNumericUser(dockerfile) : undefined;
  if (userFault !== undefined) problems.push(userFault);

  const sources = sourcesOf(definition, dockerfile, tags);
  problems.push(...checkSources(definition, path, dockerfile, sources, rules));
  for (const name of names) {
    const meant = tags.ambiguous(name);
    if (meant.length > 0) problems.push(errorAt(path, templateLine(definition, name), sayAmbiguous(name, meant)));
  }
  const used = names.flatMap((name) => tags.byName(name)?.image ?? []);
  const parents = parentsOf(definition, [...sources.flatMap(({ image }) => image ?? []), ...used, ...fromControl]);
  const byHand = sources.flatMap(({ image }) => (image === undefined || used.includes(image) ? [] : [image]));
  const node: Node = { definition, tree, ref, dockerfile: text, neutral, sources, base: dockerfile.base, parents, ...(copied === undefined ? {} : { copied }), ...(byHand.length === 0 ? {} : { byHand }) };
  return problems.some(({ severity }) => severity === 'error') ? bad(problems) : good(node, problems);
}

/** Each name once, in order; an image that names itself does not stand on itself. */
function parentsOf(definition: Definition, images: readonly ImageName[]): readonly ImageName[] {
  return [...new Set(images)].filter((image) => image !== definition.image).sort();
}

function checkControl(definition: Definition, tags: Tags): readonly Problem[] {
  const { path } = definition.control ?? {};
  return (definition.control?.dependencies ?? []).flatMap(({ name, field, line }) => {
    const meant = tags.ambiguous(name);
    if (meant.length > 0) return [errorAt(path!, line, `${field}: ${sayAmbiguous(name, meant)}`)];
    return tags.refOf(name) === undefined ? [{ ...warningAt(path!, line, `${field} names "${name}", which no tree defines${nearHint(name, tags.names)}`), rule: 'unknown-parent' }] : [];
  });
}

function sayAmbiguous(name: string, meant: readonly string[]): string {
  return `"${name}" could be ${meant.join(' or ')}, which are of other trees: name it with its namespace`;
}

/** What the build stands on, each image once, in the order of the Dockerfile. */
export function sourcesOf(definition: Definition, dockerfile: Dockerfile, tags: Tags): readonly Source[] {
  const sources = new Map<string, Source>();
  for (const { kind, ref } of dockerfile.sources) {
    if (kind !== 'syntax' && !sources.has(ref)) sources.set(ref, { ref, image: parentImageOf(definition, ref, tags)?.image });
  }
  return [...sources.values()];
}

/** The image of the tree that a reference means: its repository without a tag, with the one that moves or with its current tag. */
export function parentImageOf(definition: Definition, text: string, tags: Tags): Definition | undefined {
  const ref = parseImageRef(text);
  if (ref === undefined || ref.digest !== undefined) return undefined;
  const named = tags.byRepository(repositoryOf(ref));
  // What an image takes from itself is an earlier build of it, which is there already: an outside image.
  if (named === undefined || named.image === definition.image) return undefined;
  return isCurrentTag(named, ref.tag ?? 'latest') ? named : undefined;
}

/** Where a FROM may point, and how much it matters. */
export type SourceRules = { readonly allowed: (ref: string) => boolean; readonly severity: Problem['severity']; readonly said: string };

/** The rules of a config: `allowed_sources`, or what it is without. */
export function sourceRules(config: Config): SourceRules {
  const bases = new Set(config.baseImages.flatMap((written) => repositoryPart(written) ?? []));
  if (config.allowedSources === undefined) {
    return {
      severity: 'warning',
      said: `is neither of ${config.registry} nor in base_images (allowed_sources in ${config.path} can allow it)`,
      allowed: (ref) => ref.startsWith(`${config.registry}/`) || bases.has(repositoryPart(ref) ?? ref),
    };
  }
  const globs = config.allowedSources.map(compileGlob);
  return { severity: 'error', said: `is not among the allowed_sources of ${fileOf(config, 'allowed_sources')}`, allowed: (ref) => globs.some((matches) => matches(ref)) };
}

function repositoryPart(text: string): string | undefined {
  const ref = parseImageRef(text);
  return ref === undefined ? undefined : repositoryOf(ref);
}

/**
 * What of a Dockerfile's sources the rules do not allow.
 * @param lineOf the line that a problem names, for a source and the line of the rendered Dockerfile that has it
 */
export function checkSources(definition: Definition, path: string, dockerfile: Dockerfile, sources: readonly Source[], rules: SourceRules, lineOf = (ref: string, rendered: number) => templateLine(definition, ref) ?? rendered): readonly Problem[] {
  const inTree = new Set(sources.filter(({ image }) => image !== undefined).map(({ ref }) => ref));
  const problems: Problem[] = [];
  for (const { kind, ref, line: rendered } of dockerfile.sources) {
    if (inTree.has(ref)) continue;
    const line = lineOf(ref, rendered);
    if (kind !== 'syntax' && parseImageRef(ref) === undefined) problems.push(errorAt(path, line, `"${ref}" is no image reference`));
    else if (!rules.allowed(ref)) {
      const named = kind === 'syntax' ? `# syntax=${ref}` : `${kind === 'from' ? 'FROM' : kind === 'copy' ? 'COPY --from' : 'RUN --mount from'} ${ref}`;
      problems.push({ path, line, message: `${named} ${rules.said}`, severity: rules.severity, rule: 'source-not-allowed' });
    }
  }
  return problems;
}

/** The template's line that names an image, as far as its text shows. */
function templateLine(definition: Definition, ref: string): number | undefined {
  const lines = templateOf(definition)?.text.split('\n') ?? [];
  const parsed = parseImageRef(ref);
  for (const word of [ref, parsed?.repository, parsed?.repository.split('/').at(-1)]) {
    const found = word === undefined ? -1 : lines.findIndex((line) => line.includes(word));
    if (found >= 0) return found + 1;
  }
  return undefined;
}
