import { nearHint } from '../shared/near-names.js';
import { pythonStringValue } from './python-text.js';
import { isSorted, literal, MAIN, NAME_END, PRINT_FILTER, type Dialect, type ImportUse } from './template-dialect.js';
import { TEMPLATE_FILTERS } from './template-filters.js';
import { templatePieces, type Piece, type Token } from './template-tokens.js';
import { COMPARISONS, FILTER_PARAMETERS, KEYWORDS, KNOWN_FILTERS, LOGIC, NO_TEXT_CALLS, REFUSED_FILTERS, TEXT_FILTERS } from './template-words.js';

/** The name a `with` block of ours gives the value that is printed. */
const VALUE = '__value';

/*
 * What still differs from Jinja2, none of it seen in a real tree:
 * - silently: an undefined or none that comes out of a call, a bracket or `(…)` into a filter is empty text (plain reads are refused);
 *   undefined inside a printed list prints as None; true and none inside `|join`, or under `~` when they come from a call, print in lower
 *   case, and so does a list under `|upper` or `|trim`; pairs print as lists; 7 // -2 rounds towards zero; `|round` rounds halves up.
 * - laxer: imported files see the config's variables also without "with context"; a few of minijinja's own filters are known.
 * - refused with a message: several names in one set, break, continue, computed imports, methods such as append and format, `%` on text,
 *   cycler, lipsum, most filter arguments by name, and the filters in REFUSED_FILTERS.
 */

/** Rewrites Jinja2 as docker-pkg sets it up to minijinja's dialect, keeping every line where it is. `name` is the one it is imported under, or MAIN. */
export function toDialect(name: string, source: string): Dialect {
  return new Rewriter(name).rewrite(source.replace(/\r\n?/g, '\n'));
}

type Tag = Exclude<Piece, { kind: 'text' }>;

/** Holds what is collected over one template; lives for one call. */
class Rewriter {
  private readonly imports: ImportUse[] = [];
  private readonly words = new Set<string>();
  private readonly assigned = new Set<string>();
  private readonly reads: { line: number; root: string; text: string }[] = [];
  private readonly walked: { line: number; path: string[] }[] = [];
  private readonly problems: { line: number; message: string }[] = [];
  private unsortedMapping: number | undefined;
  private walksItems = false;
  private tokens: readonly Token[] = [];
  /** What each token of the tag at hand becomes. */
  private out: string[] = [];
  private readonly filterArguments = new Set<number>();

  constructor(private readonly name: string) {}

  rewrite(source: string): Dialect {
    let text = '';
    for (const piece of templatePieces(source)) text += piece.kind === 'text' ? piece.text : this.tag(piece);
    if (this.unsortedMapping !== undefined && this.walksItems) this.refuse(this.unsortedMapping, 'a mapping that is walked through must have its keys in sorted order here');
    const { imports, words, assigned, reads, walked, problems } = this;
    return { text, imports, words, assigned, reads, walked, problems };
  }

  private refuse(line: number, message: string): void {
    this.problems.push({ line, message });
  }

  private tag(tag: Tag): string {
    this.tokens = tag.tokens;
    this.filterArguments.clear();
    this.out = tag.tokens.map((token) => this.plain(token));
    if (tag.kind === 'output') return this.output(tag);
    this.statement();
    return tag.open + this.joined() + tag.close;
  }

  private joined(): string {
    let text = '';
    for (let i = 0; i < this.tokens.length; i++) text += this.tokens[i]!.before + this.out[i]!;
    return text;
  }

  private plain(token: Token): string {
    if (token.kind === 'name') this.words.add(token.text);
    if (token.kind !== 'string') return token.text;
    if (!token.text.includes('\\')) return token.text;
    if (/\\N\{/.test(token.text)) this.refuse(token.line, 'a character by its name (\\N{…}) is not supported in templates here');
    // Line breaks that the literal loses stand behind it, so that later lines keep their numbers.
    return literal(pythonStringValue(token.text)) + '\n'.repeat(token.text.split('\n').length - 1);
  }

  /** Whether a token is one of up to four words or signs. Asked for each token many times: no arrays. */
  private is(index: number, a: string, b = a, c = a, d = a): boolean {
    const token = this.tokens[index];
    if (token === undefined || token.kind === 'string') return false;
    const { text } = token;
    return text === a || text === b || text === c || text === d;
  }

  /** How the rewritten template tells our filters where they stand: the line, and the file unless it is the main one. */
  private place(line: number): string {
    return this.name === MAIN ? String(line) : literal(`${this.name}:${line}`);
  }

  private output(tag: Tag): string {
    const tokens = this.tokens;
    if (tokens.length === 0) return tag.open + tag.close;
    const whole = this.chainAt(0);
    if (whole === tokens.length - 1) {
      this.read(0, whole);
      this.printed(0, whole);
      return tag.open + this.joined() + tag.close;
    }
    const line = tokens[0]!.line;
    const top = this.topLevel();
    const inBrackets = top.length === 1 && top[0]!.text === '()' && (tokens.length === 2 || this.hasComma(1, tokens.length - 1));
    if (inBrackets || top.some(({ text }) => text === ',')) this.refuse(line, 'several values are printed at once (a comma too many?)');
    const prints = this.needsPrinting(top);
    this.expression(0);
    if (!prints) return tag.open + this.joined() + tag.close;
    // An output trims nothing around it; a statement may, unless a plus sign says otherwise.
    const open = tag.open === '{{-' ? '{%-' : '{%+';
    const close = tag.close.replace(/(-?)\}\}$/, (_, minus: string) => `${minus || '+'}%}`);
    return `${open} with ${VALUE} = (${this.joined()}) %}{{ ${this.printing(VALUE, line, '')} }}{% endwith${close}`;
  }

  /** Whether the output's expression may be something that Python prints otherwise than minijinja: true, none, a list, a mapping. */
  private needsPrinting(top: readonly { kind: Token['kind']; text: string }[]): boolean {
    const words = top.map(({ text }) => text);
    if (words.some((text) => COMPARISONS.has(text) || LOGIC.has(text))) return true;
    if (words.includes('~')) return false;
    const bar = words.lastIndexOf('|');
    if (bar >= 0) return !TEXT_FILTERS.has(words[bar + 1] ?? '');
    if (top.every(({ kind, text }) => kind === 'string' || kind === 'number' || '+-*/%'.includes(text))) return false;
    // `macro(…)` and `file.macro(…)` give text.
    const call = top.every(({ kind, text }, i) => (i === top.length - 1 ? text === '()' : i % 2 === 0 ? kind === 'name' : text === '.'));
    return !(call && !NO_TEXT_CALLS.has(words.at(-2) ?? ''));
  }

  private hasComma(from: number, to: number): boolean {
    for (let i = from, depth = 0; i < to; i++) {
      if (this.is(i, '(', '[', '{')) depth++;
      else if (this.is(i, ')', ']', '}')) depth--;
      else if (depth === 0 && this.is(i, ',')) return true;
    }
    return false;
  }

  /** The tag's words outside brackets; what stands in brackets is one word, `()`, `[]` or `{}`. */
  private topLevel(): readonly { kind: Token['kind']; text: string }[] {
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
  private chainAt(start: number): number | undefined {
    const token = this.tokens[start];
    if (token?.kind !== 'name' || KEYWORDS.has(token.text)) return undefined;
    if (this.is(start - 1, '.', '|', 'is') || (this.is(start - 1, 'not') && this.is(start - 2, 'is'))) return undefined;
    let end = start;
    for (;;) {
      if (this.is(end + 1, '.') && this.tokens[end + 2]?.kind === 'name') end += 2;
      else if (this.is(end + 1, '[') && this.is(end + 3, ']') && this.tokens[end + 2]!.kind !== 'operator') end += 3;
      else break;
    }
    if (this.is(end + 1, '(', '[') || (this.is(end + 1, '=') && end === start)) return undefined;
    return end;
  }

  private read(start: number, end: number): void {
    const token = this.tokens[start]!;
    this.reads.push({ line: token.line, root: token.text, text: this.sourceOf(start, end) });
  }

  private sourceOf(start: number, end: number): string {
    return this.tokens.slice(start, end + 1).map(({ text }) => text).join('');
  }

  private replaceChain(start: number, end: number, make: (chain: string) => string): void {
    const chain = this.out.slice(start, end + 1).join('');
    this.out[start] = make(chain);
    for (let i = start + 1; i <= end; i++) this.out[i] = '';
  }

  private printing(chain: string, line: number, name: string): string {
    return `(${chain} if ${chain} is string or ${chain} is number else ${chain}|${PRINT_FILTER}(${chain} is none, ${this.place(line)}, ${literal(name)}))`;
  }

  /** The read, printed as Python prints it. */
  private printed(start: number, end: number): void {
    const line = this.tokens[start]!.line;
    this.replaceChain(start, end, (chain) => this.printing(chain, line, this.sourceOf(start, end)));
  }

  /** The read, refused when undefined: minijinja checks that in a condition, and lets it pass where Jinja2 would not. */
  private guarded(start: number, end: number): void {
    this.replaceChain(start, end, (chain) => `(${chain} if ${chain} else ${chain})`);
  }

  /** Rewrites an expression that begins at a token and ends with the tag. */
  private expression(from: number, conditional = true): void {
    for (let i = from; i < this.tokens.length; i++) {
      const token = this.tokens[i]!;
      if (token.kind === 'operator') {
        if (token.text === '|') this.filter(i + 1);
        else if (token.text === '{') this.mapping(i);
        continue;
      }
      if (token.kind === 'name' && this.is(i - 1, '.') && this.is(i + 1, '(')) this.methodCall(i);
      const end = this.chainAt(i);
      if (end === undefined) {
        if (this.is(i + 1, '(') && !this.is(i - 1, '.', '|', 'is', 'not') && !KEYWORDS.has(token.text)) this.read(i, i);
        continue;
      }
      this.read(i, end);
      if (this.filterArguments.has(i) && this.is(end + 1, ',', ')')) this.guarded(i, end);
      else if (this.is(end + 1, '|')) {
        const filter = this.tokens[end + 2]?.text;
        if (filter === 'string') this.printed(i, end);
        else if (filter !== 'default' && filter !== 'd' && !(filter !== undefined && Object.hasOwn(TEMPLATE_FILTERS, filter))) this.guarded(i, end);
      } else if (this.is(i - 1, '~') || this.is(end + 1, '~')) this.printed(i, end);
      else if (!this.is(end + 1, 'is') && (this.is(i - 1, 'not') || this.compared(i - 1) || this.compared(end + 1) || (this.is(end + 1, 'not') && this.is(end + 2, 'in')))) this.guarded(i, end);
      i = end;
    }
    this.loneIfs(from, conditional);
  }

  private compared(index: number): boolean {
    const token = this.tokens[index];
    return token !== undefined && token.kind !== 'string' && (COMPARISONS.has(token.text) || token.text === 'in');
  }

  /** minijinja walks through a mapping in the order of its sorted keys. */
  private mapping(open: number): void {
    const keys: string[] = [];
    for (let i = open + 1, depth = 0; i < this.tokens.length; i++) {
      if (this.is(i, '(', '[', '{')) depth++;
      else if (this.is(i, ')', ']', '}') && depth-- === 0) break;
      else if (depth === 0 && this.is(i + 1, ':') && this.tokens[i]!.kind === 'string') keys.push(pythonStringValue(this.tokens[i]!.text));
    }
    if (!isSorted(keys)) this.unsortedMapping ??= this.tokens[open]!.line;
  }

  private methodCall(name: number): void {
    const method = this.tokens[name]!.text;
    if (!['items', 'keys', 'values'].includes(method)) return;
    this.walksItems = true;
    let start = name;
    while (this.is(start - 1, '.') && this.tokens[start - 2]?.kind === 'name') start -= 2;
    const path = this.tokens.slice(start, name).filter(({ kind }) => kind === 'name').map(({ text }) => text);
    if (path.length > 0) this.walked.push({ line: this.tokens[name]!.line, path });
  }

  /** `name` is the token of a filter's name: checks it, and tells our own filters where they stand. */
  private filter(name: number): void {
    const token = this.tokens[name];
    if (token?.kind !== 'name') return;
    const filter = token.text;
    if (REFUSED_FILTERS.has(filter)) this.refuse(token.line, `the Jinja2 filter "${filter}" is not supported here`);
    else if (!KNOWN_FILTERS.has(filter)) this.refuse(token.line, `"${filter}" is not a filter${nearHint(filter, KNOWN_FILTERS)}`);
    if (filter === 'items') this.walksItems = true;
    const called = this.is(name + 1, '(');
    if (Object.hasOwn(TEMPLATE_FILTERS, filter)) {
      const read = this.filtered(name - 1);
      const place = `${this.place(token.line)}, ${read === '' ? 'none' : literal(read)}`;
      if (called) this.out[name + 1] = this.is(name + 2, ')') ? `(${place}` : `(${place}, `;
      else this.out[name] = `${filter}(${place})`;
    }
    if (called && filter !== 'default' && filter !== 'd') this.argumentsOf(name + 1);
    const parameters = FILTER_PARAMETERS[filter];
    if (called && parameters !== undefined) this.argumentsByPlace(name + 1, parameters);
  }

  /** Notes which tokens begin an argument of a filter: minijinja takes an undefined one for an empty text. */
  private argumentsOf(open: number): void {
    for (let i = open + 1, depth = 0; i < this.tokens.length; i++) {
      if (this.is(i, '(', '[', '{')) depth++;
      else if (this.is(i, ')', ']', '}') && depth-- === 0) return;
      else if (depth === 0 && this.is(i - 1, '(', ',', '=')) this.filterArguments.add(i);
    }
  }

  /** minijinja knows most arguments by place only: a name is dropped where the argument stands in its place anyway. */
  private argumentsByPlace(open: number, parameters: readonly string[]): void {
    for (let i = open + 1, depth = 0, place = 0; i < this.tokens.length; i++) {
      if (this.is(i, '(', '[', '{')) depth++;
      else if (this.is(i, ')', ']', '}') && depth-- === 0) return;
      else if (depth === 0 && this.is(i, ',')) place++;
      else if (depth === 0 && this.is(i + 1, '=') && this.tokens[i]!.text === parameters[place]) this.out[i] = this.out[i + 1] = '';
    }
  }

  /** A lone `a if b` is nothing when b does not hold, in Jinja2 even for a strict undefined. */
  private loneIfs(from: number, conditional: boolean): void {
    const pending: boolean[] = [];
    let depth = 0;
    const close = (index: number): void => {
      if (pending[depth]) this.out[index - 1] += ' else ""';
      pending[depth] = false;
    };
    for (let i = from; i < this.tokens.length; i++) {
      if (this.is(i, '(', '[', '{')) depth++;
      else if (this.is(i, ')', ']', '}')) {
        close(i);
        depth--;
      } else if (this.is(i, ',')) close(i);
      else if (this.is(i, 'if') && this.tokens[i]!.kind === 'name' && !this.is(i - 1, '.') && (depth > 0 || conditional)) pending[depth] = true;
      else if (this.is(i, 'else')) pending[depth] = false;
    }
    close(this.tokens.length);
  }

  /** The read that stands before a filter's `|`, as written; '' when it is something else. */
  private filtered(bar: number): string {
    let start = bar - 1;
    if (this.tokens[start]?.kind !== 'name') return '';
    while (this.is(start - 1, '.') && this.tokens[start - 2]?.kind === 'name') start -= 2;
    return this.chainAt(start) === bar - 1 ? this.sourceOf(start, bar - 1) : '';
  }

  private statement(): void {
    const [first, second, third] = this.tokens;
    if (first?.kind !== 'name') return;
    switch (first.text) {
      case 'set':
        if (second?.kind === 'name') this.assigned.add(second.text);
        if (this.is(2, ',') || this.is(1, '(')) this.refuse(first.line, 'setting several names at once is not supported in templates here: set one at a time');
        else if (this.is(2, '=')) this.expression(3);
        else if (this.is(2, '.') && this.is(4, '=')) this.expression(5);
        else if (third !== undefined) this.filteredBlock(2);
        return;
      case 'filter':
        this.filter(1);
        this.filteredBlock(2);
        return;
      case 'for':
        this.forLoop();
        return;
      case 'macro':
      case 'call':
        if (first.text === 'macro' && second !== undefined) this.assigned.add(second.text);
        for (const [i, token] of this.tokens.entries()) if (i > 1 && token.kind === 'name' && this.is(i - 1, '(', ',')) this.assigned.add(token.text);
        this.expression(first.text === 'macro' ? 2 : 1);
        return;
      case 'import':
      case 'include':
      case 'extends':
      case 'from':
        this.importing(first);
        return;
      case 'with':
        for (const [i, token] of this.tokens.entries()) if (token.kind === 'name' && this.is(i + 1, '=')) this.assigned.add(token.text);
        this.expression(1);
        return;
      case 'break':
      case 'continue':
        this.refuse(first.line, `"${first.text}" is not part of docker-pkg's templates`);
        return;
      case 'if':
      case 'elif':
      case 'do':
        this.expression(1);
        return;
    }
  }

  /** `{% set x | upper %}`: what follows the name is a row of filters. */
  private filteredBlock(from: number): void {
    if (this.is(from, '|')) this.expression(from);
  }

  private forLoop(): void {
    let at = 1;
    while (at < this.tokens.length && !this.is(at, 'in')) {
      if (this.tokens[at]!.kind === 'name') this.assigned.add(this.tokens[at]!.text);
      at++;
    }
    const end = this.chainAt(at + 1);
    if (end !== undefined) {
      const path = this.tokens.slice(at + 1, end + 1).filter(({ kind }) => kind === 'name').map(({ text }) => text);
      this.walked.push({ line: this.tokens[at]!.line, path });
    }
    this.expression(at + 1, false);
  }

  private importing(first: Token): void {
    for (const [i, token] of this.tokens.entries()) {
      if (token.kind === 'name' && (this.is(i - 1, 'as', 'import') || this.is(i - 1, ','))) this.assigned.add(token.text);
    }
    const isList = first.text === 'include' && this.is(1, '[');
    const optional = this.tokens.some((token, i) => token.text === 'ignore' && this.is(i + 1, 'missing'));
    const names = isList ? this.tokens.slice(2, this.tokens.findIndex((_, i) => this.is(i, ']'))).filter((_, i) => i % 2 === 0) : this.tokens.slice(1, 2);
    if (names.length === 0 || names.some(({ kind }) => kind !== 'string') || this.is(isList ? -1 : 2, '~', '+', '|', 'if')) {
      this.refuse(first.line, `${first.text} takes the name of a file in quotes here`);
      return;
    }
    for (const token of names) {
      const name = pythonStringValue(token.text);
      this.imports.push({ name, line: token.line, optional: optional || isList });
      this.out[this.tokens.indexOf(token)] = literal(name + NAME_END);
    }
  }
}
