import { spawn, spawnSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createGit } from '../../src/adapters/git.js';
import { machineLockDirectory, tryLock, type Lock } from '../../src/adapters/lock.js';
import { createTestRunner } from '../../src/adapters/test-runner.js';
import type { TestCommand, TestEnd } from '../../src/execute/ports.js';

let top: string;
beforeEach(() => void (top = realpathSync(mkdtempSync(join(tmpdir(), 'build-images-local-')))));
afterEach(() => rmSync(top, { recursive: true, force: true }));

describe('git', () => {
  const git = (...args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync('git', ['-C', top, '-c', 'user.name=A', '-c', 'user.email=a@example.org', ...args], { encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: top, GIT_CONFIG_NOSYSTEM: '1' } });
    if (status !== 0) throw new Error(stderr);
    return stdout.trim();
  };
  const commit = (path: string): string => {
    mkdirSync(join(top, path), { recursive: true });
    writeFileSync(join(top, path, 'file'), String(Math.random()));
    git('add', '.');
    git('commit', '-q', '-m', path);
    return git('rev-parse', 'HEAD');
  };

  it('knows the commit that last touched a folder, and where the tree came from, without a password', async () => {
    git('init', '-q');
    git('remote', 'add', 'origin', 'https://user:secret@git.example.org/images');
    const first = commit('a');
    const second = commit('b');
    const asked = createGit(top);
    expect(await asked.revisionOf(join(top, 'a'))).toEqual({ revision: first, source: 'https://git.example.org/images' });
    expect((await asked.revisionOf(join(top, 'b'))).revision).toBe(second);
  });
  it('knows whether a commit is HEAD or an ancestor of it', async () => {
    git('init', '-q');
    const first = commit('a');
    const second = commit('b');
    git('checkout', '-q', '-b', 'side', first);
    const side = commit('c');
    git('checkout', '-q', '-');
    const asked = createGit(top);
    const answers = await Promise.all([first, second, side, 'f'.repeat(40)].map((revision) => asked.isAncestor(revision)));
    expect(answers).toEqual([true, true, false, false]);
    expect(await asked.isAncestor('--all')).toBeUndefined();
  });
  it('knows nothing outside a work tree, nor before the first commit', async () => {
    const unknown = { revision: undefined, source: undefined };
    expect([await createGit(top).revisionOf(top), await createGit(top).isAncestor('a'.repeat(40))]).toEqual([unknown, undefined]);
    git('init', '-q');
    expect([await createGit(top).revisionOf(top), await createGit(top).isAncestor('a'.repeat(40))]).toEqual([unknown, undefined]);
  });
});

describe('a lock', () => {
  const take = (name = 'r.example.org/ns'): Lock => {
    const lock = tryLock(join(top, 'locks'), name);
    if ('heldBy' in lock) throw new Error(`held by ${lock.heldBy}`);
    return lock;
  };
  it('is held by one, who can leave word, until it is released', () => {
    const lock = take();
    lock.say('pid 1, since ever, planning at length');
    lock.say('pid 1, building');
    expect(tryLock(join(top, 'locks'), 'r.example.org/ns')).toEqual({ heldBy: 'pid 1, building' });
    lock.release();
    const next = take();
    expect(tryLock(join(top, 'locks'), 'r.example.org/ns')).toEqual({ heldBy: '' });
    next.release();
  });
  it('of another name is another lock', () => {
    const lock = take('a');
    take('b').release();
    lock.release();
  });
  it('of the whole machine lies where every user can take it in turn', () => {
    mkdirSync(join(top, 'run'));
    const shared = machineLockDirectory(join(top, 'own'), join(top, 'run'));
    expect([shared, statSync(shared).mode & 0o7777]).toEqual([join(top, 'run', 'build-images'), 0o1777]);
    const lock = tryLock(shared, 'r');
    expect('heldBy' in lock).toBe(false);
    expect(statSync(join(shared, 'r.lock')).mode & 0o777).toBe(0o666);
    expect(machineLockDirectory(join(top, 'own'), join(top, 'run'))).toBe(shared);
    expect(tryLock(shared, 'r')).toHaveProperty('heldBy');
    (lock as Lock).release();
  });
  it('of the whole machine is this user\'s own where there is no place for it', () => {
    expect(machineLockDirectory(join(top, 'own'), join(top, 'nowhere'))).toBe(join(top, 'own'));
  });
  it('in a folder that cannot be is one line that says so', () => {
    writeFileSync(join(top, 'file'), '');
    expect(() => tryLock(join(top, 'file', 'locks'), 'r')).toThrow(expect.objectContaining({ exit: 1, message: expect.stringContaining(`${top}/file`) }) as unknown as Error);
  });
  it('is never taken through a link that somebody put there', () => {
    mkdirSync(join(top, 'locks'));
    writeFileSync(join(top, 'precious'), 'precious');
    symlinkSync(join(top, 'precious'), join(top, 'locks', 'soft.lock'));
    linkSync(join(top, 'precious'), join(top, 'locks', 'hard.lock'));
    for (const name of ['soft', 'hard']) expect(() => tryLock(join(top, 'locks'), name)).toThrow(`${name}.lock`);
    expect(readFileSync(join(top, 'precious'), 'utf8')).toBe('precious');
  });
  it('goes with the process that holds it, however that ends', async () => {
    const path = join(top, 'locks', 'dying.lock');
    mkdirSync(join(top, 'locks'));
    const holder = spawn('flock', ['-x', path, 'sh', '-c', 'echo held; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    expect(tryLock(join(top, 'locks'), 'dying')).toHaveProperty('heldBy');
    const gone = new Promise((resolve) => holder.once('close', resolve));
    process.kill(-holder.pid!, 'SIGKILL');
    await gone;
    take('dying').release();
  });
});

describe('a test', () => {
  const lines: string[] = [];
  beforeEach(() => void (lines.length = 0));
  const run = (script: string, part: Partial<TestCommand> = {}, signal = new AbortController().signal): Promise<TestEnd> =>
    createTestRunner({ PATH: process.env['PATH']!, GIVEN: 'yes' }).run({ command: 'sh', args: ['-c', script], directory: top, environment: { OWN: 'too' }, timeoutSeconds: 60, onLine: (line) => lines.push(line), ...part }, signal);
  const isAlive = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      // A zombie waits for its parent, and runs no more.
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  };
  /** A script that leaves its child's process id in `child`, and what then waits for it. */
  const LEAVES_CHILD = 'sleep 60 & echo $! > child; ';
  const child = (): number => Number(readFileSync(join(top, 'child'), 'utf8'));
  const ends = async (pid: number): Promise<void> => {
    while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
  };

  it('runs in its folder, with what it is given and nothing else of ours, and says its lines', async () => {
    expect(await run('pwd; echo "$GIVEN $OWN ${HOME-none}"; echo bad >&2; exit 3')).toEqual({ end: 'exited', code: 3 });
    expect(lines.filter((line) => line !== 'bad')).toEqual([top, 'yes too none']);
    expect(lines).toContain('bad');
  });
  it('passes with exit 0', async () => expect(await run('true')).toEqual({ end: 'exited', code: 0 }));
  it('that is killed says by what', async () => expect(await run('kill -KILL $$')).toEqual({ end: 'killed', signal: 'SIGKILL' }));
  it('whose command is not there has not started', async () => {
    expect(await run('', { command: '/nowhere/sh' })).toEqual({ end: 'not-started', because: 'there is no /nowhere/sh' });
  });
  it('that takes too long is stopped with everything that it started', async () => {
    expect(await run(`${LEAVES_CHILD} wait`, { timeoutSeconds: 0.5 })).toEqual({ end: 'timed-out' });
    await ends(child());
  }, 30_000);
  it('leaves nothing running behind it, and is not waited for by what it left', async () => {
    expect(await run(`${LEAVES_CHILD} exit 0`)).toEqual({ end: 'exited', code: 0 });
    await ends(child());
  }, 30_000);
  it('is stopped with everything that it started when the run is', async () => {
    const ending = new AbortController();
    const running = run(`${LEAVES_CHILD} echo ready; wait`, { onLine: () => ending.abort(new Error('interrupted')) }, ending.signal);
    await expect(running).rejects.toThrow('interrupted');
    await ends(child());
  }, 30_000);
  it('does not start once the run is stopped', async () => {
    await expect((async () => run('touch started', {}, AbortSignal.abort(new Error('interrupted'))))()).rejects.toThrow('interrupted');
    expect(existsSync(join(top, 'started'))).toBe(false);
  });
});
