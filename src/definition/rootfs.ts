import { nearHint } from '../shared/near-names.js';
import { bad, good, type Checked, type Problem } from '../shared/problem.js';
import { parseYaml } from '../shared/yaml-document.js';
import { yamlFields, type YamlFields } from '../shared/yaml-fields.js';

/** What rootfs.yaml says: a base image made from Debian packages. */
export type RootFs = {
  /** `trixie`. */
  readonly suite: string;
  readonly components: readonly string[];
  /** mmdebstrap's variant: `minbase`, `essential`, `apt`, `required`, `important`, `standard`… */
  readonly variant: string;
  readonly include: readonly string[];
  /** Mirrors; unset: what mmdebstrap itself would use for the suite, with updates and security. */
  readonly mirrors: readonly string[] | undefined;
  /** Suites beside the main one (`trixie-updates`); used with `mirrors`. */
  readonly suites: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly cmd: readonly string[];
  readonly user: string | undefined;
};

const KEYS: readonly string[] = ['suite', 'components', 'variant', 'include', 'mirrors', 'suites', 'env', 'cmd', 'user'];

/** Reads rootfs.yaml. Only `suite` must be there; which suites exist is the archive's business, not ours. */
export function parseRootFs(path: string, text: string): Checked<RootFs> {
  const parsed = parseYaml(path, text);
  if (!parsed.ok) return bad(parsed.problems);
  const problems: Problem[] = [];
  const fields = yamlFields(path, parsed.value, problems);
  if (fields === undefined) return bad(problems);
  for (const key of fields.keys) {
    if (!KEYS.includes(key)) fields.problem(key, `is not a key of rootfs.yaml${nearHint(key, KEYS) || ` (there are: ${KEYS.join(', ')})`}`);
  }
  if (!fields.keys.includes('suite')) problems.push({ path, message: 'suite is missing ("suite: trixie")', severity: 'error' });
  if (fields.keys.includes('suites') && !fields.keys.includes('mirrors')) fields.problem('suites', 'needs mirrors: without them the suites with updates and security are taken anyway');
  const rootfs: RootFs = {
    suite: fields.checkedText('suite', suiteFault) ?? '',
    components: nonEmpty(fields, 'components', suiteFault) ?? ['main'],
    variant: fields.checkedText('variant', variantFault) ?? 'minbase',
    include: fields.texts('include', packageFault) ?? [],
    mirrors: nonEmpty(fields, 'mirrors', mirrorFault),
    suites: fields.texts('suites', suiteFault),
    env: readEnv(fields),
    cmd: nonEmpty(fields, 'cmd') ?? ['bash'],
    user: fields.checkedText('user', userFault),
  };
  return problems.length > 0 ? bad(problems) : good(rootfs);
}

function nonEmpty(fields: YamlFields, key: string, fault?: (text: string) => string | undefined): readonly string[] | undefined {
  const items = fields.texts(key, fault);
  if (items?.length === 0) fields.problem(key, 'needs at least one item');
  return items;
}

function readEnv(fields: YamlFields): Readonly<Record<string, string>> {
  const env = fields.mapping('env');
  if (env === undefined) return {};
  const entries = env.keys.map((name): readonly [string, string] => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) env.problem(name, 'is no name of an environment variable (letters, digits, _)');
    return [name, env.checkedText(name, (text) => (text.includes('\0') ? 'holds a zero byte' : undefined)) ?? ''];
  });
  return Object.fromEntries(entries);
}

/** `trixie`, `trixie-updates`, `stable/updates`; also what a component looks like. */
function suiteFault(text: string): string | undefined {
  return /^[a-z0-9][a-z0-9.+_-]*(?:\/[a-z0-9][a-z0-9.+_-]*)*$/.test(text) ? undefined : 'is no such name (lower-case letters, digits, . + _ - /)';
}

function variantFault(text: string): string | undefined {
  return /^[a-z][a-z0-9-]*$/.test(text) ? undefined : 'is no variant of mmdebstrap ("minbase")';
}

/** Debian Policy 5.6.7 (package names; the archive has none shorter than two characters). */
function packageFault(text: string): string | undefined {
  return /^[a-z0-9][a-z0-9+.-]+$/.test(text) ? undefined : 'is no package name (lower-case letters, digits, + . -)';
}

function mirrorFault(text: string): string | undefined {
  if (/^[a-z+]+:\/\/[^/]*@/i.test(text)) return 'must not hold credentials';
  return /^(?:https?:\/\/[^\s/[\]@]+(?:\/[^\s[\]]*)?|(?:file|copy):\/[^\s[\]]*)$/.test(text) ? undefined : 'is no URL ("https://archive.example.org/debian")';
}

function userFault(text: string): string | undefined {
  return /^(?:[a-z_][a-z0-9_-]*|[0-9]+)(?::(?:[a-z_][a-z0-9_-]*|[0-9]+))?$/.test(text) ? undefined : 'is no user ("name", "1000" or "1000:1000")';
}
