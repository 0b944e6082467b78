import type { Token } from './template-tokens.js';
import { COMPARISONS, KEYWORDS } from './template-words.js';

/** Words behind which a bracket is no call. */
const BEFORE_BRACKET = new Set([...KEYWORDS, 'set', 'for', 'elif', 'do']);

/** Words that are values, and what lists and mappings end or begin with. */
const LITERALS = new Set(['true', 'false', 'none', 'True', 'False', 'None', '[', ']', '{', '}']);

/** The tokens of the tag at hand, and how they belong together. */
export abstract class TagTokens {
  protected tokens: readonly Token[] = [];

  /** Whether a token is one of up to four words or signs. Asked for each token many times: no arrays. */
  protected is(index: number, a: string, b = a, c = a, d = a): boolean {
    const token = this.tokens[index];
    if (token === undefined || token.kind === 'string') return false;
    const { text } = token;
    return text === a || text === b || text === c || text === d;
  }

  /** Whether a bracket holds arguments. */
  protected isCall(open: number): boolean {
    const before = this.tokens[open - 1];
    if (before === undefined || !this.is(open, '(')) return false;
    return before.kind === 'name' ? !BEFORE_BRACKET.has(before.text) || this.is(open - 2, '.') : this.is(open - 1, ')', ']');
  }

  /** The bracket that closes what another opens. */
  protected closing(open: number): number {
    let depth = 0;
    for (let i = open; i < this.tokens.length; i++) {
      if (this.is(i, '(', '[', '{')) depth++;
      else if (this.is(i, ')', ']', '}') && --depth === 0) return i;
    }
    return this.tokens.length;
  }

  protected hasComma(from: number, to: number): boolean {
    for (let i = from, depth = 0; i < to; i++) {
      if (this.is(i, '(', '[', '{')) depth++;
      else if (this.is(i, ')', ']', '}')) depth--;
      else if (depth === 0 && this.is(i, ',')) return true;
    }
    return false;
  }

  /** The tag's words outside brackets; what stands in brackets is one word, `()`, `[]` or `{}`. */
  protected topLevel(): readonly { kind: Token['kind']; text: string }[] {
    const top: { kind: Token['kind']; text: string }[] = [];
    let depth = 0;
    for (const { kind, text } of this.tokens) {
      if (kind === 'operator' && ')]}'.includes(text)) depth--;
      else if (kind === 'operator' && '([{'.includes(text)) {
        if (depth++ === 0) top.push({ kind, text: text === '(' ? '()' : text === '[' ? '[]' : '{}' });
      } else if (depth === 0) top.push({ kind, text: kind === 'string' ? '""' : text });
    }
    return top;
  }

  /** Last token of the plain read (`a`, `a.b`, `a["b"]`) that begins at `start`; undefined when none does, or when it is called. */
  protected chainAt(start: number): number | undefined {
    const token = this.tokens[start];
    if (token?.kind !== 'name' || KEYWORDS.has(token.text)) return undefined;
    if (this.is(start - 1, '.', '|', 'is') || (this.is(start - 1, 'not') && this.is(start - 2, 'is'))) return undefined;
    let end = start;
    for (;;) {
      if (this.is(end + 1, '.') && this.tokens[end + 2]?.kind === 'name') end += 2;
      else if (this.is(end + 1, '[') && this.is(end + 3, ']') && this.tokens[end + 2]!.kind !== 'operator') end += 3;
      else if (this.is(end + 1, '[') && this.is(end + 2, '-') && this.tokens[end + 3]?.kind === 'number' && this.is(end + 4, ']')) end += 4;
      else break;
    }
    if (this.is(end + 1, '(', '[') || (this.is(end + 1, '=') && end === start)) return undefined;
    return end;
  }

  protected sourceOf(start: number, end: number): string {
    return this.tokens.slice(start, end + 1).map(({ text }) => text).join('');
  }

  /** The read that stands before a filter's `|`, as written; '' when it is something else. */
  protected filtered(bar: number): string {
    let start = bar - 1;
    if (this.tokens[start]?.kind !== 'name') return '';
    while (this.is(start - 1, '.') && this.tokens[start - 2]?.kind === 'name') start -= 2;
    return this.chainAt(start) === bar - 1 ? this.sourceOf(start, bar - 1) : '';
  }

  protected compared(index: number): boolean {
    const token = this.tokens[index];
    return token !== undefined && token.kind !== 'string' && (COMPARISONS.has(token.text) || token.text === 'in');
  }

  /** A value that is written out: a text, a number, true, none; or the end of a list. */
  protected isLiteral(index: number): boolean {
    const token = this.tokens[index];
    if (token === undefined) return false;
    return token.kind === 'string' || token.kind === 'number' || LITERALS.has(token.text);
  }

  /** `-` of `-1`: it stands behind nothing that it could be taken from. */
  protected isUnary(index: number): boolean {
    const before = this.tokens[index - 1];
    return before === undefined || (before.kind === 'operator' && !this.is(index - 1, ')', ']', '}')) || (before.kind === 'name' && KEYWORDS.has(before.text) && !LITERALS.has(before.text));
  }

  /** Whether a token binds less than `~` does. */
  protected endsOperand(index: number): boolean {
    if (this.is(index, '+', '-') && this.isUnary(index)) return false;
    return this.is(index, '~', '+', '-', ',') || this.is(index, ':', '=') || this.compared(index) || this.is(index, 'and', 'or', 'if', 'else') || (this.is(index, 'not') && !this.is(index - 1, 'is'));
  }

  /** `7 // 2`: of numbers that are not negative, quotient and rest are the same everywhere. */
  protected isBetweenNumbers(index: number): boolean {
    return this.tokens[index - 1]?.kind === 'number' && !this.is(index - 2, '-') && this.tokens[index + 1]?.kind === 'number';
  }
}
