/** How one option is written and what becomes of it. */
export type OptionEntry = {
  /**
   * flag: there or not (a name that begins with `no-` may be written without, too) · yes-or-no: `--x`, `--no-x` or neither · text · texts: may
   * repeat · count: a whole number from 1 · choice: the first one is what is meant without. Of all but texts the last one counts.
   */
  readonly takes: 'flag' | 'yes-or-no' | 'text' | 'texts' | 'count' | 'choice';
  /** How it is written, where a verb gives a name of another's option a meaning of its own. */
  readonly written?: string;
  /** One letter; a verb's own option has it before a shared one. */
  readonly alias?: string;
  /** What its value is called in the help. */
  readonly value?: string;
  readonly default?: string;
  readonly choices?: readonly string[];
  /** The help's words. */
  readonly says: string;
  /** An option without which it has no meaning, and why. */
  readonly needs?: { readonly option: string; readonly because: string };
};

/** Every option there is; which verb takes which stands in verbs.ts. */
export const OPTIONS = {
  config: { takes: 'text', alias: 'c', value: 'FILE', default: 'config.yaml', says: 'what the tree is told about the outside (default: config.yaml)' },
  json: { takes: 'flag', says: 'JSON alone on standard output' },
  strict: { takes: 'flag', says: 'warnings are errors' },
  verbose: { takes: 'flag', alias: 'v', says: 'also say what is usually not worth a line' },
  select: { takes: 'texts', value: 'GLOB', says: 'only images whose registry/namespace/name:tag matches this glob (may repeat)' },
  jobs: { takes: 'count', alias: 'j', value: 'N', says: 'how many images at once (default: cores)' },
  publish: { takes: 'yes-or-no', says: 'push what was tested; --no-publish keeps it here' },
  'dry-run': { takes: 'flag', says: 'show the plan, change nothing' },
  rebuild: { takes: 'flag', says: 'build the selected images though nothing asks for it', needs: { option: 'select', because: 'it builds what is selected, whether it is due or not' } },
  'on-error': { takes: 'choice', choices: ['continue', 'stop'], says: 'after a failure: go on with what does not stand on it, or start nothing new' },
  'use-cache': { takes: 'flag', says: 'let the engine use its build cache' },
  'no-pull': { takes: 'flag', says: 'use outside images that the engine has as they are' },
  nightly: { takes: 'flag', says: 'build beside what is published, as VERSION-YYYYMMDD; no version and no :latest is touched' },
  snapshot: { takes: 'flag', says: 'the same as VERSION-YYYYMMDD-HHMMSS, of this second' },
  registry: { takes: 'flag', says: 'delete from the registry, not from this engine: what is not current and nothing holds on to' },
  keep: { takes: 'count', value: 'N', says: 'leave the N newest of each image beside the current one' },
  'older-than': { takes: 'text', value: 'AGE', says: 'leave what is younger: 30d, 12h, 4w' },
  'nightly-id': { written: 'nightly', takes: 'text', value: 'ID', says: 'leave this nightly build (VERSION-ID) instead of the version' },
  yes: { takes: 'flag', says: 'do not ask', needs: { option: 'registry', because: 'nothing else asks' } },
  all: { takes: 'flag', says: 'plan: also what is up to date; render: every image' },
  check: { takes: 'flag', says: 'exit 10 when work is pending' },
  security: { takes: 'flag', says: 'only security updates' },
  'if-package': { takes: 'texts', value: 'NAME[=VERSION]', says: 'what would be rebuilt if that version of a package were released, or without it: any new one (may repeat)' },
  'if-base': { takes: 'texts', value: 'IMAGE', says: 'what would be rebuilt if that image, of the tree or outside, were (may repeat)' },
  fix: { takes: 'flag', says: 'mend what can be mended: names of parents in control' },
  sarif: { takes: 'flag', says: 'SARIF 2.1.0 alone on standard output, for code review tools' },
  dir: { takes: 'text', value: 'DIRECTORY', says: 'the tree of definitions, where the last word shall not be taken for it' },
  reason: { takes: 'text', value: 'TEXT', default: 'Security update', says: 'why, in the words of the changelog (default: Security update)' },
  version: { takes: 'text', alias: 'v', value: 'VERSION', says: 'the version of the one image that is named (default: the next one)' },
  stdin: { takes: 'flag', says: 'read names from standard input, one a line' },
  to: { takes: 'text', value: 'TAG', says: 'the version, date or digest that :latest of the image goes to; needs no journal' },
  exclude: { takes: 'texts', value: 'GLOB', says: 'leave images out whose name or reference matches, and what stands on the named ones only through them (may repeat)' },
  commit: { takes: 'flag', says: 'make one git commit of the files that are written, and of nothing else' },
  deadline: { takes: 'text', value: 'TIME', says: 'begin nothing new after this: 06:00 (of this machine), 06:00Z, +4h, +90m' },
  'metrics-file': { takes: 'text', value: 'FILE', says: 'write metrics for Prometheus there, for its textfile collector' },
  quiet: { takes: 'flag', says: 'nothing but the summary at the end' },
  wait: { takes: 'count', value: 'MINUTES', says: 'how long the night waits for your run to begin (default: 10)' },
  'every-upgrade': { written: 'all', takes: 'flag', says: 'for every newer package, not only for security updates' },
  'first-line': { written: 'reason', takes: 'text', value: 'TEXT', says: 'words of your own, above the packages in each entry' },
  'max-builds': { takes: 'count', value: 'N', says: 'build or write at most so many: security first, then what most stands on; the rest is named' },
  build: { takes: 'flag', says: 'then build what is due, test it, publish it and move :latest' },
} as const satisfies Record<string, OptionEntry>;

/** The name of one of them, without its dashes. */
export type OptionName = keyof typeof OPTIONS;

type InCamelCase<Name extends string> = Name extends `${infer First}-${infer Rest}` ? `${First}${Capitalize<InCamelCase<Rest>>}` : Name;

type ValueOf<Entry extends OptionEntry> = {
  flag: boolean;
  'yes-or-no': boolean | undefined;
  text: Entry extends { readonly default: string } ? string : string | undefined;
  texts: readonly string[];
  count: number | undefined;
  choice: Entry extends { readonly choices: readonly (infer Choice)[] } ? Choice : never;
}[Entry['takes']];

/** The value of every option: `--dry-run` is `dryRun`. What a verb does not take is as if it were not given. */
export type OptionValues = { readonly [Name in OptionName as InCamelCase<Name>]: ValueOf<(typeof OPTIONS)[Name]> };
