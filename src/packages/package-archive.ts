import type { PackageIndex } from './package-index.js';

/** One suite as an image's sources name it. */
export type SuiteWanted = {
  readonly uri: string;
  /** Ends with `/` in a flat archive. */
  readonly suite: string;
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  /** The image's own keys that may sign it, binary or armoured, with the path of each; `trusted`: the image asks for no signature. */
  readonly keyrings: readonly { readonly path: string; readonly bytes: Uint8Array }[] | 'trusted';
  /** Fingerprints to which `Signed-By` narrows them; undefined: any key of theirs. */
  readonly fingerprints: readonly string[] | undefined;
  /** `Check-Valid-Until`. */
  readonly checksValidUntil: boolean;
};

/** Why nobody can say what is new in a suite, or in an image. Never the same as "up to date". */
export type Unknown = {
  readonly why:
    | 'unreachable'
    | 'expired'
    /** Signed by nobody, by another key, or changed since. */
    | 'wrong-signature'
    /** An InRelease older than one that was seen before. */
    | 'replayed'
    /** An index is not what the InRelease says it is. */
    | 'mismatch'
    /** The archive answers and does not have the suite any more. */
    | 'gone'
    /** The image: its sources, keys or dpkg's records cannot be read. */
    | 'unreadable';
  /** One clause for people: `InRelease of bookworm-security expired 2026-11-01`. */
  readonly says: string;
};

/** What a suite has, or why that is unknown. A suite of which one index is unknown is unknown. */
export type SuiteRead =
  | {
      readonly known: true;
      readonly indexes: readonly PackageIndex[];
      /** `archived_suites` has it: nothing new comes, it was not asked, and `indexes` is empty. */
      readonly archived?: true;
    }
  | { readonly known: false; readonly unknown: Unknown };

/** Archives of packages. Each suite is fetched once a run, however many images ask for it. */
export interface PackageArchive {
  /** Rejects only with the signal's reason: what goes wrong outside is what the suite is unknown for. */
  readSuite(wanted: SuiteWanted, signal: AbortSignal): Promise<SuiteRead>;
}
