import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { DEBUERREOTYPE } from '../../../../src/adapters/root-file-system/debuerreotype.js';
import { rootFsOf } from '../../../support/rootfs.js';

const resolve = (text: string): string => DEBUERREOTYPE.resolve(rootFsOf(`tool: debuerreotype\n${text}`), '/resolved', '/keys.gpg').join('\n');
const install = (text: string, proxy?: string): string => DEBUERREOTYPE.install({ ...rootFsOf(`tool: debuerreotype\n${text}`), include: ["odd'$(name)"] }, { mergedUsr: false, sources: 'Types: deb\n', keyring: '/keys.gpg', proxy, folder: '/work' }).join('\n');

describe('debuerreotype', () => {
  it.each([
    ['resolving', DEBUERREOTYPE.resolve(rootFsOf('suite: trixie'), '/resolved', '/keys.gpg')],
    ['installing', DEBUERREOTYPE.install(rootFsOf('suite: trixie'), { mergedUsr: false, sources: 'Types: deb\n', keyring: '/keys.gpg', proxy: 'http://p', folder: '/work' })],
  ])('%s is a script that a shell can read', (_, [shell, , script]) => {
    expect(spawnSync(shell, ['-n', '-c', script!], { encoding: 'utf8' }).stderr).toBe('');
  });
  it("a suite without mirrors is Debian's, with updates and security", () => {
    expect(resolve('suite: trixie')).toContain('URIs: http://deb.debian.org/debian\nSuites: trixie trixie-updates\nComponents: main\nSigned-By: /keys.gpg\n\nTypes: deb\nURIs: http://security.debian.org/debian-security\nSuites: trixie-security\n');
  });
  it.each(['sid', 'unstable', 'experimental'])('%s has neither', (suite) => {
    expect(resolve(`suite: ${suite}`)).toContain(`Suites: ${suite}\n`);
    expect(resolve(`suite: ${suite}`)).not.toContain('security.debian.org');
  });
  it('mirrors serve the suite and the suites beside it', () => {
    const text = 'suite: trixie\ncomponents: [main, contrib]\nmirrors: ["http://a.example.org/debian", "http://b.example.org/debian"]\nsuites: [trixie-updates]';
    expect(resolve(text)).toContain('URIs: http://a.example.org/debian http://b.example.org/debian\nSuites: trixie trixie-updates\nComponents: main contrib\n');
    expect(resolve(text)).not.toContain('debian.org');
    expect(install(text)).toContain('"$1" trixie http://a.example.org/debian\n');
  });
  it('a name with a quote stays one word', () => {
    expect(install('suite: trixie')).toContain(`'odd'\\''$(name)'`);
  });
  it('a proxy is known inside until the packages are there', () => {
    const file = '"$1/etc/apt/apt.conf.d/temporary-proxy"';
    expect(install('suite: trixie')).not.toContain('Acquire::http::Proxy');
    const script = install('suite: trixie', 'http://proxy.example.org');
    const places = [`> ${file}`, 'apt-get --yes --quiet', `rm -f ${file}`, 'debuerreotype-tar'].map((text) => script.lastIndexOf(text));
    expect(places.every((place, index) => place > (places[index - 1] ?? 0))).toBe(true);
  });
  it('says which packages there are, sorted', () => {
    expect(DEBUERREOTYPE.installed(['Reading package lists...', 'build-images: installed: zlib1g 1:1.3 amd64', 'build-images: installed: adduser 3.1 all'], [])).toEqual([
      { name: 'adduser', version: '3.1', architecture: 'all' },
      { name: 'zlib1g', version: '1:1.3', architecture: 'amd64' },
    ]);
  });
});
