import { describe, expect, it } from '@jest/globals';
import { advisoryKey, findAdvisories } from '../../../src/packages/find-advisories.js';
import type { InstalledPackage } from '../../../src/packages/package-record.js';
import type { Upgrade } from '../../../src/packages/upgrade.js';
import { indexOfPackages } from '../../support/index-of-packages.js';

const never = AbortSignal.timeout(60_000);
const index = indexOfPackages(
  [
    ['libssl3', '3.0.2+b1', 'openssl (3.0.2)', 900],
    ['openssl', '3.0.2', 'openssl', 100],
    ['openssl', '3.0.1', 'openssl', 1],
    ['bash', '5', 'bash', 5],
    ['docs', '2', 'docs', 6, 'all'],
  ]
    .map(([name, version, source, size, architecture = 'amd64']) => `Package: ${name}\nVersion: ${version}\nSource: ${source}\nArchitecture: ${architecture}\nFilename: pool/${name}_${version}.deb\nSize: ${size}\nSHA256: ${name}${version}\n`)
    .join('\n'),
  { release: {} as never, site: '', uri: 'http://deb.example.org/debian', component: 'main', architecture: 'amd64' },
);
const installed = (name: string, version: string, source: string, sourceVersion: string): InstalledPackage => ({ name, architecture: 'amd64', version, source, sourceVersion, multiArch: undefined, relations: {} as never, held: false });
const upgrade = (name: string, source: string, from: string, to: string): Upgrade => ({ package: name, arch: 'amd64', source, from, to, suite: 'trixie-security', security: true, heldBack: undefined });
const SSL = upgrade('libssl3', 'openssl', '3.0.1+b9', '3.0.2+b1');
const OPENSSL = upgrade('openssl', 'openssl', '3.0.1', '3.0.2');
const IMAGE = { installed: [installed('libssl3', '3.0.1+b9', 'openssl', '3.0.1'), installed('openssl', '3.0.1', 'openssl', '3.0.1'), installed('bash', '4', 'bash', '4')] };

describe('what changelogs say of upgrades', () => {
  it('is asked for once for each source, with all its packages that are offered, above the source that is installed', async () => {
    const asked: unknown[] = [];
    const found = await findAdvisories(IMAGE, [SSL, OPENSSL, upgrade('bash', 'bash', '4', '5')], [index], {
      async changelogOf(offered) {
        asked.push(offered.map(({ uri, filename, size, sha256 }) => `${uri}/${filename} ${size} ${sha256}`));
        return offered.length === 1 ? undefined : 'openssl (3.0.2) x; urgency=high\n  * CVE-2026-0001\nopenssl (3.0.1) x; urgency=low\n';
      },
    }, never);
    expect(asked).toEqual([['http://deb.example.org/debian/pool/libssl3_3.0.2+b1.deb 900 libssl33.0.2+b1', 'http://deb.example.org/debian/pool/openssl_3.0.2.deb 100 openssl3.0.2'], ['http://deb.example.org/debian/pool/bash_5.deb 5 bash5']]);
    expect([...found].map(([key, { cves, entries }]) => [key, cves, entries])).toEqual([
      [advisoryKey(SSL), ['CVE-2026-0001'], 1],
      [advisoryKey(OPENSSL), ['CVE-2026-0001'], 1],
    ]);
  });
  it('is that of a package which is for all architectures by now', async () => {
    const docs = upgrade('docs', 'docs', '1', '2');
    const found = await findAdvisories({ installed: [installed('docs', '1', 'docs', '1')] }, [docs], [index], { changelogOf: () => Promise.resolve('docs (2) x; urgency=low\n') }, never);
    expect([...found.keys()]).toEqual([advisoryKey(docs)]);
  });
  it('is nothing where no index offers the version, or the package is not installed', async () => {
    const none = { changelogOf: () => Promise.reject(new Error('asked')) };
    expect(await findAdvisories(IMAGE, [upgrade('openssl', 'openssl', '3.0.1', '9'), upgrade('openssl', 'openssl', '2', '3.0.2')], [index], none, never)).toEqual(new Map());
  });
});
