import type { RootFs } from '../definition/rootfs.js';
import { DEBIAN_KEYRING } from './apt-sources.js';

/** The step's line that says: without mmdebstrap's merged-usr hook this suite would pull in `usrmerge` and perl. */
export const MERGED_USR_MARK = 'build-images: usr-is-merged instead of usrmerge';

/** Environment variable that names the folder of package lists which `makeArguments` takes over. */
export const LISTS_VARIABLE = 'BUILD_IMAGES_LISTS';

/**
 * mmdebstrap's arguments to download the package lists into a folder and print, as apt's `Inst` lines, what `makeArguments`
 * would install from them. Installs nothing.
 */
export function resolveArguments(rootfs: RootFs, directory: string): readonly string[] {
  return [
    '--variant=custom',
    '--format=directory',
    '--skip=cleanup/apt,cleanup/reproducible',
    `--setup-hook=${resolveScript(rootfs)}`,
    ...commonArguments(rootfs),
    rootfs.suite,
    directory,
    ...mirrorArguments(rootfs),
  ];
}

/** mmdebstrap's arguments to write the root file system as a tar file to its output, from lists that are already there. */
export function makeArguments(rootfs: RootFs, options: { readonly mergedUsr: boolean; readonly sources: string }): readonly string[] {
  return [
    `--variant=${rootfs.variant}`,
    '--format=tar',
    // cleanup/apt would run apt from outside with the hooks of our docker-clean: on this machine's own cache.
    '--skip=update,cleanup/apt,chroot/policy-rc.d',
    ...rootfs.include.map((name) => `--include=${name}`),
    // With '=': mmdebstrap ignores the form with a space while it unpacks the first packages.
    ...[...SLIM, 'force-unsafe-io'].map((option) => `--dpkgopt=${option}`),
    `--setup-hook=${TAKE_LISTS}`,
    ...(options.mergedUsr ? ['--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr'] : []),
    `--essential-hook=${writeFile('usr/sbin/policy-rc.d', POLICY, '0755')}`,
    `--customize-hook=${customizeScript(rootfs, options.sources)}`,
    ...commonArguments(rootfs),
    rootfs.suite,
    '-',
    ...mirrorArguments(rootfs),
  ];
}

function commonArguments(rootfs: RootFs): readonly string[] {
  return ['--verbose', ...(rootfs.components.length === 0 ? [] : [`--components=${rootfs.components.join(',')}`])];
}

/** Without mirrors mmdebstrap takes its own, with updates and security. */
function mirrorArguments(rootfs: RootFs): readonly string[] {
  const components = rootfs.components.length === 0 ? 'main' : rootfs.components.join(' ');
  return (rootfs.mirrors ?? []).flatMap((mirror) =>
    [mirror, ...(rootfs.suites ?? []).map((suite) => `deb ${mirror} ${suite} ${components}`)],
  );
}

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

function resolveScript(rootfs: RootFs): string {
  // A pattern is one single-quoted word: the quote is left for the variable, and taken up again.
  const patterns = packagePatterns(rootfs).map((pattern) => shellWord(pattern).replaceAll(NATIVE, `'"$architecture"'`));
  const wanted = [...patterns, ...rootfs.include.map(shellWord)].join(' ');
  return `set -eu
cd "$1"
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
architecture=
eval "$(apt-config shell architecture APT::Architecture)"
apt-get update --error-on=any
packages=$(apt-get --simulate --yes install ${wanted})
case "$packages" in
*"Inst usrmerge "*)
  ${rootfs.include.includes('usrmerge') ? 'true' : `packages=$(apt-get --simulate --yes install ${wanted} usr-is-merged) && echo ${shellWord(MERGED_USR_MARK)}`}
  ;;
esac
printf '%s\\n' "$packages"`;
}

const TAKE_LISTS = `set -eu
rm -rf -- "$1/var/lib/apt/lists"
mv -- "$${LISTS_VARIABLE}" "$1/var/lib/apt/lists"`;

/** What Debian's official slim images leave out; licences stay. */
const SLIM = [
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
  'path-exclude=/usr/share/groff/*',
  'path-exclude=/usr/share/info/*',
  'path-exclude=/usr/share/linda/*',
  'path-exclude=/usr/share/lintian/*',
  'path-exclude=/usr/share/locale/*',
  'path-include=/usr/share/locale/locale.alias',
  'path-exclude=/usr/share/man/*',
];

const POLICY = `#!/bin/sh
# No service starts while packages are installed in a container.
exit 101
`;

const CLEAN = 'rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true';

/** Configuration of dpkg and apt in the image: file → text. */
const CONFIGURATION: Readonly<Record<string, string>> = {
  'etc/dpkg/dpkg.cfg.d/docker-slim': `# Documentation is left out, licences stay.\n${SLIM.join('\n')}\n`,
  'etc/dpkg/dpkg.cfg.d/docker-apt-speedup': '# An image is written as a whole: a sync after each file only costs time.\nforce-unsafe-io\n',
  'etc/apt/apt.conf.d/docker-clean': `// What apt downloads and computes would stay in the layer.
DPkg::Post-Invoke { "${CLEAN}"; };
APT::Update::Post-Invoke { "${CLEAN}"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
`,
  'etc/apt/apt.conf.d/docker-gzip-indexes': '// Package lists stay compressed on disk.\nAcquire::GzipIndexes "true";\nAcquire::CompressionTypes::Order:: "gz";\n',
  'etc/apt/apt.conf.d/docker-no-languages': '// No translations of package descriptions.\nAcquire::Languages "none";\n',
  'etc/apt/apt.conf.d/docker-autoremove-suggests': '// autoremove takes packages that are only suggested, too.\nApt::AutoRemove::SuggestsImportant "false";\n',
};

function customizeScript(rootfs: RootFs, sources: string): string {
  const manual = rootfs.include
    .filter((name) => !/^[./?~]|-$/.test(name))
    .map((name) => shellWord(name.replace(/[=/].*$/, '')));
  return `set -eu
umask 022
if [ -x "$1/usr/bin/apt-mark" ]; then
  chroot "$1" apt-mark auto '.*' > /dev/null
  ${manual.length === 0 ? 'true' : `chroot "$1" apt-mark manual ${manual.join(' ')} > /dev/null`}
fi
rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap" "$1/etc/apt/sources.list" "$1"/etc/apt/sources.list.d/*.list "$1"/etc/apt/sources.list.d/*.sources
rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/var/cache/apt/archives/*
rm -f "$1"/var/lib/dpkg/*-old "$1"/var/cache/debconf/*-old "$1"/etc/passwd- "$1"/etc/group- "$1"/etc/shadow- "$1"/etc/gshadow- "$1"/etc/subuid- "$1"/etc/subgid-
rm -f "$1/usr/share/info/dir"
find "$1/var/log" -type f -size +0 -delete
apt_user=$(sed -n 's/^_apt:[^:]*:\\([0-9]*\\):.*/\\1/p' "$1/etc/passwd" 2> /dev/null || true)
for folder in var/lib/apt/lists/partial var/cache/apt/archives/partial; do
  mkdir -p "$1/$folder"
  chmod 0700 "$1/$folder"
  chown "\${apt_user:-0}:0" "$1/$folder"
done
for section in 1 2 3 4 5 6 7 8 9; do mkdir -p "$1/usr/share/man/man$section"; done
rm -f "$1/etc/resolv.conf" "$1/etc/hostname"
: > "$1/etc/resolv.conf"
echo localhost > "$1/etc/hostname"
[ -e "$1/etc/hosts" ] || printf '127.0.0.1\\tlocalhost\\n::1\\tlocalhost ip6-localhost ip6-loopback\\n' > "$1/etc/hosts"
chmod 0644 "$1/etc/resolv.conf" "$1/etc/hostname" "$1/etc/hosts"
${Object.entries(CONFIGURATION)
  .map(([path, text]) => writeFile(path, text, '0644'))
  .join('\n')}
mkdir -p "$1/etc/apt/sources.list.d"
${writeFile('etc/apt/sources.list.d/debian.sources', sources, '0644')}
[ -e "$1${DEBIAN_KEYRING}" ] || sed -i '\\|^Signed-By: ${DEBIAN_KEYRING}$|d' "$1/etc/apt/sources.list.d/debian.sources"`;
}

/** Shell lines that write a text to a file below the root that is the script's first argument. */
function writeFile(path: string, text: string, mode: string): string {
  return `printf %s ${shellWord(text)} > "$1/${path}"\nchmod ${mode} "$1/${path}"`;
}

/** A text as one word of a POSIX shell. */
function shellWord(text: string): string {
  return /^[A-Za-z0-9_.,:/+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
