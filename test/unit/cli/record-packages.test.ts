import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { recordPackages, type PackageRecording } from '../../../src/cli/record-packages.js';
import type { Happening } from '../../../src/execute/event.js';
import { digestOf, type Digest } from '../../../src/shared/digest.js';
import type { RecordingReader } from '../../../src/state/read-package-files.js';
import { layerTar } from '../../support/layer-tar.js';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'record-packages-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const published = (image: string): Happening => ({ type: 'published', image, tag: '1', digest: digestOf(image) });

/** A recording, and what the reader behind it was asked for. */
function recordingOn(part: Partial<RecordingReader> = {}, signal = new AbortController().signal): PackageRecording & { readonly asked: string[] } {
  const asked: string[] = [];
  const reader: RecordingReader = {
    filesOf: async ({ repository }) => (asked.push(repository), new Map()),
    keepLayer: async (diffId, read) => {
      const layer = await read({ enter: ({ path }) => void asked.push(path), record: () => [] });
      asked.push(layer.diffId === diffId ? 'kept' : 'another');
    },
    ...part,
  };
  return { asked, ...recordPackages({ recordingReader: () => Promise.resolve(reader) }, (image) => ({ registry: 'r', repository: image }), signal) };
}

describe('recordPackages', () => {
  it('reads what was published, one after the other, and nothing else', async () => {
    let [now, most] = [0, 0];
    const recording = recordingOn({
      filesOf: async () => {
        most = Math.max(most, ++now);
        await new Promise((done) => setImmediate(done));
        now--;
        return new Map();
      },
    });
    for (const image of ['a', 'b', 'c']) recording.tell(published(image));
    recording.tell({ type: 'finished-locally', image: 'd', tag: '1', id: 'x', because: 'not publishing' });
    await recording.settled();
    expect(most).toBe(1);
  });
  it('opens no reader where nothing is published', async () => {
    const recording = recordPackages({ recordingReader: () => Promise.reject(new Error('opened')) }, (image) => ({ registry: 'r', repository: image }), new AbortController().signal);
    recording.tell({ type: 'untested', image: 'd', because: 'no test' });
    await recording.settled();
  });
  it('a failure of one is not told, and others are read', async () => {
    const asked: string[] = [];
    const recording = recordingOn({
      filesOf: async ({ repository }) => {
        asked.push(repository);
        if (repository === 'a') throw new Error('no');
        return new Map();
      },
    });
    for (const image of ['a', 'b']) recording.tell(published(image));
    await recording.settled();
    expect(asked).toEqual(['a', 'b']);
  });
  it('an interrupt ends it', async () => {
    const interrupt = new AbortController();
    const recording = recordingOn({}, interrupt.signal);
    interrupt.abort();
    recording.tell(published('a'));
    await recording.settled();
    expect(recording.asked).toEqual([]);
  });
  it('a base image\'s layer is read though its file has gone by then', async () => {
    const tar = await layerTar({ 'etc/apt/sources.list': 'deb a' });
    const layerPath = join(folder, 'layer.tar');
    writeFileSync(layerPath, tar);
    const recording = recordingOn();
    await recording.layer({ layerPath, diffId: digestOf(tar) });
    rmSync(layerPath);
    await recording.settled();
    expect(existsSync(layerPath)).toBe(false);
    expect(recording.asked).toEqual(['etc/apt/sources.list', 'kept']);
  });
  it('one that is not there is done without', async () => {
    const recording = recordingOn();
    await recording.layer({ layerPath: join(folder, 'none'), diffId: 'sha256:0' as Digest });
    await recording.settled();
    expect(recording.asked).toEqual([]);
  });
});
