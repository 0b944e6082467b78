import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AptOption, AptSettings, Preference, Repository } from '../../definition/apt-settings.js';
import { httpHost } from '../../shared/http-host.js';
import { DEBIAN_KEYRING, formatSources } from './apt-sources.js';

/** Where the keys of repositories are inside the image (apt-secure(8): /etc/apt/keyrings is the administrator's). */
const KEYRINGS = '/etc/apt/keyrings';

/**
 * Options that are in force while the image is made, too. Others name commands, files and the machine's architecture: of the
 * machine that makes the image they are none of its business.
 */
const IN_FORCE = /^(?:APT::(?:Install-Recommends|Install-Suggests|Default-Release|Solver.*)|Acquire::(?:Retries.*|Check-Valid-Until|Check-Date|Max-FutureTime|(?:Min|Max)-ValidTime.*|ForceIPv[46]|Queue-Mode|By-Hash|AllowReleaseInfoChange.*|(?:http|https)::(?:Timeout|Pipeline-Depth|No-Cache|Dl-Limit|User-Agent)))$/i;

/** Files below the root: path → content. */
type Files = Readonly<Record<string, string | Buffer>>;

/** The files of a rootfs's apt settings as they stand in the image. */
export function aptFilesOfImage(apt: AptSettings): Files {
  return { ...aptFiles(apt, KEYRINGS, apt.options), ...keyringFiles(apt, KEYRINGS.slice(1)) };
}

/** The same while the image is made: apt looks for keys where they are on this machine, in `keyrings`. */
export function aptFilesWhileMade(apt: AptSettings, keyrings: string): Files {
  return aptFiles(apt, keyrings, apt.options.filter(({ name }) => IN_FORCE.test(name)));
}

/** The keys of repositories, as files in a folder. */
export function keyringFiles({ repositories }: AptSettings, folder: string): Files {
  return Object.fromEntries(repositories.flatMap(({ name, keyring }) => (keyring === undefined ? [] : [[join(folder, `${name}.gpg`), Buffer.from(keyring, 'base64')]])));
}

/** Writes files below a folder, readable by everybody: apt reads and downloads as a user of its own. */
export async function writeFiles(folder: string, files: Files): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  for (const [path, content] of Object.entries(files)) {
    const folders = dirname(path).split('/');
    for (const depth of folders.keys()) await mkdir(join(folder, ...folders.slice(0, depth + 1)), { recursive: true }).then(() => chmod(join(folder, ...folders.slice(0, depth + 1)), 0o755));
    await writeFile(join(folder, path), content);
    await chmod(join(folder, path), 0o644);
  }
}

function aptFiles({ preferences, repositories }: AptSettings, keyrings: string, options: readonly AptOption[]): Files {
  const pins = [...preferences, ...repositories.flatMap(pinsOf)];
  return {
    // The names come after docker-clean and its like: apt reads in this order, and the last word counts.
    ...(options.length === 0 ? {} : { 'etc/apt/apt.conf.d/local': options.map(formatOption).join('') }),
    ...(pins.length === 0 ? {} : { 'etc/apt/preferences.d/local': pins.map(formatPreference).join('\n') }),
    ...Object.fromEntries(repositories.map((one) => [`etc/apt/sources.list.d/${one.name}.sources`, formatRepository(one, keyrings)])),
  };
}

function pinsOf({ uris, pin }: Repository): readonly Preference[] {
  if (pin === undefined) return [];
  return [...new Set(uris.map(httpHost))].map((host) => ({ package: '*', pin: `origin "${host}"`, priority: pin }));
}

function formatPreference({ package: packages, pin, priority }: Preference): string {
  return `Package: ${packages}\nPin: ${pin}\nPin-Priority: ${priority}\n`;
}

function formatOption({ name, value }: AptOption): string {
  if (typeof value === 'string') return `${name} "${value}";\n`;
  const list = name.replace(/::$/, '');
  return `${list === name ? `#clear ${list};\n` : ''}${list} { ${value.map((item) => `"${item}"; `).join('')}};\n`;
}

function formatRepository({ name, uris, suites, components, keyring }: Repository, keyrings: string): string {
  return formatSources([{ types: ['deb'], uris, suites, components, options: { 'Signed-By': keyring === undefined ? DEBIAN_KEYRING : `${keyrings}/${name}.gpg` } }]);
}
