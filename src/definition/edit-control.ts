import { parseControl, type Dependency } from './control.js';

/** How the names in Depends and Build-Depends shall change. */
export type DependencyEdit = {
  readonly add: readonly { readonly name: string; readonly field: Dependency['field'] }[];
  /** Taken out of whichever field has them. */
  readonly remove: readonly string[];
  /** Slips, each with the name that takes its place. */
  readonly rename: ReadonlyMap<string, string>;
};

/**
 * A control file with other dependencies; all else stays as it is to the byte: fields, their order, comments, folding, line ends.
 * Undefined when the file is built so that this cannot be done.
 */
export function editDependencies(text: string, edit: DependencyEdit): string | undefined {
  let edited = text;
  for (const [from, to] of edit.rename) edited = everyPlace(edited, from, (now, value, at) => replaceWord(now, value, at, to));
  for (const name of edit.remove) edited = everyPlace(edited, name, without);
  for (const { name, field } of edit.add) edited = withName(edited, name, field);
  return isAsWanted(text, edited, edit) ? edited : undefined;
}

/** The value of one field: its text without comment lines, and where each character stands in the file. */
type Value = {
  readonly name: string;
  /** Which paragraph it is in, from 0. */
  readonly paragraph: number;
  readonly text: string;
  readonly at: readonly number[];
  /** First byte of the field's line, the one behind its colon, and the one behind its last line. */
  readonly start: number;
  readonly colon: number;
  readonly end: number;
};

/** One relation: from its first to behind its last character in the value's text. */
type Item = { readonly start: number; readonly end: number };

function fieldsOf(text: string): readonly Value[] {
  const fields: { name: string; paragraph: number; text: string; at: number[]; start: number; colon: number; end: number }[] = [];
  let open: (typeof fields)[number] | undefined;
  let paragraph = 0;
  for (const line of text.matchAll(/[^\n]*(?:\n|$)/g)) {
    const [raw] = line;
    if (raw === '' || raw.startsWith('#')) continue;
    const content = raw.replace(/\r?\n$/, '');
    if (content.trim() === '') {
      if (open !== undefined) paragraph++;
      open = undefined;
    } else if (/^[ \t]/.test(content)) {
      if (open !== undefined) extend(open, raw, line.index, 0);
    } else {
      const colon = raw.indexOf(':');
      const name = raw.slice(0, colon).trim().toLowerCase().replace(/^\uFEFF/, '');
      open = { name, paragraph, text: '', at: [], start: line.index, colon: line.index + colon + 1, end: 0 };
      extend(open, raw, line.index, colon + 1);
      fields.push(open);
    }
  }
  return fields;
}

function extend(field: { text: string; at: number[]; end: number }, raw: string, start: number, from: number): void {
  for (let i = from; i < raw.length; i++) field.at.push(start + i);
  field.text += raw.slice(from);
  field.end = start + raw.length;
}

const isDependencies = ({ name }: Value): boolean => name === 'depends' || name === 'build-depends';

/** The parts of a text between separators, without the blanks around them. */
function itemsOf(text: string, separator: RegExp, from = 0, to = text.length): readonly Item[] {
  const items: Item[] = [];
  let start = from;
  const close = (end: number): void => {
    const part = text.slice(start, end);
    const begin = start + (part.length - part.trimStart().length);
    if (part.trim() !== '') items.push({ start: begin, end: begin + part.trim().length });
  };
  for (let at = from; at < to; at++) {
    if (!separator.test(text[at]!)) continue;
    close(at);
    start = at + 1;
  }
  close(to);
  return items;
}

function wordOf(text: string, item: Item): string {
  return /^[A-Za-z0-9][A-Za-z0-9+._/-]*/.exec(text.slice(item.start, item.end))?.[0] ?? '';
}

/** What `change` makes of each place where a name stands, one after the other: each changes where the others are. */
function everyPlace(text: string, name: string, change: (text: string, value: Value, at: Item) => string): string {
  for (let now = text; ; ) {
    const places = fieldsOf(now).filter(isDependencies).flatMap((value) => itemsOf(value.text, /[,|]/).flatMap((item) => (wordOf(value.text, item) === name ? [{ value, item }] : [])));
    const [place] = places;
    if (place === undefined) return now;
    now = change(now, place.value, place.item);
  }
}

function replaceWord(text: string, value: Value, { start }: Item, to: string): string {
  const from = value.at[start]!;
  const word = /^[A-Za-z0-9][A-Za-z0-9+._/-]*/.exec(text.slice(from))![0];
  return text.slice(0, from) + to + text.slice(from + word.length);
}

/** The text without one name: the alternative, the relation, or the field when nothing else is in it. */
function without(text: string, value: Value, target: Item): string {
  const relations = itemsOf(value.text, /,/);
  const index = relations.findIndex(({ start, end }) => start <= target.start && target.end <= end);
  const relation = relations[index]!;
  const alternatives = itemsOf(value.text, /\|/, relation.start, relation.end);
  if (alternatives.length > 1) return cut(text, value, alternatives, alternatives.findIndex(({ start }) => start === target.start));
  if (relations.length > 1) return cut(text, value, relations, index);
  // Comments stay where they are.
  const lines = [...text.slice(value.start, value.end).matchAll(/[^\n]*\n|[^\n]+$/g)].map(([line]) => line);
  return text.slice(0, value.start) + lines.filter((line) => line.startsWith('#')).join('') + text.slice(value.end);
}

/** Without one of several items and the separator that parts it from its neighbours. */
function cut(text: string, value: Value, items: readonly Item[], index: number): string {
  const item = items[index]!;
  const [before, after] = [items[index - 1], items[index + 1]];
  const spans = [...(after === undefined ? [] : [[item.start, after.start] as const]), ...(before === undefined ? [] : [[before.end, item.end] as const])];
  for (const [start, end] of spans) {
    const [from, to] = [value.at[start]!, value.at[end - 1]! + 1];
    // As long in the file as in the value: no comment lies between.
    if (to - from === end - start) return text.slice(0, from) + text.slice(to);
  }
  // Comments on both sides: only the item goes, with the separator behind it, or before it if it is the last one.
  const [gapStart, gapEnd] = after === undefined ? [before!.end, item.start] : [item.end, after.start];
  const separator = value.at[gapStart + value.text.slice(gapStart, gapEnd).search(/[,|]/)]!;
  const gone = new Set([...value.at.slice(item.start, item.end), separator]);
  return [...text.matchAll(/[^\n]*\n|[^\n]+$/g)]
    .map((line) => {
      const kept = [...line[0]].filter((_, i) => !gone.has(line.index + i)).join('');
      if (kept === line[0]) return kept;
      return kept.trim() === '' ? '' : kept.replace(/[ \t]+(?=\r?\n?$)/, '');
    })
    .join('');
}

/** The text with one more name at the end of a field, which is made if it is not there. */
function withName(text: string, name: string, field: Dependency['field']): string {
  const fields = fieldsOf(text);
  const value = fields.find((one) => one.name === field.toLowerCase());
  if (value === undefined) return withField(text, fields, `${field}: ${name}`);
  const items = itemsOf(value.text, /,/);
  const last = items.at(-1);
  if (last === undefined) return `${text.slice(0, value.colon)} ${name}${text.slice(value.colon)}`;
  const behind = value.at[last.end - 1]! + 1;
  const lineStart = text.lastIndexOf('\n', value.at[last.start]!) + 1;
  const indent = text.slice(lineStart, value.at[last.start]!);
  // One name a line, if the last one has a line to itself.
  const isFolded = indent.trim() === '' && indent !== '';
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  const comma = value.text.indexOf(',', last.end);
  if (comma < 0) return `${text.slice(0, behind)},${isFolded ? lineEnd + indent : ' '}${name}${text.slice(behind)}`;
  const afterComma = value.at[comma]! + 1;
  return `${text.slice(0, afterComma)}${isFolded ? lineEnd + indent : ' '}${name},${text.slice(afterComma)}`;
}

/** A new field stands before the description of the first paragraph, or at that paragraph's end. */
function withField(text: string, fields: readonly Value[], line: string): string {
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  const paragraph = fields.filter((one) => one.paragraph === 0);
  const neighbour = paragraph.findLast(isDependencies);
  const description = paragraph.find(({ name }) => name === 'description');
  const last = paragraph.at(-1);
  const at = neighbour?.end ?? description?.start ?? last?.end ?? text.length;
  const before = text.slice(0, at);
  const gap = before === '' || before.endsWith('\n') ? '' : lineEnd;
  return `${before}${gap}${line}${lineEnd}${text.slice(at)}`;
}

/** Whether both say the same but for what should change. */
function isAsWanted(before: string, after: string, edit: DependencyEdit): boolean {
  const [old, now] = [parseControl('', before), parseControl('', after)];
  if (!old.ok || !now.ok) return false;
  const namesOf = (dependencies: readonly Dependency[]): string => dependencies.map(({ name, field }) => `${field} ${name}`).sort().join('\n');
  const kept = old.value.dependencies.map((dependency) => ({ ...dependency, name: edit.rename.get(dependency.name) ?? dependency.name })).filter(({ name }) => !edit.remove.includes(name));
  const wanted = [...kept, ...edit.add.map((added) => ({ ...added, line: 0 }))];
  const rest = (control: typeof old.value): string => JSON.stringify({ ...control, dependencies: [], lintIgnore: control.lintIgnore.map(({ rule }) => rule) });
  const comments = (text: string): string => text.split('\n').filter((line) => line.startsWith('#')).join('\n');
  return namesOf(wanted) === namesOf(now.value.dependencies) && rest(old.value) === rest(now.value) && comments(before) === comments(after);
}
