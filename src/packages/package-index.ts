import type { AvailablePackage } from './package-record.js';

/** What a suite's Release file says of it (wiki.debian.org/DebianRepository/Format, "Release"). */
export type SuiteRelease = {
  readonly origin: string;
  readonly label: string;
  /** `stable-security`: what apt calls the archive. */
  readonly suite: string;
  /** `trixie-security`. */
  readonly codename: string;
  /** `13.1`; empty where there is none. */
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly date: number;
  /** Milliseconds since 1970; undefined: for ever. */
  readonly validUntil: number | undefined;
  readonly notAutomatic: boolean;
  readonly butAutomaticUpgrades: boolean;
};

/** The packages of one suite, component and architecture, verified. */
export type PackageIndex = {
  readonly release: SuiteRelease;
  /** Where it is from: host of its URI, as `Pin: origin` means it. */
  readonly site: string;
  readonly uri: string;
  /** Empty in a flat archive. */
  readonly component: string;
  readonly architecture: string;
  /** Hex, by the Release file: what tells its content from all others. */
  readonly sha256: string;
  /** Every version that it lists of a package, in no promised order. */
  versionsOf(name: string): readonly AvailablePackage[];
  /** Packages that provide a name (`Provides:`), the one of that name not among them. */
  providersOf(name: string): readonly AvailablePackage[];
};
