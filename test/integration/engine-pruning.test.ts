import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createEngineConnection } from '../../src/adapters/engine/engine-connection.js';
import { createEnginePruning } from '../../src/adapters/engine/engine-pruning.js';
import { EngineError } from '../../src/shared/errors.js';
import { engineAt, importBase, removeImages, SHARED_SOCKET, uniqueName } from '../support/engine-fixture.js';

const run = promisify(execFile);
const docker = async (...args: readonly string[]): Promise<string> => (await run('docker', ['-H', `unix://${SHARED_SOCKET}`, ...args])).stdout.trim();
const name = uniqueName('pruning');
const base = `${name}:base`;
const engine = engineAt();
const connection = createEngineConnection({ via: 'unix', socketPath: SHARED_SOCKET });
const pruning = createEnginePruning(connection, 30);
const never = new AbortController().signal;
let id: string;

beforeAll(async () => {
  await importBase(base);
  id = (await engine.inspect(base, never))!.id;
}, 60_000);
afterAll(async () => {
  engine.close();
  connection.close();
  await removeImages(name);
}, 60_000);

describe('what pruning sees of an engine', () => {
  it('are its images, with when they were made', async () => {
    const mine = (await pruning.all(never)).find((image) => image.id === id)!;
    expect(mine.tags).toEqual([base]);
    expect(Math.abs(Date.now() - mine.created!)).toBeLessThan(600_000);
  });
  it('are its containers, running or not, with the image that each stands on', async () => {
    const container = await docker('create', '--name', name.replace('/', '-'), base, 'true');
    try {
      expect(await pruning.containers(never)).toContainEqual({ name: name.replace('/', '-'), image: id });
    } finally {
      await docker('rm', '-f', container);
    }
  });
});

describe('a name', () => {
  it('is taken away while it is that image\'s', async () => {
    await engine.tag(base, `${name}:old`, never);
    expect(await pruning.removeName(`${name}:old`, `sha256:${'0'.repeat(64)}`, never)).toEqual({ kept: 'it is another image by now' });
    expect((await engine.inspect(`${name}:old`, never))?.id).toBe(id);
    expect(await pruning.removeName(`${name}:old`, id, never)).toBe('removed');
    expect(await engine.inspect(`${name}:old`, never)).toBeUndefined();
    expect((await engine.inspect(base, never))?.id).toBe(id);
  });
  it('that is gone already is no fault', async () => {
    expect(await pruning.removeName(`${name}:never`, id, never)).toEqual({ kept: 'it is gone already' });
  });
  it('of an image that a container stands on stays, and the engine\'s words say why', async () => {
    const container = await docker('create', base, 'true');
    try {
      const result = await pruning.removeName(base, id, never);
      expect(result).toEqual({ kept: expect.stringMatching(/container/) });
      expect((await engine.inspect(base, never))?.id).toBe(id);
    } finally {
      await docker('rm', '-f', container);
    }
  });
  it('of an engine that is not there is the engine\'s fault', async () => {
    const gone = createEngineConnection({ via: 'unix', socketPath: '/nowhere/docker.sock' });
    await expect(createEnginePruning(gone, 5).removeName(base, id, never)).rejects.toBeInstanceOf(EngineError);
    gone.close();
  });
});
