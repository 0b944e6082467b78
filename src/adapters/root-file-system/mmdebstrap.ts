import type { RootFs } from '../../definition/rootfs.js';
import { resolveScript } from './apt-resolve.js';
import { finishScript, LISTS_VARIABLE, POLICY, SLIM, takeFiles, WHILE_MADE_VARIABLE, writeFile } from './finish-root.js';
import type { Installation, RootTool } from './root-tool.js';

/** mmdebstrap as a maker of root file systems. */
export const MMDEBSTRAP: RootTool = {
  name: 'mmdebstrap',
  programs: ['mmdebstrap'],
  packages: ['mmdebstrap'],
  needsNamespaces: false,
  resolve: (rootfs, root) => ['mmdebstrap', ...resolveArguments(rootfs, root)],
  install: (rootfs, how) => ['mmdebstrap', ...makeArguments(rootfs, how)],
  installed: (_, planned) => planned,
};

function resolveArguments(rootfs: RootFs, directory: string): readonly string[] {
  return [
    '--variant=custom',
    '--format=directory',
    '--skip=cleanup/apt,cleanup/reproducible',
    `--setup-hook=${takeFiles(WHILE_MADE_VARIABLE)}`,
    `--setup-hook=${resolveScript(rootfs, '$MMDEBSTRAP_APT_CONFIG')}`,
    ...commonArguments(rootfs),
    rootfs.suite,
    directory,
    ...mirrorArguments(rootfs),
  ];
}

function makeArguments(rootfs: RootFs, options: Installation): readonly string[] {
  return [
    `--variant=${rootfs.variant}`,
    '--format=tar',
    // cleanup/apt would run apt from outside with the hooks of our docker-clean: on this machine's own cache.
    '--skip=update,cleanup/apt,chroot/policy-rc.d',
    ...rootfs.include.map((name) => `--include=${name}`),
    // With '=': mmdebstrap ignores the form with a space while it unpacks the first packages.
    ...[...SLIM, 'force-unsafe-io'].map((option) => `--dpkgopt=${option}`),
    `--setup-hook=${takeFiles(WHILE_MADE_VARIABLE)}`,
    `--setup-hook=${TAKE_LISTS}`,
    ...(options.mergedUsr ? ['--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr'] : []),
    `--essential-hook=${writeFile('usr/sbin/policy-rc.d', POLICY, '0755')}`,
    `--customize-hook=${finishScript(rootfs, options.sources)}`,
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

const TAKE_LISTS = `set -eu
rm -rf -- "$1/var/lib/apt/lists"
mv -- "$${LISTS_VARIABLE}" "$1/var/lib/apt/lists"`;
