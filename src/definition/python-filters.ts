/** What a filter answers; or why it does not. */
export type Answer = string | number | readonly unknown[] | { readonly error: string };

/** One of Jinja2's filters (Jinja2 3.1, "List of Builtin Filters"), with what Python would print. */
export type PythonFilter = {
  /** Names of its arguments, in their order. */
  readonly parameters: readonly string[];
  /**
   * @param value what it is given; neither undefined nor none
   * @param args by their places; undefined: not given
   * @param text a value's `str()`
   */
  run(value: unknown, args: readonly unknown[], text: (value: unknown) => string): Answer;
};

/** What Python takes for blank: `str.isspace()`. */
const BLANK = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const EDGES = new RegExp(`^[${BLANK}]+|[${BLANK}]+$`, 'g');
const WORD_BEGINNINGS = new RegExp(`([-${BLANK}({[<]+)`);

const NO_TEXT = { error: 'takes a text here' } as const;

/** Letters whose title case is a letter of its own (Unicode, category Lt). */
const TITLE_CASE: Readonly<Record<string, string>> = { Ǆ: 'ǅ', ǅ: 'ǅ', ǆ: 'ǅ', Ǉ: 'ǈ', ǈ: 'ǈ', ǉ: 'ǈ', Ǌ: 'ǋ', ǋ: 'ǋ', ǌ: 'ǋ', Ǳ: 'ǲ', ǲ: 'ǲ', ǳ: 'ǲ' };

function capitalize(text: string): string {
  const [first = '', ...rest] = text;
  const upper = [...(TITLE_CASE[first] ?? first.toUpperCase())];
  return (upper[0] ?? '') + upper.slice(1).join('').toLowerCase() + rest.join('').toLowerCase();
}

function title(text: string): string {
  return text
    .split(WORD_BEGINNINGS)
    .map((word) => {
      const [first = '', ...rest] = word;
      return first.toUpperCase() + rest.join('').toLowerCase();
    })
    .join('');
}

/** Python's `str.splitlines()`. */
function lines(text: string): string[] {
  const found = text.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/);
  if (found.at(-1) === '') found.pop();
  return found;
}

function indent(value: unknown, [width = 4, first = false, blank = false]: readonly unknown[]): Answer {
  if (typeof value !== 'string') return NO_TEXT;
  if (typeof width !== 'string' && !Number.isInteger(width)) return { error: 'is indented by a whole number or by a text' };
  const by = typeof width === 'string' ? width : ' '.repeat(Math.max(0, width as number));
  const [head = '', ...rest] = lines(`${value}\n`);
  const indented = rest.map((line) => (line !== '' || blank ? by + line : line));
  return (first ? by : '') + [head, ...indented].join('\n');
}

/** Python's `str.strip()`: of white space, or of some characters. */
function trim(text: string, chars: unknown): string {
  if (typeof chars !== 'string') return text.replace(EDGES, '');
  const all = [...text];
  let start = 0;
  let end = all.length;
  while (start < end && chars.includes(all[start]!)) start++;
  while (end > start && chars.includes(all[end - 1]!)) end--;
  return all.slice(start, end).join('');
}

function replace(text: string, old: string, by: string, count: unknown): Answer {
  if (count !== undefined && !Number.isInteger(count)) return { error: 'counts with a whole number' };
  const parts = old === '' ? ['', ...text, ''] : text.split(old);
  const limit = count === undefined || (count as number) < 0 ? parts.length - 1 : Math.min(count as number, parts.length - 1);
  return parts.slice(0, limit + 1).join(by) + parts.slice(limit + 1).map((part) => old + part).join('');
}

function truncate(value: unknown, [length = 255, killWords = false, end = '...', leeway = 5]: readonly unknown[]): Answer {
  if (typeof value !== 'string' || typeof end !== 'string') return NO_TEXT;
  if (!Number.isInteger(length) || !Number.isInteger(leeway) || (length as number) < end.length) return { error: 'takes whole numbers, and a length of at least that of the end' };
  const all = [...value];
  if (all.length <= (length as number) + (leeway as number)) return value;
  const kept = all.slice(0, (length as number) - [...end].length).join('');
  if (killWords === true) return kept + end;
  const blank = kept.lastIndexOf(' ');
  return (blank < 0 ? kept : kept.slice(0, blank)) + end;
}

/** Python's `int(text)`, and what its `float(text)` has before the point; the default for what is no number. */
function toInt(value: unknown, [other = 0]: readonly unknown[]): Answer {
  if (typeof other !== 'number') return { error: 'has a number for default here' };
  const number = typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : typeof value === 'string' ? readNumber(value) : undefined;
  if (number === undefined) return typeof value === 'string' ? other : { error: 'takes a text or a number here' };
  const whole = Math.trunc(number);
  return Number.isSafeInteger(whole) ? (whole === 0 ? 0 : whole) : { error: 'comes to a number that is too large here' };
}

function readNumber(text: string): number | undefined {
  const written = trim(text, undefined);
  if (/^[+-]?(?:inf(?:inity)?|nan)$/i.test(written)) return NaN;
  if (!/^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?$/.test(written)) return undefined;
  return Number(written.replaceAll('_', ''));
}

function join(value: unknown, [by = ''], text: (value: unknown) => string): Answer {
  const items = typeof value === 'string' ? [...value] : value;
  if (!Array.isArray(items)) return { error: 'takes a list here' };
  return items.map(text).join(text(by));
}

/** The first of each kind: upper and lower case are one, and so are 1 and true. */
function unique(value: unknown): Answer {
  if (!Array.isArray(value)) return { error: 'takes a list here' };
  const key = (item: unknown): unknown => (typeof item === 'string' ? `t${item.toLowerCase()}` : typeof item === 'boolean' ? Number(item) : typeof item === 'object' && item !== null ? JSON.stringify(item) : item);
  const seen = new Set<unknown>();
  return value.filter((item) => !seen.has(key(item)) && seen.add(key(item)));
}

/** Texts, lists and mappings. */
function isMany(value: unknown): boolean {
  return typeof value === 'string' || (typeof value === 'object' && value !== null);
}

/** Tests of Jinja2 that come out otherwise in minijinja: true is a number, a text is a sequence, and none cannot be walked through. */
export const PYTHON_TESTS: Readonly<Record<string, (value: unknown) => boolean>> = {
  number: (value) => ['number', 'bigint', 'boolean'].includes(typeof value),
  sequence: isMany,
  iterable: isMany,
};

/** Filters that minijinja has too, where a value of another kind, or a rare character, comes out differently there. */
export const PYTHON_FILTERS: Readonly<Record<string, PythonFilter>> = {
  capitalize: { parameters: [], run: (value, _, text) => capitalize(text(value)) },
  indent: { parameters: ['width', 'first', 'blank'], run: (value, args) => indent(value, args) },
  int: { parameters: ['default'], run: (value, args) => toInt(value, args) },
  join: { parameters: ['d'], run: join },
  lower: { parameters: [], run: (value, _, text) => text(value).toLowerCase() },
  replace: { parameters: ['old', 'new', 'count'], run: (value, [old, by, count], text) => (old === undefined || by === undefined ? { error: 'takes what to replace, and by what' } : replace(text(value), text(old), text(by), count)) },
  string: { parameters: [], run: (value, _, text) => text(value) },
  title: { parameters: [], run: (value, _, text) => title(text(value)) },
  trim: { parameters: ['chars'], run: (value, [chars], text) => trim(text(value), chars) },
  truncate: { parameters: ['length', 'killwords', 'end', 'leeway'], run: (value, args) => truncate(value, args) },
  unique: { parameters: [], run: (value) => unique(value) },
  upper: { parameters: [], run: (value, _, text) => text(value).toUpperCase() },
};
