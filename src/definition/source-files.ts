import type { Digest } from '../shared/digest.js';
import type { Checked, Problem } from '../shared/problem.js';
import type { ContextEntry } from './build-context.js';

/** A build context's entry on disk: a file can tell the digest of its bytes at once, however long it is, in little memory. */
export type SourceEntry = Extract<ContextEntry, { type: 'directory' }> | (Extract<ContextEntry, { type: 'file' }> & { digest(): Digest });

/** One folder of a tree of definitions, as found on disk. */
export type Folder = {
  /** Relative to DIRECTORY, with `/`; '.' is DIRECTORY itself. */
  readonly path: string;
  /** Names of the plain files in it (links to files count). */
  readonly files: ReadonlySet<string>;
};

/** Every folder of a tree, parents before what lies in them, in the order of their names. */
export type Walk = {
  readonly folders: readonly Folder[];
  /** Folders that could not be read. */
  readonly problems: readonly Problem[];
};

/** What reading definitions needs of a disk. Paths are as a person would type them. */
export interface SourceFiles {
  /** Hidden folders and links to folders are not entered. Rejects a DIRECTORY that is not there with a UsageError. */
  walk(directory: string): Walk;
  /** The text of a file that is there. */
  readText(path: string): Checked<string>;
  /** The bytes of a file that a definition names. */
  readBytes(path: string): Checked<Uint8Array>;
  /** The text of a file inside the source root that a template imports: 'absent' when there is none, 'outside' when it lies, or a link leads, beyond the root. */
  readImport(path: string): { readonly text: string } | 'absent' | 'outside';
  /** The build context of a folder: all of it but the entry `except`, links replaced by what they name, minus what its .dockerignore leaves out. */
  readContext(directory: string, except?: string): Checked<readonly SourceEntry[]>;
}
