import type { Preference } from '../../definition/apt-settings.js';
import type { RootFs } from '../../definition/rootfs.js';
import type { DebianPackage } from '../../execute/root-file-systems.js';
import { shellWord } from './shell-word.js';

/** The line that says: without mmdebstrap's merged-usr hook this suite would pull in `usrmerge` and perl. */
export const MERGED_USR_MARK = 'build-images: usr-is-merged instead of usrmerge';

/** Begins the lines that say what an archive is to preferences: `release o=Debian,n=trixie,…` or `origin deb.debian.org`. */
const ARCHIVE_MARK = 'build-images: archive:';

/** Stands for this machine's architecture until the shell knows it. */
const NATIVE = '@native@';

/** What apt is asked for to get a variant's packages (mmdebstrap(1), VARIANTS). */
function packagePatterns(rootfs: RootFs): readonly string[] {
  const ofSuite = `?or(?archive(^${rootfs.suite}$),?codename(^${rootfs.suite}$)),?architecture(${NATIVE})`;
  const priorities = (...names: string[]): string => `?narrow(${ofSuite},?or(${names.map((name) => `?priority(${name})`).join(',')}))`;
  const essential = `?narrow(${ofSuite},?essential)`;
  switch (rootfs.variant) {
    case 'extract':
    case 'custom':
      return [];
    case 'essential':
    case 'apt':
      return [essential];
    case 'important':
    case 'debootstrap':
    case '-':
      return [essential, priorities('required', 'important')];
    case 'standard':
      return [essential, priorities('required', 'important', 'standard')];
    case 'buildd':
      return [essential, priorities('required'), 'build-essential'];
    default:
      return [essential, priorities('required')];
  }
}

/**
 * A script that, in the root that is its first argument and with its own apt.conf, downloads the
 * package lists and prints what would be installed and which archives there are.
 * @param aptConfig path of the apt.conf, shell variables in it
 */
export function resolveScript(rootfs: RootFs, aptConfig: string): string {
  // A pattern is one single-quoted word: the quote is left for the variable, and taken up again.
  const patterns = packagePatterns(rootfs).map((pattern) => shellWord(pattern).replaceAll(NATIVE, `'"$architecture"'`));
  const wanted = [...patterns, ...rootfs.include.map(shellWord)].join(' ');
  return `set -eu
cd "$1"
export APT_CONFIG="${aptConfig}"
architecture=
eval "$(apt-config shell architecture APT::Architecture)"
apt-get update --error-on=any
apt-cache policy | sed -n 's/^ *\\(release\\|origin\\) /${ARCHIVE_MARK}&/p'
packages=$(apt-get --simulate --yes install ${wanted})
case "$packages" in
*"Inst usrmerge "*)
  ${rootfs.include.includes('usrmerge') ? 'true' : `packages=$(apt-get --simulate --yes install ${wanted} usr-is-merged) && echo ${shellWord(MERGED_USR_MARK)}`}
  ;;
esac
printf '%s\\n' "$packages"`;
}

/** What a line list of `resolveScript` says would be installed: `Inst zlib1g (1:1.3 Debian:13.7/stable [amd64]) []`. */
export function plannedPackages(lines: readonly string[]): readonly DebianPackage[] {
  return sortPackages(
    lines.flatMap((line) => {
      const match = /^Inst (\S+) \((\S+) .*\[([a-z0-9-]+)\]\)/.exec(line);
      return match === null ? [] : [{ name: match[1]!.replace(/:.*/, ''), version: match[2]!, architecture: match[3]! }];
    }),
  );
}

/** By name, then architecture. */
export function sortPackages(packages: readonly DebianPackage[]): readonly DebianPackage[] {
  const key = ({ name, architecture }: DebianPackage): string => `${name}:${architecture}`;
  return [...packages].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** The preference that is for no archive there is, in words; apt passes over it in silence. Versions and regular expressions are not looked at. */
export function idlePreference(preferences: readonly Preference[], lines: readonly string[]): string | undefined {
  const archives = lines.flatMap((line) => (line.startsWith(ARCHIVE_MARK) ? [line.slice(ARCHIVE_MARK.length).trim()] : []));
  const idle = preferences.find(({ pin }) => !archives.some((archive) => isMeant(pin, archive)));
  if (idle === undefined) return undefined;
  const kind = idle.pin.split(' ')[0]!;
  const there = [...new Set(archives.filter((archive) => archive.startsWith(kind) && archive !== 'release a=now'))].join('; ');
  return `no archive is "${idle.pin}", which a preference for ${idle.package} asks for (there are: ${there})`;
}

/** apt_preferences(5): `release` compares fields, `origin` the host of the archive. */
function isMeant(pin: string, archive: string): boolean {
  const [kind, ...rest] = pin.split(' ');
  const wanted = rest.join(' ').trim();
  if (kind === 'version' || /[/[]/.test(wanted) || wanted === '*') return true;
  if (!archive.startsWith(`${kind} `)) return false;
  const value = archive.slice(kind!.length).trim();
  if (kind === 'origin') return globOf(wanted.replaceAll('"', '')).test(value);
  const fields = new Map(value.split(/,(?=[anolcvb]=)/).map((field) => [field[0]!, field.slice(2)]));
  return wanted.split(',').every((part) => {
    const [, name, text] = /^\s*(?:([anolcvb])=)?(.*?)\s*$/.exec(part)!;
    // Without a letter: a version, or a suite's either name.
    const names = name === undefined ? ['v', 'a', 'n'] : [name];
    return names.some((one) => globOf(text!.replaceAll('"', '')).test(fields.get(one) ?? ''));
  });
}

function globOf(pattern: string): RegExp {
  return new RegExp(`^${pattern.replace(/[.+^${}()|\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')}$`);
}
