import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startAptRepository, type AptRepository } from '../support/apt-repository.js';
import { statusOf } from '../support/packages-in-memory.js';
import { changelog, openScenario, type Scenario } from '../support/scenario.js';

jest.setTimeout(120_000);

let s: Scenario;
let archive: AptRepository;

/** An image that says it holds these packages; nothing in it is installed, so nothing has to be. */
function define(name: string, from: string | undefined, packages: readonly string[], { sources = `deb [signed-by=/etc/apt/keyrings/test.gpg] ${archive.uri} trixie main\ndeb [signed-by=/etc/apt/keyrings/test.gpg] ${archive.uri} trixie-security main\n`, rolling = false }: { readonly sources?: string; readonly rolling?: boolean } = {}): void {
  s.define(name, {
    ...(rolling ? {} : { versions: ['1.0'] }),
    ...(from === undefined ? {} : { from }),
    lines: ['COPY status /var/lib/dpkg/status', 'COPY sources.list /etc/apt/sources.list', 'COPY test.gpg /etc/apt/keyrings/test.gpg'],
    files: { status: statusOf('dpkg 1', ...packages), 'sources.list': sources },
  });
  writeFileSync(join(s.directory, `images/${name}/test.gpg`), archive.key.keyring);
}

const PACKAGES = [{ name: 'ssl', version: '1' }, { name: 'tar', version: '5' }, { name: 'php', version: '8' }];

type Entry = { readonly image: string; readonly ref: string; readonly digest: string; readonly unknown: string | null; readonly upgrades: readonly Readonly<Record<string, unknown>>[] };

const outdated = async (...args: readonly string[]): Promise<{ readonly code: number | null; readonly entries: readonly Entry[] }> => {
  const { code, stdout, stderr } = await s.run(['outdated', '--json', ...args]);
  if (code !== 0 && code !== 6 && code !== 10) throw new Error(stderr);
  return { code, entries: JSON.parse(stdout) as readonly Entry[] };
};
/** `image package from to owner` of each upgrade. */
const told = (entries: readonly Entry[]): readonly string[] => entries.flatMap(({ image, upgrades }) => upgrades.map((one) => `${image} ${String(one['package'])} ${String(one['from'])} ${String(one['to'])} ${String(one['owner'])}${one['security'] === true ? ' security' : ''}`));

beforeAll(async () => {
  [s, archive] = await Promise.all([openScenario(), startAptRepository()]);
  await archive.addSuite('trixie', PACKAGES);
  await archive.addSuite('trixie-security', []);
  define('base', undefined, ['ssl 1', 'tar 5'], { rolling: true });
  define('web', 'base', ['ssl 1', 'tar 5', 'php 8']);
  define('held', 'base', ['ssl 1', 'tar 5\nStatus: hold ok installed']);
  define('other', undefined, ['ssl 2']);
  const built = await s.run(['build']);
  if (built.code !== 0) throw new Error(built.stdout + built.stderr);
}, 120_000);
afterAll(async () => {
  await s.close();
  await archive.close();
});

describe('outdated', () => {
  it('a tree whose archives have nothing newer is up to date', async () => {
    const { code, stdout } = await s.run(['outdated', '--check']);
    expect([code, stdout.trim()]).toEqual([0, 'Nothing is outdated: 4 images looked at.']);
  });

  describe('when something newer is released', () => {
    beforeAll(async () => {
      await archive.release('trixie', [{ name: 'tar', version: '6' }, { name: 'php', version: '9' }]);
      await archive.release('trixie-security', [{ name: 'ssl', version: '1+deb13u1', changelog: 'ssl (1+deb13u1) trixie-security; urgency=high\n\n  * DSA-6012-1: CVE-2026-1234\n\n -- A <a@example.org>  Thu, 01 Oct 2026 10:00:00 +0000\n' }]);
    });

    it('names each package, its owner, and whether it is a security update', async () => {
      const { code, entries } = await outdated();
      expect(code).toBe(0);
      expect(told(entries)).toEqual([
        'test/base ssl 1 1+deb13u1 test/base security',
        'test/base tar 5 6 test/base',
        'test/held ssl 1 1+deb13u1 test/base security',
        'test/held tar 5 6 test/base',
        'test/web ssl 1 1+deb13u1 test/base security',
        'test/web tar 5 6 test/base',
        'test/web php 8 9 test/web',
      ]);
    });
    it('gives scripts what they rely on', async () => {
      const web = (await outdated()).entries.find(({ image }) => image === 'test/web')!;
      const { waiting, ...upgrade } = web.upgrades[0]!;
      expect({ ...web, upgrades: [upgrade] }).toEqual({
        image: 'test/web',
        ref: `${s.host}/test/web:1.0`,
        digest: await s.digest('web', 'latest'),
        unknown: null,
        archived: [],
        withoutSources: false,
        upgrades: [{ package: 'ssl', arch: 'amd64', source: 'ssl', from: '1', to: '1+deb13u1', suite: 'trixie-security', security: true, owner: 'test/base', heldBack: null, advisory: { urgency: 'high', cves: ['CVE-2026-1234'], announcements: ['DSA-6012-1'], entries: 1, since: '2026-10-01T10:00:00.000Z' } }],
      });
      expect(typeof waiting).toBe('number');
    });
    it('is shown as a table that ends in what to do', async () => {
      const { stdout } = await s.run(['outdated']);
      expect(stdout.trimEnd().split('\n').map((line) => line.replace(/ {2,}/g, '  ').replace(/  \d+ days  /, '  N days  '))).toEqual([
        '  image  packages  brought by  oldest fix waiting  what',
        '  base  2  itself  N days  ssl 1 → 1+deb13u1 (trixie-security), tar 5 → 6 (trixie)',
        '  held  1  base  N days  ssl 1 → 1+deb13u1 (trixie-security)',
        '  web  3  base, itself  N days  ssl 1 → 1+deb13u1 (trixie-security), tar 5 → 6 (trixie), php 8 → 9 (trixie)',
        '',
        'what they mend:',
        '  ssl 1 → 1+deb13u1: high: DSA-6012-1, CVE-2026-1234',
        '',
        'held back, as apt leaves them:',
        '  tar 5 → 6: held by dpkg (held)',
        '',
        '2 rebuilds mend 3 images (base, web; 1 stands on them).  build-images refresh --all --build does it.',
      ]);
    });
    it('--security leaves the others out, --check exits 10, and what is not selected still owns', async () => {
      expect(await outdated('--security', '--check', '--select', '*/web:*').then(({ code, entries }) => [code, told(entries)])).toEqual([10, ['test/web ssl 1 1+deb13u1 test/base security']]);
    });
    it('--check exits 0 where all that is outdated is held back', async () => {
      expect((await s.run(['outdated', '--check', '--select', '*/other:*'])).code).toBe(0);
    });
    it('an image on an outside image that is as outdated waits for that, until its tag moves', async () => {
      const outside = `${s.registry.host}/test-base/debian:1`;
      const push = async (packages: readonly string[]): Promise<void> => {
        s.write('outside/status', statusOf('dpkg 1', ...packages));
        s.write('outside/Dockerfile', `FROM ${s.base}\nCOPY status /var/lib/dpkg/status\n`);
        await s.docker('build', '--quiet', '--tag', outside, join(s.directory, 'outside'));
        await s.docker('push', '--quiet', outside);
      };
      await push(['ssl 1']);
      s.define('on-debian', { versions: ['1.0'], lines: [`FROM ${outside}`, 'COPY sources.list /etc/apt/sources.list'], files: { 'sources.list': `deb [trusted=yes] ${archive.uri} trixie-security main\n` } });
      expect((await s.run(['build', '--select', '*/on-debian:*'])).code).toBe(0);
      const owners = async (): Promise<readonly string[]> => told((await outdated('--select', '*/on-debian:*')).entries);
      expect(await owners()).toEqual([`test/on-debian ssl 1 1+deb13u1 ${outside} security`]);
      expect((await s.run(['outdated', '--select', '*/on-debian:*'])).stdout).toContain(`${outside} is no image of this tree: what it brings to 1 image is reported, nothing is rebuilt for it.`);
      await push(['ssl 1+deb13u1']);
      expect(await owners()).toEqual(['test/on-debian ssl 1 1+deb13u1 test/on-debian security']);
    });
    it('an image of another tree waits for what it stands on, whichever tree that is of', async () => {
      s.write('their/config.yaml', `registry: ${s.host}\nnamespace: their\npublish: true\nallowed_sources: ["*"]\n`);
      s.write('trees.yaml', 'trees:\n  - { name: ours, directory: images, config: config.yaml }\n  - { name: theirs, directory: their/images, config: their/config.yaml }\n');
      s.write('their/images/api/Dockerfile.template', 'FROM {{ "base" | image_tag }}\nLABEL of=theirs\n');
      s.write('their/images/api/changelog', changelog('api', ['1.0']));
      const theirs = ['-c', 'trees.yaml', '--select', '*/their/api:*'];
      expect((await s.run(['build', ...theirs])).code).toBe(0);
      expect(told((await outdated(...theirs)).entries)).toEqual(['their/api ssl 1 1+deb13u1 test/base security', 'their/api tar 5 6 test/base']);
    });
    it('an archive that cannot be read makes its images unknown, and the exit code 6, whatever else is outdated', async () => {
      define('broken', undefined, ['ssl 1'], { sources: `deb [trusted=yes] ${archive.uri} nowhere main\n` });
      expect((await s.run(['build', '--select', '*/broken:*'])).code).toBe(0);
      const { code, entries } = await outdated('--check');
      expect(code).toBe(6);
      expect(entries.filter(({ unknown }) => unknown !== null).map(({ image }) => image)).toEqual(['test/broken']);
      const { stdout } = await s.run(['outdated', '--select', '*/broken:*']);
      expect(stdout).toMatch(/^ {2}broken +unknown +– +\S.*nowhere/m);
      expect(stdout.trimEnd().split('\n').at(-1)).toBe('1 unknown.');
    });
  });
});

describe('plan --if-…', () => {
  it('shows what a release would rebuild, and under which versions', async () => {
    const { code, stdout } = await s.run(['plan', '--if-package', 'php=9', '--check']);
    expect(stdout.trimEnd().split('\n')).toEqual([
      'supposing php 9: nothing is built or written',
      '',
      '  image  now  would be  why',
      '  web    1.0  1.0-s1    it has php 8 → 9',
      '',
      expect.stringMatching(/^1 image would be rebuilt; \d images would not\.$/),
    ]);
    expect(code).toBe(10);
  });
  it('shows what a rebuild of an image, or a move of an outside image, would take along', async () => {
    const built = async (...args: readonly string[]): Promise<readonly string[]> => (JSON.parse((await s.run(['plan', '--json', ...args])).stdout) as { steps: readonly { image: string; action: string }[] }).steps.filter(({ action }) => action === 'build').map(({ image }) => image);
    expect(await built('--if-base', 'base')).toEqual(['test/base', 'test/held', 'test/web']);
    expect(await built('--if-base', s.base)).toContain('test/other');
    expect(await built('--if-package', 'ssl=1.5', '--if-base', 'other')).toEqual(expect.arrayContaining(['test/base', 'test/other', 'test/web']));
  });
  it.each([
    [['--if-package', 'PHP 9'], '--if-package takes NAME or NAME=VERSION (libssl3=3.0.17-1), not "PHP 9"'],
    [['--if-base', 'bases'], '--if-base: nothing is built on "bases", and the tree has no such image (near: base'],
    [['--if-base', 'base', '--nightly'], '--nightly is for what is done, and --if-package and --if-base only think of something'],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await s.run(['plan', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
  it('asks no archive, so an image whose archives nobody can read is not unknown', async () => {
    define('keyless', undefined, ['only-here 1'], { sources: `deb [signed-by=/none.gpg] ${archive.uri} trixie main\n` });
    expect((await s.run(['build', '--select', '*/keyless:*'])).code).toBe(0);
    expect((await outdated('--select', '*/keyless:*')).code).toBe(6);
    const { code, stdout } = await s.run(['plan', '--if-package', 'only-here']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/keyless +1\.0 +1\.0-s1 +it has only-here 1\n\n1 image would/)]);
  });
  it('a package that nobody has is said to be that', async () => {
    expect((await s.run(['plan', '--if-package', 'sslx'])).stderr.trim()).toBe('no published image has a package sslx (near: ssl)');
  });
});
