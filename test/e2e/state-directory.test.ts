import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openScenario, type Scenario } from '../support/scenario.js';

let scenario: Scenario;
beforeAll(async () => {
  scenario = await openScenario();
  scenario.define('base', { versions: ['1.0-1'], lines: ['RUN echo base > /base'] });
  scenario.define('web', { versions: ['1.0-1'], from: 'base', test: 'echo tested' });
}, 60_000);
afterAll(() => scenario.close(), 60_000);

describe('a state directory that cannot be used', () => {
  it('is one line that names it and what to try, exit 1; nothing is built', async () => {
    scenario.write('file', '');
    const { code, stdout, stderr } = await scenario.run([], { env: { XDG_STATE_HOME: join(scenario.directory, 'file') } });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^the state directory \S+\/file\/build-images\S* cannot be used: it lies below something that is no directory\n {2}try: XDG_STATE_HOME=\/path +names another place\n$/);
    expect(await scenario.tags('base')).toEqual([]);
  }, 60_000);

  it('is not needed to plan', async () => {
    expect(await scenario.run(['plan'], { env: { XDG_STATE_HOME: join(scenario.directory, 'file') } })).toMatchObject({ code: 0, stderr: '' });
  }, 60_000);

  it('that is read-only says so', async () => {
    const { path, unmount } = mountSmall('read-only', 'ro');
    try {
      const { code, stderr } = await scenario.run([], { env: { XDG_STATE_HOME: path } });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^the state directory \S+ cannot be used: it cannot be made \(is the file system read-only\?\)\n {2}try: /);
      expect(stderr).not.toMatch(/\n {4}at /);
    } finally {
      unmount();
    }
  }, 60_000);

  it('that is full costs the journal, which is said once, and not the run', async () => {
    const { path, unmount } = mountSmall('full', 'size=64k');
    try {
      mkdirSync(join(path, 'build-images', 'locks'), { recursive: true });
      fill(join(path, 'filler'));
      const { code, stdout, stderr } = await scenario.run([], { env: { XDG_STATE_HOME: path } });
      expect(code).toBe(0);
      expect(stderr).toMatch(/^the journal of this run cannot be written \(no space left on device\): .*\n$/);
      expect(stdout).toMatch(/2 published in .*:latest moved for 2 images/);
    } finally {
      unmount();
    }
  }, 90_000);
});

describe('a journal', () => {
  beforeAll(async () => {
    scenario.define('base', { versions: ['1.0-2', '1.0-1'], lines: ['RUN echo 2 > /base'] });
    // The second run reads what the first one published, and remembers it in the cache.
    for (const version of ['1.0-2', '1.0-3']) {
      scenario.define('base', { versions: version === '1.0-2' ? ['1.0-2', '1.0-1'] : ['1.0-3', '1.0-2', '1.0-1'], lines: [`RUN echo ${version} > /base`] });
      expect((await scenario.run([])).code).toBe(0);
    }
  }, 60_000);

  it('holds one event a line, from the start of the run to its end, the intent to promote before the deed', () => {
    const events = lastRun(scenario.journal());
    expect(events.map(({ type }) => type)).toEqual(['run-started', 'step-started', 'built', 'untested', 'published', 'promotion-intended', 'promoted', 'run-finished']);
    for (const event of events) expect(event).toMatchObject({ at: expect.any(Number) });
    expect(events[0]).toMatchObject({ run: expect.stringMatching(/^\d{8}-\d{4}[a-z]*$/), publishing: { publish: true }, steps: [{ image: 'test/base', action: 'build' }, { image: 'test/web', action: 'keep' }] });
    expect(events.at(-2)).toMatchObject({ image: 'test/base', tag: '1.0-3', was: '1.0-2' });
    expect(events.at(-1)).toMatchObject({ exit: 0 });
  });

  it('and all that lies beside it is for its owner alone', () => {
    const modes = (folder: string): string[] => [folder, ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))].map((path) => `${statSync(path).isDirectory() ? 'directory' : 'file'} ${(statSync(path).mode & 0o777).toString(8)}`);
    const found = [...modes(join(scenario.directory, 'state', 'build-images')), ...modes(join(scenario.directory, 'cache', 'build-images'))];
    expect([...new Set(found)].sort()).toEqual(['directory 700', 'file 600']);
  });
});

function lastRun(events: ReturnType<Scenario['journal']>): ReturnType<Scenario['journal']> {
  return events.slice(events.map(({ type }) => type).lastIndexOf('run-started'));
}

/** A file system of its own; root is needed, as for the engine's tests. */
function mountSmall(name: string, options: string): { readonly path: string; unmount(): void } {
  const path = join(scenario.directory, name);
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
  return {
    path,
    unmount() {
      execFileSync('umount', [path]);
      rmSync(path, { recursive: true });
    },
  };
}

function fill(path: string): void {
  try {
    for (;;) writeFileSync(path, Buffer.alloc(4096), { flag: 'a' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
