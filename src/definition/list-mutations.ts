import { TagTokens } from './tag-tokens.js';
import type { Piece, Token } from './template-tokens.js';
import { KNOWN_METHODS } from './template-words.js';

/** A tag of a template. */
export type Tag = Exclude<Piece, { kind: 'text' }>;

/** `do list.append(x)` or `do list.extend(x)`: where the bracket stands in its tag (the list's name is its second token), and why no assignment does the same. */
export type Mutation = { readonly open: number; readonly method: string; readonly refusal: string | undefined };

/** Finds what adds to a list, and tells where an assignment of a longer list shows the same everywhere: the template engine's lists cannot change. */
export function listMutations(pieces: readonly Piece[]): ReadonlyMap<Tag, Mutation> {
  return new MutationFinder().find(pieces.filter((piece): piece is Tag => piece.kind !== 'text'));
}

/** A tag, and the blocks it stands in; each branch of an `if` is one of its own. */
type Placed = { readonly tag: Tag; readonly within: readonly Block[] };
type Block = { readonly kind: string; readonly tag: Tag };
type Candidate = Omit<Mutation, 'refusal'> & { readonly placed: Placed; readonly root: string; readonly attribute: string | undefined };

const BLOCKS = new Set(['if', 'for', 'macro', 'call', 'filter', 'with', 'block']);
const BRANCHES = new Set(['elif', 'else']);
/** Filters whose answer has nothing to do with the list any more. */
const COPYING = new Set(['count', 'join', 'length', 'list', 'sort']);
/** Tags that use a value and forget it. */
const FORGETTING = new Set(['if', 'elif', 'for', 'do']);

class MutationFinder extends TagTokens {
  private placed: readonly Placed[] = [];
  private readonly modules = new Set<string>();
  private readonly found = new Map<Tag, Candidate>();

  find(tags: readonly Tag[]): ReadonlyMap<Tag, Mutation> {
    this.placed = this.place(tags);
    for (const { tokens } of tags) for (const [i, token] of tokens.entries()) if (tokens[0]?.text === 'import' && tokens[i - 1]?.text === 'as') this.modules.add(token.text);
    for (const placed of this.placed) {
      const candidate = this.candidate(placed);
      if (candidate !== undefined) this.found.set(placed.tag, candidate);
    }
    return new Map([...this.found].map(([tag, candidate]) => [tag, { open: candidate.open, method: candidate.method, refusal: this.refusal(candidate) }]));
  }

  private place(tags: readonly Tag[]): readonly Placed[] {
    let within: readonly Block[] = [];
    return tags.map((tag) => {
      this.tokens = tag.tokens;
      const word = tag.kind === 'statement' ? (tag.tokens[0]?.text ?? '') : '';
      if (word.startsWith('end')) within = within.slice(0, -1);
      const outer = BRANCHES.has(word) ? within.slice(0, -1) : within;
      if (BRANCHES.has(word) && within.length > 0) within = [...outer, { kind: within.at(-1)!.kind, tag }];
      if (BLOCKS.has(word) || (word === 'set' && !this.is(2, '=') && !this.is(4, '='))) within = [...within, { kind: word, tag }];
      return { tag, within: outer };
    });
  }

  /** A tag that does nothing but call `append` or `extend` with one argument. */
  private candidate(placed: Placed): Candidate | undefined {
    const { tag } = placed;
    this.tokens = tag.tokens;
    if (tag.kind !== 'statement' || !this.is(0, 'do') || tag.tokens[1]?.kind !== 'name') return undefined;
    const hasAttribute = this.is(4, '.') && this.is(2, '.') && tag.tokens[3]?.kind === 'name';
    const open = hasAttribute ? 6 : 4;
    const last = tag.tokens.length - 1;
    if (!this.is(open - 2, '.') || !this.is(open - 1, 'append', 'extend') || !this.is(open, '(') || this.closing(open) !== last) return undefined;
    // `file.append(x)` is a macro of a file.
    if (this.modules.has(tag.tokens[1].text) || last === open + 1 || this.hasComma(open + 1, last)) return undefined;
    return { placed, open, method: tag.tokens[open - 1]!.text, root: tag.tokens[1].text, attribute: hasAttribute ? tag.tokens[3]!.text : undefined };
  }

  private refusal(candidate: Candidate): string | undefined {
    const { placed, root, attribute, open } = candidate;
    this.tokens = placed.tag.tokens;
    if (this.tokens.some((_, i) => i > open && this.is(i, 'if')) && !this.tokens.some((_, i) => this.is(i, 'else'))) return 'its argument is an "if" without "else"';
    for (const { tag } of this.placed) {
      this.tokens = tag.tokens;
      if (this.is(0, 'extends', 'block') && tag.kind === 'statement') return `the template has a "${tag.tokens[0]!.text}"`;
      if (tag.kind !== 'statement') continue;
      if (this.is(0, 'import', 'from') && this.tokens.some((_, i) => this.is(i, 'with') && this.is(i + 1, 'context'))) return `a file that is imported "with context" may keep the list (line ${tag.tokens[0]!.line})`;
      if (attribute !== undefined && this.is(0, 'include')) return `an included file may keep the list (line ${tag.tokens[0]!.line})`;
    }
    const outside = placed.within.find(({ kind }) => kind !== 'if' && !(attribute !== undefined && kind === 'for'));
    if (outside !== undefined) return `it stands in a "${outside.kind}"`;
    const set = this.placed.find(({ tag }) => this.sets(tag, root));
    const index = this.placed.indexOf(placed);
    if (set === undefined || this.placed.indexOf(set) > index || !set.within.every((block, i) => placed.within[i] === block)) return `"${root}" is not surely set by the same template before`;
    for (const { tag } of placed.within) {
      this.tokens = tag.tokens;
      if (this.is(0, 'for') && this.tokens.some((token, i) => this.mentions(i, root) || (token.kind === 'name' && token.text === 'recursive'))) return 'the loop it stands in looks at it, or is recursive';
    }
    for (const other of this.placed) {
      const fault = this.use(other, candidate, set);
      if (fault !== undefined) return `${fault} (line ${other.tag.tokens[0]!.line})`;
    }
    return undefined;
  }

  private sets(tag: Tag, root: string): boolean {
    this.tokens = tag.tokens;
    return tag.kind === 'statement' && this.is(0, 'set') && this.is(1, root) && this.is(2, '=');
  }

  /** What one tag does to the list, or to the one namespace that holds it, that an assignment elsewhere would not see. */
  private use(other: Placed, { root, attribute }: Candidate, first: Placed): string | undefined {
    const { tag } = other;
    if (this.sets(tag, root)) {
      if (attribute !== undefined) return other === first && this.isNamespaceWith(attribute) ? undefined : `"${root}" is set to something else than one namespace with a list "${attribute}"`;
      if (other.within.some(({ kind }) => kind !== 'if')) return `"${root}" is set in a block, too`;
      return this.isNewList(3, this.tokens.length, root) ? undefined : `"${root}" is not set to a new list`;
    }
    this.tokens = tag.tokens;
    if (other.within.some(({ kind }) => kind === 'macro')) return this.tokens.some((_, i) => this.mentions(i, root)) ? `"${root}" is looked at in a macro` : undefined;
    const statement = tag.kind === 'statement';
    if (statement && this.is(0, 'set') && this.is(1, root) && attribute !== undefined && this.is(2, '.') && this.is(4, '=')) {
      if (!this.is(3, attribute)) return this.mention(5, root, attribute, false);
      return this.isNewList(5, this.tokens.length, undefined) ? undefined : `"${root}.${attribute}" is not set to a new list`;
    }
    const mutation = this.found.get(tag);
    if (mutation !== undefined) return this.mention(mutation.open + 1, root, attribute, mutation.method === 'extend');
    if (statement && this.is(0, 'for')) {
      for (let i = 1; i < this.tokens.length && !this.is(i, 'in'); i++) if (this.mentions(i, root)) return `"${root}" is set in a block, too`;
    }
    return this.mention(statement ? 1 : 0, root, attribute, !statement || FORGETTING.has(this.tokens[0]?.text ?? ''));
  }

  /** Whether a tag may keep hold of the list: by itself, or since it names it in a list, a mapping, or a call. */
  private mention(from: number, root: string, attribute: string | undefined, forgets: boolean): string | undefined {
    const brackets: boolean[] = [];
    for (let i = from; i < this.tokens.length; i++) {
      if (this.is(i, '(', '[', '{')) brackets.push(this.is(i, '(') ? !this.isForgetful(i) : !this.is(i, '[') || this.isUnary(i));
      else if (this.is(i, ')', ']', '}')) brackets.pop();
      if (!this.mentions(i, root)) continue;
      let end = i;
      if (attribute !== undefined) {
        if (!this.is(i + 1, '.')) return `"${root}" is looked at as a whole`;
        if (!this.is(i + 2, attribute)) continue;
        end = i + 2;
      }
      if (!this.isCopied(end) && (!forgets || brackets.includes(true))) return `"${this.sourceOf(i, end)}" may be kept under another name`;
    }
    return undefined;
  }

  private mentions(index: number, root: string): boolean {
    const token: Token | undefined = this.tokens[index];
    return token?.kind === 'name' && token.text === root && !this.is(index - 1, '.', '|', 'is');
  }

  /** Whether what is given to a call is not kept: it is a filter's, a test's, or a method's of a text; a macro may keep it in a namespace. */
  private isForgetful(open: number): boolean {
    if (this.is(open - 2, '|', 'is')) return true;
    return this.is(open - 2, '.') && KNOWN_METHODS.has(this.tokens[open - 1]!.text) && !this.modules.has(this.tokens[open - 3]?.text ?? '');
  }

  /** `list | sort | join(" ")`: a row of filters, one of which makes something new of it. */
  private isCopied(end: number): boolean {
    for (let at = end + 1; this.is(at, '|'); ) {
      if (COPYING.has(this.tokens[at + 1]?.text ?? '')) return true;
      at = this.is(at + 2, '(') ? this.closing(at + 2) + 1 : at + 2;
    }
    return false;
  }

  /** `namespace(items=[])`. */
  private isNamespaceWith(attribute: string): boolean {
    if (!this.is(3, 'namespace') || !this.is(4, '(') || this.closing(4) !== this.tokens.length - 1) return false;
    for (let at = 5; at < this.tokens.length - 1; ) {
      let end = at;
      while (end < this.tokens.length - 1 && !this.is(end, ',')) end = this.is(end, '(', '[', '{') ? this.closing(end) + 1 : end + 1;
      if (this.is(at, attribute) && this.is(at + 1, '=')) return this.isNewList(at + 2, end, undefined);
      at = end + 1;
    }
    return false;
  }

  /** `[…]`, `… | list`, `….split(…)` or a sum of such (and of the list itself): a list that nobody else knows. */
  private isNewList(from: number, to: number, itself: string | undefined): boolean {
    const parts: { start: number; end: number }[] = [];
    let start = from;
    for (let i = from; i < to; i = this.is(i, '(', '[', '{') ? this.closing(i) + 1 : i + 1) {
      if (!this.is(i, '+')) continue;
      parts.push({ start, end: i });
      start = i + 1;
    }
    parts.push({ start, end: to });
    return parts.every(({ start: one, end }) => {
      if (this.is(one, '[') && this.closing(one) === end - 1) return true;
      if (itself !== undefined && parts.length > 1 && end === one + 1 && this.is(one, itself)) return true;
      for (let i = one; i < end; i = this.is(i, '(', '[', '{') ? this.closing(i) + 1 : i + 1) {
        if (this.is(i, 'if', 'else', 'not', 'and') || this.is(i, 'or', 'in', 'is') || this.compared(i) || this.is(i, ',')) return false;
      }
      if (this.is(end - 2, '|') && this.is(end - 1, 'list')) return true;
      let open = end - 1;
      while (open > one && !(this.is(open, '(') && this.closing(open) === end - 1)) open--;
      return this.is(open - 1, 'split') && this.is(open - 2, '.');
    });
  }
}
