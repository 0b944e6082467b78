/** One word, literal or operator inside a tag. `line` counts from 1 in the file. */
export type Token = {
  readonly kind: 'name' | 'string' | 'number' | 'operator';
  readonly text: string;
  readonly line: number;
  /** The blank before it, as written. */
  readonly before: string;
};

/** A stretch of a template: text that nothing looks into (plain text, comments, raw blocks), or the inside of a tag. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'output' | 'statement';
      /** `{{`, `{%-`… */
      readonly open: string;
      readonly tokens: readonly Token[];
      /** The blank before the end, and the end. */
      readonly close: string;
    };

const RAW_START = /\{%[-+]?\s*raw\s*-?%\}/y;
const RAW_END = /\{%[-+]?\s*endraw\s*[-+]?%\}/g;
const BLANK = /\s+/y;
/** Strings, numbers, names, operators: one group each. */
const WORD =
  /('(?:[^'\\]|\\[^])*'|"(?:[^"\\]|\\[^])*")|(0[xXoObB][0-9a-fA-F_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][-+]?\d+)?)|([\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Nd}_]*)|(\/\/|\*\*|[=!<>]=|[-+*/%~<>=,.:|()[\]{}])/uy;

function countNewlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/**
 * Takes a template apart as Jinja2's lexer does (strings, brackets and raw blocks hide the end of a tag).
 * What cannot be read is kept as text: the engine then says what is wrong with it.
 */
export function templatePieces(source: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let line = 1;
  let at = 0;
  const keep = (until: number): void => {
    if (until <= at) return;
    const text = source.slice(at, until);
    line += countNewlines(text);
    pieces.push({ kind: 'text', text });
    at = until;
  };
  const opening = /\{[{%#]/g;
  for (;;) {
    opening.lastIndex = at;
    const start = opening.exec(source);
    if (start === null) break;
    keep(start.index);
    if (start[0] === '{#') {
      const end = source.indexOf('#}', at + 2);
      if (end < 0) break;
      keep(end + 2);
      continue;
    }
    RAW_START.lastIndex = at;
    if (start[0] === '{%' && RAW_START.test(source)) {
      RAW_END.lastIndex = at;
      if (RAW_END.exec(source) === null) break;
      keep(RAW_END.lastIndex);
      continue;
    }
    const tag = readTag(source, at, line);
    if (tag === undefined) break;
    pieces.push(tag.piece);
    line += countNewlines(source.slice(at, tag.end));
    at = tag.end;
  }
  keep(source.length);
  return pieces;
}

const OUTPUT_END = /-?\}\}/y;
const STATEMENT_END = /[-+]?%\}/y;

function readTag(source: string, start: number, startLine: number): { piece: Piece; end: number } | undefined {
  const kind = source.startsWith('{{', start) ? 'output' : 'statement';
  const closing = kind === 'output' ? OUTPUT_END : STATEMENT_END;
  let at = start + 2;
  if (source[at] === '-' || (source[at] === '+' && kind === 'statement')) at++;
  const open = source.slice(start, at);
  const tokens: Token[] = [];
  let line = startLine;
  let depth = 0;
  for (;;) {
    BLANK.lastIndex = at;
    const before = BLANK.exec(source)?.[0] ?? '';
    line += countNewlines(before);
    at += before.length;
    if (depth === 0) {
      closing.lastIndex = at;
      const close = closing.exec(source);
      if (close !== null) return { piece: { kind, open, tokens, close: before + close[0] }, end: closing.lastIndex };
    }
    WORD.lastIndex = at;
    const word = WORD.exec(source);
    if (word === null) return undefined;
    const text = word[0];
    const tokenKind = word[1] !== undefined ? 'string' : word[2] !== undefined ? 'number' : word[3] !== undefined ? 'name' : 'operator';
    if (tokenKind === 'operator') {
      if (text === '(' || text === '[' || text === '{') depth++;
      else if (text === ')' || text === ']' || text === '}') depth--;
    }
    tokens.push({ kind: tokenKind, text, line, before });
    if (tokenKind === 'string') line += countNewlines(text);
    at += text.length;
  }
}
