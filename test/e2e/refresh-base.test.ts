import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startAptRepository, type AptRepository } from '../support/apt-repository.js';
import { openScenario, type Ended, type Scenario } from '../support/scenario.js';

jest.setTimeout(240_000);

/** A base image of real Debian packages, and of an archive in which a security update is released. */
describe('a refresh of a base image', () => {
  let s: Scenario;
  let archive: AptRepository;
  const IMAGES = ['system', 'web', 'app', 'apart'];
  const digests = (): Promise<readonly (string | undefined)[]> => Promise.all(IMAGES.map((name) => s.digest(name, 'latest')));
  const why = ({ code, stdout, stderr }: Ended): unknown => (code === 0 ? 0 : `${stdout}${stderr}`);

  beforeAll(async () => {
    [s, archive] = await Promise.all([openScenario(), startAptRepository()]);
    await archive.addSuite('trixie', [{ name: 'ssl', version: '1' }]);
    await archive.addSuite('trixie-security', []);
    s.define('web', { versions: ['1.0'], from: 'system', lines: ['RUN true'] });
    s.define('app', { from: 'web', lines: ['COPY app /app'], files: { app: 'app\n' } });
    s.define('apart', { lines: ['RUN true'] });
    s.write('images/system/control', 'Package: system\nRolling: yes\n');
    s.write('images/system/rootfs.yaml', `suite: trixie\nvariant: essential\ninclude: [debian-archive-keyring, ssl]\nrepositories:\n  test: { uri: "${archive.uri}", suites: [trixie, trixie-security], key: test.gpg }\n`);
    writeFileSync(join(s.directory, 'images/system/test.gpg'), Buffer.from(archive.keyring, 'base64'));
    expect(why(await s.run(['build', '--select', '*/system:*', '--select', '*/app:*', '--select', '*/apart:*'], { timeout: 220_000 }))).toBe(0);
    await archive.release('trixie-security', [{ name: 'ssl', version: '1+deb13u1' }]);
  }, 240_000);
  afterAll(async () => {
    await s.close();
    await archive.close();
  });

  it('is named by outdated, for all that stands on it', async () => {
    const entries = JSON.parse((await s.run(['outdated', '--security', '--json'])).stdout) as readonly { readonly image: string; readonly upgrades: readonly { readonly package: string; readonly owner: string }[] }[];
    expect(entries.flatMap(({ image, upgrades }) => upgrades.map((one) => [image, one.package, one.owner]))).toEqual(['system', 'web', 'app'].map((name) => [`test/${name}`, 'ssl', 'test/system']));
  });
  it('rebuilds it and what stands on it, and moves :latest of these alone', async () => {
    const before = await digests();
    expect(why(await s.run(['refresh', '--build'], { timeout: 220_000 }))).toBe(0);
    const after = await digests();
    expect(IMAGES.filter((_, at) => before[at] !== after[at])).toEqual(['system', 'web', 'app']);
    expect(await s.fileIn('app', 'latest', '/var/lib/dpkg/status')).toMatch(/^Package: ssl\n(?:.+\n)*Version: 1\+deb13u1$/m);
  });
  it('leaves nothing to do', async () => {
    const { code, stdout } = await s.run(['refresh', '--build'], { env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } });
    expect([code, stdout.split('\n')[0]]).toEqual([0, 'Nothing to refresh.']);
  });
});
