import { DockerfileParser, type Argument, type Instruction, type ModifiableInstruction } from 'dockerfile-ast';
import { nearHint } from '../shared/near-names.js';
import { bad, errorAt, good, type Checked, type Problem } from '../shared/problem.js';
import { expandWord, type Lookup } from './dockerfile-words.js';

/** An image that a Dockerfile names: what it stands on, copies or mounts from, or is read by (`# syntax=`). */
export type Source = {
  readonly kind: 'from' | 'copy' | 'mount' | 'syntax';
  /** As written, with the defaults of ARGs filled in. */
  readonly ref: string;
  readonly line: number;
  /** Which stage names it, from 0; a syntax line belongs to 0. */
  readonly stage: number;
};

/** What we need to know of a Dockerfile. */
export type Dockerfile = {
  readonly path: string;
  /** Images of others, in the order of the file: own stages and `scratch` are left out. */
  readonly sources: readonly Source[];
  /** Each stage's name, as written; undefined where it has none. */
  readonly stages: readonly (string | undefined)[];
  /** The last USER of the file, as written. */
  readonly user: { readonly value: string; readonly line: number } | undefined;
  /** The image that the final stage is made from, through stages of its own; undefined: scratch. */
  readonly base: string | undefined;
};

/**
 * Reads a Dockerfile; `path` is how problems call it. What an ONBUILD will do in children is none of its sources.
 * An image whose name needs an ARG without a default is a problem: nobody could order the builds.
 */
export function parseDockerfile(path: string, text: string): Checked<Dockerfile> {
  const { sources, stages, user, bases, faults } = readDockerfile(text);
  const problems: Problem[] = faults.map(({ line, message }) => errorAt(path, line, message));
  if (stages.length === 0) problems.push(errorAt(path, undefined, 'has no FROM'));
  if (problems.length > 0) return bad(problems);
  return good({ path, sources: sources.map(({ kind, ref, line, stage }) => ({ kind, ref, line, stage })), stages, user, base: bases.at(-1) });
}

/** The text with the image of each FROM, COPY --from and RUN --mount from replaced where `replace` has another for it; every other byte stays. */
export function replaceSources(text: string, replace: (ref: string) => string | undefined): string {
  let result = '';
  let kept = 0;
  for (const { kind, ref, start, end } of readDockerfile(text).sources) {
    const other = kind === 'syntax' ? undefined : replace(ref);
    if (other === undefined) continue;
    result += text.slice(kept, start) + other;
    kept = end;
  }
  return result + text.slice(kept);
}

/** A source, and which bytes of the text name it. */
type Place = Source & { readonly start: number; readonly end: number };

/** One instruction as it is met, and a way to read a stretch of it: variables filled in, undefined where one has no value. */
export type Met = { readonly instruction: Instruction; expand(range: Range): string | undefined };

type Reading = {
  readonly sources: readonly Place[];
  readonly stages: readonly (string | undefined)[];
  readonly user: { readonly value: string; readonly line: number } | undefined;
  /** What each stage is made from in the end. */
  readonly bases: readonly (string | undefined)[];
  readonly faults: readonly { readonly line: number; readonly message: string }[];
};

type Position = { readonly line: number; readonly character: number };
type Range = { readonly start: Position; readonly end: Position };
type Span = { readonly start: number; readonly end: number };

/** Platform words the engine itself defines for FROM (Dockerfile reference, "Automatic platform ARGs"). */
const PLATFORM_ARGS = new Set(['TARGETPLATFORM', 'TARGETOS', 'TARGETARCH', 'TARGETVARIANT', 'BUILDPLATFORM', 'BUILDOS', 'BUILDARCH', 'BUILDVARIANT']);

/** Reads a Dockerfile from top to bottom; `meet` is told of each instruction with the variables as they are there. */
export function readDockerfile(text: string, meet?: (met: Met) => void): Reading {
  const tree = DockerfileParser.parse(text);
  const starts = lineStarts(text);
  const offset = ({ line, character }: Position): number => Math.min((starts[line] ?? text.length) + character, text.length);
  const spanOf = (range: Range): Span => ({ start: offset(range.start), end: offset(range.end) });
  const lineOf = (at: number): number => {
    const next = starts.findIndex((start) => start > at);
    return next < 0 ? starts.length : next;
  };
  const escape = tree.getEscapeCharacter();
  const instructions = tree.getInstructions();
  const fromLines = new Map(instructions.filter((instruction) => instruction.getKeyword() === 'FROM').map((instruction) => [instruction, readFrom(instruction)]));
  const own = new Set([...fromLines.values()].flatMap(({ stage }) => (stage === undefined ? [] : [stage.toLowerCase()])));
  const sources: Place[] = [];
  const stages: (string | undefined)[] = [];
  const bases: (string | undefined)[] = [];
  const faults: { line: number; message: string }[] = [];
  const globals = new Map<string, string | undefined>();
  let args = globals;
  let user: Reading['user'];

  /** The image that a word names, with its variables filled in; what has no value is noted as a fault. */
  const note = (kind: Source['kind'], { start, end }: Span, isOwn: (ref: string) => boolean, visible: Lookup): string | undefined => {
    const line = lineOf(start);
    const expanded = expandWord(withoutContinuations(text.slice(start, end), escape), escape, visible);
    if ('missing' in expanded) faults.push({ line, message: kind === 'from' ? withoutValue(expanded.missing, globals) : `no ARG of this stage gives ${expanded.missing} a value` });
    else if (kind !== 'from' && /^\d+$/.test(expanded.value) && Number(expanded.value) >= stages.length) faults.push({ line, message: `there is no stage ${expanded.value} before this line` });
    else if (expanded.value === '') faults.push({ line, message: 'names an empty image' });
    else if (expanded.value !== 'scratch' && !isOwn(expanded.value)) sources.push({ kind, ref: expanded.value, line, stage: Math.max(0, stages.length - 1), start, end });
    return 'value' in expanded ? expanded.value : undefined;
  };

  for (const directive of tree.getDirectives()) {
    if (directive.getName().toLowerCase() !== 'syntax') continue;
    const { start, end } = spanOf(directive.getValueRange());
    sources.push({ kind: 'syntax', ref: text.slice(start, end), line: lineOf(start), stage: 0, start, end });
  }

  const expand = (range: Range): string | undefined => {
    const { start, end } = spanOf(range);
    const expanded = expandWord(withoutContinuations(text.slice(start, end), escape), escape, (variable) => args.get(variable));
    return 'value' in expanded ? expanded.value : undefined;
  };

  for (const instruction of instructions) {
    meet?.({ instruction, expand });
    switch (instruction.getKeyword()) {
      case 'ARG':
        for (const argument of instruction.getArguments()) {
          const [name, written] = splitOnce(argument.getValue());
          const expanded = written === undefined ? undefined : expandWord(written, escape, (other) => args.get(other));
          args.set(name, expanded === undefined ? (args === globals ? undefined : globals.get(name)) : 'value' in expanded ? expanded.value : '');
        }
        break;
      case 'ENV':
        for (const argument of instruction.getArguments()) {
          const [name, written] = splitOnce(argument.getValue());
          const expanded = written === undefined ? undefined : expandWord(written, escape, (other) => args.get(other));
          if (args !== globals && expanded !== undefined && 'value' in expanded) args.set(name, expanded.value);
        }
        break;
      case 'FROM': {
        const { image, stage } = fromLines.get(instruction)!;
        const before = new Set(stages.map((earlier) => earlier?.toLowerCase()));
        stages.push(stage);
        args = new Map();
        if (image === undefined) faults.push({ line: instruction.getRange().start.line + 1, message: 'FROM names no image' });
        else {
          const named = note('from', spanOf(image.getRange()), (ref) => before.has(ref.toLowerCase()), (variable) => globals.get(variable));
          const stageBefore = named === undefined ? -1 : stages.slice(0, -1).findLastIndex((earlier) => earlier?.toLowerCase() === named.toLowerCase());
          bases[stages.length - 1] = stageBefore >= 0 ? bases[stageBefore] : named === 'scratch' ? undefined : named;
        }
        break;
      }
      case 'COPY':
      case 'RUN': {
        // Looking into flags is slow, and most lines have none.
        const { start, end } = instruction.getRange();
        if (!/--(?:from|mount)=/i.test(text.slice(offset(start), offset(end)))) break;
        const isOwn = (ref: string): boolean => own.has(ref.toLowerCase()) || (/^\d+$/.test(ref) && Number(ref) < stages.length);
        const kind = instruction.getKeyword() === 'COPY' ? 'copy' : 'mount';
        for (const span of sourceSpans(instruction as ModifiableInstruction, text, offset)) note(kind, span, isOwn, (variable) => args.get(variable));
        break;
      }
      case 'USER':
        user = { value: instruction.getArgumentsContent() ?? '', line: instruction.getRange().start.line + 1 };
        break;
    }
  }
  return { sources, stages, user, bases, faults };
}

/** A FROM's image and the name it gives to its stage. */
function readFrom(instruction: Instruction): { readonly image: Argument | undefined; readonly stage: string | undefined } {
  const [image, as, name] = instruction.getArguments();
  return { image, stage: as?.getValue().toLowerCase() === 'as' ? name?.getValue() : undefined };
}

/** Where a COPY's or RUN's flags name an image: first byte and the one behind the last. */
function sourceSpans(instruction: ModifiableInstruction, text: string, offset: (position: Position) => number): readonly Span[] {
  const spans: Span[] = [];
  for (const flag of instruction.getFlags()) {
    const range = flag.getValueRange();
    if (range === null) continue;
    const span = { start: offset(range.start), end: offset(range.end) };
    if (flag.getName() === 'from') spans.push(span);
    if (flag.getName() !== 'mount') continue;
    // Options are CSV: a quote may stand around each, and a line may end behind a comma.
    for (const from of text.slice(span.start, span.end).matchAll(/(?<=^"?|,"?|,.[ \t]*\r?\n"?)from=([^,"]*)/gi)) {
      const start = span.start + from.index + 'from='.length;
      spans.push({ start, end: start + from[1]!.length });
    }
  }
  return spans;
}

function withoutValue(name: string, globals: ReadonlyMap<string, string | undefined>): string {
  if (globals.has(name)) return `ARG ${name} has no default, so this image is not known before the build`;
  if (PLATFORM_ARGS.has(name)) return `the image depends on ${name}, which only a build knows: give ARG ${name} a default`;
  return `no ARG before the first FROM defines ${name}${nearHint(name, globals.keys())}`;
}

function splitOnce(text: string): readonly [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function withoutContinuations(text: string, escape: string): string {
  if (!text.includes('\n')) return text;
  return text.replaceAll(new RegExp(`\\${escape}[ \\t]*\\r?\\n(?:[ \\t]*(?:#[^\\n]*)?\\r?\\n)*`, 'g'), '');
}

/** Where each line begins; lines end as the parser has them end. */
function lineStarts(text: string): readonly number[] {
  const starts = [0];
  const lineEnd = /\r\n|\n|\r/g;
  while (lineEnd.test(text)) starts.push(lineEnd.lastIndex);
  return starts;
}
