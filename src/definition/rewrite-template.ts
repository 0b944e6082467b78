import { listMutations, type Mutation, type Tag } from './list-mutations.js';
import { pythonStringValue } from './python-text.js';
import { ExpressionRewriter } from './rewrite-expression.js';
import { literal, NAME_END, type Dialect, type ImportUse } from './template-dialect.js';
import { templatePieces, type Token } from './template-tokens.js';
import { COMPARISONS, LOGIC, NO_TEXT_CALLS, TEXT_FILTERS } from './template-words.js';

/** The name a `with` block of ours gives the value that is printed. */
const VALUE = '__value';
/** The name that the value of a `do` is given, and that nobody asks for. */
const DONE = '__done';

/** Rewrites Jinja2 as docker-pkg sets it up to minijinja's dialect, keeping every line where it is. `name` is the one it is imported under, or MAIN. */
export function toDialect(name: string, source: string): Dialect {
  return new TemplateRewriter(name).rewrite(source.replace(/\r\n?/g, '\n'));
}

/** Holds what is collected over one template; lives for one call. */
class TemplateRewriter extends ExpressionRewriter {
  private readonly imports: ImportUse[] = [];
  private mutations: ReadonlyMap<Tag, Mutation> = new Map();

  rewrite(source: string): Dialect {
    let text = '';
    const pieces = templatePieces(source);
    this.mutations = listMutations(pieces);
    for (const piece of pieces) text += piece.kind === 'text' ? piece.text : this.tag(piece);
    if (this.unsortedMapping !== undefined && this.walksItems) this.refuse(this.unsortedMapping, 'a mapping that is walked through must have its keys in sorted order here');
    const { imports, words, assigned, reads, walked, problems, hasFloats, hasPairs } = this;
    return { text, imports, words, assigned, reads, walked, problems, hasFloats, hasPairs };
  }

  private tag(tag: Tag): string {
    this.tokens = tag.tokens;
    this.filterArguments.clear();
    this.out = tag.tokens.map((token) => this.plain(token));
    if (tag.kind === 'output') return this.output(tag);
    const mutation = this.mutations.get(tag);
    if (mutation === undefined) this.statement();
    else this.mutation(mutation);
    // What an included file names stays in it; in minijinja, in the nearest block.
    if (this.is(0, 'include')) return `${tag.open} with %}{%${this.joined()} %}{% endwith${tag.close}`;
    return tag.open + this.joined() + tag.close;
  }

  private joined(): string {
    let text = '';
    for (let i = 0; i < this.tokens.length; i++) text += this.tokens[i]!.before + this.out[i]!;
    return text;
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
    return !(call && top.length > 1 && !NO_TEXT_CALLS.has(words.at(-2) ?? ''));
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
        if (first.text === 'macro') this.ownNames(first, 'a macro\'s default reads');
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
        this.ownNames(first, '"with" reads');
        this.expression(1);
        return;
      case 'break':
      case 'continue':
        this.refuse(first.line, `"${first.text}" is not part of docker-pkg's templates`);
        return;
      case 'if':
      case 'elif':
        this.expression(1);
        return;
      case 'do':
        if (second === undefined) return;
        this.expression(1, false);
        this.out[0] = `set ${DONE} = (`;
        this.out[this.out.length - 1] += ')';
        return;
      case 'raw':
        this.refuse(first.line, 'a raw block begins with "{% raw %}" or "{% raw -%}"');
        return;
    }
  }

  /** `do list.append(x)` becomes `set list = (list + [x]) | list`: a sum alone would be no list for the engine. */
  private mutation({ open, method, refusal }: Mutation): void {
    const { line } = this.tokens[open - 1]!;
    const list = this.sourceOf(1, open - 3);
    if (refusal !== undefined) this.refuse(line, `"${list}.${method}" is not supported in templates here: ${refusal}`);
    this.read(1, open - 3);
    this.expression(open, false);
    const [left, right] = method === 'append' ? ['[', ']'] : ['(', ')'];
    this.out[0] = 'set';
    this.out[open - 2] = ` = (${list} + `;
    this.out[open - 1] = '';
    this.out[open] = left!;
    this.out[this.out.length - 1] = `${right!})|list`;
  }

  /** `with a = 1, b = a` and `macro m(a, b=a)`: whose `a` that is, the two languages see differently. */
  private ownNames(first: Token, reads: string): void {
    const given = new Set<string>();
    for (const [i, token] of this.tokens.entries()) {
      if (i < 1 || token.kind !== 'name' || this.is(i - 1, '.', '|', 'is')) continue;
      if (this.is(i + 1, '=') || (first.text === 'macro' && i > 1 && this.is(i + 1, ',', ')') && this.is(i - 1, '(', ','))) given.add(token.text);
      else if (given.has(token.text)) this.refuse(token.line, `${reads} "${token.text}", which the same tag gives a value: that is not supported in templates here`);
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
      if (first.text === 'import' && this.is(i - 1, 'as')) this.modules.add(token.text);
    }
    const isList = first.text === 'include' && this.is(1, '[');
    const optional = this.tokens.some((token, i) => token.text === 'ignore' && this.is(i + 1, 'missing'));
    const isImport = first.text === 'import' || first.text === 'from';
    const context = this.tokens.some((token, i) => token.text === 'context' && this.is(i - 1, 'with')) || (!isImport && !this.tokens.some((token, i) => token.text === 'context' && this.is(i - 1, 'without')));
    const names = isList ? this.tokens.slice(2, this.tokens.findIndex((_, i) => this.is(i, ']'))).filter((_, i) => i % 2 === 0) : this.tokens.slice(1, 2);
    if (names.length === 0 || names.some(({ kind }) => kind !== 'string') || this.is(isList ? -1 : 2, '~', '+', '|', 'if')) {
      this.refuse(first.line, `${first.text} takes the name of a file in quotes here`);
      return;
    }
    for (const token of names) {
      const name = pythonStringValue(token.text);
      this.imports.push({ name, line: token.line, optional: optional || isList, context });
      this.out[this.tokens.indexOf(token)] = literal(name + NAME_END);
    }
  }
}
