import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { askForWay, lockNight, PATIENCE, type NightLocks } from '../../../src/cli/give-way.js';
import { lockRun } from '../../../src/cli/run.js';
import type { Environment } from '../../../src/cli/environment.js';
import { machineLockDirectory, type Lock } from '../../../src/adapters/lock.js';
import { configOf, runConfigOf } from '../../support/tree-in-memory.js';

jest.setTimeout(60_000);

const PUBLISHING = { publish: true, to: 'x', as: undefined } as const;
let state: string;
let config: ReturnType<typeof runConfigOf>;
let now: number;
let ending: AbortController;
/** Time goes by only while somebody waits. */
const environment = (): Environment => ({
  env: { PATH: process.env['PATH'], XDG_STATE_HOME: state },
  cwd: state,
  home: state,
  isRoot: false,
  pid: 77,
  cores: 1,
  clock: {
    now: () => now,
    sleep: async (milliseconds, signal) => {
      await new Promise((done) => setImmediate(done));
      signal?.throwIfAborted();
      now += milliseconds;
    },
  },
  random: () => 0,
  signal: ending.signal,
  terminal: undefined,
  input: () => Promise.resolve(''),
  out: () => undefined,
  err: () => undefined,
});
const night = (): Promise<NightLocks> => lockNight(config, PUBLISHING, environment());
const admin = (): Promise<Lock> => lockRun(config, true, environment());
const ask = (patience = PATIENCE, waits: (heldBy: string) => void = () => undefined) => askForWay(config, patience, 'pid 5 (root)', waits, environment());
/** Lets the others do some steps. */
const turns = async (many: number): Promise<void> => {
  for (let turn = 0; turn < many; turn++) await new Promise((done) => setImmediate(done));
};
/** A night that was asked for way, and gives it. */
async function givingWay(patience = PATIENCE, until = Infinity): Promise<{ readonly locks: NightLocks; readonly way: Promise<boolean> }> {
  const locks = await night();
  const asked = ask(patience);
  await turns(3);
  locks.asked();
  const way = locks.giveWay(until);
  await asked;
  return { locks, way };
}
const isHeld = async (): Promise<string | undefined> => admin().then((lock) => void lock.release(), ({ message }: Error) => message);

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'build-images-way-'));
  // A registry of its own: locks are the whole machine's.
  config = runConfigOf(configOf(`namespace: way${state.slice(-6).toLowerCase()}\n`));
  now = Date.UTC(2026, 10, 20, 2);
  ending = new AbortController();
});
afterEach(() => {
  const locks = machineLockDirectory(join(state, 'build-images/locks'));
  for (const name of readdirSync(locks)) if (name.includes(`way${state.slice(-6).toLowerCase()}`)) rmSync(join(locks, name));
  rmSync(state, { recursive: true });
});

describe('asking for way', () => {
  it('is told at once when nobody is at work', async () => {
    expect(await ask()).toEqual({ way: 'free' });
  });
  it('is refused by a run that is no night, in its words', async () => {
    const lock = await admin();
    lock.say('run 20261120-0200, pid 9');
    await expect(ask()).rejects.toMatchObject({ exit: 75, message: expect.stringMatching(/^another run is at work on .*, and it is none that gives way: run 20261120-0200, pid 9$/) });
    lock.release();
  });
  it('reaches a night that publishes nothing, too', async () => {
    const locks = await lockNight(config, { publish: false, to: 'x', why: 'no' }, environment());
    const asked = ask();
    await turns(3);
    expect(locks.asked()).toBe('pid 5 (root)');
    locks.release();
    expect(await asked).toMatchObject({ way: 'gone' });
  });
  it('says who is at work, once, and ends as soon as the night has given way', async () => {
    const locks = await night();
    const said: string[] = [];
    const asked = ask(PATIENCE, (heldBy) => said.push(heldBy));
    await turns(10);
    locks.lock.say('run 20261120-0200, pid 77, 3 of 9 images done');
    await turns(10);
    const way = locks.giveWay(Infinity);
    expect(await asked).toMatchObject({ way: 'given' });
    expect(said).toEqual([expect.stringMatching(/^pid 77, since 2026-11-20 /)]);
    await way;
    locks.release();
  });
  it('leaves nothing behind when it is interrupted', async () => {
    const locks = await night();
    const asked = ask();
    await turns(3);
    ending.abort(new Error('interrupted'));
    await expect(asked).rejects.toThrow('interrupted');
    expect(locks.asked()).toBeUndefined();
    locks.release();
  });
  it('waits for another who asks', async () => {
    const locks = await night();
    const both = [ask(), ask()];
    await turns(10);
    locks.release();
    // The second one finds that nobody is at work any more.
    expect((await Promise.all(both)).map(({ way }) => way).toSorted()).toEqual(['free', 'gone']);
  });
});

describe('a night', () => {
  it('is not asked by default, and tells who finds its lock what to do', async () => {
    const locks = await night();
    expect(locks.asked()).toBeUndefined();
    await expect(admin()).rejects.toMatchObject({ exit: 75, message: expect.stringContaining(': a night, pid 77'), hints: ['build-images yield   asks it to pause after the image at hand'] });
    locks.release();
  });
  it('waits until the run of who asked has begun and ended, and has its locks again', async () => {
    const locks = await night();
    const asked = ask();
    await turns(3);
    expect(locks.asked()).toBe('pid 5 (root)');
    const way = locks.giveWay(Infinity);
    await asked;
    const theirs = await admin();
    await turns(50);
    let over = false;
    void way.then(() => (over = true));
    await turns(5);
    expect(over).toBe(false);
    theirs.release();
    expect(await way).toBe(true);
    expect(await isHeld()).toContain('a night, pid 77');
    locks.release();
  });
  it('goes on when no run begins in time', async () => {
    const { locks, way } = await givingWay(60_000);
    const before = now;
    expect(await way).toBe(true);
    expect([now - before >= 59_000, now - before < PATIENCE]).toEqual([true, true]);
    locks.release();
  });
  it('waits for none longer than it has time', async () => {
    const before = now;
    const { locks, way } = await givingWay(PATIENCE, now + 6_000);
    expect(await way).toBe(true);
    expect(now - before).toBeLessThan(PATIENCE / 2);
    locks.release();
  });
  it('sees a run that began and ended between two looks', async () => {
    const { locks, way } = await givingWay();
    (await admin()).release();
    const before = now;
    expect(await way).toBe(true);
    expect(now - before).toBeLessThan(10_000);
    locks.release();
  });
  it('is over when the other run is still at work at its end', async () => {
    const { locks, way } = await givingWay(PATIENCE, now + 6_000);
    const theirs = await admin();
    expect(await way).toBe(false);
    expect(await isHeld()).toContain('pid 77, since');
    theirs.release();
    locks.release();
    expect(await isHeld()).toBeUndefined();
  });
  it('ends while it waits, when it is interrupted', async () => {
    const { way } = await givingWay();
    ending.abort(new Error('interrupted'));
    await expect(way).rejects.toThrow('interrupted');
    expect(await isHeld()).toBeUndefined();
  });
});
