import { setTimeout } from 'node:timers/promises';
import { answerWithin } from './answer-within.js';
import { EngineRefusal, type EngineConnection } from './engine-connection.js';
import { refused } from './engine-faults.js';
import { realNames } from './inspect-image.js';

type Listed = {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly RepoDigests: readonly string[] | null;
  readonly Labels: Readonly<Record<string, string>> | null;
  /** Seconds. */
  readonly Created: number;
};

/** What an engine lists of one image. */
export type ListedImage = {
  readonly id: string;
  readonly tags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since 1970. */
  readonly created: number;
};

/** How often the containerd store is asked, which fails when an image is taken away while it lists it (26.1). */
const TRIES = 6;
const PAUSE = 100;

/** All images of an engine that are not parts of others (Engine API 1.41, `GET /images/json`). `patience`: seconds for an answer. */
export async function listImages(connection: EngineConnection, patience: number, signal: AbortSignal): Promise<readonly ListedImage[]> {
  for (let left = TRIES; ; left--) {
    try {
      const listed = (await answerWithin(connection.address, patience, signal, (either) => connection.ask({ method: 'GET', path: '/images/json', signal: either }))) as readonly Listed[];
      // The containerd store has a name with a digest among the tags, too.
      return listed.map(({ Id, RepoTags, RepoDigests, Labels, Created }) => ({ id: Id, tags: realNames(RepoTags).filter((name) => !name.includes('@')), repoDigests: realNames(RepoDigests), labels: Labels ?? {}, created: Created }));
    } catch (error) {
      if (left === 1 || !(error instanceof EngineRefusal) || !/not found/.test(error.message)) throw refused(error, 'list its images');
      await setTimeout(PAUSE, undefined, { signal });
    }
  }
}
