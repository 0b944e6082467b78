import { templatePieces, type Piece } from './template-tokens.js';

/** Two characters for private use: no Dockerfile has them, and no filter changes them. */
const START = '\uE000';
const END = '\uE001';
const MARK = /\uE000(\d+)\uE001/g;

/**
 * A template with a mark of its line before what it prints: each line of plain text, and each `{{`. A mark stands where a character
 * stood that is no blank, so that what `{%-` takes away stays the same. Text that a tag captures (`{% set x %}`) has none, since filters
 * would meet them. Undefined: such characters are in it already.
 */
export function markLines(source: string): string | undefined {
  const template = source.replace(/\r\n?/g, '\n');
  if (template.includes(START) || template.includes(END)) return undefined;
  let marked = '';
  let line = 1;
  let captured = 0;
  for (const piece of templatePieces(template)) {
    const text = written(piece);
    captured += capturing(piece);
    // Comments and raw blocks are text to whoever takes the template apart.
    const isPlain = piece.kind === 'text' && !text.startsWith('{#') && !text.startsWith('{%');
    const start = line;
    if (captured > 0) marked += text;
    else if (isPlain) marked += text.replace(/(^|\n)([^\S\n]*)(?=\S)/g, (_, before: string, blank: string, at: number) => `${before}${blank}${mark(start + newlines(text.slice(0, at)) + before.length)}`);
    else marked += (piece.kind === 'output' && piece.open === '{{' ? mark(line) : '') + text;
    line += newlines(text);
  }
  return marked;
}

/** What marked text is without its marks, and for each of its lines the template's line that it came from. */
export function readMarks(marked: string): { readonly text: string; readonly lines: readonly (number | undefined)[] } {
  let last: number | undefined;
  const lines = marked.split('\n').map((content) => {
    // Of several marks the last one is nearest; what stands before the first one came from the line before.
    const own = /^\s*(?:\uE000\d+\uE001\s*)*\uE000(\d+)\uE001/.exec(content)?.[1];
    const line = own === undefined ? last : Number(own);
    for (const [, number] of content.matchAll(MARK)) last = Number(number);
    return line;
  });
  const text = withoutMarks(marked);
  return { text, lines: withEmptyLines(text.split('\n'), lines) };
}

/** Empty lines have no mark; as many of them as the template has between its lines are those. */
function withEmptyLines(contents: readonly string[], lines: readonly (number | undefined)[]): readonly (number | undefined)[] {
  const told = [...lines];
  for (let at = 0; at < contents.length; at++) {
    let next = at + 1;
    while (next < contents.length && contents[next]!.trim() === '') next++;
    const [before, after] = [lines[at], lines[next]];
    if (before === undefined || after === undefined || after - before !== next - at) continue;
    for (let empty = at + 1; empty < next; empty++) told[empty] = before + empty - at;
  }
  return told;
}

/** A text as it would be without marks. */
export function withoutMarks(text: string): string {
  return text.replace(MARK, '');
}

function mark(line: number): string {
  return `${START}${line}${END}`;
}

function newlines(text: string): number {
  return text.split('\n').length - 1;
}

function written(piece: Piece): string {
  return piece.kind === 'text' ? piece.text : piece.open + piece.tokens.map(({ before, text }) => before + text).join('') + piece.close;
}

/** 1: the tag begins to capture what comes; -1: it ends that. */
function capturing(piece: Piece): number {
  if (piece.kind !== 'statement') return 0;
  switch (piece.tokens[0]?.text) {
    case 'set':
      return piece.tokens.some(({ kind, text }) => kind === 'operator' && text === '=') ? 0 : 1;
    case 'filter':
      return 1;
    case 'endset':
    case 'endfilter':
      return -1;
    default:
      return 0;
  }
}
