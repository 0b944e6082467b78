import { readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Argv, Options as YargsOptions } from 'yargs';
import { EXIT_MEANING, UsageError } from '../shared/errors.js';
import { nearHint } from '../shared/near-names.js';
import { programVersion } from './program-version.js';
import type { Options } from './verb.js';

/** The verbs, in the order of the help. */
export const VERBS = {
  build: 'build what is missing, test it, publish it and move :latest (the default verb)',
  plan: 'show what build would do, and why',
  list: 'list every image of the tree, parents first',
  render: 'show the Dockerfile of an image, or with --all of every image',
  promote: 'move :latest of one image to its newest published version, whatever it is now',
} as const;

/** The name of one of them. */
export type VerbName = keyof typeof VERBS;

/** What the command line asks for. */
export type Asked = { readonly verb: VerbName; readonly options: Options } | { readonly print: string };

const OPTIONS = {
  config: { alias: 'c', type: 'string', requiresArg: true, default: 'config.yaml', describe: 'what the tree is told about the outside' },
  select: { type: 'string', requiresArg: true, describe: 'only images whose registry/namespace/name:tag matches this glob (may repeat)' },
  jobs: { alias: 'j', type: 'number', requiresArg: true, describe: 'how many images at once (default: cores)' },
  publish: { type: 'boolean', describe: 'push what was tested; --no-publish keeps it here', default: undefined },
  'dry-run': { type: 'boolean', default: false, describe: 'show the plan, change nothing' },
  rebuild: { type: 'boolean', default: false, describe: 'build the selected images though nothing asks for it' },
  'on-error': { type: 'string', requiresArg: true, default: 'continue', describe: 'after a failure: go on with what does not stand on it, or start nothing new' },
  'use-cache': { type: 'boolean', default: false, describe: "let the engine use its build cache" },
  pull: { type: 'boolean', default: true, describe: '--no-pull: use outside images that the engine has as they are' },
  strict: { type: 'boolean', default: false, describe: 'warnings are errors' },
  json: { type: 'boolean', default: false, describe: 'JSON alone on standard output' },
  verbose: { alias: 'v', type: 'boolean', default: false, describe: 'also say what is usually not worth a line' },
  all: { type: 'boolean', default: false, describe: 'plan: also what is up to date; render: every image' },
  check: { type: 'boolean', default: false, describe: 'exit 10 when work is pending' },
} satisfies Record<string, YargsOptions>;

type OptionName = keyof typeof OPTIONS;

const SHARED: readonly OptionName[] = ['config', 'json', 'strict', 'verbose'];
const BUILD: readonly OptionName[] = ['select', 'jobs', 'publish', 'dry-run', 'rebuild', 'on-error', 'use-cache', 'pull'];

/** Which options each verb takes beside the shared ones. */
const TAKES: Readonly<Record<VerbName, readonly OptionName[]>> = {
  build: BUILD,
  plan: ['select', 'publish', 'rebuild', 'all', 'check'],
  list: ['select'],
  render: ['all'],
  promote: ['dry-run', 'publish'],
};

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
  if (argv.includes('--version')) return { print: programVersion };
  if (argv.includes('--help') || argv.includes('-h') || given === 'help') return { print: helpText(given === undefined || given === 'help' ? undefined : verb) };
  const parser = await parserOf(verb);
  let failure: string | undefined;
  const parsed = parser
    .fail((message: string | null, error: Error | undefined) => {
      failure ??= message ?? error?.message ?? 'the command line is wrong';
    })
    .parseSync(words) as Record<string, unknown>;
  refuseUnknown(verb, parsed, words);
  const lacking = failure === undefined ? undefined : /^Not enough arguments following: (\S+)/.exec(failure)?.[1];
  if (lacking !== undefined) throw new UsageError(`--${lacking} needs a value`, [`build-images ${verb} --help`]);
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
  if (Object.hasOwn(VERBS, first)) return { verb: first as VerbName, words: argv.toSpliced(at, 1), given: first };
  if (!isDirectory(resolve(cwd, first))) throw new UsageError(`"${first}" is neither a verb nor a directory${nearHint(first, [...Object.keys(VERBS), ...directoriesIn(cwd)])}`, ['build-images --help']);
  return { verb: 'build', words: argv, given: undefined };
}

/** Whether the word behind an option is its value. */
function takesNext(word: string): boolean {
  return Object.entries(OPTIONS).some(([name, option]: [string, YargsOptions]) => option.type !== 'boolean' && (word === `--${name}` || word === `-${String(option.alias)}`));
}

function isUnknown(word: string): boolean {
  const name = /^--(?:no-)?([^=]+)/.exec(word)?.[1];
  return name !== undefined && !Object.hasOwn(OPTIONS, name) && name !== 'help' && name !== 'version';
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

async function parserOf(verb: VerbName): Promise<Argv> {
  const { default: yargs } = await import('yargs');
  const parser = yargs([]).exitProcess(false).help(false).version(false).parserConfiguration({ 'camel-case-expansion': false, 'duplicate-arguments-array': true, 'parse-positional-numbers': false });
  for (const name of [...SHARED, ...TAKES[verb]]) parser.option(name, OPTIONS[name]);
  return parser;
}

function refuseUnknown(verb: VerbName, parsed: Record<string, unknown>, words: readonly string[]): void {
  const taken = [...SHARED, ...TAKES[verb]] as readonly OptionName[];
  const known = new Set(taken.flatMap((name) => [name, (OPTIONS[name] as YargsOptions).alias as string | undefined ?? name]));
  for (const key of Object.keys(parsed)) {
    if (key === '_' || key === '$0' || known.has(key)) continue;
    // yargs takes "no-" off what it does not know: a person wants to read what was written.
    const no = !words.some((word) => word === `--${key}` || word.startsWith(`--${key}=`)) && words.includes(`--no-${key}`) ? 'no-' : '';
    const shown = key.length === 1 ? `-${key}` : `--${no}${key}`;
    if (Object.hasOwn(OPTIONS, key)) throw new UsageError(`${shown} is no option of ${verb}`, [`build-images ${verb} --help`]);
    const near = nearHint(key, taken).replace(/(\(near: |, )/g, `$1--${no}`);
    throw new UsageError(`there is no option ${shown}${near}`, [`build-images ${verb} --help`]);
  }
}

function toOptions(verb: VerbName, parsed: Record<string, unknown>, cwd: string): Options {
  // What repeats is an array; the last one counts, but for --select.
  const one = (name: OptionName): unknown => (Array.isArray(parsed[name]) ? (parsed[name] as unknown[]).at(-1) : parsed[name]);
  const flag = (name: OptionName): boolean => one(name) === true;
  const words = (parsed['_'] as readonly (string | number)[]).map(String);
  const takesImage = verb === 'promote' || (verb === 'render' && !flag('all'));
  const image = takesImage ? words.shift() : undefined;
  if (takesImage && image === undefined) throw new UsageError(verb === 'render' ? 'render which image? (or --all)' : 'promote which image?', [`build-images ${verb} --help`]);
  const [directory, ...more] = words;
  if (more.length > 0) throw new UsageError(`"${more[0]!}" is one word too many`, [`build-images ${verb} --help`]);
  if (directory !== undefined && !isDirectory(resolve(cwd, directory))) throw new UsageError(`${directory} is not a directory`);

  const onError = one('on-error');
  if (onError !== undefined && onError !== 'continue' && onError !== 'stop') throw new UsageError(`--on-error takes continue or stop, not "${String(onError)}"`);
  const jobs = one('jobs');
  if (jobs !== undefined && (typeof jobs !== 'number' || !Number.isInteger(jobs) || jobs < 1)) throw new UsageError('--jobs takes a whole number from 1');
  const select = [parsed['select'] ?? []].flat().map(String);
  if (flag('rebuild') && select.length === 0) throw new UsageError('--rebuild needs --select: it builds what is selected, whether it is due or not');
  return {
    directory: directory ?? 'images',
    image,
    config: String(one('config')),
    select,
    jobs: jobs as number | undefined,
    publish: one('publish') as boolean | undefined,
    dryRun: flag('dry-run'),
    rebuild: flag('rebuild'),
    onError: onError === 'stop' ? 'stop' : 'continue',
    useCache: flag('use-cache'),
    noPull: one('pull') === false,
    strict: flag('strict'),
    json: flag('json'),
    verbose: flag('verbose'),
    all: flag('all'),
    check: flag('check'),
  };
}

/** The help of the program, or of one verb. */
export function helpText(verb: VerbName | undefined): string {
  const usage: Readonly<Record<VerbName, string>> = {
    build: 'build-images [build] [DIRECTORY] [options]',
    plan: 'build-images plan [DIRECTORY] [options]',
    list: 'build-images list [DIRECTORY] [options]',
    render: 'build-images render IMAGE|--all [DIRECTORY] [options]',
    promote: 'build-images promote IMAGE [DIRECTORY] [options]',
  };
  const names = Object.keys(VERBS) as VerbName[];
  const lines = verb === undefined ? ['build-images: builds a tree of container images from their definitions, and says why', '', 'Verbs (DIRECTORY is the tree of definitions; default: images):'] : [VERBS[verb], '', `  ${usage[verb]}`];
  if (verb === undefined) {
    const width = Math.max(...names.map((name) => usage[name].replace(' [options]', '').length));
    for (const name of names) lines.push(`  ${usage[name].replace(' [options]', '').padEnd(width)}  ${VERBS[name]}`);
  }
  const options = [...SHARED, ...TAKES[verb ?? 'build'], ...(verb === undefined ? (['all', 'check'] as const) : [])];
  const shown = options.map((name) => {
    const option: YargsOptions = OPTIONS[name];
    const value = option.type === 'boolean' ? '' : name === 'on-error' ? ' continue|stop' : name === 'jobs' ? ' N' : name === 'select' ? ' GLOB' : ' FILE';
    const dashes = name === 'pull' ? '--no-pull' : name === 'publish' ? '--publish, --no-publish' : `--${name}`;
    return [`  ${option.alias === undefined ? '' : `-${String(option.alias)}, `}${dashes}${value}`, `${(option.describe as string).replace(/^--no-pull: /, '')}${name === 'config' ? ' (default: config.yaml)' : ''}`] as const;
  });
  const width = Math.max(...shown.map(([left]) => left.length), 0);
  lines.push('', 'Options:', ...shown.map(([left, right]) => `${left.padEnd(width)}  ${right}`));
  lines.push(`${'  -h, --help'.padEnd(width)}  this text${verb === undefined ? '; build-images VERB --help tells of one verb' : ''}`, `${'  --version'.padEnd(width)}  the version`);
  if (verb === undefined) {
    const left = Math.max(...EXAMPLES.map(([command]) => command.length));
    lines.push('', 'Examples:', ...EXAMPLES.map(([command, means]) => `  ${command.padEnd(left)}  ${means}`));
  }
  lines.push('', 'Exit codes:', ...Object.entries(EXIT_MEANING).map(([code, means]) => `  ${code.padStart(3)}  ${means}`));
  return lines.join('\n');
}
