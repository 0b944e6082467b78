import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineAddress } from '../../../../src/adapters/engine/engine-address.js';
import { EngineRefusal, type EngineConnection, type EngineRequest } from '../../../../src/adapters/engine/engine-connection.js';
import { createEngineSpace } from '../../../../src/adapters/engine/engine-space.js';

const HERE = { Name: hostname(), KernelVersion: release() };
const UNIX: EngineAddress = { via: 'unix', socketPath: '/none' };
const signal = new AbortController().signal;
const root = mkdtempSync(join(tmpdir(), 'engine-space-'));
afterAll(() => rmSync(root, { recursive: true }));

/** An engine that answers everything alike. */
function space(answer: unknown, address = UNIX) {
  const requests: EngineRequest[] = [];
  const ask = async (request: EngineRequest): Promise<unknown> => {
    requests.push(request);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { requests, space: createEngineSpace({ address, ask } as unknown as EngineConnection, root, 1) };
}

describe("an engine's disk", () => {
  it.each([
    ["is known by the id that the engine left in it, whatever the machine's name", { ID: 'mine', Name: 'other', KernelVersion: '0' }, 'mine\n', true],
    ["is another one's when another id lies in it", { ID: 'mine', ...HERE }, 'theirs', false],
    ["of an older engine, which leaves no id, is known by the machine's name and kernel", { ID: 'mine', ...HERE }, undefined, true],
    ["is another machine's when its name differs", { ID: 'mine', ...HERE, Name: 'other' }, undefined, false],
    ["is a virtual machine's when its kernel differs", { ID: 'mine', ...HERE, KernelVersion: '0' }, undefined, false],
  ])('%s', async (_, info, id, here) => {
    const folder = mkdtempSync(join(root, 'data-'));
    if (id !== undefined) writeFileSync(join(folder, 'engine-id'), id);
    const disk = await space({ ...info, DockerRootDir: folder }).space.engineDisk(signal);
    expect(disk?.path).toBe(here ? folder : undefined);
    if (here) expect(disk!.free()).toBeGreaterThan(0);
  });
  it.each([
    ['that tells nothing', HERE],
    ['that would not tell', new EngineRefusal(403, 'no')],
  ])('of an engine %s is unknown', async (_, answer) => expect(await space(answer).space.engineDisk(signal)).toBeUndefined());
  it('is not asked for behind TCP: a name and a kernel may be the same over there', async () => {
    const remote = space({ ...HERE, DockerRootDir: root }, { via: 'tcp', host: 'build.example.org', port: 2375, prefix: '' });
    expect([await remote.space.engineDisk(signal), remote.requests]).toEqual([undefined, []]);
  });
  it('whose room cannot be told is no reason to stop', async () => {
    const disk = await space({ ...HERE, DockerRootDir: join(root, 'gone') }).space.engineDisk(signal);
    expect(disk!.free()).toBeUndefined();
  });
});

describe("an engine's build cache", () => {
  it('is pruned to a size under the old and the new name of that, and no more than what no image has', async () => {
    const engine = space({ CachesDeleted: ['a'], SpaceReclaimed: 7 });
    expect(await engine.space.pruneCache(20e9, signal)).toBe(7);
    expect(engine.requests).toMatchObject([{ path: '/info' }, { method: 'POST', path: '/build/prune', query: { 'keep-storage': '20000000000', 'reserved-space': '20000000000' } }]);
    expect(engine.requests[1]!.query).not.toHaveProperty('all');
  });
  it('that the engine would not prune is said', async () => {
    await expect(space(new EngineRefusal(500, 'a prune is under way')).space.pruneCache(0, signal)).rejects.toThrow('the engine would not prune its build cache: a prune is under way');
  });
});
