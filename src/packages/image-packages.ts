import { listOf, parseAptConf, settingOf, type AptConf } from './apt-conf.js';
import { parseInstalledPackages, textOf } from './installed-packages.js';
import type { SuiteWanted, Unknown } from './package-archive.js';
import type { PackageFiles } from './package-files.js';
import type { InstalledPackage } from './package-record.js';
import { parsePreferences, type Preference } from './preferences.js';
import { filesOf, suitesWanted } from './suites-wanted.js';

/** What an image says of its packages: what is installed, and by which rules apt would look for newer ones. */
export type ImagePackages = {
  readonly installed: readonly InstalledPackage[];
  /** dpkg's own, `amd64`. */
  readonly architecture: string;
  readonly foreignArchitectures: readonly string[];
  /** In apt's order, each with the keys that the image has for it. */
  readonly sources: readonly SuiteWanted[];
  /** In the order in which apt asks them: the first that is of a version counts. */
  readonly preferences: readonly Preference[];
  /** `APT::Default-Release`. */
  readonly defaultRelease: string | undefined;
  /** Why what is new in this image cannot be known in full. */
  readonly unreadable: readonly Unknown[];
};

/** Reads dpkg's records and apt's files. Whatever they hold, it does not throw. */
export function parseImagePackages(files: PackageFiles): ImagePackages {
  const unreadable: Unknown[] = [];
  const unknown = (says: string | undefined): void => {
    if (says !== undefined) unreadable.push({ why: 'unreadable', says });
  };
  const installed = parseInstalledPackages(files);
  if (installed === undefined) unknown(foreignSystem(files));
  const { settings, fault } = parseAptConf(filesOf(files, '/etc/apt/apt.conf', '/etc/apt/apt.conf.d/', /^[\w:-](?:[\w:-]*|[\w:.-]*\.conf)$/).map((path) => ({ path, text: textOf(files.get(path)) })));
  unknown(fault);
  const [architecture = '', ...foreignArchitectures] = architecturesOf(files, settings, installed ?? []);
  // apt in it would look for the packages of an architecture that nobody here can tell.
  if (architecture === '' && (installed ?? []).length > 0) unknown('its architecture is told by none of its packages, nor by dpkg or apt');
  const { suites, unreadable: sourcesUnreadable } = suitesWanted(files, settings, [architecture, ...foreignArchitectures]);
  const preferences: Preference[] = [];
  for (const path of filesOf(files, '/etc/apt/preferences', '/etc/apt/preferences.d/', /^[\w:-](?:[\w:-]*|[\w:.-]*\.pref)$/)) {
    const parsed = parsePreferences(textOf(files.get(path)));
    preferences.push(...parsed.preferences);
    unknown(parsed.fault === undefined ? undefined : `${path}: ${parsed.fault}`);
  }
  return {
    installed: installed ?? [],
    architecture,
    foreignArchitectures,
    sources: suites,
    preferences,
    defaultRelease: settingOf(settings, 'APT::Default-Release'),
    unreadable: [...unreadable, ...sourcesUnreadable],
  };
}

/** An image of which dpkg knows nothing may be empty, or of another distribution. */
function foreignSystem(files: PackageFiles): string | undefined {
  const system = /^(?:PRETTY_)?NAME="?([^"\n]+)/m.exec(textOf(files.get('/etc/os-release')))?.[1];
  return system === undefined ? undefined : `it is ${system} and has no records of dpkg`;
}

/** Native first. dpkg lists them once there is more than one; else its own package tells. */
function architecturesOf(files: PackageFiles, conf: AptConf, installed: readonly InstalledPackage[]): readonly string[] {
  const listed = textOf(files.get('/var/lib/dpkg/arch')).split('\n').map((line) => line.trim()).filter(Boolean);
  const named = ['apt', 'dpkg', 'libc6', 'base-files'].map((name) => installed.find((each) => each.name === name && each.architecture !== 'all')?.architecture);
  const native = settingOf(conf, 'APT::Architecture') ?? listed[0] ?? named.find((each) => each !== undefined) ?? installed.find(({ architecture }) => architecture !== 'all')?.architecture;
  if (native === undefined) return [];
  const all = listOf(conf, 'APT::Architectures');
  return [...new Set([native, ...(all.length > 0 ? all : listed)])];
}
