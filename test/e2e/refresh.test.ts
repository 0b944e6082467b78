import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openRefreshScenario, type RefreshScenario } from '../support/refresh-scenario.js';

jest.setTimeout(120_000);

/** Old packages in, a security update out: on a real archive, with real apt in real builds. */
describe('refresh', () => {
  let s: RefreshScenario;
  const NO_ENGINE = { env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } };
  const IMAGES = ['runtime', 'web', 'app', 'tool', 'pinned', 'on-pinned'];
  const digests = async (): Promise<Readonly<Record<string, string | undefined>>> => Object.fromEntries(await Promise.all(IMAGES.map(async (name) => [name, await s.digest(name, 'latest')] as const)));
  const changed = (before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): readonly string[] => IMAGES.filter((name) => before[name] !== after[name]);
  const logOf = (name: string): string => readFileSync(join(s.directory, `images/${name}/changelog`), 'utf8');
  const why = ({ code, stdout, stderr }: { readonly code: number | null; readonly stdout: string; readonly stderr: string }): unknown => (code === 0 ? 0 : `${stdout}${stderr}`);

  beforeAll(async () => {
    s = await openRefreshScenario({ ssl: '1', php: '8' });
    await Promise.all([s.archive.addSuite('tools', [{ name: 'tar', version: '5' }]), s.archive.addSuite('tools-security', []), s.archive.addSuite('old', [{ name: 'php', version: '8' }])]);
    s.install('runtime', ['ssl']);
    s.define('web', { versions: ['1.0'], from: 'runtime', lines: ['RUN true'] });
    s.define('app', { from: 'web', lines: ['RUN true'] });
    s.install('tool', ['tar'], { versions: ['1.0'], suites: ['tools', 'tools-security'] });
    s.install('pinned', ['php'], { suites: ['old'], lines: ['RUN sed -i "s/ old / trixie /" /etc/apt/sources.list'] });
    s.define('on-pinned', { from: 'pinned', lines: ['RUN true'] });
    expect(why(await s.run(['build']))).toBe(0);
    s.published();
  }, 180_000);
  afterAll(() => s.close());

  it('does nothing where nothing is newer, and asks no engine', async () => {
    const { code, stdout } = await s.run(['refresh', '--build', '--all'], NO_ENGINE);
    expect([code, stdout.split('\n')[0]]).toEqual([0, 'Nothing to refresh.']);
  });

  describe('when a security update is released', () => {
    let before: Awaited<ReturnType<typeof digests>>;
    beforeAll(async () => {
      before = await digests();
      await s.archive.release('trixie-security', [{ name: 'ssl', version: '1+deb13u1' }]);
    });

    it('outdated names it, and whose rebuild brings it', async () => {
      const { stdout } = await s.run(['outdated', '--json']);
      const entries = JSON.parse(stdout) as readonly { readonly image: string; readonly upgrades: readonly { readonly package: string; readonly to: string; readonly owner: string }[] }[];
      expect(entries.flatMap(({ image, upgrades }) => upgrades.map((one) => `${image} ${one.package} ${one.to} ${one.owner}`))).toEqual(['runtime', 'web', 'app'].map((name) => `test/${name} ssl 1+deb13u1 test/runtime`));
    });
    it('--dry-run shows entries and builds, and changes nothing', async () => {
      const old = logOf('web');
      const { code, stdout } = await s.run(['refresh', '--build', '--dry-run', '--json']);
      const { steps } = JSON.parse(stdout) as { readonly steps: readonly { readonly action: string; readonly image: string }[] };
      expect([code, steps.filter(({ action }) => action !== 'keep').map(({ action, image }) => `${action} ${image}`)]).toEqual([0, ['write-file test/web', 'build test/runtime', 'build test/web', 'build test/app']]);
      expect([logOf('web'), await digests()]).toEqual([old, before]);
    });
    it('without --build it writes the entry, asks no engine, and lists what rolls', async () => {
      const { code, stdout } = await s.run(['refresh'], NO_ENGINE);
      expect(code).toBe(0);
      expect(stdout).toContain('1 changelog written, nothing committed. 2 rolling images to build.');
      expect(logOf('web').split('\n').slice(0, 5)).toEqual(['web (1.0-s1) wikimedia; urgency=high', '', '   Refresh for update in parent image runtime:', '   ssl 1 → 1+deb13u1 (trixie-security)', '   (build-images refresh)']);
      expect(await digests()).toEqual(before);
    });
    it('--build rebuilds exactly what has it, and :latest moves', async () => {
      expect(why(await s.run(['refresh', '--build']))).toBe(0);
      expect(s.published()).toEqual(['test/app', 'test/runtime', 'test/web']);
      expect(changed(before, await digests())).toEqual(['runtime', 'web', 'app']);
      expect(await s.tags('web')).toEqual(['1.0', '1.0-s1', 'latest']);
      expect(logOf('web').match(/\(1\.0-s\d\)/g)).toEqual(['(1.0-s1)']);
    });
    it('the new package is in the containers', async () => {
      expect(await Promise.all(['runtime', 'web', 'app'].map((name) => s.output(name, 'latest', 'ssl')))).toEqual(Array(3).fill('ssl 1+deb13u1'));
    });
    it('a second one does nothing, and asks no engine', async () => {
      const { code, stdout } = await s.run(['refresh', '--build'], NO_ENGINE);
      expect([code, stdout.split('\n')[0]]).toEqual([0, 'Nothing to refresh.']);
    });
  });

  describe('a rebuild that does not bring what it was made for', () => {
    let before: Awaited<ReturnType<typeof digests>>;
    beforeAll(async () => {
      before = await digests();
      await s.archive.release('trixie', [{ name: 'php', version: '9' }]);
    });

    it('is not published when it comes out the same, and nothing is built on it', async () => {
      const { code, stdout } = await s.run(['refresh', '--build', '--all']);
      expect(code).toBe(0);
      expect(stdout).toMatch(/pinned +unchanged +same packages and files as \d{8}/);
      expect(stdout).toMatch(/on-pinned +unchanged +what it stands on came out the same: not built/);
      expect([s.published(), changed(before, await digests())]).toEqual([[], []]);
    });
    it('is reported, and not made again', async () => {
      const { code, stdout } = await s.run(['refresh', '--build', '--all'], NO_ENGINE);
      expect([code, stdout]).toEqual([0, expect.stringContaining('pinned: a rebuild did not bring php 8 → 9 (trixie)')]);
    });
    it('is outdated still, and no rebuild is promised for it', async () => {
      const { code, stdout } = await s.run(['outdated', '--select', '*/pinned:*', '--check'], NO_ENGINE);
      expect([code, stdout.trimEnd().split('\n').slice(-2)]).toEqual([10, ['pinned: a rebuild did not bring php 8 → 9 (trixie)', 'No other rebuild in this tree mends any of it.']]);
    });
  });

  it('an archive that cannot be read makes its images unknown, and the others go on: exit 6', async () => {
    await s.archive.release('tools-security', [{ name: 'tar', version: '5+deb13u1' }]);
    s.archive.tamper('dists/trixie/InRelease', (text) => text.replace('Origin', 'origin'));
    const { code, stdout } = await s.run(['refresh', '--build']);
    expect([code, stdout]).toEqual([6, expect.stringMatching(/^runtime is unknown: /m)]);
    expect(s.published()).toEqual(['test/tool']);
    expect(await s.output('tool', 'latest', 'tar')).toBe('tar 5+deb13u1');
  });
});
