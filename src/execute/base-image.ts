import type { RootFs } from '../definition/rootfs.js';
import { digestOf, type Digest } from '../shared/digest.js';
import type { DebianPackage, ResolvedRootFs } from './root-file-systems.js';

/** PATH of a Debian system's root, as every Debian based image has it. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** One digest over names, versions and architectures, in any order; where the packages come from plays no part. */
export function packagesDigest(packages: readonly DebianPackage[]): Digest {
  const lines = packages.map(({ name, version, architecture }) => `${name}=${version}:${architecture}`).sort();
  return digestOf(lines.join('\n'));
}

/** What an equal definition's published image was made with. */
export type FormerBase = { readonly epoch: number; readonly packagesDigest: Digest };

/**
 * The rule for a base image's SOURCE_DATE_EPOCH: what was asked for; else the former image's while its package list is
 * unchanged (a suite that is merely signed again makes no new image); else the newest Release date.
 */
export function epochRule(asked: number | undefined, former: FormerBase | undefined): (resolved: ResolvedRootFs) => number {
  return ({ newestRelease, packages }) => {
    if (asked !== undefined) return asked;
    return former !== undefined && former.packagesDigest === packagesDigest(packages) ? former.epoch : newestRelease;
  };
}

/** RFC 3339 in UTC, as image configs have it (OCI image spec, "created"). */
export function formatEpoch(epoch: number): string {
  return new Date(epoch * 1000).toISOString().replace('.000Z', 'Z');
}

/** Seconds since 1970 of a config's `created`; undefined when it is none. */
export function parseEpoch(created: string | undefined): number | undefined {
  const milliseconds = Date.parse(created ?? '');
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
}

/** Debian's architecture in the words of image configs (OCI image spec, "architecture", "variant": Go's names). */
export function imagePlatform(debianArchitecture: string): { readonly architecture: string; readonly variant?: string } {
  switch (debianArchitecture) {
    case 'i386':
      return { architecture: '386' };
    case 'armel':
      return { architecture: 'arm', variant: 'v5' };
    case 'armhf':
      return { architecture: 'arm', variant: 'v7' };
    case 'arm64':
      return { architecture: 'arm64', variant: 'v8' };
    case 'mips64el':
      return { architecture: 'mips64le' };
    case 'ppc64el':
      return { architecture: 'ppc64le' };
    default:
      return { architecture: debianArchitecture };
  }
}

/** `linux/arm/v7` of what a config says. */
export function formatPlatform({ architecture, variant }: ReturnType<typeof imagePlatform>): string {
  return `linux/${architecture}${variant === undefined ? '' : `/${variant}`}`;
}

/** The config of a base image of one layer, as JSON text (OCI image spec, "Image Configuration"). Equal input, equal text. */
export function baseImageConfig(base: {
  readonly rootfs: RootFs;
  readonly diffId: Digest;
  readonly epoch: number;
  /** Debian's word. */
  readonly architecture: string;
  readonly labels: Readonly<Record<string, string>>;
}): string {
  const { rootfs, epoch } = base;
  const created = formatEpoch(epoch);
  const environment = sorted({ PATH: DEFAULT_PATH, ...rootfs.env });
  return JSON.stringify({
    created,
    ...imagePlatform(base.architecture),
    os: 'linux',
    config: {
      ...(rootfs.user === undefined ? {} : { User: rootfs.user }),
      Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      Cmd: rootfs.cmd,
      Labels: sorted(base.labels),
    },
    rootfs: { type: 'layers', diff_ids: [base.diffId] },
    // Engines count the entries that are not empty against the layers: exactly one here.
    history: [{ created, created_by: `${rootfs.tool} ${rootfs.variant} ${rootfs.suite}`, comment: 'Debian packages' }],
  });
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
