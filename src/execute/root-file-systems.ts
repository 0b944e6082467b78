import type { RootFs } from '../definition/rootfs.js';
import type { Digest } from '../shared/digest.js';

/** One Debian package of a root file system. */
export type DebianPackage = {
  readonly name: string;
  readonly version: string;
  /** Debian's word: `amd64`, `all`. */
  readonly architecture: string;
};

/** What the archives would give for a rootfs, read before anything is installed. */
export type ResolvedRootFs = {
  /** Newest Release date of the archives it takes from, in seconds since 1970. */
  readonly newestRelease: number;
  /** Sorted by name, then architecture. */
  readonly packages: readonly DebianPackage[];
};

/** How to make one root file system. */
export type RootFsRequest = {
  /**
   * Decides SOURCE_DATE_EPOCH (seconds since 1970) once it is known what would be installed. Everything inside that carries a
   * date carries at most this one.
   */
  chooseEpoch(resolved: ResolvedRootFs): number;
  /** URL of a proxy for the archives; it does not end up inside. */
  readonly proxy: string | undefined;
  /** A folder that exists and is the caller's: `layer.tar` will be in it, and temporary files meanwhile. */
  readonly workDirectory: string;
  /** Called with each line that the tool and apt print, without its newline. */
  onLine(line: string): void;
};

/** A root file system as one uncompressed layer. */
export type MadeRootFs = {
  readonly layerPath: string;
  /** Digest of the uncompressed tar file: its diff_id (OCI image spec, config, "rootfs"). */
  readonly diffId: Digest;
  /** Bytes. */
  readonly size: number;
  readonly epoch: number;
  readonly packages: readonly DebianPackage[];
  /** Debian's word for the machine it is for: `amd64`. */
  readonly architecture: string;
};

/** The definition asks for what the archives do not have, or what does not install: no fault of the outside. One line. */
export class RootFileSystemFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RootFileSystemFailure';
  }
}

/** What a base image's build needs. */
export interface RootFileSystems {
  /** What this machine makes them for, in Debian's word: `amd64`. */
  architecture(): Promise<string>;
  /**
   * Makes a root file system; the same archive state, rootfs and epoch give the same bytes. Rejects with an ArchiveError when an
   * archive does not answer or cannot be trusted, with RootFileSystemFailure when the definition is at fault, with a Fault when
   * a tool is missing, with the signal's reason when aborted. Leaves no process, mount or temporary file behind.
   */
  make(rootfs: RootFs, request: RootFsRequest, signal: AbortSignal): Promise<MadeRootFs>;
}
