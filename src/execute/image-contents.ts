import type { Digest } from '../shared/digest.js';

/** One entry of an image's history (OCI image spec, "Image Configuration", `history`). */
export type HistoryEntry = { readonly createdBy: string; readonly emptyLayer: boolean };

/** What an image is made of, read from the engine without starting a container. */
export type ImageContents = {
  readonly os: string;
  readonly architecture: string;
  /** `config.User`, empty when there is none. */
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Digests of the uncompressed layers, lowest first. */
  readonly diffIds: readonly string[];
  readonly history: readonly HistoryEntry[];
  /** The files that were asked for and are there, as text; by the path that was asked for, links followed. */
  readonly files: ReadonlyMap<string, string>;
  /** Every folder, as `/home/app`. */
  readonly folders: ReadonlyMap<string, FolderOwner>;
};

/** Who may do what with a folder. */
export type FolderOwner = { readonly uid: number; readonly gid: number; /** Permission bits. */ readonly mode: number };

/** Reads images that the engine has. */
export interface ImageReader {
  /** @param wanted absolute paths of files */
  contentsOf(ref: string, wanted: readonly string[], signal: AbortSignal): Promise<ImageContents>;
  /**
   * One digest over all that an image is: its files (path, type, mode, owner, content, link) and its config, but for times, what
   * differs from build to build though nothing changed, and our labels.
   */
  digestOf(ref: string, signal: AbortSignal): Promise<Digest>;
}
