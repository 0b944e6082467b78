/** The fields of a record, in this order, each ending in a newline; then the next record begins. */
const FIELDS = ['Package', 'Architecture', 'Version', 'Source', 'Multi-Arch', 'Pre-Depends', 'Depends', 'Conflicts', 'Breaks', 'Provides', 'Filename', 'Size', 'SHA256'] as const;

const PROVIDES = FIELDS.indexOf('Provides');


/** Takes a Packages file (wiki.debian.org/DebianRepository/Format, "Packages") as it comes, and keeps what upgrades turn on. */
export type PackageDistiller = {
  add(chunk: Uint8Array): void;
  /**
   * What is left of it: a header, all records, a table of records by name, a table of what they provide by name. Header: its own
   * length, how many lines a record has, the length of all records, the number of names, the number of provided names. In the first
   * table is the place of a record, in the second the place of the provided name and that of its record. Numbers have 32 bits,
   * little-endian.
   */
  end(): Buffer;
};

/** A name, and where in the records something is. */
type Entry = { readonly name: string; readonly at: number; readonly record: number };

/** Nothing of a text is held longer than until its stanza ends. */
export function createPackageDistiller(): PackageDistiller {
  const fieldOf = fieldNumbers();
  const blocks: Buffer[] = [];
  const names: Entry[] = [];
  const provided: Entry[] = [];
  let values: string[] = [];
  let open = -1;
  let length = 0;
  let rest = '';

  /** Ends a stanza; one without a name, version or architecture is none. */
  function endStanza(out: string[]): void {
    const [name = '', architecture = '', version = ''] = values;
    if (name !== '' && architecture !== '' && version !== '') {
      let record = '';
      for (let field = 0; field < FIELDS.length; field++) {
        if (field === PROVIDES && values[field] !== undefined) keepProvided(values[field]!, length + record.length, length);
        record += `${values[field] ?? ''}\n`;
      }
      names.push({ name: detached(name), at: length, record: length });
      out.push(record);
      length += record.length;
    }
    values = [];
    open = -1;
  }

  function keepProvided(list: string, at: number, record: number): void {
    for (const { 0: name, index } of list.matchAll(/(?<=^|,\s*)[^\s,(:]+/g)) provided.push({ name: detached(name), at: at + index, record });
  }

  function addLines(text: string): void {
    const out: string[] = [];
    for (let at = 0; at < text.length; ) {
      let end = text.indexOf('\n', at);
      if (end < 0) end = text.length;
      const first = text.charCodeAt(at);
      if (first === 32 || first === 9) {
        if (open >= 0) values[open] = `${values[open]!} ${text.slice(at, end).trim()}`.trim();
      } else if (end === at || (first === 13 && end === at + 1)) {
        endStanza(out);
      } else {
        const colon = text.indexOf(':', at);
        open = colon < 0 || colon > end ? -1 : fieldOf(text.slice(at, colon));
        if (open >= 0) values[open] = text.slice(colon + 1, end).trim();
      }
      at = end + 1;
    }
    if (out.length > 0) blocks.push(Buffer.from(out.join(''), 'latin1'));
  }

  return {
    add(chunk) {
      const text = rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
      const whole = text.lastIndexOf('\n') + 1;
      rest = text.slice(whole);
      addLines(text.slice(0, whole));
    },
    end() {
      addLines(`${rest}\n\n`);
      const numbers = [20, FIELDS.length, length, names.length, provided.length];
      const header = Buffer.alloc(4 * numbers.length);
      for (const [index, number] of numbers.entries()) header.writeUInt32LE(number, 4 * index);
      return Buffer.concat([header, ...blocks, table(names, ['record']), table(provided, ['at', 'record'])]);
    },
  };
}

function table(entries: Entry[], columns: readonly ('at' | 'record')[]): Buffer {
  entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const width = 4 * columns.length;
  const bytes = Buffer.allocUnsafe(width * entries.length);
  for (const [row, entry] of entries.entries()) for (const [index, column] of columns.entries()) bytes.writeUInt32LE(entry[column], width * row + 4 * index);
  return bytes;
}

/** Field names are written in any case (Debian Policy 5.1); each way of writing one is looked up once. */
function fieldNumbers(): (name: string) => number {
  const known = new Map<string, number>(FIELDS.map((field, index) => [field, index]));
  return (name) => {
    let number = known.get(name);
    if (number === undefined) known.set(detached(name), (number = FIELDS.findIndex((field) => field.toLowerCase() === name.toLowerCase())));
    return number;
  };
}

/** A piece of a text keeps the whole of it in memory; a copy does not. */
function detached(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
