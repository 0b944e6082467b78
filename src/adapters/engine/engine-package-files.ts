import { posix } from 'node:path';
import { Readable } from 'node:stream';
import type { LayerRecording } from '../../packages/layer-record.js';
import type { ImageFilesOnEngine } from '../../state/image-layers.js';
import { isPlatform } from '../../shared/platform.js';
import { readLayer } from '../package-files/layer-reading.js';
import { answerWithin } from './answer-within.js';
import { EngineRefusal, type EngineConnection } from './engine-connection.js';
import { refused } from './engine-faults.js';
import { inspectImage } from './inspect-image.js';

/** Marks the containers in which files are looked at; they are never started. */
const LABEL = 'build-images.reading';

/** Seconds in which an engine has shown the files of an image, or is passed over; then its container is anybody's to remove. */
const PATIENCE = 60;

/** Milliseconds; more than any reading takes. */
const LEFT_BEHIND = 10 * 60 * 1000;

/**
 * Files of images that the engine behind a connection has, by the archives of a container that is never started.
 * @param platform `linux/amd64`
 * @param now milliseconds since 1970
 */
export function createEnginePackageFiles(connection: EngineConnection, platform: string, now: () => number): ImageFilesOnEngine {
  /** The tar of one path; nothing when it is not there. */
  async function record(container: string, root: string, recording: LayerRecording, signal: AbortSignal): Promise<void> {
    let archive: Readable;
    try {
      archive = await connection.open({ method: 'GET', path: `/containers/${container}/archive`, query: { path: `/${root}` }, signal });
    } catch (error) {
      if (error instanceof EngineRefusal && error.status === 404) return;
      throw error;
    }
    const folder = posix.dirname(root);
    const at = (path: string): string => (folder === '.' ? path : `${folder}/${path}`);
    const enter: LayerRecording['enter'] = (entry) => recording.enter({ ...entry, path: at(entry.path), linkpath: entry.type === 'hard link' ? at(entry.linkpath) : entry.linkpath });
    await readLayer(archive, { enter, record: recording.record });
  }

  const remove = (container: string): Promise<unknown> => connection.ask({ method: 'DELETE', path: `/containers/${container}`, query: { force: '1', v: '1' }, signal: AbortSignal.timeout(10_000) });

  return {
    withImage: (ref, use, signal) =>
      answerWithin(connection.address, PATIENCE, signal, async (either) => {
        const image = await inspectImage(connection, ref, either);
        if (image === undefined || !isPlatform(image.platform, platform)) return undefined;
        const body = { Image: image.id, Cmd: ['-'], NetworkDisabled: true, Labels: { [LABEL]: '1' } };
        const { Id: container } = (await connection.ask({ method: 'POST', path: '/containers/create', headers: { 'Content-Type': 'application/json' }, body: Readable.from([Buffer.from(JSON.stringify(body))]), signal: either })) as { Id: string };
        try {
          return await use(async (roots, recording) => void (await Promise.all(roots.map((root) => record(container, root, recording, either)))));
        } finally {
          await remove(container).catch(() => undefined);
        }
      }),

    async removeLeftovers(signal) {
      const filters = JSON.stringify({ label: [LABEL], status: ['created'] });
      const listed = await answerWithin(connection.address, PATIENCE, signal, (either) => connection.ask({ method: 'GET', path: '/containers/json', query: { all: '1', filters }, signal: either })).catch((error: unknown) => {
        throw refused(error, 'list its containers');
      });
      for (const { Id, Created } of listed as readonly { readonly Id: string; readonly Created: number }[]) if (now() - Created * 1000 > LEFT_BEHIND) await remove(Id).catch(() => undefined);
    },
  };
}
