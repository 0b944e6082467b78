/** What a package asks of others, as its record writes it (Debian Policy §7.1); empty where it has none. */
export type Relations = {
  readonly preDepends: string;
  readonly depends: string;
  readonly conflicts: string;
  readonly breaks: string;
  readonly provides: string;
};

/** One version of one package, as dpkg's status and an archive's Packages both describe it (Debian Policy §5.3). */
export type PackageRecord = {
  readonly name: string;
  /** `amd64`, or `all`. */
  readonly architecture: string;
  readonly version: string;
  readonly source: string;
  /** That of `Source:`, else the package's own without `+bN`. */
  readonly sourceVersion: string;
  /** `same`, `foreign`, `allowed`; undefined: no. */
  readonly multiArch: string | undefined;
  readonly relations: Relations;
};

/** A package that dpkg has unpacked or configured in an image. */
export type InstalledPackage = PackageRecord & {
  /** dpkg's selection is `hold` (dpkg(1), "Package selection states"). */
  readonly held: boolean;
};

/** A package that an archive offers. */
export type AvailablePackage = PackageRecord & {
  /** Relative to the archive's root. */
  readonly filename: string;
  /** bytes */
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
};
