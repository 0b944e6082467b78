import { httpHost } from '../shared/http-host.js';
import { nearHint } from '../shared/near-names.js';
import { errorAt, type Problem } from '../shared/problem.js';
import type { YamlFields } from '../shared/yaml-fields.js';
import { parsePublicKeys } from './openpgp-key.js';
import { joinPath } from './paths.js';
import type { SourceFiles } from './source-files.js';

/** What rootfs.yaml adds to the image's apt, in force already while the image is made. */
export type AptSettings = {
  readonly preferences: readonly Preference[];
  readonly options: readonly AptOption[];
  readonly repositories: readonly Repository[];
};

/** One stanza of apt_preferences(5). */
export type Preference = {
  /** Names, globs and regular expressions, blanks between them; `*` is all. */
  readonly package: string;
  /** `release n=trixie-backports`, `origin "apt.example.org"`, `version 5.2*`. */
  readonly pin: string;
  readonly priority: number;
};

/** One setting of apt.conf(5). A list takes the place of what stood there before; a name that ends in `::` adds to it. */
export type AptOption = { readonly name: string; readonly value: string | readonly string[] };

/** A source beside the suite's own (sources.list(5)). */
export type Repository = {
  /** Of its files in the image: `NAME.sources`, `NAME.gpg`. */
  readonly name: string;
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** The keys that sign it, as a binary keyring in base64; undefined: Debian's. */
  readonly keyring: string | undefined;
  /** Priority of all that it has; undefined: apt's own, 500. */
  readonly pin: number | undefined;
};

/** The sections that apt's own options are in (apt.conf(5)). */
const SECTIONS: readonly string[] = ['APT', 'Acquire', 'Aptitude', 'Binary', 'Debug', 'Dir', 'DPkg', 'DSelect', 'Unattended-Upgrade'];
const PREFERENCE_KEYS: readonly string[] = ['package', 'pin', 'priority'];
const REPOSITORY_KEYS: readonly string[] = ['uri', 'uris', 'suites', 'components', 'key', 'pin'];

/** Names that other files of the image have. */
const TAKEN: readonly string[] = ['debian'];

/**
 * Reads `preferences`, `apt_config` and `repositories` of the rootfs.yaml at `path`.
 * @param files has the keys that repositories name
 */
export function readAptSettings(path: string, fields: YamlFields, files: Pick<SourceFiles, 'readBytes'>, problems: Problem[]): AptSettings {
  return { preferences: readPreferences(path, fields, problems), options: readOptions(fields), repositories: readRepositories(path, fields, files, problems) };
}

function readPreferences(path: string, fields: YamlFields, problems: Problem[]): readonly Preference[] {
  return fields.mappings('preferences').map((one) => {
    knownKeys(one, PREFERENCE_KEYS, 'a preference');
    for (const key of PREFERENCE_KEYS) if (!one.keys.includes(key)) problems.push(errorAt(path, one.line, `preferences: ${key} is missing ("package: hello", "pin: release n=trixie-backports", "priority: 900")`));
    return { package: one.checkedText('package', packagesFault) ?? '', pin: one.checkedText('pin', pinFault) ?? '', priority: readPriority(one, 'priority') ?? 0 };
  });
}

function readPriority(fields: YamlFields, key: string): number | undefined {
  // apt_preferences(5): a short integer; apt has 0 for "nothing said".
  const priority = fields.number(key, { whole: true, min: -32_768, max: 32_767 });
  if (priority === 0) fields.problem(key, 'must not be 0: to apt that is no priority (negative: never installed; above 1000: even as a downgrade)');
  return priority;
}

function readOptions(fields: YamlFields): readonly AptOption[] {
  const options = fields.mapping('apt_config');
  return (options?.keys ?? []).map((name) => {
    const section = name.split('::')[0]!;
    const near = SECTIONS.some((known) => known.toLowerCase() === section.toLowerCase()) ? '' : nearHint(section, SECTIONS);
    if (!/^[A-Za-z][\w.+-]*(?:::[\w.+\/-]+)*(?:::)?$/.test(name)) options!.problem(name, 'is no name of an option ("APT::Install-Recommends")');
    else if (near !== '') options!.problem(name, `is in no section that apt has${near}`);
    const value = options!.scalars(name) ?? '';
    for (const text of [value].flat()) {
      if (/[\0-\x1f"]/.test(text)) options!.problem(name, 'must hold no double quotes and no line breaks: apt cannot read them');
      else if (/:\/\/[^/]*@/.test(text)) options!.problem(name, 'must not hold credentials: everybody who has the image would have them');
    }
    return { name, value };
  });
}

function readRepositories(path: string, fields: YamlFields, files: Pick<SourceFiles, 'readBytes'>, problems: Problem[]): readonly Repository[] {
  const all = fields.mapping('repositories');
  return (all?.keys ?? []).flatMap((name) => {
    const one = all!.mapping(name);
    // sources.list(5): apt passes over a file with another name.
    if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) all!.problem(name, 'is no name of a file of apt (letters, digits, _ . -)');
    else if (TAKEN.includes(name)) all!.problem(name, "is the name of the suite's own sources");
    if (one === undefined) return [];
    knownKeys(one, REPOSITORY_KEYS, 'a repository');
    const uri = one.checkedText('uri', uriFault);
    const uris = one.texts('uris', uriFault);
    if (one.keys.includes('uri') === one.keys.includes('uris')) all!.problem(name, one.keys.includes('uri') ? 'has uri and uris: one of them' : 'needs uri ("https://apt.example.org/debian")');
    if (uris?.length === 0) one.problem('uris', 'needs at least one item');
    const named = one.texts('suites', suitesFault);
    const suites = named ?? [];
    if (!one.keys.includes('suites') || named?.length === 0) all!.problem(name, 'needs suites ("[trixie]"; "[./]" for a repository without)');
    const flat = suites.some((suite) => suite.endsWith('/'));
    if (flat && one.keys.includes('components')) one.problem('components', 'cannot be there with a suite that ends in "/"');
    const pin = readPriority(one, 'pin');
    const found = uri === undefined ? (uris ?? []) : [uri];
    if (pin !== undefined && found.some((item) => httpHost(item) === '')) one.problem('pin', 'needs an http or https repository: write preferences instead');
    return [{ name, uris: found, suites, components: one.texts('components', suiteFault) ?? (flat ? [] : ['main']), keyring: readKeyring(path, one, files, problems), pin }];
  });
}

/** The file that `key` names, which must lie in the definition's folder. */
function readKeyring(path: string, repository: YamlFields, files: Pick<SourceFiles, 'readBytes'>, problems: Problem[]): string | undefined {
  const file = repository.checkedText('key', (text) => (text === '' || text.startsWith('/') || text.split('/').includes('..') ? 'must be the path of a file in this folder ("example.asc")' : undefined));
  if (file === undefined) return undefined;
  const bytes = files.readBytes(joinPath(path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.', file.replace(/^(?:\.\/+)+/, '')));
  const keys = bytes.ok ? parsePublicKeys(file, bytes.value) : bytes;
  if (keys.ok) return keys.value.toString('base64');
  // The line that names the file, not the file: that is where it can be mended.
  problems.push(...keys.problems.map(({ message }) => errorAt(path, repository.lineOf('key'), `repositories: key "${file}": ${message}`)));
  return undefined;
}

function knownKeys(fields: YamlFields, known: readonly string[], what: string): void {
  for (const key of fields.keys) if (!known.includes(key)) fields.problem(key, `is no key of ${what}${nearHint(key, known) || ` (there are: ${known.join(', ')})`}`);
}

/** `trixie`, `trixie-updates`, `stable/updates`; also what a component looks like. */
export function suiteFault(text: string): string | undefined {
  return /^[a-z0-9][a-z0-9.+_-]*(?:\/[a-z0-9][a-z0-9.+_-]*)*$/.test(text) ? undefined : 'is no such name (lower-case letters, digits, . + _ - /)';
}

/** A suite, or the exact path that takes its place in a repository without suites. */
function suitesFault(text: string): string | undefined {
  return /^(?:\.\/|\/|(?:\.\/)?(?:[A-Za-z0-9][\w.+-]*\/)+)$/.test(text) ? undefined : suiteFault(text);
}

/** What is wrong with the address of an archive. */
export function uriFault(text: string): string | undefined {
  if (/^[a-z+]+:\/\/[^/]*@/i.test(text)) return 'must not hold credentials';
  return /^(?:https?:\/\/[^\s/[\]@]+(?:\/[^\s[\]]*)?|(?:file|copy):\/[^\s[\]]*)$/.test(text) ? undefined : 'is no URL ("https://archive.example.org/debian")';
}

function packagesFault(text: string): string | undefined {
  return /^\S+( \S+)*$/.test(text) ? undefined : 'must be names of packages, single blanks between them ("*", "hello", "linux-* firmware-*")';
}

/** apt_preferences(5), "Determination of Package Version and Distribution Properties". */
function pinFault(text: string): string | undefined {
  const [, kind, what = ''] = /^(\w+) (\S.*)$/.exec(text) ?? [];
  if (/[\0-\x1f]/.test(text) || kind === undefined || !['release', 'origin', 'version'].includes(kind)) return 'must be "release …", "origin …" or "version …" ("release n=trixie-backports")';
  const odd = kind === 'release' ? what.split(',').map((part) => /^\s*(\w+)=/.exec(part)?.[1]).find((key) => key !== undefined && !/^[anolcvb]$/.test(key)) : undefined;
  return odd === undefined ? undefined : `asks for "${odd}=": a release has a= (suite), n= (codename), o= (origin), l= (label), c= (component), v= (version), b= (architecture)`;
}
