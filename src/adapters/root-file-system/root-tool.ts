import type { RootFs } from '../../definition/rootfs.js';
import type { DebianPackage } from '../../execute/root-file-systems.js';

/** A program and its arguments. */
export type Command = readonly [string, ...(readonly string[])];

/** A program that makes root file systems: how it is asked. */
export type RootTool = {
  readonly name: string;
  /** The programs that must be there, and the packages that bring them. */
  readonly programs: readonly string[];
  readonly packages: readonly string[];
  /** Whether it works only where mounts can be kept to itself. */
  readonly needsNamespaces: boolean;
  /**
   * Downloads the package lists into a root and prints, as `apt-resolve.ts` reads it, what would be installed.
   * @param keyring the keys that are trusted for the suite's own archives, a file of this machine
   */
  resolve(rootfs: RootFs, root: string, keyring: string): Command;
  /** Installs from lists that are there, and writes the root file system as a tar file to its output. */
  install(rootfs: RootFs, how: Installation): Command;
  /** What was installed, from what it printed and what was planned. */
  installed(lines: readonly string[], planned: readonly DebianPackage[]): readonly DebianPackage[];
};

/** How a root file system is installed. */
export type Installation = {
  /** Whether `usrmerge` must be kept out. */
  readonly mergedUsr: boolean;
  /** The sources of the suite as they stand in the image (sources.list(5), deb822). */
  readonly sources: string;
  readonly keyring: string;
  readonly proxy: string | undefined;
  /** A temporary folder. */
  readonly folder: string;
};
