import { nearHint } from '../shared/near-names.js';
import { PYTHON_FILTERS, PYTHON_TESTS } from './python-filters.js';
import { pythonStringValue } from './python-text.js';
import { TagTokens } from './tag-tokens.js';
import { isSorted, literal, MAIN, PRINT_FILTER, TEST_PREFIX } from './template-dialect.js';
import { TEMPLATE_FILTERS } from './template-filters.js';
import type { Token } from './template-tokens.js';
import { FILTER_PARAMETERS, GENERATOR_FILTERS, KEYWORDS, KNOWN_FILTERS, KNOWN_METHODS, KNOWN_TESTS, REFUSED_FILTERS, REFUSED_OPERATORS, SEQUENCE_FILTERS } from './template-words.js';

/** Rewrites the expression in one tag after another, token by token; lives as long as one template. */
export abstract class ExpressionRewriter extends TagTokens {
  protected readonly words = new Set<string>();
  protected readonly assigned = new Set<string>();
  /** Names under which files are imported. */
  protected readonly modules = new Set<string>();
  protected readonly reads: { line: number; root: string; text: string }[] = [];
  protected readonly walked: { line: number; path: string[] }[] = [];
  protected readonly problems: { line: number; message: string }[] = [];
  protected unsortedMapping: number | undefined;
  protected walksItems = false;
  protected hasFloats = false;
  protected hasPairs = false;
  /** What each token of the tag at hand becomes. */
  protected out: string[] = [];
  protected readonly filterArguments = new Set<number>();

  constructor(protected readonly name: string) {
    super();
  }

  protected refuse(line: number, message: string): void {
    this.problems.push({ line, message });
  }

  private number({ text, line }: Token): void {
    if (/^0[xob]/i.test(text)) return;
    if (/^0_?\d/.test(text) && !/[.e]/i.test(text)) this.refuse(line, `a number does not begin with 0 (${text})`);
    if (!/[.e]/i.test(text)) return;
    this.hasFloats = true;
    const size = Number(text.replaceAll('_', ''));
    // Python writes others with an exponent.
    if (size !== 0 && (size < 1e-4 || size >= 1e16)) this.refuse(line, `a number as large or as small as ${text} is not supported in templates here`);
  }

  protected plain(token: Token): string {
    if (token.kind === 'name') this.words.add(token.text);
    if (token.kind === 'number') this.number(token);
    if (token.kind !== 'string') return token.text;
    if (!token.text.includes('\\')) return token.text;
    if (/\\N\{/.test(token.text)) this.refuse(token.line, 'a character by its name (\\N{…}) is not supported in templates here');
    // Line breaks that the literal loses stand behind it, so that later lines keep their numbers.
    return literal(pythonStringValue(token.text)) + '\n'.repeat(token.text.split('\n').length - 1);
  }

  /** How the rewritten template tells our filters where they stand: the line, and the file unless it is the main one. */
  protected place(line: number): string {
    return this.name === MAIN ? String(line) : literal(`${this.name}:${line}`);
  }

  protected read(start: number, end: number): void {
    const token = this.tokens[start]!;
    this.reads.push({ line: token.line, root: token.text, text: this.sourceOf(start, end) });
  }

  protected replaceChain(start: number, end: number, make: (chain: string) => string): void {
    const chain = this.out.slice(start, end + 1).join('');
    this.out[start] = make(chain);
    for (let i = start + 1; i <= end; i++) this.out[i] = '';
  }

  protected printing(chain: string, line: number, name: string): string {
    return `(${chain} if ${chain} is string or ${chain} is number else ${chain}|${PRINT_FILTER}(${chain} is none, ${this.place(line)}, ${literal(name)}))`;
  }

  /** The read, printed as Python prints it. */
  protected printed(start: number, end: number): void {
    const line = this.tokens[start]!.line;
    this.replaceChain(start, end, (chain) => this.printing(chain, line, this.sourceOf(start, end)));
  }

  /** The read, refused when undefined: minijinja checks that in a condition, and lets it pass where Jinja2 would not. */
  protected guarded(start: number, end: number): void {
    this.replaceChain(start, end, (chain) => `(${chain} if ${chain} else ${chain})`);
  }

  /** Rewrites an expression that begins at a token and ends with the tag. */
  protected expression(from: number, conditional = true): void {
    for (let i = from; i < this.tokens.length; i++) {
      const token = this.tokens[i]!;
      if (token.kind === 'operator') {
        this.operator(i);
        continue;
      }
      if (this.is(i, 'not') && (this.is(i - 1, '~', '+', '-', '*') || this.is(i - 1, '/') || this.compared(i - 1))) this.refuse(token.line, 'template syntax: "not" behind an operator stands in brackets');
      if (this.is(i, 'and') && this.isLiteral(i - 1) && this.isLiteral(i + 1)) this.refuse(token.line, '"and" between two values that are written out is not supported in templates here');
      if (this.is(i, 'varargs', 'kwargs') && token.kind === 'name' && !this.assigned.has(token.text)) this.refuse(token.line, `"${token.text}" is not supported in templates here: name the macro's parameters`);
      if (token.kind === 'name' && this.is(i - 1, 'is')) this.test(this.is(i, 'not') ? i + 1 : i);
      if (token.kind === 'name' && this.is(i + 1, '(')) {
        if (this.is(i - 1, '.')) this.methodCall(i);
        else if (this.is(i, 'range')) this.range(i);
      }
      const end = this.chainAt(i);
      if (end === undefined) {
        if (this.is(i + 1, '(') && !this.is(i - 1, '.', '|', 'is', 'not') && !KEYWORDS.has(token.text)) this.read(i, i);
        continue;
      }
      this.read(i, end);
      this.chain(i, end);
      i = end;
    }
    this.chainedComparisons(from);
    this.concatenations(from);
    this.loneIfs(from, conditional);
  }

  private operator(index: number): void {
    const { text, line } = this.tokens[index]!;
    if (text === '|') this.filter(index + 1);
    else if (text === '{') this.mapping(index);
    else if (text === '/') this.quotient(index);
    else if (REFUSED_OPERATORS.has(text) && !this.isBetweenNumbers(index)) this.refuse(line, `"${text}" is not supported in templates here`);
    else if (text === '(' && !this.isCall(index) && (this.is(index + 1, ')') || this.hasComma(index + 1, this.closing(index)))) this.hasPairs = true;
    if (text === '.' && this.tokens[index + 1]?.kind === 'number') this.refuse(line, 'an item by a dot and a number (list.0) is not supported in templates here: list[0]');
    if (text === '*' && this.is(index - 1, '(', ',')) this.refuse(line, 'arguments from a list or a mapping (*, **) are not supported in templates here');
  }

  /** Nothing divided by something negative is -0.0, which compares otherwise. */
  private quotient(index: number): void {
    this.hasFloats = true;
    if (this.is(index + 1, '-')) this.refuse(this.tokens[index]!.line, '"/" by a negative number is not supported in templates here');
  }

  /** A plain read: checked where minijinja lets pass what Jinja2 would not, printed as Python prints it where it becomes text. */
  private chain(start: number, end: number): void {
    const filter = this.is(end + 1, '|') ? this.tokens[end + 2]?.text : undefined;
    if (this.filterArguments.has(start) && this.is(end + 1, ',', ')')) this.guarded(start, end);
    else if (filter !== undefined) {
      // Our own filters look for themselves, and know what to call it.
      if (filter !== 'default' && filter !== 'd' && !isOwnFilter(filter)) this.guarded(start, end);
    } else if (this.is(start - 1, '~') || this.is(end + 1, '~')) this.printed(start, end);
    else if (this.is(end + 1, 'is') && !this.is(end + 2, 'iterable') && !this.is(end + 3, 'iterable')) return;
    else if (this.is(end + 1, 'is')) this.guarded(start, end);
    else if (this.is(start - 1, 'not') || this.compared(start - 1) || this.compared(end + 1) || (this.is(end + 1, 'not') && this.is(end + 2, 'in')) || this.isEnclosed(start, end)) this.guarded(start, end);
  }

  /** Whether a read is an item of a list or a mapping, stands alone in brackets, or is an argument. */
  private isEnclosed(start: number, end: number): boolean {
    if (this.is(0, 'macro') || !(this.is(start - 1, '[', '(', ',', ':') || this.is(start - 1, '=')) || !this.is(end + 1, ']', ')', ',', '}')) return false;
    let depth = 0;
    let open = start - 1;
    for (; open >= 0; open--) {
      if (this.is(open, ')', ']', '}')) depth++;
      else if (this.is(open, '(', '[', '{') && depth-- === 0) break;
    }
    // A default may be undefined, as may what is asked for.
    return open >= 0 && !(this.isCall(open) && this.is(open - 2, '|')) && !(this.is(0, 'call') && open === 1);
  }

  /** `name` is the name of a test, behind `is` or `is not`. */
  private test(name: number): void {
    const token = this.tokens[name];
    if (token?.kind === 'name' && !KNOWN_TESTS.has(token.text)) this.refuse(token.line, `"${token.text}" is not a test${nearHint(token.text, KNOWN_TESTS)}`);
    if (token?.kind === 'name' && Object.hasOwn(PYTHON_TESTS, token.text)) this.out[name] = TEST_PREFIX + token.text;
  }

  /** In Python a range is no list: it prints otherwise, and cannot be added to one. */
  private range(name: number): void {
    const behind = this.closing(name + 1) + 1;
    const filter = this.tokens[behind + 1]?.text ?? '';
    if (this.is(name - 1, 'in') || (this.is(behind, '|') && (SEQUENCE_FILTERS.has(filter) || filter === 'join'))) return;
    this.refuse(this.tokens[name]!.line, 'a range is walked through, or made a list first (range(3) | list), in templates here');
  }

  /** `a < b < c` is `(a < b) < c` for minijinja. */
  private chainedComparisons(from: number): void {
    const seen: boolean[] = [false];
    for (let i = from; i < this.tokens.length; i++) {
      if (this.is(i, '(', '[', '{')) seen.push(false);
      else if (this.is(i, ')', ']', '}')) seen.pop();
      else if (this.is(i, 'and', 'or', 'if', 'else') || this.is(i, ',', ':')) seen[seen.length - 1] = false;
      else if (this.compared(i)) {
        if (seen.at(-1) === true) this.refuse(this.tokens[i]!.line, 'a row of comparisons (a < b < c) is not supported in templates here: join them by "and"');
        seen[seen.length - 1] = true;
      }
    }
  }

  /** What stands beside a `~` becomes text as in Python. Plain reads do already, literals anyway. */
  private concatenations(from: number): void {
    const wrapped = new Set<number>();
    const wrap = (start: number, end: number): void => {
      if (start > end || wrapped.has(start)) return;
      const tokens = this.tokens.slice(start, end + 1);
      if (tokens.every(({ kind }) => kind === 'string' || kind === 'number') || this.chainAt(start) === end) return;
      wrapped.add(start);
      this.out[start] = `(${this.out[start]!}`;
      this.out[end] += `)|${PRINT_FILTER}(false, ${this.place(tokens[0]!.line)}, none)`;
    };
    for (let i = from; i < this.tokens.length; i++) {
      if (!this.is(i, '~')) continue;
      let start = i;
      for (let depth = 0; start > from; start--) {
        if (this.is(start - 1, ')', ']', '}')) depth++;
        else if (this.is(start - 1, '(', '[', '{') && depth-- === 0) break;
        else if (depth === 0 && this.endsOperand(start - 1)) break;
      }
      wrap(start, i - 1);
      let end = i;
      for (let depth = 0; end < this.tokens.length - 1; end++) {
        if (this.is(end + 1, '(', '[', '{')) depth++;
        else if (this.is(end + 1, ')', ']', '}') && depth-- === 0) break;
        else if (depth === 0 && this.endsOperand(end + 1)) break;
      }
      wrap(i + 1, end);
    }
  }

  /** minijinja walks through a mapping in the order of its sorted keys. */
  protected mapping(open: number): void {
    const keys: string[] = [];
    for (let i = open + 1, depth = 0; i < this.tokens.length; i++) {
      if (this.is(i, '(', '[', '{')) depth++;
      else if (this.is(i, ')', ']', '}') && depth-- === 0) break;
      else if (depth === 0 && this.is(i + 1, ':') && this.tokens[i]!.kind === 'string') keys.push(pythonStringValue(this.tokens[i]!.text));
    }
    if (!isSorted(keys)) this.unsortedMapping ??= this.tokens[open]!.line;
  }

  private methodCall(name: number): void {
    const { text: method, line } = this.tokens[name]!;
    if (this.isModuleCall(name)) return;
    if (method === 'title' || method === 'capitalize') this.refuse(line, `the method "${method}" is not supported in templates here: use the filter (| ${method})`);
    else if (!KNOWN_METHODS.has(method)) this.refuse(line, `"${method}" is a method that is not supported in templates here`);
    if (method === 'get' && this.hasComma(name + 2, this.closing(name + 1))) this.refuse(line, '"get" takes one argument in templates here: add "| default(…)"');
    if (method === 'items') this.hasPairs = true;
    if (!['items', 'keys', 'values'].includes(method)) return;
    this.walksItems = true;
    let start = name;
    while (this.is(start - 1, '.') && this.tokens[start - 2]?.kind === 'name') start -= 2;
    const path = this.tokens.slice(start, name).filter(({ kind }) => kind === 'name').map(({ text }) => text);
    if (path.length > 0) this.walked.push({ line, path });
  }

  /** `file.macro(…)` and what the language's own names offer. */
  private isModuleCall(name: number): boolean {
    const root = this.tokens[name - 2];
    return root?.kind === 'name' && !this.is(name - 3, '.') && (this.modules.has(root.text) || root.text === 'loop' || root.text === 'self');
  }

  /** `name` is the token of a filter's name: checks it, and tells our own filters where they stand. */
  protected filter(name: number): void {
    const token = this.tokens[name];
    if (token?.kind !== 'name') return;
    const filter = token.text;
    if (REFUSED_FILTERS.has(filter)) this.refuse(token.line, `the Jinja2 filter "${filter}" is not supported here`);
    else if (!KNOWN_FILTERS.has(filter)) this.refuse(token.line, `"${filter}" is not a filter${nearHint(filter, KNOWN_FILTERS)}`);
    if (filter === 'items') this.walksItems = true;
    if (filter === 'items' || filter === 'dictsort' || filter === 'groupby') this.hasPairs = true;
    if (filter === 'float') this.hasFloats = true;
    const called = this.is(name + 1, '(');
    if (isOwnFilter(filter)) {
      const read = this.filtered(name - 1);
      const place = `${this.place(token.line)}, ${read === '' ? 'none' : literal(read)}`;
      if (called) this.out[name + 1] = this.is(name + 2, ')') ? `(${place}` : `(${place}, `;
      else this.out[name] = `${filter}(${place})`;
    }
    if (called && filter !== 'default' && filter !== 'd') this.argumentsOf(name + 1);
    const parameters = FILTER_PARAMETERS[filter];
    if (called && parameters !== undefined) this.argumentsByPlace(name + 1, parameters);
    if (filter === 'map' && this.tokens[name + 2]?.kind === 'string') this.mapped(name + 2);
    if (GENERATOR_FILTERS.has(filter)) this.generator(name, called ? this.closing(name + 1) : name);
  }

  /** `map('upper')`: a filter by its name, which must be told where it stands as well. */
  private mapped(word: number): void {
    const filter = pythonStringValue(this.tokens[word]!.text);
    const { line } = this.tokens[word]!;
    if (isOwnFilter(filter)) this.out[word] += `, ${this.place(line)}, none`;
    else if (!KNOWN_FILTERS.has(filter)) this.refuse(line, `"${filter}" is not a filter${REFUSED_FILTERS.has(filter) ? ' that is supported here' : nearHint(filter, KNOWN_FILTERS)}`);
  }

  /** In Python these give something to walk through, which prints as an address. */
  private generator(name: number, end: number): void {
    let behind = end + 1;
    while (this.is(behind, ')')) behind++;
    if (this.is(0, 'for') || this.is(behind, '|')) return;
    const { text, line } = this.tokens[name]!;
    this.refuse(line, `"${text}" gives no list: add "| list"${text === 'reverse' ? ', or "| join" for a text' : ''}`);
  }

  /** Notes which tokens begin an argument of a filter: minijinja takes an undefined one for an empty text. */
  protected argumentsOf(open: number): void {
    for (let i = open + 1, depth = 0; i < this.tokens.length; i++) {
      if (this.is(i, '(', '[', '{')) depth++;
      else if (this.is(i, ')', ']', '}') && depth-- === 0) return;
      else if (depth === 0 && this.is(i - 1, '(', ',', '=')) this.filterArguments.add(i);
    }
  }

  /** minijinja knows most arguments by place only: a name is dropped where the argument stands in its place anyway. */
  protected argumentsByPlace(open: number, parameters: readonly string[]): void {
    for (let i = open + 1, depth = 0, place = 0; i < this.tokens.length; i++) {
      if (this.is(i, '(', '[', '{')) depth++;
      else if (this.is(i, ')', ']', '}') && depth-- === 0) return;
      else if (depth === 0 && this.is(i, ',')) place++;
      else if (depth === 0 && this.is(i + 1, '=') && this.tokens[i]!.text === parameters[place]) this.out[i] = this.out[i + 1] = '';
    }
  }

  /** A lone `a if b` is nothing when b does not hold, in Jinja2 even for a strict undefined. */
  protected loneIfs(from: number, conditional: boolean): void {
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

}

/** Whether a filter is one that we give to the engine: it is told where it stands, and what it is given. */
function isOwnFilter(name: string): boolean {
  return Object.hasOwn(TEMPLATE_FILTERS, name) || Object.hasOwn(PYTHON_FILTERS, name);
}
