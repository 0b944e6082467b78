/** One image that the engine has. */
export type LocalImage = {
  /** The image id, `sha256:…`. */
  readonly id: string;
  /** Names it goes by here: `registry/namespace/name:tag`. */
  readonly tags: readonly string[];
  /** `registry/namespace/name@sha256:…` of the registries it was pulled from or pushed to. */
  readonly repoDigests: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
};

/** What planning needs to know of an engine. Rejects with an EngineError when the engine does not answer. */
export interface LocalImages {
  /** All tagged images, in one request. */
  list(signal: AbortSignal): Promise<readonly LocalImage[]>;
}
