import type { RootFs } from '../../definition/rootfs.js';
import type { DebianPackage } from '../../execute/root-file-systems.js';
import type { AptSource } from '../../packages/apt-sources.js';
import { resolveScript, sortPackages } from './apt-resolve.js';
import { formatSources } from './apt-sources.js';
import { finishScript, IN_IMAGE_VARIABLE, LISTS_VARIABLE, takeFiles, WHILE_MADE_VARIABLE, writeFile } from './finish-root.js';
import type { Command, Installation, RootTool } from './root-tool.js';
import { shellWord } from './shell-word.js';

const DEBIAN = 'http://deb.debian.org/debian';
const SECURITY = 'http://security.debian.org/debian-security';

/** Suites that have no updates and no security of their own. */
const ALONE: readonly string[] = ['unstable', 'sid', 'experimental'];

/** Begins the lines that name an installed package. */
const INSTALLED_MARK = 'build-images: installed:';

/** The archives of a suite: as asked for, else Debian's with updates and security, as mmdebstrap would take them. */
function sourcesOf({ suite, suites, mirrors, components }: RootFs, keyring: string): readonly AptSource[] {
  const source = (uris: readonly string[], names: readonly string[]): AptSource => ({ types: ['deb'], uris, suites: names, components, options: { 'Signed-By': keyring } });
  if (mirrors !== undefined) return [source(mirrors, [suite, ...(suites ?? [])])];
  return ALONE.includes(suite) ? [source([DEBIAN], [suite])] : [source([DEBIAN], [suite, `${suite}-updates`]), source([SECURITY], [`${suite}-security`])];
}

/** debuerreotype (of Debian's official images) as a maker of root file systems. */
export const DEBUERREOTYPE: RootTool = {
  name: 'debuerreotype',
  programs: ['debuerreotype-init', 'debootstrap', 'wget'],
  packages: ['debuerreotype', 'debootstrap', 'wget'],
  needsNamespaces: true,
  resolve: resolveCommand,
  install: installCommand,
  installed: installedPackages,
};

/** With this machine's apt: debuerreotype itself would only find out in the middle of its work. */
function resolveCommand(rootfs: RootFs, directory: string, keyring: string): Command {
  const script = `set -eu
exec >&2
umask 022
for folder in etc/apt/apt.conf.d etc/apt/preferences.d etc/apt/sources.list.d var/lib/apt/lists/partial var/lib/dpkg var/cache/apt/archives/partial; do mkdir -p "$1/$folder"; done
: > "$1/var/lib/dpkg/status"
${writeFile('etc/apt/sources.list.d/debian.sources', formatSources(sourcesOf(rootfs, keyring)), '0644')}
${takeFiles(WHILE_MADE_VARIABLE)}
printf '%s\\n' "Dir \\"$1\\";" "Dir::State::Status \\"$1/var/lib/dpkg/status\\";" 'APT::Install-Recommends "false";' 'Acquire::Languages "none";' > "$1/apt.conf"
${resolveScript(rootfs, '$1/apt.conf')}`;
  return ['sh', '-c', script, 'sh', directory];
}

function installCommand(rootfs: RootFs, options: Installation): Command {
  const { suite, mirrors } = rootfs;
  const proxyFile = 'etc/apt/apt.conf.d/temporary-proxy';
  const aptGet = 'debuerreotype-chroot "$1" env DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true apt-get --yes --quiet --allow-downgrades -o APT::Install-Recommends=false';
  const script = `set -eu
exec 3>&1 >&2
umask 022
cd "$2"
# debuerreotype dates what it makes by the newest Release file; here the date is known before.
printf '%s\\n' '#!/bin/sh' 'SOURCE_DATE_EPOCH="$BUILD_IMAGES_EPOCH" exec unshare --mount debootstrap "$@"' > debootstrap
chmod 0755 debootstrap
export BUILD_IMAGES_EPOCH="$SOURCE_DATE_EPOCH"
script=${shellWord(suite)}
[ -e "/usr/share/debootstrap/scripts/$script" ] || script=sid
debuerreotype-init --non-debian --debootstrap="$2/debootstrap" --debootstrap-script="$script" --keyring=${shellWord(options.keyring)} "$1" ${shellWord(suite)} ${shellWord(mirrors?.[0] ?? DEBIAN)}
printf '%s\\n' "$SOURCE_DATE_EPOCH" > "$1/debuerreotype-epoch"
debuerreotype-minimizing-config "$1"
rm -f "$1/etc/apt/sources.list"
mkdir -p "$1/etc/apt/sources.list.d"
${takeFiles(IN_IMAGE_VARIABLE)}
rm -f "$1/etc/apt/apt.conf.d/local"
${writeFile('etc/apt/sources.list.d/debian.sources', options.sources, '0644')}
for file in apt.conf.d preferences.d; do [ ! -d "$${WHILE_MADE_VARIABLE}/etc/apt/$file" ] || cp -R "$${WHILE_MADE_VARIABLE}/etc/apt/$file/." "$1/etc/apt/$file/"; done
${options.proxy === undefined ? 'true' : writeFile(proxyFile, `Acquire::http::Proxy "${options.proxy}";\nAcquire::https::Proxy "${options.proxy}";\n`, '0644')}
rm -rf -- "$1/var/lib/apt/lists"
mv -- "$${LISTS_VARIABLE}" "$1/var/lib/apt/lists"
${aptGet} dist-upgrade
${rootfs.include.length === 0 ? 'true' : `${aptGet} install ${rootfs.include.map(shellWord).join(' ')}`}
rm -f "$1/${proxyFile}"
debuerreotype-slimify "$1"
debuerreotype-chroot "$1" dpkg-query --show --showformat='${INSTALLED_MARK} \${Package} \${Version} \${Architecture}\\n'
(set -- "$1"
${finishScript(rootfs, options.sources)}
)
# What debuerreotype takes for slim is a little less than what our dpkg leaves out.
rm -rf "$1"/usr/share/lintian/* "$1"/usr/share/groff/* "$1"/usr/share/linda/*
rm -f "$1/etc/dpkg/dpkg.cfg.d/docker" "$1/etc/machine-id"
days=$((SOURCE_DATE_EPOCH / 86400))
awk -F: -v OFS=: -v days="$days" '$3 > days { $3 = days } { print }' "$1/etc/shadow" > shadow
cat shadow > "$1/etc/shadow"
# File capabilities are extended attributes; other headers of this format hold times of this machine.
export TAR_OPTIONS='--format=posix --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime --xattrs --xattrs-include=security.capability'
debuerreotype-tar "$1" "$2/root.tar"
rm -rf --one-file-system -- "$1"
cat "$2/root.tar" >&3`;
  return ['sh', '-c', script, 'sh', `${options.folder}/root`, options.folder];
}

function installedPackages(lines: readonly string[]): readonly DebianPackage[] {
  return sortPackages(
    lines.flatMap((line) => {
      if (!line.startsWith(INSTALLED_MARK)) return [];
      const [name = '', version = '', architecture = ''] = line.slice(INSTALLED_MARK.length).trim().split(' ');
      return [{ name, version, architecture }];
    }),
  );
}
