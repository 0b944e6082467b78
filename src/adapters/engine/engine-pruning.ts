import type { ImageRemoval } from '../../execute/delete-local.js';
import type { EngineImages } from '../../state/engine-images.js';
import { answerWithin } from './answer-within.js';
import { EngineRefusal, type EngineConnection, type EngineRequest } from './engine-connection.js';
import { refused } from './engine-faults.js';
import { inspectImage } from './inspect-image.js';
import { listImages } from './list-images.js';

type ListedContainer = { readonly Id: string; readonly Names: readonly string[] | null; readonly ImageID: string };

/** What pruning asks of the engine behind a connection (Engine API 1.41 and newer). `patience`: seconds for an answer. */
export function createEnginePruning(connection: EngineConnection, patience: number): EngineImages & ImageRemoval {
  const ask = async <T>(request: Omit<EngineRequest, 'signal'>, signal: AbortSignal): Promise<T> => {
    try {
      return (await answerWithin(connection.address, patience, signal, (either) => connection.ask({ ...request, signal: either }))) as T;
    } catch (error) {
      throw refused(error, `${request.method} ${request.path}`);
    }
  };
  return {
    async all(signal) {
      // A day of 1970 is how builds say that their date shall not tell.
      return (await listImages(connection, patience, signal)).map((image) => ({ ...image, created: image.created > 86_400 ? image.created * 1000 : undefined }));
    },

    async containers(signal) {
      const containers = await ask<readonly ListedContainer[]>({ method: 'GET', path: '/containers/json', query: { all: '1' } }, signal);
      return containers.map(({ Id, Names, ImageID }) => ({ name: Names?.[0]?.replace(/^\//, '') ?? Id.slice(0, 12), image: ImageID }));
    },

    async removeName(ref, id, signal) {
      const now = await answerWithin(connection.address, patience, signal, (either) => inspectImage(connection, ref, either));
      if (now === undefined) return { kept: 'it is gone already' };
      if (now.id !== id) return { kept: 'it is another image by now' };
      try {
        await answerWithin(connection.address, 4 * patience, signal, (either) => connection.ask({ method: 'DELETE', path: `/images/${ref}`, signal: either }));
        return 'removed';
      } catch (error) {
        if (error instanceof EngineRefusal && error.status === 404) return { kept: 'it is gone already' };
        if (error instanceof EngineRefusal && error.status === 409) return { kept: error.message };
        throw refused(error, `remove ${ref}`);
      }
    },
  };
}
