import { parseAge } from './age.js';
import { parseBuildSecret, type BuildSecret } from './build-secret.js';
import type { Config, Timeouts } from './config.js';
import { readContainerLimits } from './container-limits.js';
import { parseImageRef, REPOSITORY_PATTERN } from './image-ref.js';
import { layeredFields, type Layer } from './layered-fields.js';
import { LAYOUT_KEYS, readLayout } from './layout.js';
import { nearHint, nearNames } from './near-names.js';
import type { RegistryMirrors } from './registry-mirrors.js';
import { bad, errorAt, good, warningAt, type Checked, type Problem } from './problem.js';
import { readProxyUrl } from './proxy-url.js';
import { parseYaml, pointerStep, type YamlDocument } from './yaml-document.js';
import type { YamlFields } from './yaml-fields.js';

/** What a template finds when the config does not say it: docker-pkg's own defaults, keys that only later work reads among them. */
const VARIABLE_DEFAULTS: Readonly<Record<string, unknown>> = {
  registry: '',
  namespace: '',
  base_images: [],
  apt_options: '',
  http_proxy: null,
  apt_only_proxy: null,
  ca_bundle: null,
  scan_workers: 8,
  force_numeric_user: false,
  known_uid_mappings: { root: 0, 'www-data': 33, nobody: 65534 },
  verify_command: '/bin/bash',
  verify_args: ['-c', '{path}/test.sh {image}'],
  fallback_author: 'Author',
  fallback_email: 'email@domain',
  distribution: 'wikimedia',
  update_id: 's',
};

/** What templates do not see. */
const HIDDEN_KEYS: readonly string[] = ['username', 'password', 'trees'];

/** docker-pkg writes "unset" as null in these. */
const NULLABLE_KEYS: readonly string[] = ['username', 'password', 'http_proxy', 'apt_only_proxy', 'ca_bundle'];

/** Every key that is no template variable of the user's own. */
export const KNOWN_KEYS: readonly string[] = [
  ...Object.keys(VARIABLE_DEFAULTS),
  ...HIDDEN_KEYS,
  'seed_image',
  'driver',
  'container_limits',
  'build_secrets',
  'publish',
  'platform',
  'allowed_sources',
  'insecure_registries',
  'registry_mirrors',
  'jobs',
  'lint',
  'timeouts',
  'min_free',
  'engine_cache',
  'archived_suites',
  'max_age',
  'git_pull',
  'git_push',
  'nightly_keep',
  'keep_runs',
  'layout',
];

/** Seconds. */
const DEFAULT_TIMEOUTS: Timeouts = { connect: 10, idle: 30, test: 600, build: 10800 };

/** Bytes. */
const DEFAULT_MIN_FREE = 2e9;

/** Milliseconds: what somebody tries by day is not gone the next morning. */
const DEFAULT_NIGHTLY_KEEP = 7 * 24 * 3_600_000;

const MAX_UID = 4294967294;

/** A config's text, and where it is. */
export type ConfigFile = { readonly path: string; readonly text: string };

/**
 * Reads config.yaml: docker-pkg's keys with docker-pkg's meaning, ours beside them, every other key a template variable.
 * All that is wrong is reported at once; no message shows a value of `username` or `password`.
 * @param under files that say what this one does not, the nearest first
 */
export function parseConfig(path: string, text: string, under: readonly ConfigFile[] = []): Checked<Config> {
  const problems: Problem[] = [];
  const layers = [{ path, text }, ...under].flatMap((file): readonly Layer[] => {
    const parsed = parseYaml(file.path, file.text);
    problems.push(...(parsed.ok ? parsed.warnings : parsed.problems));
    return parsed.ok ? [{ path: file.path, document: parsed.value }] : [];
  });
  if (layers.length <= under.length) return bad(problems);
  const fields = layeredFields(layers, NULLABLE_KEYS, problems);
  if (fields === undefined) return bad(problems);
  const layout = readLayout(fields);
  const knownKeys = [...KNOWN_KEYS, ...Object.keys(LAYOUT_KEYS[layout.name])];
  for (const [index, { path: own, document }] of layers.entries()) problems.push(...oddKeys(own, fields.owners[index]!, knownKeys), ...oddNumbers(own, document, fields.owners[index]!.keys, knownKeys));

  const httpProxy = readProxyUrl(fields, 'http_proxy', problems);
  const aptProxy = readProxyUrl(fields, 'apt_only_proxy', problems) ?? httpProxy;
  const credentials = readCredentials(fields, problems);
  const registry = fields.checkedText('registry', registryFault);
  const driver = fields.text('driver');
  if (driver !== undefined && driver !== 'docker') fields.problem('driver', `"${driver}" is not supported: images are built by a Docker engine ("docker")`);
  if (!fields.keys.includes('registry')) problems.push(errorAt(path, undefined, 'registry is missing: the host that images are pushed to ("registry.example.org")'));
  const known: Omit<Config, 'variables'> = {
    path,
    under: layers.slice(1).map((layer, index) => ({ path: layer.path, keys: fields.owners[index + 1]!.keys })),
    registry: registry ?? '',
    namespace: fields.checkedText('namespace', namespaceFault) || undefined,
    layout,
    credentials,
    baseImages: fields.texts('base_images', referenceFault) ?? [],
    aptOptions: fields.text('apt_options') ?? '',
    httpProxy,
    aptProxy,
    caBundle: fields.text('ca_bundle') || undefined,
    scanWorkers: fields.number('scan_workers', { whole: true, min: 1 }) ?? 8,
    forceNumericUser: fields.flag('force_numeric_user') ?? false,
    knownUidMappings: readUids(fields) ?? (VARIABLE_DEFAULTS['known_uid_mappings'] as Readonly<Record<string, number>>),
    verifyCommand: fields.checkedText('verify_command', emptyFault) ?? '/bin/bash',
    verifyArgs: fields.texts('verify_args', placeholderFault) ?? (VARIABLE_DEFAULTS['verify_args'] as readonly string[]),
    publish: fields.flag('publish'),
    allowedSources: fields.texts('allowed_sources', emptyFault),
    insecureRegistries: fields.texts('insecure_registries', hostFault) ?? [],
    buildSecrets: readSecrets(fields, problems),
    containerLimits: readContainerLimits(fields),
    registryMirrors: readMirrors(fields),
    ...readRunKeys(fields),
    gitPull: fields.flag('git_pull') ?? false,
    gitPush: fields.flag('git_push') ?? false,
    lintIgnore: readLint(fields),
    timeouts: readTimeouts(fields),
    archivedSuites: fields.texts('archived_suites', emptyFault) ?? [],
    maxAge: parseAge(fields.checkedText('max_age', ageFault) ?? ''),
    fallbackAuthor: fields.checkedText('fallback_author', authorFault) ?? textDefault('fallback_author'),
    fallbackEmail: fields.checkedText('fallback_email', emailFault) ?? textDefault('fallback_email'),
    distribution: fields.checkedText('distribution', distributionFault) ?? textDefault('distribution'),
    updateId: fields.checkedText('update_id', updateIdFault) ?? textDefault('update_id'),
  };
  if (problems.some(({ severity }) => severity === 'error')) return bad(problems);
  const proxies = { http_proxy: httpProxy ?? null, apt_only_proxy: aptProxy ?? null };
  return good({ ...known, variables: { ...VARIABLE_DEFAULTS, ...LAYOUT_KEYS[layout.name], ...Object.assign({}, ...layers.map(variablesOf).reverse()), ...proxies } }, problems);
}

/** The keys that a run has one value of, however many trees it is of. */
export function readRunKeys(fields: YamlFields): Pick<Config, 'platform' | 'jobs' | 'minFree' | 'engineCache' | 'nightlyKeep' | 'keepRuns'> {
  const keep = fields.checkedText('nightly_keep', (text) => (text === 'all' ? undefined : ageFault(text)));
  const keepRuns = fields.checkedText('keep_runs', ageFault);
  return {
    platform: fields.checkedText('platform', platformFault),
    jobs: fields.number('jobs', { whole: true, min: 1 }),
    minFree: fields.size('min_free') ?? DEFAULT_MIN_FREE,
    engineCache: fields.size('engine_cache'),
    nightlyKeep: keep === 'all' ? 'all' : (parseAge(keep ?? '') ?? DEFAULT_NIGHTLY_KEEP),
    keepRuns: parseAge(keepRuns ?? ''),
  };
}

function textDefault(key: 'fallback_author' | 'fallback_email' | 'distribution' | 'update_id'): string {
  return VARIABLE_DEFAULTS[key] as string;
}

/** Every key but credentials, as written. */
function variablesOf({ document }: Layer): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(document.value as object).filter(([key]) => !HIDDEN_KEYS.includes(key)));
}

/** A key that nobody knows is a variable; near a known one it may be a slip. A part of a known word is none: `update`. */
function oddKeys(path: string, fields: YamlFields, knownKeys: readonly string[]): readonly Problem[] {
  return fields.keys.flatMap((key) => {
    if (knownKeys.includes(key)) return [];
    const near = nearNames(key, knownKeys).filter((name) => Math.abs(name.length - key.length) <= Math.max(1, Math.floor(key.length / 4)));
    return near.length === 0 ? [] : [warningAt(path, fields.lineOf(key), `unknown key "${key}" is taken as a template variable (near: ${near.join(', ')})`)];
  });
}

/** `version: 3.10` is the number 3.1, and a template prints it so. Only variables matter: all numbers of known keys are checked. */
function oddNumbers(path: string, document: YamlDocument, keys: readonly string[], knownKeys: readonly string[]): readonly Problem[] {
  const found: Problem[] = [];
  const visit = (value: unknown, pointer: string): void => {
    if (typeof value === 'number') {
      const written = document.plainTextOf(pointer);
      if (written !== undefined && written !== String(value)) found.push(warningAt(path, document.lineOf(pointer), `${written} is a number and renders as ${value}: put it in quotes`));
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) visit(item, pointer + pointerStep(key));
    }
  };
  for (const [key, value] of Object.entries(document.value as object)) if (keys.includes(key) && !knownKeys.includes(key)) visit(value, pointerStep(key));
  return found;
}

function readCredentials(fields: YamlFields, problems: Problem[]): Config['credentials'] {
  const before = problems.length;
  const username = fields.text('username') || undefined;
  const password = fields.text('password') || undefined;
  if (username !== undefined && password !== undefined) return { username, password };
  if (problems.length > before || username === password) return undefined;
  const [given, missing] = username === undefined ? ['password', 'username'] : ['username', 'password'];
  fields.problem(given!, `is set, but ${missing} is not: publishing with credentials from the config needs both`);
  return undefined;
}

/** Messages show nothing of an item but its id: somebody may have written the secret itself. */
function readSecrets(fields: YamlFields, problems: Problem[]): readonly BuildSecret[] {
  const secrets: BuildSecret[] = [];
  const path = fields.pathOf('build_secrets');
  for (const [index, text] of (fields.texts('build_secrets') ?? []).entries()) {
    const line = fields.lineOf('build_secrets', index);
    const secret = parseBuildSecret(text);
    const before = 'fault' in secret ? undefined : secrets.find(({ id }) => id === secret.id);
    if ('fault' in secret) problems.push(errorAt(path, line, `build_secrets: item ${index + 1} ${secret.fault}`));
    else if (before !== undefined) problems.push(errorAt(path, line, `build_secrets: "${secret.id}" stands already on line ${before.line}`));
    else secrets.push({ ...secret, path, line });
  }
  return secrets;
}

/** A proxy without its `user:password@`, which would end up in images and logs. */
function readUids(fields: YamlFields): Readonly<Record<string, number>> | undefined {
  const uids = fields.mapping('known_uid_mappings');
  if (uids === undefined) return undefined;
  return Object.fromEntries(uids.keys.map((user) => [user, uids.number(user, { whole: true, min: 0, max: MAX_UID }) ?? 0]));
}

function readMirrors(fields: YamlFields): RegistryMirrors {
  const mirrors = fields.mapping('registry_mirrors');
  if (mirrors === undefined) return {};
  return Object.fromEntries(
    mirrors.keys.map((registry) => {
      const fault = hostFault(registry);
      if (fault !== undefined) mirrors.problem(registry, fault);
      const own = (base: string): string | undefined => (base === registry ? 'is the registry itself' : registryFault(base));
      return [registry, mirrors.texts(registry, own) ?? []];
    }),
  );
}

/** Which rules there are, lint knows. */
function readLint(fields: YamlFields): Config['lintIgnore'] {
  const lint = fields.mapping('lint');
  for (const key of lint?.keys ?? []) if (key !== 'ignore') lint!.problem(key, 'is no setting of lint (there is: ignore)');
  return (lint?.texts('ignore', emptyFault) ?? []).map((rule, index) => ({ rule, line: lint!.lineOf('ignore', index) }));
}

function readTimeouts(fields: YamlFields): Timeouts {
  const timeouts = fields.mapping('timeouts');
  if (timeouts === undefined) return DEFAULT_TIMEOUTS;
  const names = Object.keys(DEFAULT_TIMEOUTS) as (keyof Timeouts)[];
  for (const key of timeouts.keys) if (!names.some((name) => name === key)) timeouts.problem(key, `is no time-out${nearHint(key, names) || ` (there are: ${names.join(', ')})`}`);
  return Object.fromEntries(names.map((name) => [name, timeouts.number(name, { whole: false, min: 0.001, max: 2_000_000 }) ?? DEFAULT_TIMEOUTS[name]])) as Timeouts;
}

/** Docker takes the first part of a reference for a registry only when it holds a dot or a colon, or is `localhost`. */
function registryFault(text: string): string | undefined {
  if (text === '') return 'is empty: images need a registry';
  if (text.includes('://')) return 'is a host, with a port if need be, not a URL: leave out what stands before "://"';
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  if (slash >= 0 && !REPOSITORY_PATTERN.test(text.slice(slash + 1))) return 'has a path behind its host that is no repository path (lower-case letters, digits, . _ - between slashes)';
  const fault = hostFault(host);
  if (fault !== undefined) return fault;
  if (!/[.:]/.test(host) && host !== 'localhost') return 'would not be taken for a registry by Docker: a host has a dot or a port, or is localhost';
  return undefined;
}

function hostFault(text: string): string | undefined {
  return /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?$/.test(text) ? undefined : 'is no host ("registry.example.org", "localhost:5000")';
}

function namespaceFault(text: string): string | undefined {
  return text === '' || REPOSITORY_PATTERN.test(text) ? undefined : 'is no repository path (lower-case letters, digits, between them . _ - and /)';
}

function referenceFault(text: string): string | undefined {
  return parseImageRef(text) === undefined ? 'is no image reference ("registry.example.org/name:tag")' : undefined;
}

function platformFault(text: string): string | undefined {
  return /^linux\/[a-z0-9]+(?:\/v[0-9]+)?$/.test(text) ? undefined : 'is no platform ("linux/amd64")';
}

function ageFault(text: string): string | undefined {
  return parseAge(text) === undefined ? 'is no age ("30d", "12h", "4w")' : undefined;
}

function emptyFault(text: string): string | undefined {
  return text === '' ? 'is empty' : undefined;
}

/** A changelog's last line is ` -- NAME <EMAIL>  DATE` (Debian Policy 4.4). */
function authorFault(text: string): string | undefined {
  return /^[^\n<>]*[^\s<>][^\n<>]*$/.test(text) ? undefined : 'is no name as a changelog has it (some text of one line, without < and >)';
}

function emailFault(text: string): string | undefined {
  return /^[^\s<>]+$/.test(text) ? undefined : 'is no address as a changelog has it (some text without blanks, < and >)';
}

/** One or more words, as a changelog's first line may have them (Debian Policy 4.4). */
function distributionFault(text: string): string | undefined {
  return /^[A-Za-z0-9.+-]+(?: [A-Za-z0-9.+-]+)*$/.test(text) ? undefined : 'is no distribution as a changelog has it (letters, digits, . + -)';
}

/** It becomes part of a tag; a digit at its end would run into the number. */
function updateIdFault(text: string): string | undefined {
  return /^[A-Za-z0-9._]*[A-Za-z._]$/.test(text) ? undefined : 'is nothing to stand before a number in a version (letters, digits, . and _, no digit at the end)';
}

/** What Python's `str.format` would stop at: docker-pkg hands it `path` and `image`, nothing else. */
function placeholderFault(text: string): string | undefined {
  return /^(?:[^{}]|\{\{|\}\}|\{(?:path|image)\})*$/.test(text) ? undefined : 'has a placeholder that is neither {path} nor {image} (a brace itself is written twice: "{{", "}}")';
}
