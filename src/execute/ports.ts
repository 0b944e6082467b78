import type { SourceEntry } from '../definition/source-files.js';
import type { Digest } from '../shared/digest.js';
import type { ImageName } from '../shared/image-ref.js';
import type { Checked } from '../shared/problem.js';
import type { RefreshMemory } from '../state/refresh-memory.js';
import type { BuildEngine } from './build-engine.js';
import type { DiskSpace } from './disk-space.js';
import type { Happening, Progress } from './event.js';
import type { ArchiveLayer } from './image-archive.js';
import type { ImageReader } from './image-contents.js';
import type { MadeRootFs, RootFileSystems } from './root-file-systems.js';
import type { WritableRegistry } from './writable-registry.js';

/** One test of one image: a command that runs in the definition's folder. */
export type TestCommand = {
  readonly command: string;
  readonly args: readonly string[];
  /** The definition's folder. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  onLine(line: string): void;
};

/** How a test ended. */
export type TestEnd =
  | { readonly end: 'exited'; readonly code: number }
  | { readonly end: 'killed'; readonly signal: string }
  | { readonly end: 'timed-out' }
  /** The command could not be started at all. */
  | { readonly end: 'not-started'; readonly because: string };

/** Runs tests on this machine. */
export interface TestRunner {
  /** Runs one test with everything it starts; rejects with the signal's reason, all of it stopped, when aborted. */
  run(test: TestCommand, signal: AbortSignal): Promise<TestEnd>;
  /** Whether a path of a verify argument is there. */
  exists(path: string): boolean;
}

/** Where one image's lines are kept. */
export type ImageLog = {
  /** As a person would type it. */
  readonly path: string;
  line(text: string): void;
  close(): Promise<void>;
};

/** What git knows of a folder. */
export type FolderRevision = {
  /** The commit that last touched it; undefined outside a git tree or before the first commit. */
  readonly revision: string | undefined;
  /** Where the tree came from, without userinfo. */
  readonly source: string | undefined;
};

/** Gives a layer the form in which the engine is to get it; rejects with an EngineError when the engine does not answer. What it writes is beside the layer. */
export type PackLayer = (layer: Pick<MadeRootFs, 'layerPath' | 'diffId' | 'size'>, signal: AbortSignal) => Promise<ArchiveLayer>;

/** Everything that running a plan touches. */
export type Ports = {
  readonly engine: BuildEngine;
  readonly images: ImageReader;
  readonly refreshMemory: RefreshMemory;
  readonly registry: WritableRegistry;
  readonly rootFileSystems: RootFileSystems;
  readonly tests: TestRunner;
  readonly space: DiskSpace;
  /** The files that an image's build is given. */
  readContext(image: ImageName): Checked<readonly SourceEntry[]>;
  /** The digest of a definition as its files are now; undefined when they cannot be read any more. */
  digestNow(image: ImageName): Digest | undefined;
  revisionOf(directory: string): Promise<FolderRevision>;
  openLog(name: string): ImageLog;
  /** A new empty folder for one image's temporary files; removed with all in it by `release`. */
  scratch(): Promise<{ readonly path: string; release(): Promise<void> }>;
  readonly packLayer: PackLayer;
  /** Absolute path of a definition's folder. */
  absolute(directory: string): string;
  tell(happening: Happening): void;
  /** Told often, and kept nowhere. */
  show(progress: Progress): void;
  /** Milliseconds since 1970. */
  now(): number;
};
