import { templateOf, type Definition } from '../definition/definition.js';
import type { Dockerfile } from '../definition/dockerfile.js';
import { digestOf, type Digest } from '../shared/digest.js';
import { bad, good, type Checked, type Problem } from '../shared/problem.js';
import type { TreeRenderer } from './render-tree.js';

/** What a definition's template comes to. */
export type RenderedImage = {
  /** The Dockerfile as it is built, but for its parents' digests. */
  readonly text: string;
  /** Of the neutral form: what the definition digest is made from. */
  readonly neutral: Digest;
  /** The names that image_tag was asked for. */
  readonly names: readonly string[];
  readonly dockerfile: Dockerfile;
  /** Of a definition whose context is not its own folder: what of it the Dockerfile takes; undefined: who knows. */
  readonly copied?: readonly string[];
};

/** Renders one definition; undefined: it has no template. */
export type ImageRenderer = (definition: Definition) => Checked<RenderedImage> | undefined | Promise<Checked<RenderedImage> | undefined>;

/** The template engine and the Dockerfile parser, both heavy: loaded when the first template has to be rendered. */
export type RenderTools = { readonly renderer: TreeRenderer; parseDockerfile(path: string, text: string): Checked<Dockerfile>; copiedFiles(text: string): readonly string[] | undefined };

/** A rendered image together with all that it depends on beside the template and the settings. */
export type RememberedImage = {
  /** What image_tag answered for each name: really, and neutrally. */
  readonly tags: Readonly<Record<string, readonly [string, string]>>;
  readonly image: RenderedImage;
};

/** Rendered images by a key over template and place. A cache: losing it costs time. */
export interface RenderMemory {
  get(key: string): RememberedImage | undefined;
  set(key: string, remembered: RememberedImage): void;
}

/** A template that reads other files is rendered each time. */
const READS_FILES = /\{%[-+]?\s*(?:from|import|include|extends)\b/;

/**
 * Renders definitions, and remembers what came of it: a template whose text and whose answers from image_tag are as they were
 * comes to the same. Templates with warnings or imports are not remembered, so that nothing goes unsaid.
 * @param answer what image_tag answers for a name, really and neutrally
 */
export function createImageRenderer(load: () => Promise<RenderTools>, memory: RenderMemory, answer: (name: string) => readonly [string, string] | undefined): ImageRenderer {
  let loading: Promise<RenderTools> | undefined;
  let tools: RenderTools | undefined;
  return (definition) => {
    const template = templateOf(definition);
    if (template === undefined) return undefined;
    const key = digestOf(`${template.path}\n${template.text}`);
    const remembered = memory.get(key);
    if (remembered !== undefined && Object.entries(remembered.tags).every(([name, tags]) => answer(name)?.every((tag, index) => tag === tags[index]) === true)) return good(remembered.image);

    const render = (loaded: RenderTools): Checked<RenderedImage> => {
      const rendered = renderImage(definition, template.path, loaded);
      if (rendered.ok && rendered.warnings.length === 0 && !READS_FILES.test(template.text)) {
        const tags = Object.fromEntries(rendered.value.names.map((name) => [name, answer(name)!]));
        memory.set(key, { tags, image: rendered.value });
      }
      return rendered;
    };
    if (tools !== undefined) return render(tools);
    loading ??= load();
    return loading.then((loaded) => render((tools = loaded)));
  };
}

/** A problem of the rendered text, at the template's line where that can be told. */
function inTemplate(problem: Problem, lineOf: (line: number) => number | undefined): Problem {
  const line = problem.line === undefined ? undefined : lineOf(problem.line);
  return line === undefined ? problem : { ...problem, line };
}

function renderImage(definition: Definition, path: string, { renderer, parseDockerfile, copiedFiles }: RenderTools): Checked<RenderedImage> {
  const real = renderer.real(definition)!;
  if (!real.ok) return real;
  // Right behind the other: renders of one template in a row share its parsing.
  const neutral = renderer.neutral(definition)!;
  if (!neutral.ok) return neutral;
  const dockerfile = parseDockerfile(path, real.value.text);
  if (!dockerfile.ok) {
    const lineOf = renderer.lines(definition);
    return bad([...real.warnings, ...dockerfile.problems.map((problem) => inTemplate(problem, lineOf))]);
  }
  const names = [...new Set([...real.value.imageTags, ...neutral.value.imageTags].map(({ name }) => name))];
  const copied = definition.context === undefined ? undefined : copiedFiles(real.value.text);
  return good({ text: real.value.text, neutral: digestOf(neutral.value.text), names, dockerfile: dockerfile.value, ...(copied === undefined ? {} : { copied }) }, [...real.warnings, ...dockerfile.warnings]);
}
