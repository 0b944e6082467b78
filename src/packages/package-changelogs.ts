/** One package of an archive, as a file. */
export type OfferedPackage = {
  /** Of the archive. */
  readonly uri: string;
  /** Relative to it. */
  readonly filename: string;
  /** bytes */
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
};

/** What archives say of changes, in the packages themselves. */
export interface PackageChangelogs {
  /**
   * The newest entries of the changelog that the smallest of some packages brings, all of one source and version. Undefined: it
   * cannot be had, for whatever reason. Rejects only with the signal's reason.
   */
  changelogOf(offered: readonly OfferedPackage[], signal: AbortSignal): Promise<string | undefined>;
}
