import type { SuiteRelease } from './package-index.js';

/** A Release file: what it says of the suite, and of each index of packages. */
export type ReleaseFile = SuiteRelease & {
  /** Undefined: it does not say. */
  readonly architectures: readonly string[] | undefined;
  readonly components: readonly string[] | undefined;
  readonly acquireByHash: boolean;
  /** Packages of architecture `all` stand in the index of each architecture, and only there. */
  readonly allWithin: boolean;
  /** Path below the suite → what it must be, for each form of each index: `main/binary-amd64/Packages.xz`. */
  readonly indexes: ReadonlyMap<string, FileDigest>;
};

/** What a file must be. */
export type FileDigest = { readonly size: number; /** Hex. */ readonly sha256: string };

/** Reads a Release file (wiki.debian.org/DebianRepository/Format, "Release"); undefined: it has no Date, or lists nothing by SHA-256. */
export function parseRelease(text: string): ReleaseFile | undefined {
  const fields = new Map<string, string>();
  const of = (name: string): string => fields.get(name) ?? '';
  let open = '';
  for (const line of text.split(/\r?\n/)) {
    const field = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line);
    if (field !== null && !/^\s/.test(line)) fields.set((open = field[1]!.toLowerCase()), field[2]!.trim());
    else if (/^[ \t]/.test(line)) fields.set(open, `${of(open)}\n${line.trim()}`);
  }
  const words = (name: string): readonly string[] | undefined => (fields.has(name) ? of(name).split(/\s+/).filter(Boolean) : undefined);
  const date = Date.parse(of('date'));
  if (Number.isNaN(date) || !fields.has('sha256')) return undefined;
  const validUntil = Date.parse(of('valid-until'));
  return {
    origin: of('origin'),
    label: of('label'),
    suite: of('suite'),
    codename: of('codename'),
    version: of('version'),
    date,
    validUntil: Number.isNaN(validUntil) ? undefined : validUntil,
    notAutomatic: of('notautomatic') === 'yes',
    butAutomaticUpgrades: of('butautomaticupgrades') === 'yes',
    architectures: words('architectures'),
    components: words('components'),
    acquireByHash: of('acquire-by-hash') === 'yes',
    allWithin: (words('no-support-for-architecture-all') ?? []).includes('Packages'),
    indexes: indexesIn(of('sha256')),
  };
}

function indexesIn(list: string): ReadonlyMap<string, FileDigest> {
  const indexes = new Map<string, FileDigest>();
  for (const [, sha256, size, path] of list.matchAll(/^([0-9a-f]{64})\s+(\d+)\s+((?:\S+\/)?Packages(?:\.[a-z0-9]+)?)$/gim)) indexes.set(path!.replace(/^\.\//, ''), { size: Number(size), sha256: sha256!.toLowerCase() });
  return indexes;
}
