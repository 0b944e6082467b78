import { randomUUID } from 'node:crypto';
import { BuildFailure, type BuildRequest, type InspectedImage } from '../../execute/build-engine.js';
import { EngineError, Fault } from '../../shared/errors.js';
import { answerWithin } from './answer-within.js';
import { explainBuildFailure } from './build-failure.js';
import { loadBuildkitMessages } from './buildkit-messages.js';
import { createBuildProgress } from './buildkit-progress.js';
import { openBuildSession, type SessionContent } from './buildkit-session.js';
import type { Clock } from '../clock.js';
import { engineName } from './engine-address.js';
import { asEngineFault, EngineRefusal, type EngineConnection } from './engine-connection.js';
import { errorOf, readRecords } from './engine-records.js';
import { inspectImage } from './inspect-image.js';

/** How long the engine gets to be gone, after a step that was killed from outside, before the step is blamed. Milliseconds. */
const SHUTDOWN_GRACE = 1_000;

/** Builds with BuildKit: the engine asks for Dockerfile and context through a session of this build alone. The image. Rejects with NoBuildSession when it opens none. */
export async function buildWithSession(
  connection: EngineConnection,
  request: BuildRequest,
  { credentialsFor, secretOf, clock, patience }: Pick<SessionContent, 'credentialsFor' | 'secretOf'> & { readonly clock: Clock; /** Seconds for what the engine can answer at once. */ readonly patience: number },
  signal: AbortSignal,
): Promise<InspectedImage> {
  const messages = await loadBuildkitMessages();
  const quickly = <T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> => answerWithin(connection.address, patience, signal, ask);
  const session = await quickly((limited) => openSession(connection, { ...request, key: request.tag.replace(/:[^:/]*$/, ''), credentialsFor, secretOf }, limited));
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  // Nothing is printed any more once the build has ended for the caller.
  const progress = createBuildProgress((line) => {
    if (!stop.signal.aborted) request.onLine(line);
  });
  let failure: string | undefined;
  let done = false;
  try {
    await Promise.race([session.fault, follow()]);
    if (failure !== undefined) throw await explain(failure);
    // The answer can end without an error and without an image, as it does when the engine loses the session.
    if (!done) throw new EngineError(`the engine ended the build of ${request.tag} without an image and without a word`);
    const image = await quickly((limited) => inspectImage(connection, request.tag, limited));
    if (image === undefined) throw new EngineError(`the engine built ${request.tag} but does not have it`);
    return image;
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof Fault || error instanceof BuildFailure ? error : new BuildFailure(`build context: ${(error as Error).message}`, undefined);
  } finally {
    // With a reason of its own: making the usual one costs more than the rest of this block.
    stop.abort('over');
    session.close();
  }

  async function follow(): Promise<void> {
    try {
      const stream = await connection.open({ method: 'POST', path: '/build', query: buildQuery(request, session.id), signal: either });
      for await (const record of readRecords(stream)) {
        failure ??= errorOf(record);
        if (record.id === 'moby.image.id') done = true;
        if (record.id === 'moby.buildkit.trace') progress.add(messages.statusResponse.decode(Buffer.from(record.aux as string, 'base64')));
      }
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw asEngineFault(error, connection.address);
      failure = error.message;
    } finally {
      progress.end();
    }
  }

  async function explain(text: string): Promise<Error> {
    // An engine that is being stopped kills its steps first and goes away a moment later: ask it before blaming the Dockerfile.
    if (/exit code: 137|signal: killed|context canceled|code = Canceled/.test(text)) await clock.sleep(SHUTDOWN_GRACE, signal);
    return (await connection.ping()) ?? (await explainBuildFailure(text, progress.failedStep(), request.dockerfile, session.missingSecrets));
  }
}

/** The engine has no build sessions: it is older than they are, or another program that speaks its API. */
export class NoBuildSession extends Error {
  constructor(
    /** What it said. */
    message: string,
  ) {
    super(message);
    this.name = 'NoBuildSession';
  }
}

/** What an engine without sessions, or a proxy before it, answers. */
const UNKNOWN_REQUEST = [400, 403, 404, 405, 501];

async function openSession(connection: EngineConnection, content: Parameters<typeof openBuildSession>[1], signal: AbortSignal): ReturnType<typeof openBuildSession> {
  try {
    return await openBuildSession(connection, content, signal);
  } catch (error) {
    if (!(error instanceof EngineRefusal)) throw error;
    throw UNKNOWN_REQUEST.includes(error.status) ? new NoBuildSession(error.message) : new EngineError(`the engine at ${engineName(connection.address)} opens no build session: ${error.message}`);
  }
}

function buildQuery(request: BuildRequest, session: string): Record<string, string> {
  return {
    version: '2',
    remote: 'client-session',
    session,
    buildid: randomUUID(),
    dockerfile: 'Dockerfile',
    t: request.tag,
    labels: JSON.stringify(request.labels),
    buildargs: JSON.stringify(request.buildArgs),
    ...(request.noCache ? { nocache: '1' } : {}),
    ...(request.platform === undefined ? {} : { platform: request.platform }),
  };
}
