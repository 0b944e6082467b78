/** A stanza of deb822(5): name of a field in lower case → its value. Lines that continue it follow, as they are written. */
export type Stanza = ReadonlyMap<string, string>;

/**
 * Reads stanzas with an empty line between them; lines that begin with `#` are comments. A field that is there twice counts as the
 * last says; a line that is no field is passed over.
 * @param only names of the fields to keep, in lower case
 */
export function parseStanzas(text: string, only?: ReadonlySet<string>): readonly Stanza[] {
  const stanzas: Stanza[] = [];
  let fields = new Map<string, string>();
  let last: string | undefined;
  for (let at = 0, end = 0; at <= text.length; at = end + 1) {
    end = text.indexOf('\n', at);
    if (end < 0) end = text.length;
    const first = text[at];
    if (first === '#' && at < end) continue;
    if (first === ' ' || first === '\t') {
      if (last !== undefined) fields.set(last, `${fields.get(last)!}\n${lineOf(text, at, end)}`);
      continue;
    }
    last = undefined;
    if (isBlank(text, at, end)) {
      if (fields.size > 0) stanzas.push(fields);
      if (fields.size > 0) fields = new Map();
      continue;
    }
    const colon = text.indexOf(':', at);
    if (colon <= at || colon >= end) continue;
    const name = text.slice(at, colon).trim().toLowerCase();
    if (only !== undefined && !only.has(name)) continue;
    last = name;
    fields.set(name, lineOf(text, colon + 1, end).trim());
  }
  if (fields.size > 0) stanzas.push(fields);
  return stanzas;
}

function isBlank(text: string, at: number, end: number): boolean {
  return at === end || (text[at] === '\r' && at + 1 === end);
}

function lineOf(text: string, at: number, end: number): string {
  return text.slice(at, end > at && text[end - 1] === '\r' ? end - 1 : end);
}
