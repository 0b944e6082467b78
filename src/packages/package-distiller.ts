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

/** Bytes of the header. */
const HEADER = 20;

/**
 * Nothing of a text is held longer than until its stanza ends.
 * @param expected bytes of all that will come, if that is known: room that is not needed costs nothing, and room that is copied does
 */
export function createPackageDistiller(expected = 0): PackageDistiller {
  const fieldOf = fieldNumbers();
  let bytes = Buffer.allocUnsafeSlow(HEADER + Math.max(64 * 1024, Math.ceil(expected / 2)));
  const names: Entry[] = [];
  const provided: Entry[] = [];
  let values: string[] = [];
  let open = -1;
  let length = 0;
  let rest = '';

  /** Ends a stanza; one without a name, version or architecture is none. */
  function endStanza(): void {
    const [name = '', architecture = '', version = ''] = values;
    if (name !== '' && architecture !== '' && version !== '') {
      let record = '';
      for (let field = 0; field < FIELDS.length; field++) {
        if (field === PROVIDES && values[field] !== undefined) keepProvided(values[field]!, length + record.length, length);
        record += `${values[field] ?? ''}\n`;
      }
      names.push({ name: detached(name), at: length, record: length });
      reserve(record.length);
      length += bytes.write(record, HEADER + length, 'latin1');
    }
    values = [];
    open = -1;
  }

  /** Room behind the records for so many more bytes. */
  function reserve(more: number): void {
    if (HEADER + length + more <= bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * bytes.length, HEADER + length + more));
    bytes.copy(larger, 0, 0, HEADER + length);
    bytes = larger;
  }

  function keepProvided(list: string, at: number, record: number): void {
    for (const { 0: name, index } of list.matchAll(/(?<=^|,\s*)[^\s,(:]+/g)) provided.push({ name: detached(name), at: at + index, record });
  }

  function addLines(text: string): void {
    for (let at = 0; at < text.length; ) {
      let end = text.indexOf('\n', at);
      if (end < 0) end = text.length;
      const first = text.charCodeAt(at);
      if (first === 32 || first === 9) {
        if (open >= 0) values[open] = `${values[open]!} ${text.slice(at, end).trim()}`.trim();
      } else if (end === at || (first === 13 && end === at + 1)) {
        endStanza();
      } else {
        const colon = text.indexOf(':', at);
        open = colon < 0 || colon > end ? -1 : fieldOf(text.slice(at, colon));
        if (open >= 0) values[open] = text.slice(colon + 1, end).trim();
      }
      at = end + 1;
    }
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
      const numbers = [HEADER, FIELDS.length, length, names.length, provided.length];
      for (const [index, number] of numbers.entries()) bytes.writeUInt32LE(number, 4 * index);
      const tables = 4 * names.length + 8 * provided.length;
      reserve(tables);
      const end = writeTable(bytes, HEADER + length, names, ['record']);
      writeTable(bytes, end, provided, ['at', 'record']);
      return bytes.subarray(0, HEADER + length + tables);
    },
  };
}

/** Where it ends. */
function writeTable(bytes: Buffer, start: number, entries: Entry[], columns: readonly ('at' | 'record')[]): number {
  entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  let at = start;
  for (const entry of entries) for (const column of columns) at = bytes.writeUInt32LE(entry[column], at);
  return at;
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
