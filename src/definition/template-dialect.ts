/** A file that a template imports, includes or extends. */
export type ImportUse = {
  readonly name: string;
  readonly line: number;
  readonly optional: boolean;
  /** Whether the file sees the variables of the render: it is included or extended, or imported `with context`. */
  readonly context: boolean;
};

/** A template as minijinja must be given it to print what Jinja2 prints, and what was learnt on the way. */
export type Dialect = {
  readonly text: string;
  readonly imports: readonly ImportUse[];
  /** Every word in a tag: a superset of the variables that are read. */
  readonly words: ReadonlySet<string>;
  /** Names that the template itself gives a value. */
  readonly assigned: ReadonlySet<string>;
  /** Plain reads (`a`, `a.b`), for naming what is undefined on a line. */
  readonly reads: readonly { readonly line: number; readonly root: string; readonly text: string }[];
  /** Mappings whose order shows: minijinja sorts keys, Python keeps them as written. */
  readonly walked: readonly { readonly line: number; readonly path: readonly string[] }[];
  /** Whether numbers may have a fraction of nothing (2.0), which a filter of ours cannot tell from 2. */
  readonly hasFloats: boolean;
  /** Whether there may be pairs, which a filter of ours cannot tell from lists. */
  readonly hasPairs: boolean;
  /** What Jinja2 would render otherwise, or not at all. */
  readonly problems: readonly { readonly line: number; readonly message: string }[];
};

/** Prints a value as Python's `str()`; arguments: value, whether it is none, place, its name. */
export const PRINT_FILTER = '__print';

/** Begins the names of our own tests. */
export const TEST_PREFIX = '__';

/** minijinja takes the ending of a template's name for its escaping: no real name ends in this. */
export const NAME_END = '#';

/** The name of the template itself, as opposed to a file it imports: no file is called so. */
export const MAIN = '';

/** A text as a literal that minijinja reads back unchanged, on one line. */
export function literal(text: string): string {
  return `"${text.replace(/[\\"\n\r\t\x00-\x1f]/g, (char) => {
    if (char === '\\' || char === '"') return `\\${char}`;
    if (char === '\n') return '\\n';
    if (char === '\r') return '\\r';
    if (char === '\t') return '\\t';
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  })}"`;
}

/** Whether names stand in the order in which minijinja walks through them (by their bytes). */
export function isSorted(names: readonly string[]): boolean {
  return names.every((name, i) => i === 0 || Buffer.compare(Buffer.from(names[i - 1]!), Buffer.from(name)) <= 0);
}
