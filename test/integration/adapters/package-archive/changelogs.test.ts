import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { rmSync } from 'node:fs';
import { findAdvisories } from '../../../../src/packages/find-advisories.js';
import type { OfferedPackage } from '../../../../src/packages/package-changelogs.js';
import { startAptRepository, type AptRepository, type SuitePackage } from '../../../support/apt-repository.js';
import { newFolder, openArchive, suiteOf } from '../../../support/read-archive.js';

jest.setTimeout(60_000);

let repository: AptRepository;
const folders: string[] = [];
const signal = AbortSignal.timeout(600_000);
const CHANGELOG = 'hello (1.1) trixie-security; urgency=high\n\n  * CVE-2026-1234\n\n -- A <a@example.org>  Fri, 20 Nov 2026 10:00:00 +0000\n\nhello (1.0) trixie; urgency=low\n';

beforeAll(async () => {
  repository = await startAptRepository();
  const package_ = (name: string, more: Partial<SuitePackage> = {}): SuitePackage => ({ name, version: '1.1', changelog: CHANGELOG, ...more });
  await repository.addSuite('changes', [
    ...(['xz', 'gzip', 'zstd', 'none'] as const).map((packing) => package_(`with-${packing}`, { packing })),
    { name: 'native', version: '1.1', upstreamChangelog: CHANGELOG },
    package_('foreign', { upstreamChangelog: 'Version 1.1: better' }),
    { name: 'without', version: '1.1' },
    package_('hello', { fields: { Source: 'hello' } }),
    package_('long', { changelog: `${CHANGELOG}${'  * more\n'.repeat(100_000)}` }),
  ]);
}, 60_000);

afterAll(async () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  await repository.close();
});

/** A run of its own that knows how packages are offered. */
async function inRun<T>(cache: string, act: (archive: ReturnType<typeof openArchive>, offered: (name: string) => OfferedPackage) => Promise<T>): Promise<T> {
  const archive = openArchive(cache);
  const read = await archive.readSuite(suiteOf(repository, 'changes'), signal);
  const [index] = read.known ? read.indexes : [];
  try {
    return await act(archive, (name) => {
      const [{ filename, size, sha256 } = { filename: '', size: 0, sha256: '' }] = index!.versionsOf(name);
      return { uri: index!.uri, filename, size, sha256 };
    });
  } finally {
    archive.close();
  }
}

function newCache(): string {
  const folder = newFolder();
  folders.push(folder);
  return folder;
}

const fetched = (): readonly string[] => repository.server.asked.flatMap(({ path }) => (path.endsWith('.deb') ? [path.replace(/^.*\/([^_]+)_.*$/, '$1')] : []));

describe('the changelog of a package', () => {
  it.each(['with-xz', 'with-gzip', 'with-zstd', 'with-none', 'native', 'foreign'])('is read however it is packed, and made: %s', async (name) => {
    expect(await inRun(newCache(), (archive, offered) => archive.changelogOf([offered(name)], signal))).toBe(CHANGELOG);
  });
  it('is read as far as it matters', async () => {
    const text = await inRun(newCache(), (archive, offered) => archive.changelogOf([offered('long')], signal));
    expect([text?.startsWith(CHANGELOG), text?.length]).toEqual([true, 128 * 1024]);
  });
  it('is that of the smallest which has one', async () => {
    repository.server.forget();
    expect(await inRun(newCache(), (archive, offered) => archive.changelogOf([offered('long'), offered('with-xz'), offered('without')], signal))).toBe(CHANGELOG);
    expect(fetched()).toEqual(['without', 'with-xz']);
  });
  it('is fetched once for ever, and so is that there is none', async () => {
    const cache = newCache();
    const read = (): Promise<readonly (string | undefined)[]> => inRun(cache, (archive, offered) => Promise.all(['with-xz', 'with-xz', 'without'].map((name) => archive.changelogOf([offered(name)], signal))));
    repository.server.forget();
    expect(await read()).toEqual([CHANGELOG, CHANGELOG, undefined]);
    expect([...fetched()].sort()).toEqual(['with-xz', 'without']);
    repository.server.forget();
    expect(await read()).toEqual([CHANGELOG, CHANGELOG, undefined]);
    expect(fetched()).toEqual([]);
  });
  it.each<[string, Partial<OfferedPackage>]>([
    ['another content', { sha256: '0'.repeat(64) }],
    ['another size', { size: 10 }],
    ['a file that is not there', { filename: 'pool/none.deb' }],
    ['a file that is no package', { filename: 'dists/changes/InRelease' }],
    ['an archive that does not answer', { uri: 'http://127.0.0.1:1/debian' }],
  ])('is not had of %s, which is no fault', async (_, other) => {
    expect(await inRun(newCache(), (archive, offered) => archive.changelogOf([{ ...offered('with-xz'), ...other }], signal))).toBeUndefined();
  });
  it('is not fetched where that is more than it is worth', async () => {
    repository.server.forget();
    expect(await inRun(newCache(), (archive, offered) => archive.changelogOf([{ ...offered('with-xz'), size: 17 * 1024 * 1024 }], signal))).toBeUndefined();
    expect(fetched()).toEqual([]);
  });
  it('says what an upgrade is about', async () => {
    const upgrade = { package: 'hello', arch: 'all', source: 'hello', from: '1.0', to: '1.1', suite: 'changes', security: true, heldBack: undefined };
    const archive = openArchive(newCache());
    const read = await archive.readSuite(suiteOf(repository, 'changes'), signal);
    const installed = [{ name: 'hello', architecture: 'all', version: '1.0', source: 'hello', sourceVersion: '1.0', multiArch: undefined, relations: { preDepends: '', depends: '', conflicts: '', breaks: '', provides: '' }, held: false }];
    const found = await findAdvisories({ installed }, [upgrade], read.known ? read.indexes : [], archive, signal);
    archive.close();
    expect([...found.values()]).toEqual([{ source: 'hello', urgency: 'high', cves: ['CVE-2026-1234'], announcements: [], entries: 1, since: Date.UTC(2026, 10, 20, 10) }]);
  });
});
