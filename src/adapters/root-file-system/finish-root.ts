import type { RootFs } from '../../definition/rootfs.js';
import { DEBIAN_KEYRING } from './apt-sources.js';
import { shellWord } from './shell-word.js';

/** Environment variable that names the folder of package lists that the making takes over. */
export const LISTS_VARIABLE = 'BUILD_IMAGES_LISTS';

/** Environment variable that names the folder of files that are there while the root file system is made. */
export const WHILE_MADE_VARIABLE = 'BUILD_IMAGES_WHILE_MADE';

/** Environment variable that names the folder of files that are put into the root file system at its end. */
export const IN_IMAGE_VARIABLE = 'BUILD_IMAGES_IN_IMAGE';

/** Shell line that puts the files of the folder that a variable names into the root that is the script's first argument. */
export function takeFiles(variable: string): string {
  return `cp -R "$${variable}/." "$1/"`;
}

/** What Debian's official slim images leave out; licences stay. */
export const SLIM = [
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

/** policy-rc.d of a container (Debian Policy 9.11): 101 forbids. */
export const POLICY = `#!/bin/sh
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

/** What is done to a root file system at its end, as a script whose first argument is the root; the same whichever tool made it. */
export function finishScript(rootfs: RootFs, sources: string): string {
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
${takeFiles(IN_IMAGE_VARIABLE)}
[ -e "$1${DEBIAN_KEYRING}" ] || sed -i '\\|^Signed-By: ${DEBIAN_KEYRING}$|d' "$1"/etc/apt/sources.list.d/*.sources`;
}

/** Shell lines that write a text to a file below the root that is the script's first argument. */
export function writeFile(path: string, text: string, mode: string): string {
  return `printf %s ${shellWord(text)} > "$1/${path}"\nchmod ${mode} "$1/${path}"`;
}
