import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startAptRepository, type AptRepository } from '../support/apt-repository.js';
import { statusOf } from '../support/packages-in-memory.js';
import { startRegistry, type RegistryFixture } from '../support/registry-fixture.js';
import { openScenario, type Ended, type Scenario } from '../support/scenario.js';

jest.setTimeout(60_000);

/** What refresh writes, and what it refuses, of images that only say that they hold packages. */
describe('the entries of refresh', () => {
  let s: Scenario;
  let archive: AptRepository;
  /** Of an image that one of ours stands on. */
  let elsewhere: RegistryFixture;
  const NO_ENGINE = { DOCKER_HOST: 'unix:///nowhere/docker.sock' };
  const refresh = (...args: readonly string[]): Promise<Ended> => s.run(['refresh', ...args], { env: NO_ENGINE });
  const logOf = (name: string): string => readFileSync(join(s.directory, `images/${name}/changelog`), 'utf8');
  const versions = (): readonly string[] => ['web', 'api', 'other'].map((name) => /\((.*)\)/.exec(logOf(name))![1]!);

  function define(name: string, from: string | undefined, packages: readonly string[], rolling = false): void {
    s.define(name, {
      ...(rolling ? {} : { versions: ['1.0'] }),
      ...(from === undefined ? {} : { from }),
      lines: ['COPY status /var/lib/dpkg/status', 'COPY sources.list /etc/apt/sources.list', 'COPY test.gpg /etc/apt/keyrings/test.gpg'],
      files: { status: statusOf('dpkg 1', ...packages), 'sources.list': `deb [signed-by=/etc/apt/keyrings/test.gpg] ${archive.uri} trixie-security main\n` },
    });
    writeFileSync(join(s.directory, `images/${name}/test.gpg`), archive.key.keyring);
  }

  beforeAll(async () => {
    [s, archive] = await Promise.all([openScenario(), startAptRepository()]);
    await archive.addSuite('trixie-security', [{ name: 'ssl', version: '1' }, { name: 'tar', version: '5' }]);
    define('base', undefined, ['ssl 1'], true);
    define('web', 'base', ['ssl 1']);
    define('api', 'web', ['ssl 1']);
    define('other', undefined, ['tar 5']);
    elsewhere = await startRegistry();
    const outside = `${elsewhere.host}/somebody/tiny:1`;
    for (const args of [['pull', '--quiet', s.base], ['tag', s.base, outside], ['push', '--quiet', outside]]) await s.docker(...args);
    s.define('far', { versions: ['1.0'], lines: [`FROM ${outside}`, 'RUN true'] });
    s.write('.gitignore', '/state\n/cache\n/home\n/docker\n');
    await s.git('init', '--quiet');
    await s.git('config', 'user.name', 'Ann Other');
    await s.git('config', 'user.email', 'ann@example.org');
    await s.git('add', '.');
    await s.git('commit', '--quiet', '--message', 'Begin');
    await s.git('tag', 'begin');
    const built = await s.run(['build']);
    if (built.code !== 0) throw new Error(built.stdout + built.stderr);
    await archive.release('trixie-security', [{ name: 'ssl', version: '2' }, { name: 'tar', version: '6' }]);
  }, 120_000);
  afterAll(async () => {
    await s.close();
    await archive.close();
  });
  beforeEach(() => s.git('reset', '--quiet', '--hard', 'begin'));

  it.each<[string, readonly string[], readonly string[]]>([
    ['all that is due', [], ['1.0-s1', '1.0-s1', '1.0-s1']],
    ['what is selected, and what it stands on', ['--select', '*/web:*'], ['1.0-s1', '1.0', '1.0']],
    ['nothing that is left out, or follows through it', ['--exclude', 'web'], ['1.0', '1.0', '1.0-s1']],
    ['at most so many, the most useful first', ['--max-builds', '2'], ['1.0-s1', '1.0', '1.0']],
    ['nothing but to be looked at', ['--dry-run'], ['1.0', '1.0', '1.0']],
  ])('are of %s', async (_, args, expected) => {
    expect((await refresh(...args)).code).toBe(0);
    expect(versions()).toEqual(expected);
  });
  it('pass over a version that the registry has', async () => {
    const image = `${s.host}/test/other`;
    await s.docker('pull', '--quiet', `${image}:1.0`);
    await s.docker('tag', `${image}:1.0`, `${image}:1.0-s1`);
    await s.docker('push', '--quiet', `${image}:1.0-s1`);
    await refresh('--select', '*/other:*');
    expect(versions()).toEqual(['1.0', '1.0', '1.0-s2']);
  });
  it('are read by python-debian, whatever the words above them', async () => {
    await refresh('--reason', 'Ünï → cödé\n -- no trailer');
    const script = 'import sys\nfrom debian.changelog import Changelog\nc = Changelog(open(sys.argv[1]), strict=True)\nprint(c.version, c.author, len(c))\nprint("".join(l + "|" for l in c[0].changes() if l.strip()))';
    const read = execFileSync('/usr/bin/python3', ['-c', script, join(s.directory, 'images/web/changelog')], { encoding: 'utf8', env: { ...process.env, PYTHONUTF8: '1' } });
    expect(read.split('\n')).toEqual(['1.0-s1 Ann Other <ann@example.org> 2', '   Refresh for update in parent image base:|   Ünï → cödé|    -- no trailer|   ssl 1 → 2 (trixie-security)|   (build-images refresh)|', '']);
  });
  it('are one, however often they are written before they are published; a newer candidate takes the older one\'s place', async () => {
    await refresh('--commit');
    const once = [logOf('web'), await s.git('rev-parse', 'HEAD')];
    expect((await refresh('--commit')).stdout).toContain('3 changelogs not published yet say it already');
    expect([logOf('web'), await s.git('rev-parse', 'HEAD')]).toEqual(once);
    await archive.release('trixie-security', [{ name: 'ssl', version: '3' }]);
    expect((await refresh('--commit')).code).toBe(0);
    expect(logOf('web')).toBe(once[0]!.replace('ssl 1 → 2', 'ssl 1 → 3').replace(/-- .*/, /-- .*/.exec(logOf('web'))![0]));
  });
  it('are committed with what they are for, and nothing else', async () => {
    s.write('notes', 'mine\n');
    await s.git('add', 'notes');
    const { code, stdout } = await refresh('--commit', '--select', '*/api:*');
    expect([code, stdout.split('\n').at(-2)]).toEqual([0, expect.stringMatching(/^2 changelogs written and committed as [0-9a-f]{12}\. 1 rolling image to build\./)]);
    expect(await s.git('show', '--stat', '--format=%B', 'HEAD')).toMatch(/^Refresh base and 2 images that stand on it\n\nssl 1 → 3 \(trixie-security\)\n\ntest\/web 1\.0 → 1\.0-s1\ntest\/api 1\.0 → 1\.0-s1\n+ images\/api\/changelog[^]*images\/web\/changelog[^]* 2 files changed/);
  });
  it.each<[string, readonly string[], string]>([
    ['both kinds of updates', ['--security', '--all'], '--security is for security updates alone, and --all for all: ask for one of them'],
    ['an empty reason', ['--reason', ' '], '--reason needs some text'],
    ['what matches nothing', ['--exclude', 'wbe'], "--exclude 'wbe' matches no image (near: web)"],
  ])('%s is refused, and nothing written: exit 2', async (_, args, message) => {
    const { code, stderr } = await refresh(...args);
    expect([code, stderr.split('\n')[0]]).toEqual([2, message]);
    expect(versions()).toEqual(['1.0', '1.0', '1.0']);
  });
  it('--commit takes no other changes of a changelog along: exit 2', async () => {
    s.write('images/other/changelog', `${logOf('other')}\n# mine\n`);
    const { code, stderr } = await refresh('--commit');
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^--commit: images\/other\/changelog has changes that are not committed/)]);
    expect(versions()).toEqual(['1.0', '1.0', '1.0']);
  });
  it('are none for builds that no engine would make: exit 4', async () => {
    const { code, stderr } = await refresh('--build');
    expect([code, stderr]).toEqual([4, expect.stringContaining('Nothing was built or changed.')]);
    expect(versions()).toEqual(['1.0', '1.0', '1.0']);
  });
  it('stay when something keeps the first build from being begun: exit 4, and the same command goes on', async () => {
    s.configure('min_free: 900TB');
    const { code, stderr } = await s.run(['refresh', '--build']);
    expect([code, stderr]).toEqual([4, expect.stringContaining('. Nothing was built; 3 changelogs are written, and the same command goes on.')]);
    expect(versions()).toEqual(['1.0-s1', '1.0-s1', '1.0-s2']);
  });
  it('follow an outside image that moved; where its registry does not answer that is said, and all else goes on', async () => {
    const outside = `${elsewhere.host}/somebody/tiny:1`;
    s.write('moved/Dockerfile', `FROM ${s.base}\nRUN echo moved > /moved\n`);
    await s.docker('build', '--quiet', '--tag', outside, join(s.directory, 'moved'));
    await s.docker('push', '--quiet', outside);
    await refresh('--select', '*/far:*');
    expect(logOf('far').split('\n').slice(0, 3)).toEqual(['far (1.0-s1) wikimedia; urgency=high', '', `   Refresh for a newer ${outside}`]);
    await s.git('reset', '--quiet', '--hard');
    await elsewhere.stop();
    const { code, stderr } = await refresh();
    expect([code, stderr]).toEqual([0, expect.stringContaining(`whether ${outside} moved is not known: `)]);
    expect([...versions(), /\((.*)\)/.exec(logOf('far'))![1]]).toEqual(['1.0-s1', '1.0-s1', '1.0-s2', '1.0']);
  });
  it('are none where the registry does not answer: exit 5', async () => {
    await s.registry.stop();
    const { code, stderr } = await refresh('--build');
    expect([code, stderr]).toEqual([5, expect.stringContaining('Nothing was built or changed.')]);
    expect(versions()).toEqual(['1.0', '1.0', '1.0']);
  });
});
