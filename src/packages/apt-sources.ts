import { parseStanzas } from '../shared/stanzas.js';

/** One entry of apt's sources: a line of a `.list` file, a stanza of a `.sources` file (sources.list(5)). */
export type AptSource = {
  readonly types: readonly string[];
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** Other fields by their deb822 names: `Signed-By`, `Trusted`. */
  readonly options: Readonly<Record<string, string>>;
};

/** The entries that a file has, and what is wrong with it, by which apt refuses all files: `line 3 names no suite`. */
export type AptSources = { readonly sources: readonly AptSource[]; readonly fault: string | undefined };

/** Nobody writes longer ones, and reading them may take for ever. */
const LONGEST_LINE = 4096;

const TYPES: readonly string[] = ['deb', 'deb-src'];

/** Reads one-line entries: `deb [signed-by=…] URI SUITE COMPONENT…`. */
export function parseOneLineSources(text: string): AptSources {
  const sources: AptSource[] = [];
  let fault: string | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.length > LONGEST_LINE) fault ??= `line ${index + 1} is too long`;
    const words = line.length > LONGEST_LINE ? '' : withoutComment(line).trim();
    if (words === '') continue;
    const [, type = '', optionText, rest = ''] = /^(\S+)\s*(?:\[([^\]]*)\])?\s*([^]*)$/.exec(words)!;
    const [uri, suite, ...components] = [...rest.matchAll(/(?:"[^"]*"|\[[^\]]*\]|[^\s"[])+/g)].map(([word]) => word.replaceAll('"', ''));
    const source = { types: [type], uris: [uri ?? ''], suites: [suite ?? ''], components, options: parseOptions(optionText ?? '') };
    const wrong = faultOf(source);
    if (wrong === undefined) sources.push(source);
    else fault ??= `line ${index + 1} ${wrong}`;
  }
  return { sources, fault };
}

/** A `#` within brackets begins no comment. */
function withoutComment(line: string): string {
  return /^(?:\[[^\]]*\]|[^#])*/.exec(line)![0];
}

/** Options whose deb822 field is not the option's own name with capitals. */
const FIELD_OF_OPTION: Readonly<Record<string, string>> = { arch: 'Architectures', lang: 'Languages', target: 'Targets' };

function parseOptions(text: string): Record<string, string> {
  const options: Record<string, string> = {};
  for (const [word] of text.matchAll(/(?:"[^"]*"|[^\s"])+/g)) {
    const equals = word.indexOf('=');
    const [, name = '', sign] = /^([a-z-]*[a-z])([+-]?)$/i.exec(word.slice(0, Math.max(equals, 0))) ?? [];
    if (name === '') continue;
    const field = FIELD_OF_OPTION[name.toLowerCase()] ?? withCapitals(name);
    options[`${field}${sign === '+' ? '-Add' : sign === '-' ? '-Remove' : ''}`] = word.slice(equals + 1).replaceAll('"', '').replaceAll(',', ' ');
  }
  return options;
}

/** Reads a deb822 sources file; stanzas that are switched off are left out. */
export function parseDeb822Sources(text: string): AptSources {
  const sources: AptSource[] = [];
  let fault: string | undefined;
  for (const [index, fields] of parseStanzas(text).entries()) {
    const words = (field: string): string[] => (fields.get(field) ?? '').trim().split(/\s+/).filter(Boolean);
    const options = Object.fromEntries([...fields].filter(([field]) => !['types', 'uris', 'suites', 'components', 'enabled'].includes(field)).map(([field, value]) => [withCapitals(field), value]));
    // A stanza of no type is passed over; one that does not speak of it is refused.
    if (fields.has('types') && words('types').length === 0) continue;
    const source = { types: words('types'), uris: words('uris'), suites: words('suites'), components: words('components'), options };
    // A type that apt does not know, it refuses in what is switched off, too.
    const wrong = saysNo(fields.get('enabled')) ? faultOfTypes(source) : faultOf(source);
    if (wrong === undefined && saysNo(fields.get('enabled'))) continue;
    if (wrong === undefined) sources.push(source);
    else fault ??= `stanza ${index + 1} ${wrong}`;
  }
  return { sources, fault };
}

/** What apt refuses of an entry. */
function faultOf(source: AptSource): string | undefined {
  const { uris, suites, components } = source;
  const strange = faultOfTypes(source);
  if (strange !== undefined) return strange;
  if (uris.length === 0 || uris.some((uri) => !uri.includes(':'))) return 'names no URI';
  if (suites.length === 0 || suites.includes('')) return 'names no suite';
  if (suites.some((suite) => suite.endsWith('/') !== (components.length === 0))) return components.length === 0 ? 'names no component' : 'names a component beside an exact path';
  return undefined;
}

/** The word is not shown: where a line is garbled, it may be a login. */
function faultOfTypes({ types }: AptSource): string | undefined {
  return types.length === 0 || types.some((type) => !TYPES.includes(type)) ? 'is of a type that is none of deb and deb-src' : undefined;
}

/** As apt reads a yes or no. */
export function saysNo(value: string | undefined): boolean {
  return value !== undefined && /^(?:no|false|without|off|disable|0)$/i.test(value.trim());
}

/** As apt reads a yes or no. */
export function saysYes(value: string | undefined): boolean {
  return value !== undefined && /^(?:yes|true|with|on|enable|1)$/i.test(value.trim());
}

function withCapitals(name: string): string {
  return name.toLowerCase().replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());
}
