import { Readable } from 'node:stream';
import type { BuildEngine, BuildRequest } from '../../execute/build-engine.js';
import { isDigest, type Digest } from '../../shared/digest.js';
import { EngineError, RegistryError } from '../../shared/errors.js';
import { parseImageRef, repositoryOf, type ImageRef } from '../../shared/image-ref.js';
import { answerWithin } from './answer-within.js';
import type { SecretAnswer } from './build-secrets.js';
import { buildWithSession, NoBuildSession } from './buildkit-build.js';
import { credentialsKey, type RegistryLogin } from './buildkit-session.js';
import { buildClassic } from './classic-build.js';
import type { Clock } from '../clock.js';
import { asEngineFault, EngineRefusal, type EngineConnection, type EngineRequest } from './engine-connection.js';
import { urlSafe } from './url-safe.js';
import { errorOf, readRecords, type EngineRecord } from './engine-records.js';
import { diskFull, isDiskFull, refused, registryFault } from './engine-faults.js';
import { inspectImage } from './inspect-image.js';
import { listImages } from './list-images.js';

/** What an engine needs of us. */
export type EngineOptions = {
  /** The login for a registry, under the name that docker's configuration gives it: `host[:port]`, and `https://index.docker.io/v1/` for Docker Hub. */
  credentialsFor(registryHost: string): Promise<RegistryLogin | undefined>;
  /** The secret that a build asks for by this name. */
  secretOf(id: string): Promise<SecretAnswer>;
  readonly clock: Clock;
  /** How long what an engine can answer at once may take: seconds (30). A removal, which frees disk, gets four times that. */
  readonly patience?: number;
};

/** Seconds. */
const DEFAULT_PATIENCE = 30;

/** The Docker engine (Engine API 1.41 and newer) behind a connection. Nothing is asked before the first call. */
export function createEngine(connection: EngineConnection, options: EngineOptions): BuildEngine {
  /** What the engine said when it was asked for a session and has none; known from the first build on. */
  let withoutSessions: string | undefined;
  const patience = options.patience ?? DEFAULT_PATIENCE;
  const quickly = <T>(signal: AbortSignal, ask: (signal: AbortSignal) => Promise<T>, seconds = patience): Promise<T> => answerWithin(connection.address, seconds, signal, ask);
  const registryAuth = async (ref: ImageRef): Promise<Record<string, string>> => ({ 'X-Registry-Auth': authHeader(ref.registry, await options.credentialsFor(credentialsKey(ref.registry))) });

  return {
    async build(request: BuildRequest, signal) {
      if (request.limits === undefined && withoutSessions === undefined) {
        try {
          return await buildWithSession(connection, request, { ...options, patience }, signal);
        } catch (error) {
          if (!(error instanceof NoBuildSession)) throw error;
          withoutSessions = error.message;
        }
      }
      if (request.limits === undefined) request.onLine(`this engine opens no build session (${withoutSessions!}): its classic builder builds this`);
      const because = request.limits === undefined ? `and this engine opens no build session (${withoutSessions!})` : 'which applies no limits: take out the mount, or container_limits of the config';
      return buildClassic(connection, request, { ...options, patience, because }, signal);
    },

    async list(signal) {
      const images = await listImages(connection, patience, signal);
      return images.filter(({ tags }) => tags.length > 0).map(({ id, tags, repoDigests, labels }) => ({ id, tags, repoDigests, labels }));
    },

    inspect: (ref, signal) => quickly(signal, (either) => inspectImage(connection, ref, either)),

    async tag(image, ref, signal) {
      const { tag } = parsed(ref);
      await quickly(signal, (either) => ask(connection, { method: 'POST', path: `/images/${image}/tag`, query: { repo: repositoryOf(parsed(ref)), tag: tag ?? 'latest' }, signal: either }));
    },

    async remove(ref, signal) {
      try {
        await quickly(signal, (either) => connection.ask({ method: 'DELETE', path: `/images/${ref}`, signal: either }), 4 * patience);
      } catch (error) {
        // 409: a container or another image still stands on it; its name is then all that could go.
        if (error instanceof EngineRefusal && (error.status === 404 || error.status === 409)) return;
        throw refused(error, `remove ${ref}`);
      }
    },

    async load(archive, signal) {
      const body = Readable.from(archive, { objectMode: false });
      let archiveFault: Error | undefined;
      body.on('error', (error) => (archiveFault = error));
      let loaded = false;
      try {
        for await (const record of openRecords(connection, { method: 'POST', path: '/images/load', query: { quiet: '1' }, headers: { 'Content-Type': 'application/x-tar' }, body, signal })) {
          const fault = errorOf(record);
          if (fault !== undefined) throw isDiskFull(fault) ? diskFull() : new EngineError(`the engine refuses the image archive: ${fault.trim()}`);
          loaded ||= record.stream?.startsWith('Loaded image') === true;
        }
      } catch (error) {
        throw archiveFault !== undefined && !signal.aborted ? archiveFault : refused(error, 'load the image archive');
      } finally {
        body.destroy();
      }
      if (!loaded) throw new EngineError('the engine found no image in the archive');
    },

    async pull(ref, signal, platform) {
      const image = parsed(ref);
      const query = { fromImage: repositoryOf(image), tag: image.digest ?? image.tag ?? 'latest', ...(platform === undefined ? {} : { platform }) };
      try {
        for await (const record of openRecords(connection, { method: 'POST', path: '/images/create', query, headers: await registryAuth(image), signal })) {
          const fault = errorOf(record);
          if (fault !== undefined) throw registryFault('pull', image, fault);
        }
      } catch (error) {
        throw error instanceof EngineRefusal ? registryFault('pull', image, error.message, error.status) : error;
      }
    },

    async push(ref, signal) {
      const image = parsed(ref);
      if (image.tag === undefined || image.digest !== undefined) throw new TypeError(`only a tag can be pushed: ${ref}`);
      let digest: Digest | undefined;
      try {
        const request = { method: 'POST', path: `/images/${repositoryOf(image)}/push`, query: { tag: image.tag }, headers: await registryAuth(image), signal } as const;
        for await (const record of openRecords(connection, request)) {
          const fault = errorOf(record);
          if (fault !== undefined) throw registryFault('push', image, fault);
          digest = pushedDigest(record) ?? digest;
        }
      } catch (error) {
        throw error instanceof EngineRefusal ? registryFault('push', image, error.message, error.status) : error;
      }
      if (digest === undefined) throw new RegistryError(`the engine ended the push of ${ref} without a digest and without a word`, image.registry, undefined);
      return digest;
    },
  };
}

function parsed(ref: string): ImageRef {
  const image = parseImageRef(ref);
  if (image === undefined) throw new TypeError(`not an image reference: ${ref}`);
  return image;
}

async function ask(connection: EngineConnection, request: EngineRequest): Promise<unknown> {
  try {
    return await connection.ask(request);
  } catch (error) {
    throw refused(error, `${request.method} ${request.path}`);
  }
}

/** A stream's records; a connection that breaks in between is the engine's fault, or the abort's. */
async function* openRecords(connection: EngineConnection, request: EngineRequest): ReturnType<typeof readRecords> {
  const stream = await connection.open(request);
  try {
    yield* readRecords(stream);
  } catch (error) {
    request.signal.throwIfAborted();
    throw asEngineFault(error, connection.address);
  } finally {
    stream.destroy();
  }
}

/** Always sent: without the header some engines answer a push with 400. */
function authHeader(registry: string, login: RegistryLogin | undefined): string {
  return urlSafe(login === undefined ? {} : { ...login, serveraddress: credentialsKey(registry) });
}

/** The digest that a push ends with; the containerd image store tells it only in the text that people see (`TAG: digest: sha256:… size: 401`). */
function pushedDigest(record: EngineRecord): Digest | undefined {
  const digest = (record.aux as { Digest?: string } | undefined)?.Digest ?? / digest: (sha256:\S+) size: /.exec(record.status ?? '')?.[1];
  return digest !== undefined && isDigest(digest) ? digest : undefined;
}
