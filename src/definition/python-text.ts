/** What one backslash escape of a Python string literal stands for (Python language reference, 2.4.1.1). Unknown escapes stay as written. */
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

const ESCAPE = /\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([\s\S]))/g;

/** The value of a Python string literal (quotes included): a backslash before a line's end folds the two lines. */
export function pythonStringValue(literal: string): string {
  const inner = literal.slice(1, -1);
  if (!inner.includes('\\')) return inner;
  return inner.replace(ESCAPE, (whole: string, octal?: string, hex?: string, short?: string, long?: string, other?: string) => {
    const code = octal === undefined ? (hex ?? short ?? long) : undefined;
    if (octal !== undefined) return String.fromCodePoint(parseInt(octal, 8));
    if (code !== undefined) {
      const point = parseInt(code, 16);
      return point > 0x10ffff ? whole : String.fromCodePoint(point);
    }
    return SIMPLE_ESCAPES[other!] ?? whole;
  });
}

/** `repr()` of a Python str: single quotes, unless the text holds one and no double quote. */
function pythonStringRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text.replace(/[\\'"]|(?! )[\p{C}\p{Z}]/gu, (char) => {
    if (char === '\\') return '\\\\';
    if (char === "'" || char === '"') return char === quote ? `\\${char}` : char;
    if (char === '\n') return '\\n';
    if (char === '\r') return '\\r';
    if (char === '\t') return '\\t';
    const code = char.codePointAt(0)!.toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`;
  });
  return quote + body + quote;
}

/** `repr()` of a value as Python prints it inside a list; undefined and null are None. */
export function pythonRepr(value: unknown): string {
  if (typeof value === 'string') return pythonStringRepr(value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (value === undefined || value === null) return 'None';
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`;
  if (typeof value === 'object') {
    return `{${[...(value instanceof Map ? value : Object.entries(value))].map(([key, entry]) => `${pythonRepr(key)}: ${pythonRepr(entry)}`).join(', ')}}`;
  }
  return String(value);
}

/** `str()` of a value: what Jinja2 prints. */
export function pythonStr(value: unknown): string {
  return typeof value === 'string' ? value : pythonRepr(value);
}
