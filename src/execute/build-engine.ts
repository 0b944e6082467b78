import type { ContextEntry } from '../definition/build-context.js';
import type { ContainerLimits } from '../shared/container-limits.js';
import type { Digest } from '../shared/digest.js';
import type { LocalImages } from '../state/local-images.js';

/** One build of one Dockerfile. */
export type BuildRequest = {
  /** The text that the engine gets: every parent already replaced by a local tag of this run. */
  readonly dockerfile: string;
  readonly context: readonly ContextEntry[];
  /** Full reference that the result is tagged with. */
  readonly tag: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** True: run every instruction, whatever the engine's build cache holds. */
  readonly noCache: boolean;
  /** `linux/amd64`; unset is the engine's own. */
  readonly platform: string | undefined;
  /** What each of its containers may use; unset: no limits. */
  readonly limits: ContainerLimits | undefined;
  /** Called with each line the build prints, without its newline. */
  onLine(line: string): void;
};

/** Why a build failed, as the engine told it. A definition's fault, not the engine's: that is an EngineError. */
export class BuildFailure extends Error {
  constructor(
    /** `RUN apt-get install … exit 100`: the instruction and what became of it, one line. */
    message: string,
    /** Line of the Dockerfile that was sent, from 1, when known. */
    readonly line: number | undefined,
  ) {
    super(message);
    this.name = 'BuildFailure';
  }
}

/** What executing a plan needs of an engine; small, so that another builder can take its place. Everything rejects with an EngineError when the engine is gone. */
export interface BuildEngine extends LocalImages {
  /** Builds and tags; the image. Rejects with BuildFailure when the Dockerfile is at fault, with the signal's reason when aborted. */
  build(request: BuildRequest, signal: AbortSignal): Promise<InspectedImage>;
  /** Loads an image archive (docker-archive or OCI layout, a tar stream) that names its own tag. */
  load(archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** Pulls `name:tag` or `name@digest` with the credentials that its registry needs; `platform` unset: the engine's own. Rejects with a RegistryError when the registry refuses. */
  pull(ref: string, signal: AbortSignal, platform?: string): Promise<void>;
  /** Pushes one tag; the digest under which the registry has it. Rejects with a RegistryError when the registry refuses or is gone. */
  push(ref: string, signal: AbortSignal): Promise<Digest>;
  /** Gives an image (id or reference) another name. */
  tag(image: string, ref: string, signal: AbortSignal): Promise<void>;
  /** Takes a name away, and the image with its last name; nothing happens when it is not there. */
  remove(ref: string, signal: AbortSignal): Promise<void>;
  /** Id, labels, digests and size of an image; undefined when the engine does not have it. */
  inspect(ref: string, signal: AbortSignal): Promise<InspectedImage | undefined>;
}

/** One image in detail. */
export type InspectedImage = {
  readonly id: string;
  readonly repoDigests: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** `linux/amd64`. */
  readonly platform: string;
  /** Bytes, unpacked. */
  readonly size: number;
};
