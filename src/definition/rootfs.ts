import { httpHost } from '../shared/http-host.js';
import { nearHint } from '../shared/near-names.js';
import { bad, good, type Checked, type Problem } from '../shared/problem.js';
import { readProxyUrl } from '../shared/proxy-url.js';
import type { YamlFields } from '../shared/yaml-fields.js';
import { readAptSettings, suiteFault, uriFault, type AptSettings } from './apt-settings.js';
import { markerFields } from './marker-fields.js';
import type { SourceFiles } from './source-files.js';

/** What rootfs.yaml says: a base image made from Debian packages. */
export type RootFs = {
  /** `trixie`. */
  readonly suite: string;
  readonly components: readonly string[];
  /** mmdebstrap's variant: `minbase`, `essential`, `apt`, `required`, `important`, `standard`… */
  readonly variant: string;
  readonly include: readonly string[];
  /** Mirrors; unset: Debian's own for the suite, with updates and security. */
  readonly mirrors: readonly string[] | undefined;
  /** Suites beside the main one (`trixie-updates`); used with `mirrors`. */
  readonly suites: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly cmd: readonly string[];
  readonly user: string | undefined;
  readonly tool: BaseTool;
  readonly apt: AptSettings;
  /** A proxy for apt while the image is made, without credentials; not in the image. */
  readonly httpProxy: string | undefined;
};

/** The programs that make a base image. */
export type BaseTool = (typeof TOOLS)[number];

const TOOLS = ['mmdebstrap', 'debuerreotype'] as const;

const KEYS: readonly string[] = ['suite', 'components', 'variant', 'include', 'mirrors', 'suites', 'env', 'cmd', 'user', 'tool', 'preferences', 'apt_config', 'repositories', 'http_proxy'];

/**
 * Reads rootfs.yaml. Only `suite` must be there; which suites exist is the archive's business, not ours.
 * @param files has the keys that it names
 */
export function parseRootFs(path: string, text: string, files: Pick<SourceFiles, 'readBytes'>): Checked<RootFs> {
  const problems: Problem[] = [];
  const fields = markerFields(path, text, KEYS, problems);
  if (fields === undefined) return bad(problems);
  if (!fields.keys.includes('suite')) problems.push({ path, message: 'suite is missing ("suite: trixie")', severity: 'error' });
  if (fields.keys.includes('suites') && !fields.keys.includes('mirrors')) fields.problem('suites', 'needs mirrors: without them the suites with updates and security are taken anyway');
  const rootfs: RootFs = {
    suite: fields.checkedText('suite', suiteFault) ?? '',
    components: nonEmpty(fields, 'components', suiteFault) ?? ['main'],
    variant: fields.checkedText('variant', variantFault) ?? 'minbase',
    include: fields.texts('include', packageFault) ?? [],
    mirrors: nonEmpty(fields, 'mirrors', uriFault),
    suites: fields.texts('suites', suiteFault),
    env: readEnv(fields),
    cmd: nonEmpty(fields, 'cmd') ?? ['bash'],
    user: fields.checkedText('user', userFault),
    tool: (fields.checkedText('tool', toolFault) as BaseTool | undefined) ?? 'mmdebstrap',
    apt: readAptSettings(path, fields, files, problems),
    httpProxy: readProxyUrl(fields, 'http_proxy', problems),
  };
  pinsOfOwnHosts(rootfs, fields);
  if (rootfs.tool === 'debuerreotype') beyondDebuerreotype(rootfs, fields);
  return problems.some(({ severity }) => severity === 'error') ? bad(problems) : good(rootfs, problems);
}

/** The pin of a repository is by its host: the suite's own packages must not be under it. */
function pinsOfOwnHosts({ mirrors, apt }: RootFs, fields: YamlFields): void {
  const hosts = (mirrors ?? ['http://deb.debian.org/', 'http://security.debian.org/']).map(httpHost);
  for (const { name, uris, pin } of apt.repositories) {
    const own = uris.map(httpHost).find((host) => hosts.includes(host));
    if (pin !== undefined && own !== undefined) fields.mapping('repositories')?.mapping(name)?.problem('pin', `would be that of the suite's own packages too, which are on ${own}: write preferences with "release n=…" instead`);
  }
}

function beyondDebuerreotype({ variant, mirrors }: RootFs, fields: YamlFields): void {
  if (variant !== 'minbase') fields.problem('variant', 'must be minbase with tool: debuerreotype');
  if (mirrors?.some((mirror) => httpHost(mirror) === '') === true) fields.problem('mirrors', 'must be http or https with tool: debuerreotype');
}

function toolFault(text: string): string | undefined {
  return TOOLS.some((tool) => tool === text) ? undefined : `must be ${TOOLS.join(' or ')}${nearHint(text, TOOLS)}`;
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

function variantFault(text: string): string | undefined {
  return /^[a-z][a-z0-9-]*$/.test(text) ? undefined : 'is no variant of mmdebstrap ("minbase")';
}

/** Debian Policy 5.6.7 (package names; the archive has none shorter than two characters). */
function packageFault(text: string): string | undefined {
  return /^[a-z0-9][a-z0-9+.-]+$/.test(text) ? undefined : 'is no package name (lower-case letters, digits, + . -)';
}

function userFault(text: string): string | undefined {
  return /^(?:[a-z_][a-z0-9_-]*|[0-9]+)(?::(?:[a-z_][a-z0-9_-]*|[0-9]+))?$/.test(text) ? undefined : 'is no user ("name", "1000" or "1000:1000")';
}
