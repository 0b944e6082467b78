import { readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Argv } from 'yargs';
import { EXIT_MEANING, UsageError } from '../shared/errors.js';
import { nearHint } from '../shared/near-names.js';
import { OPTIONS, type OptionEntry, type OptionName, type OptionValues } from './options.js';
import { programVersion } from './program-version.js';
import type { Options } from './verb.js';
import { SHARED, VERBS, type VerbEntry, type VerbName } from './verbs.js';

/** What the command line asks for. */
export type Asked = { readonly verb: VerbName; readonly options: Options } | { readonly print: string };

const EXAMPLES: readonly (readonly [string, string])[] = [
  ['build-images', "build and publish what is missing in images/"],
  ['build-images plan', 'what that would do, and why'],
  ["build-images --select '*python3*' --no-publish", 'try some images on this machine'],
  ["build-images --rebuild --select '*/trixie:*'", 'a new build though nothing changed'],
  ['build-images plan --check', 'exit 10 if anything is pending'],
];

/** Reads the command line; throws a UsageError that names what was probably meant. */
export async function parseArguments(argv: readonly string[], cwd: string): Promise<Asked> {
  const { verb, words, given } = splitVerb(argv, cwd);
  if (argv.includes('--version') && !entryOf(verb).takes.includes('version')) return { print: programVersion };
  if (argv.includes('--help') || argv.includes('-h') || given === 'help') return { print: helpText(given === undefined || given === 'help' ? undefined : verb) };
  refuseValues(verb, words);
  const parser = await parserOf(verb);
  let failure: string | undefined;
  const parsed = parser
    .fail((message: string | null, error: Error | undefined) => {
      failure ??= message ?? error?.message ?? 'the command line is wrong';
    })
    .parseSync(words) as Record<string, unknown>;
  refuseUnknown(verb, parsed, words);
  const lacking = failure === undefined ? undefined : /^Not enough arguments following: (\S+)/.exec(failure)?.[1];
  if (lacking !== undefined) throw new UsageError(`${lacking.length === 1 ? '-' : '--'}${lacking} needs a value`, [`build-images ${verb} --help`]);
  if (failure !== undefined) throw new UsageError(failure.split('\n').filter((line) => line.trim() !== '').map((line) => line.trim()).join(' '));
  return { verb, options: toOptions(verb, parsed, cwd) };
}

/** The verb is the first word, unless that is a directory; no word at all means build. Options may stand before it: `docker-pkg -c config.yaml build images` is what many have typed for years. */
function splitVerb(argv: readonly string[], cwd: string): { readonly verb: VerbName; readonly words: readonly string[]; readonly given: string | undefined } {
  let at = 0;
  while (argv[at]?.startsWith('-') === true) at += takesNext(argv[at]!) ? 2 : 1;
  const first = argv[at];
  // Behind an option that nobody knows no word can be told from a value: the option is what is wrong.
  if (first === undefined || argv.slice(0, at).some(isUnknown)) return { verb: 'build', words: argv, given: undefined };
  if (first === 'help') return { verb: 'build', words: [], given: 'help' };
  if (Object.hasOwn(VERBS, first)) return { verb: first as VerbName, words: [...argv.slice(0, at).map(longName), ...argv.slice(at + 1)], given: first };
  if (!isDirectory(resolve(cwd, first))) throw new UsageError(`"${first}" is neither a verb nor a directory${nearHint(first, [...Object.keys(VERBS), ...directoriesIn(cwd)])}`, ['build-images --help']);
  return { verb: 'build', words: argv, given: undefined };
}

/** Whether the word behind an option is its value. A letter that two options have is the one's that comes first in their table. */
function takesNext(word: string): boolean {
  const named = ENTRIES.find(([name, { alias }]) => word === `--${written(name)}` || word === `-${String(alias)}`);
  return named !== undefined && hasValue(named[1]);
}

/** A letter before the verb is that of an option that comes first in the table: the verb may have another of that letter. */
function longName(word: string): string {
  const named = ENTRIES.find(([, { alias }]) => alias !== undefined && word === `-${alias}`);
  return named === undefined ? word : `--${named[0]}`;
}

function isUnknown(word: string): boolean {
  const name = /^--(?:no-)?([^=]+)/.exec(word)?.[1];
  return name !== undefined && optionNamed(name) === undefined && name !== 'help' && name !== 'version';
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function directoriesIn(cwd: string): readonly string[] {
  try {
    return readdirSync(cwd, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return [];
  }
}

const ENTRIES = Object.entries(OPTIONS) as readonly (readonly [OptionName, OptionEntry])[];

function entryOf(verb: VerbName): VerbEntry {
  return VERBS[verb];
}

function hasValue({ takes }: OptionEntry): boolean {
  return takes !== 'flag' && takes !== 'yes-or-no';
}

/** As it is typed, without its dashes. */
function written(name: OptionName): string {
  return (OPTIONS[name] as OptionEntry).written ?? name;
}

/** The name that yargs knows it by: it takes "no-" off by itself. */
function bare(name: OptionName): string {
  return written(name).replace(/^no-/, '');
}

function optionNamed(word: string): OptionName | undefined {
  return ENTRIES.find(([name]) => bare(name) === word)?.[0];
}

/** What a verb takes, with the letters that are left: its own options have theirs before the shared ones. */
function takenBy(verb: VerbName): ReadonlyMap<OptionName, OptionEntry> {
  const { takes } = entryOf(verb);
  const letters = new Set(takes.flatMap((name) => (OPTIONS[name] as OptionEntry).alias ?? []));
  const taken = [...SHARED.map((name) => [name, OPTIONS[name] as OptionEntry, true] as const), ...takes.map((name) => [name, OPTIONS[name] as OptionEntry, false] as const)];
  return new Map(taken.map(([name, entry, shared]) => [name, shared && letters.has(entry.alias ?? '') ? { ...entry, alias: undefined } : entry] as [OptionName, OptionEntry]));
}

async function parserOf(verb: VerbName): Promise<Argv> {
  const { default: yargs } = await import('yargs');
  const parser = yargs([]).exitProcess(false).help(false).version(false).parserConfiguration({ 'camel-case-expansion': false, 'duplicate-arguments-array': true, 'parse-positional-numbers': false });
  for (const [name, entry] of takenBy(verb)) {
    const type = entry.takes === 'count' ? 'number' : hasValue(entry) ? 'string' : 'boolean';
    parser.option(bare(name), { type, requiresArg: hasValue(entry), ...(entry.alias === undefined ? {} : { alias: entry.alias }) });
  }
  return parser;
}

/** yargs takes whatever is neither `true` nor `false` for a no: `--dry-run=1` would do what it should only show. */
function refuseValues(verb: VerbName, words: readonly string[]): void {
  const flags = [...takenBy(verb)].flatMap(([name, entry]) => (hasValue(entry) ? [] : [bare(name), entry.alias]));
  for (const word of words) {
    const named = /^--?(?:no-)?([^=-][^=]*)=(?!true$|false$)/.exec(word)?.[1];
    if (named !== undefined && flags.includes(named)) throw new UsageError(`${word.slice(0, word.indexOf('='))} takes no value, it is there or not: not "${word}"`, [`build-images ${verb} --help`]);
  }
}

function refuseUnknown(verb: VerbName, parsed: Record<string, unknown>, words: readonly string[]): void {
  const taken = takenBy(verb);
  const known = new Set([...taken].flatMap(([name, { alias }]) => [bare(name), alias ?? name]));
  for (const key of Object.keys(parsed)) {
    if (key === '_' || key === '$0' || known.has(key)) continue;
    // yargs takes "no-" off what it does not know: a person wants to read what was written.
    const no = !words.some((word) => word === `--${key}` || word.startsWith(`--${key}=`)) && words.includes(`--no-${key}`) ? 'no-' : '';
    const shown = key.length === 1 ? `-${key}` : `--${no}${key}`;
    if (optionNamed(key) !== undefined) throw new UsageError(`${shown} is no option of ${verb}`, [`build-images ${verb} --help`]);
    const near = nearHint(key, [...taken.keys()].map(bare)).replace(/(\(near: |, )/g, `$1--${no}`);
    throw new UsageError(`there is no option ${shown}${near}`, [`build-images ${verb} --help`]);
  }
}

function toOptions(verb: VerbName, parsed: Record<string, unknown>, cwd: string): Options {
  const words = wordsOf(verb, parsed, cwd);
  const taken = takenBy(verb);
  const values = new Map(ENTRIES.map(([name, entry]) => [name, valueOf(name, entry, taken.has(name) ? parsed[bare(name)] : undefined)]));
  for (const [name, { needs }] of ENTRIES) {
    const given = (value: unknown): boolean => value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
    if (needs !== undefined && given(values.get(name)) && !given(values.get(needs.option as OptionName))) throw new UsageError(`--${written(name)} needs --${needs.option}: ${needs.because}`);
  }
  const inCamelCase = [...values].map(([name, value]) => [name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()), value]);
  return { ...(Object.fromEntries(inCamelCase) as OptionValues), ...words };
}

/** @param given what yargs made of it: an array when it repeats */
function valueOf(name: OptionName, entry: OptionEntry, given: unknown): unknown {
  const last = Array.isArray(given) ? (given as unknown[]).at(-1) : given;
  switch (entry.takes) {
    case 'flag':
      return last === !name.startsWith('no-');
    case 'yes-or-no':
      return last;
    case 'text':
      return last === undefined ? entry.default : String(last);
    case 'texts':
      return [given ?? []].flat().map(String);
    case 'count':
      if (last !== undefined && (typeof last !== 'number' || !Number.isInteger(last) || last < 1)) throw new UsageError(`--${name} takes a whole number from 1`);
      return last;
    case 'choice':
      if (last !== undefined && !entry.choices!.includes(String(last))) throw new UsageError(`--${name} takes ${entry.choices!.join(' or ')}, not "${String(last)}"`);
      return last ?? entry.choices![0];
  }
}

/** The images that are named, and the tree. */
function wordsOf(verb: VerbName, parsed: Record<string, unknown>, cwd: string): Pick<Options, 'images' | 'directory' | 'directoryGiven'> {
  const words = (parsed['_'] as readonly (string | number)[]).map(String);
  const { images: named } = entryOf(verb);
  const needed = named === undefined || (named.unless !== undefined && parsed[named.unless] === true) ? 0 : 1;
  const dir = [parsed['dir'] ?? []].flat().map(String).at(-1);
  const hasTree = dir === undefined && words.length > needed && isDirectory(resolve(cwd, words.at(-1)!));
  const images = named?.many === true ? words.splice(0, words.length - (hasTree ? 1 : 0)) : words.splice(0, needed);
  if (images.length < needed) throw new UsageError(named!.asks, [`build-images ${verb} --help`]);
  const [directory = dir, ...more] = words;
  if (more.length > 0) throw new UsageError(`"${more[0]!}" is one word too many`, [`build-images ${verb} --help`]);
  if (directory !== undefined && !isDirectory(resolve(cwd, directory))) throw new UsageError(`${directory} is not a directory`);
  return { images, directory: directory ?? 'images', directoryGiven: directory !== undefined };
}

/** The help of the program, or of one verb. */
export function helpText(verb: VerbName | undefined): string {
  const names = Object.keys(VERBS) as VerbName[];
  const usageOf = (name: VerbName): string => `build-images ${VERBS[name].usage}`;
  const lines = verb === undefined ? ['build-images: builds a tree of container images from their definitions, and says why', '', 'Verbs (DIRECTORY is the tree of definitions; default: images):'] : [VERBS[verb].summary, '', `  ${usageOf(verb)} [options]`];
  if (verb === undefined) {
    const width = Math.max(...names.map((name) => usageOf(name).length));
    for (const name of names) lines.push(`  ${usageOf(name).padEnd(width)}  ${VERBS[name].summary}`);
  }
  // The program's own help tells of the verbs that most people use.
  const options = verb === undefined ? new Map([...takenBy('build'), ...takenBy('plan')]) : takenBy(verb);
  const shown = [...options].map(([name, { takes, alias, value, choices, says }]) => {
    const dashes = takes === 'yes-or-no' ? `--${name}, --no-${name}` : `--${written(name)}`;
    const behind = choices?.join('|') ?? value;
    return [`  ${alias === undefined ? '' : `-${alias}, `}${dashes}${behind === undefined ? '' : ` ${behind}`}`, says] as const;
  });
  const width = Math.max(...shown.map(([left]) => left.length), 0);
  lines.push('', 'Options:', ...shown.map(([left, right]) => `${left.padEnd(width)}  ${right}`));
  lines.push(`${'  -h, --help'.padEnd(width)}  this text${verb === undefined ? '; build-images VERB --help tells of one verb' : ''}`, ...(options.has('version') ? [] : [`${'  --version'.padEnd(width)}  the version`]));
  if (verb === undefined) {
    const left = Math.max(...EXAMPLES.map(([command]) => command.length));
    lines.push('', 'Examples:', ...EXAMPLES.map(([command, means]) => `  ${command.padEnd(left)}  ${means}`));
  }
  lines.push('', 'Exit codes:', ...Object.entries(EXIT_MEANING).map(([code, means]) => `  ${code.padStart(3)}  ${means}`));
  return lines.join('\n');
}
