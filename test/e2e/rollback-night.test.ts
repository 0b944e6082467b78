import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openRefreshScenario, type RefreshScenario } from '../support/refresh-scenario.js';

jest.setTimeout(180_000);

/** A security update that turns out to be bad, on a real archive: undone, left alone at night, and overtaken by the next one. */
describe('a refresh that is rolled back', () => {
  let s: RefreshScenario;
  const IMAGES = ['runtime', 'web', 'app'];
  const digests = (): Promise<readonly (string | undefined)[]> => Promise.all(IMAGES.map((name) => s.digest(name, 'latest')));
  const commit = async (message: string): Promise<void> => {
    await s.git('add', '-A');
    await s.git('commit', '--quiet', '-m', message);
  };
  const ended = ({ code, stdout, stderr }: { readonly code: number | null; readonly stdout: string; readonly stderr: string }): unknown => (code === 0 ? 0 : `${stdout}${stderr}`);
  let before: readonly (string | undefined)[];

  beforeAll(async () => {
    s = await openRefreshScenario({ ssl: '1' });
    s.install('runtime', ['ssl']);
    s.define('web', { versions: ['1.0'], from: 'runtime', lines: ['RUN true'] });
    s.define('app', { from: 'web', lines: ['RUN true'] });
    s.define('other', { versions: ['1.0'], lines: ['RUN true'] });
    s.write('.gitignore', '/state\n/cache\n/docker\n/home\n');
    await s.git('init', '--quiet');
    for (const [key, value] of [['user.name', 'Tester'], ['user.email', 'tester@example.org']] as const) await s.git('config', key, value);
    await commit('first');
    expect(ended(await s.run(['build']))).toBe(0);
    before = await digests();
    await s.archive.release('trixie-security', [{ name: 'ssl', version: '1+deb13u1' }]);
    const refreshed = await s.run(['refresh', '--build', '--commit']);
    expect(ended(refreshed)).toBe(0);
    s.published();
    const run = /To undo: build-images rollback (\S+)/.exec(refreshed.stdout)![1]!;
    expect(ended(await s.run(['rollback', run]))).toBe(0);
  });
  afterAll(() => s.close());

  it('is as it was, and nothing of it moves back at night', async () => {
    expect(await digests()).toEqual(before);
    const night = await s.run(['nightly']);
    expect([night.code, s.published(), await digests()]).toEqual([0, [], before]);
    expect(night.stdout).toMatch(/runtime is left: withdrawn-\d{8}-2 says that it was withdrawn: it waits for a change of its definition, of a parent or of its packages/);
    expect(night.stdout).toMatch(/web is left: withdrawn-1\.0-s1 says that it was withdrawn: it waits for a newer changelog version/);
    expect((await s.run(['plan', '--check'])).code).toBe(0);
    // What was no refresh, and needs none, is said, too.
    s.define('other', { versions: ['1.1', '1.0'], lines: ['RUN echo two > /two'] });
    await commit('other');
    expect((await s.run(['nightly', '--quiet'])).code).toBe(0);
    expect((await s.run(['rollback', 'other'])).code).toBe(0);
    expect((await s.run(['nightly', '--quiet'])).stdout).toMatch(/other is left: withdrawn-1\.1 says that it was withdrawn/);
    expect(s.published()).toEqual(['test/other']);
  });

  it('moves with the next update, as all that stands on it', async () => {
    await s.archive.release('trixie-security', [{ name: 'ssl', version: '1+deb13u2' }]);
    expect(ended(await s.run(['nightly']))).toBe(0);
    expect(s.published()).toEqual(['test/app', 'test/runtime', 'test/web']);
    expect(await Promise.all(IMAGES.map((name) => s.output(name, 'latest', 'ssl')))).toEqual(Array(3).fill('ssl 1+deb13u2'));
    expect(await s.digest('web', 'latest')).toBe(await s.digest('web', '1.0-s2'));
  });
});
