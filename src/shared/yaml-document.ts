import {
  constructFromEvents,
  CORE_SCHEMA,
  defineScalarTag,
  EVENT_ID,
  floatYaml11Tag,
  getScalarValue,
  intYaml11Tag,
  mergeTag,
  NOT_RESOLVED,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
  type Event,
} from 'js-yaml';

import { bad, errorAt, good, type Checked, type Problem } from './problem.js';

/** A YAML file's value, and where each piece of it stands. */
export type YamlDocument = {
  /** An empty file is an empty mapping. */
  readonly value: unknown;
  /**
   * Line (from 1) of what a JSON pointer (RFC 6901) names: of the key in a mapping, of the item in a list. What came in by `<<` has the
   * line of the `<<`; what is not there has the line of what should hold it.
   */
  lineOf(pointer: string): number;
  /** The text of an unquoted scalar as it was written (`1.10`); undefined for everything else. */
  plainTextOf(pointer: string): string | undefined;
};

/** YAML 1.1's booleans as PyYAML has them: unlike the specification's, `y` and `n` are text. */
const boolTag = defineScalarTag<boolean>('tag:yaml.org,2002:bool', {
  implicit: true,
  resolve: (text) => {
    if (/^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(text)) return true;
    return /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(text) ? false : NOT_RESOLVED;
  },
  identify: (value) => typeof value === 'boolean',
});

/** Booleans and numbers are read as docker-pkg's reader (PyYAML) reads them, so that a config keeps its meaning; dates stay text. */
const SCHEMA = CORE_SCHEMA.withTags(mergeTag, boolTag, intYaml11Tag, floatYaml11Tag);

/** Reads a file of one YAML document, merge keys included. Duplicate keys are reported all at once, a syntax error alone. */
export function parseYaml(path: string, text: string): Checked<YamlDocument> {
  const source = text.replace(/^\uFEFF/, '');
  try {
    const events = parseEvents(source, { filename: path });
    const lines = lineStarts(source);
    const places = placesOf(source, events);
    const problems = places.duplicates.map(({ key, offset, first }): Problem =>
      errorAt(path, lineAt(lines, offset), `key "${key}" stands already on line ${lineAt(lines, first)}`),
    );
    if (places.secondDocument) problems.push(errorAt(path, undefined, 'more than one YAML document in one file'));
    // Duplicates are reported above, all of them; the reader would stop at the first.
    const [value] = constructFromEvents([...events], { source, filename: path, schema: SCHEMA, json: true });
    if (problems.length > 0) return bad(problems);
    return good({
      value: value ?? {},
      lineOf: (pointer) => lineAt(lines, offsetOf(places.offsets, pointer)),
      plainTextOf: (pointer) => places.plain.get(pointer),
    });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    // The reason may quote a piece of the file, and that may be a password.
    const reason = error.reason.replace(/\s*(?:["<!]|: ).*$/s, '');
    return bad([errorAt(path, error.mark === undefined ? undefined : error.mark.line + 1, `not YAML: ${reason}`)]);
  }
}

/** One step of a JSON pointer: `~` and `/` escaped (RFC 6901). */
export function pointerStep(key: string | number): string {
  return `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

type Duplicate = { readonly key: string; readonly offset: number; readonly first: number };
type Places = {
  readonly offsets: ReadonlyMap<string, number>;
  readonly plain: ReadonlyMap<string, string>;
  readonly duplicates: readonly Duplicate[];
  readonly secondDocument: boolean;
};

/** One collection that is being read. In a mapping every second node is a key. */
type Frame = { readonly kind: 'document' | 'sequence' | 'mapping'; readonly pointer: string; count: number; key: string };

/** One walk over the events: JSON pointer → offset of its key or item. */
function placesOf(source: string, events: readonly Event[]): Places {
  const offsets = new Map<string, number>();
  const plain = new Map<string, string>();
  const duplicates: Duplicate[] = [];
  const frames: Frame[] = [];
  let documents = 0;
  for (const event of events) {
    if (event.type === EVENT_ID.POP) {
      frames.pop();
      continue;
    }
    if (event.type === EVENT_ID.DOCUMENT) {
      documents++;
      frames.push({ kind: 'document', pointer: '', count: 0, key: '' });
      continue;
    }
    const frame = frames.at(-1)!;
    const offset = startOf(event);
    const count = frame.count++;
    let pointer = frame.pointer;
    if (frame.kind === 'mapping' && count % 2 === 0) {
      frame.key = event.type === EVENT_ID.SCALAR ? getScalarValue(source, event) : source.slice(offset, offset + 20);
      pointer += pointerStep(frame.key);
      const first = offsets.get(pointer);
      if (first === undefined) offsets.set(pointer, offset);
      else duplicates.push({ key: frame.key, offset, first });
    } else {
      if (frame.kind === 'mapping') pointer += pointerStep(frame.key);
      else if (frame.kind === 'sequence') pointer += pointerStep(count);
      if (!offsets.has(pointer)) offsets.set(pointer, offset);
      if (event.type === EVENT_ID.SCALAR && event.style === SCALAR_STYLE.PLAIN) plain.set(pointer, source.slice(event.valueStart, event.valueEnd));
    }
    if (event.type === EVENT_ID.SEQUENCE) frames.push({ kind: 'sequence', pointer, count: 0, key: '' });
    if (event.type === EVENT_ID.MAPPING) frames.push({ kind: 'mapping', pointer, count: 0, key: '' });
  }
  return { offsets, plain, duplicates, secondDocument: documents > 1 };
}

function startOf(event: Event): number {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart;
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart;
  return event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING ? event.start : 0;
}

function offsetOf(offsets: ReadonlyMap<string, number>, pointer: string): number {
  const own = offsets.get(pointer);
  if (own !== undefined) return own;
  if (pointer === '') return 0;
  const above = pointer.slice(0, pointer.lastIndexOf('/'));
  return offsets.get(`${above}/<<`) ?? offsetOf(offsets, above);
}

function lineStarts(source: string): readonly number[] {
  const starts = [0];
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** Line of an offset, from 1. */
function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle;
  }
  return low + 1;
}
