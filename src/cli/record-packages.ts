import { open } from 'node:fs/promises';
import pLimit from 'p-limit';
import type { Happening } from '../execute/event.js';
import type { MadeRootFs } from '../execute/root-file-systems.js';
import type { ImageName, ImageRef } from '../shared/image-ref.js';
import type { Connections } from './outside.js';

/**
 * Keeps what images say of their packages while a run publishes them, so that whoever asks later reads no layer. Nobody waits for it
 * but the run's end, and nothing that fails in it is a failure of the run: then it is read when it is asked for.
 */
export type PackageRecording = {
  /** What happens in the run. */
  tell(happening: Happening): void;
  /** The one layer of a base image; its file may go as soon as this has resolved. */
  layer(made: Pick<MadeRootFs, 'layerPath' | 'diffId'>): Promise<void>;
  /** Resolves when all is kept, or after half a minute. */
  settled(): Promise<void>;
};

/** Milliseconds for which a run's end waits. */
const PATIENCE = 30_000;

/** @param refOf where an image is published */
export function recordPackages(connections: Pick<Connections, 'recordingReader'>, refOf: (image: ImageName) => ImageRef, signal: AbortSignal): PackageRecording {
  // One at a time: builds need the cores.
  const limit = pLimit(1);
  const late = new AbortController();
  const either = AbortSignal.any([signal, late.signal]);
  const begun: Promise<unknown>[] = [];
  const begin = (work: () => Promise<unknown>): void => void begun.push(limit(async () => either.aborted || work()).catch(() => undefined));
  return {
    tell(happening) {
      if (happening.type === 'published') begin(async () => (await connections.recordingReader()).filesOf(refOf(happening.image), happening.digest, either));
    },

    async layer({ layerPath, diffId }) {
      // What is open stays whole when its name goes.
      const file = await open(layerPath).catch(() => undefined);
      if (file === undefined) return;
      begin(async () => {
        try {
          const [reader, { readLayer }] = await Promise.all([connections.recordingReader(), import('../adapters/package-files/layer-reading.js')]);
          await reader.keepLayer(diffId, (recording) => readLayer(file.createReadStream({ highWaterMark: 256 * 1024, autoClose: false }), recording));
        } finally {
          await file.close();
        }
      });
    },

    async settled() {
      const timer = setTimeout(() => late.abort(), PATIENCE);
      await Promise.all(begun);
      clearTimeout(timer);
    },
  };
}
