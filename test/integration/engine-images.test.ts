import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EngineError } from '../../src/shared/errors.js';
import { engineAt, importBase, removeImages, SHARED_SOCKET, uniqueName } from '../support/engine-fixture.js';

const run = promisify(execFile);
const name = uniqueName('images');
const base = `${name}:base`;
const engine = engineAt();
const never = new AbortController().signal;

beforeAll(() => importBase(base), 60_000);
afterAll(async () => {
  engine.close();
  await removeImages(name);
}, 60_000);

describe('names', () => {
  it('are given and taken away, the image with its last one', async () => {
    const id = (await engine.inspect(base, never))!.id;
    await engine.tag(base, `${name}:other`, never);
    await engine.tag(id, `localhost:5/${name}:third`, never);
    const listed = (await engine.list(never)).find((image) => image.id === id);
    expect([...listed!.tags].sort()).toEqual([base, `${name}:other`, `localhost:5/${name}:third`].sort());
    await engine.remove(`${name}:other`, never);
    await engine.remove(`localhost:5/${name}:third`, never);
    expect(await engine.inspect(`${name}:other`, never)).toBeUndefined();
    expect((await engine.inspect(base, never))?.id).toBe(id);
  });

  it('that are not there are no fault to take away', async () => {
    await expect(engine.remove(`${name}:never`, never)).resolves.toBeUndefined();
  });

  it('of an image that a container uses are no fault to take away', async () => {
    await engine.tag(base, `${name}:used`, never);
    const { stdout } = await run('docker', ['-H', `unix://${SHARED_SOCKET}`, 'create', `${name}:used`, 'true']);
    try {
      await expect(engine.remove(`${name}:used`, never)).resolves.toBeUndefined();
    } finally {
      await run('docker', ['-H', `unix://${SHARED_SOCKET}`, 'rm', '-f', stdout.trim()]);
    }
  });

  it('cannot be given to an image that is not there', async () => {
    await expect(engine.tag(`${name}:never`, `${name}:x`, never)).rejects.toBeInstanceOf(EngineError);
  });
});

describe('load', () => {
  it('brings the images of an archive under their own names', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'build-images-load-'));
    try {
      await engine.tag(base, `${name}:loaded`, never);
      const id = (await engine.inspect(base, never))!.id;
      await run('docker', ['-H', `unix://${SHARED_SOCKET}`, 'save', '-o', join(folder, 'image.tar'), `${name}:loaded`]);
      await engine.remove(`${name}:loaded`, never);
      await engine.load(createReadStream(join(folder, 'image.tar')), never);
      expect((await engine.inspect(`${name}:loaded`, never))?.id).toBe(id);
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 30_000);

  it('refuses what is no archive', async () => {
    await expect(engine.load([Buffer.from('nonsense '.repeat(1000))] as never, never)).rejects.toBeInstanceOf(EngineError);
  });

  it('ends with the fault of an archive that breaks off', async () => {
    const archive = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(512);
      throw new Error('the archive could not be made');
    };
    await expect(engine.load(archive(), never)).rejects.toThrow('the archive could not be made');
  });

  it('ends with the reason when it is aborted', async () => {
    const abort = new AbortController();
    let ended = false;
    const archive = async function* (): AsyncGenerator<Uint8Array> {
      try {
        yield tarHeader('layer.tar', 1_000_000_000);
        for (let count = 0; ; count++) {
          if (count === 10) abort.abort(new Error('enough'));
          yield Buffer.alloc(65_536);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      } finally {
        ended = true;
      }
    };
    await expect(engine.load(archive(), abort.signal)).rejects.toThrow('enough');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(ended).toBe(true);
  });
});

/** The beginning of a file in a tar archive (POSIX ustar). */
function tarHeader(path: string, size: number): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, at: number): number => header.write(`${value.toString(8).padStart(7, '0')}\0`, at);
  header.write(path, 0);
  octal(0o644, 100);
  octal(0, 108);
  octal(0, 116);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('0ustar\u000000', 156);
  header.fill(' ', 148, 156);
  header.write(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
