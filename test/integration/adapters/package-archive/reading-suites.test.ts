import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../../../../src/adapters/clock.js';
import type { SuiteWanted } from '../../../../src/packages/package-archive.js';
import { startAptRepository, type AptRepository, type SuiteOptions } from '../../../support/apt-repository.js';
import { makeSigningKey, type SigningKey } from '../../../support/signing-key.js';
import { helloIn, newFolder, openArchive, readOnce, suiteOf } from '../../../support/read-archive.js';

/** Archives as they are when nobody meddles with them, what is kept of them, and what is asked again. */
let repository: AptRepository;
let stranger: SigningKey;
/** What the stranger signed. */
let strangeInRelease: Buffer;
const folders: string[] = [];
const signal = AbortSignal.timeout(600_000);
let made = 0;

beforeAll(async () => {
  repository = await startAptRepository();
  stranger = await makeSigningKey(join(newCache(), 'gpg'));
  writeFileSync(join(folders[0]!, 'text'), 'Origin: Test\n');
  strangeInRelease = await stranger.gpg('--clearsign', '--output', '-', join(folders[0]!, 'text'));
}, 60_000);

afterEach(() => repository.server.heal());

afterAll(async () => {
  await stranger.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  await repository.close();
});

function newCache(): string {
  const folder = newFolder();
  folders.push(folder);
  return folder;
}

/** A suite of its own with one package, and what was asked until now forgotten. */
async function newSuite(how: SuiteOptions = {}, end = ''): Promise<string> {
  const suite = `suite${++made}${end}`;
  await repository.addSuite(suite, [{ name: 'hello', version: '1.0' }], how);
  repository.server.forget();
  return suite;
}

/** What was asked of a suite, and how it was answered. */
const asked = (): readonly string[] => repository.server.asked.map(({ path, status }) => `${status} ${path.replace(/^.*\//, '')}`);

describe('a suite', () => {
  it.each<[string, SuiteOptions, string]>([
    ['an ordinary one', {}, ''],
    ['by hash', { byHash: true, packing: ['xz'] }, ''],
    ['with gzip alone', { packing: ['gz'] }, ''],
    ['with bzip2 alone', { packing: ['bz2'] }, ''],
    ['not packed', { packing: ['plain'] }, ''],
    ['with a detached signature', { signed: 'detached' }, ''],
    ['with both signatures', { signed: 'both' }, ''],
    ['of another name inside', { suite: 'stable' }, ''],
    ['that says of itself nothing', { suite: '', codename: '' }, ''],
    ['with packages for all architectures apart', { allApart: true }, ''],
    ['a flat one', { packing: ['xz'] }, '/'],
  ])('is read in every form: %s', async (_, how, end) => {
    expect(helloIn(await readOnce(suiteOf(repository, await newSuite(how, end)), newCache()))).toEqual(['1.0']);
  });
  it('in a folder of an archive of old is read', async () => {
    const suite = `suite${++made}/updates`;
    await repository.addSuite(suite, [{ name: 'hello', version: '1.0' }], { suite: 'oldstable', codename: suite.replace('/updates', '') });
    expect(helloIn(await readOnce(suiteOf(repository, suite), newCache()))).toEqual(['1.0']);
  });
  it('says what its Release says, and where it is from', async () => {
    const suite = await newSuite({ origin: 'Debian', label: 'Debian-Security', suite: 'stable-security', version: '13.1', notAutomatic: true, butAutomaticUpgrades: true, date: 'Fri, 20 Nov 2026 08:00:00 UTC', fields: { 'Valid-Until': 'Fri, 20 Nov 2126 08:00:00 UTC' } });
    const read = await readOnce(suiteOf(repository, suite, { uri: repository.uri.replace('//', '//user:secret@') }), newCache());
    expect(read.known && read.indexes).toMatchObject([
      {
        release: { origin: 'Debian', label: 'Debian-Security', suite: 'stable-security', codename: suite, version: '13.1', notAutomatic: true, butAutomaticUpgrades: true, date: Date.UTC(2026, 10, 20, 8), validUntil: Date.UTC(2126, 10, 20, 8) },
        site: '127.0.0.1',
        uri: repository.uri,
        component: 'main',
      },
    ]);
    expect(repository.server.asked.map(({ login }) => login)).not.toContain(true);
  });
  it('has packages of the components and architectures that are wanted, and that it has', async () => {
    const suite = `suite${++made}`;
    await repository.addSuite(suite, [{ name: 'hello', version: '1.0' }, { name: 'hello', version: '2.0', component: 'contrib' }, { name: 'hello', version: '3.0', architecture: 'mips64el' }]);
    const read = (components: readonly string[], architectures?: readonly string[]): Promise<readonly string[]> => readOnce(suiteOf(repository, suite, { components, ...(architectures === undefined ? {} : { architectures }) }), newCache()).then(helloIn);
    expect(await read(['main'])).toEqual(['1.0']);
    expect(await read(['contrib', 'main', 'main'])).toEqual(['2.0', '1.0']);
    expect(await read(['main'], ['mips64el'])).toEqual(['1.0', '3.0']);
    expect(await read(['non-free'])).toEqual([]);
    expect(await read(['main'], ['sparc'])).toEqual([]);
  });
  it('may be empty', async () => {
    const suite = `suite${++made}`;
    await repository.addSuite(suite, []);
    const read = await readOnce(suiteOf(repository, suite), newCache());
    expect(read.known && read.indexes.map(({ component }) => component)).toEqual(['main']);
  });
  it.each<[string, (suite: string) => Partial<SuiteWanted>, SuiteOptions]>([
    ['by the key that Signed-By names', () => ({ fingerprints: ['B'.repeat(40), repository.key.fingerprint] }), {}],
    ['by that very key', () => ({ fingerprints: [`${repository.key.fingerprint}!`] }), {}],
    ['with a key in letters', () => ({ keyrings: [{ path: '/etc/apt/keyrings/a.asc', bytes: Buffer.from(repository.key.armored) }] }), {}],
    ['with one of several keys', () => ({ keyrings: [{ path: 'a.gpg', bytes: stranger.keyring }, { path: 'b.gpg', bytes: repository.key.keyring }, { path: 'c.gpg', bytes: Buffer.from('none') }] }), {}],
    ['by nobody, if the image says that it may', () => ({ keyrings: 'trusted' }), { signed: 'not' }],
    ['by anybody, if the image says that it may', () => ({ keyrings: 'trusted' }), { otherKey: true }],
    ['and may have expired, if the image says so', () => ({ checksValidUntil: false }), { validUntil: 'Thu, 01 Oct 2026 00:00:00 UTC' }],
  ])('is signed %s', async (_, wanted, how) => {
    const suite = await newSuite(how);
    expect(helloIn(await readOnce(suiteOf(repository, suite, wanted(suite)), newCache()))).toEqual(['1.0']);
  });
  it('that nobody signed is not taken for older than one that somebody made up', async () => {
    const suite = await newSuite();
    const cache = newCache();
    const wanted = suiteOf(repository, suite, { keyrings: 'trusted' });
    await repository.release(suite, [{ name: 'hello', version: '9' }], { otherKey: true });
    expect(helloIn(await readOnce(wanted, cache))).toEqual(['9']);
    await repository.release(suite, [{ name: 'hello', version: '1.1' }], { otherKey: false, date: new Date(Date.now() - 7_200_000).toUTCString() });
    expect(helloIn(await readOnce(wanted, cache))).toEqual(['1.1']);
    expect(helloIn(await readOnce(suiteOf(repository, suite), cache))).toEqual(['1.1']);
  });
  it('that nobody signed may not be older than one that was proved, which it does not make forget', async () => {
    const suite = await newSuite();
    const cache = newCache();
    const older = repository.keep(suite);
    await repository.release(suite, [{ name: 'hello', version: '1.1' }]);
    const trusted = suiteOf(repository, suite, { keyrings: 'trusted' });
    expect(helloIn(await readOnce(suiteOf(repository, suite), cache))).toEqual(['1.1']);
    await repository.release(suite, [{ name: 'hello', version: '1.2' }], { otherKey: true });
    expect(helloIn(await readOnce(trusted, cache))).toEqual(['1.2']);
    older();
    expect(helloIn(await readOnce(trusted, cache))[0]).toBe('replayed');
    expect(helloIn(await readOnce(suiteOf(repository, suite), cache))[0]).toBe('replayed');
  });
  it.each([
    ['file:/srv/debian', 'file:'],
    ['copy:/srv/debian', 'copy:'],
    ['cdrom:[Debian]/', 'cdrom:'],
    ['mirror://mirrors.example.org/list', 'mirror:'],
    ['tor+http://example.onion/debian', 'tor+http:'],
  ])('of %s is unknown: only the image can read it', async (uri, scheme) => {
    expect(helloIn(await readOnce(suiteOf(repository, 'trixie', { uri }), newCache()))).toEqual(['unreachable', `trixie is an archive that only the image itself can read (${scheme})`]);
  });
  it('that is archived is not asked', async () => {
    repository.server.forget();
    expect(await readOnce(suiteOf(repository, 'stretch'), newCache(), { isArchived: (suite) => suite === 'stretch' })).toEqual({ known: true, indexes: [], archived: true });
    expect(asked()).toEqual([]);
  });
  it('that is waited for ends with the run', async () => {
    const suite = await newSuite();
    repository.server.fail(/Packages/, 'stalls');
    const archive = openArchive(newCache());
    const run = new AbortController();
    const reading = archive.readSuite(suiteOf(repository, suite), run.signal);
    setTimeout(() => run.abort(new Error('asked to end')), 100);
    await expect(reading).rejects.toThrow('asked to end');
    archive.close();
  });
});

/** A PATH with nothing but one program. */
async function pathWith(program: string): Promise<string> {
  const path = newCache();
  symlinkSync((await promisify(execFile)('which', [program])).stdout.trim(), join(path, program));
  return path;
}

describe('a machine without xz', () => {
  it.each<[string, SuiteOptions, readonly unknown[]]>([
    ['takes another form of an index', { packing: ['xz', 'gz'] }, ['1.0']],
    ['says so where there is none', { packing: ['xz'] }, ['mismatch', expect.stringMatching(/^main\/binary-\S+\/Packages of .* cannot be unpacked: there is no xz on this machine$/)]],
  ])('%s', async (_, how, expected) => {
    expect(helloIn(await readOnce(suiteOf(repository, await newSuite(how)), newCache(), { path: await pathWith('gpgv') }))).toEqual(expected);
  });
});

describe('a machine that has sqv alone', () => {
  let path: string;
  beforeAll(async () => {
    path = await pathWith('sqv');
  });
  it.each<[string, (suite: string) => void, Partial<SuiteWanted>, readonly unknown[]]>([
    ['reads what is signed', () => undefined, {}, ['1.0']],
    ['takes the keys that Signed-By names', () => undefined, { fingerprints: ['A'.repeat(40)] }, ['wrong-signature', expect.stringMatching(/Signed-By does not name \([0-9A-F]{40}\)$/)]],
    ['takes nothing that was changed', (suite) => repository.tamper(`dists/${suite}/InRelease`, (text) => text.replace('Origin: Test', 'Origin: Tent')), {}, ['wrong-signature', expect.stringMatching(/^InRelease of .* (does not fit its signature|has no good signature.*)$/)]],
    ['takes nothing of a key that the image does not have', (suite) => void writeFileSync(repository.path(`dists/${suite}/InRelease`), strangeInRelease), {}, ['wrong-signature', expect.stringMatching(/^InRelease of .* is signed by none of the image's keys \([0-9A-F]{16}\)$/)]],
  ])('%s', async (_, tamper, wanted, expected) => {
    const suite = await newSuite();
    tamper(suite);
    expect(helloIn(await readOnce(suiteOf(repository, suite, wanted), newCache(), { path }))).toEqual(expected);
  });
});

describe('what is asked', () => {
  it('is each suite and index once, whoever wants it with whichever keys', async () => {
    const suite = await newSuite({ packing: ['xz'] });
    const archive = openArchive(newCache());
    const both = { keyrings: [{ path: 'a.gpg', bytes: repository.key.keyring }, { path: 'b.gpg', bytes: stranger.keyring }] };
    const read = await Promise.all([{}, both, { keyrings: [{ path: 'b.gpg', bytes: stranger.keyring }] }, {}, { components: ['main', 'contrib'] }].map((wanted) => archive.readSuite(suiteOf(repository, suite, wanted), signal)));
    archive.close();
    expect(read.map((one) => helloIn(one)[0])).toEqual(['1.0', '1.0', 'wrong-signature', '1.0', '1.0']);
    // What one image has no key for is looked at once more, past caches.
    expect([...asked()].sort()).toEqual(['200 InRelease', '200 InRelease', '200 Packages.xz']);
  });
  it('is nothing but whether something changed, the next time', async () => {
    const suite = await newSuite();
    const cache = newCache();
    await readOnce(suiteOf(repository, suite), cache);
    repository.server.forget();
    expect(helloIn(await readOnce(suiteOf(repository, suite), cache))).toEqual(['1.0']);
    expect(repository.server.asked.map(({ path, status, bytes }) => [path.replace(/^.*\//, ''), status, bytes])).toEqual([['InRelease', 304, 0]]);
  });
  it('is the same of a detached signature', async () => {
    const suite = await newSuite({ signed: 'detached' });
    const cache = newCache();
    await readOnce(suiteOf(repository, suite), cache);
    repository.server.forget();
    expect(helloIn(await readOnce(suiteOf(repository, suite), cache))).toEqual(['1.0']);
    expect(asked()).toEqual(['404 InRelease', '304 Release']);
  });
  it('is what has changed, after a release', async () => {
    const suite = `suite${++made}`;
    const cache = newCache();
    await repository.addSuite(suite, [{ name: 'hello', version: '1.0' }, { name: 'other', version: '1', component: 'contrib' }], { packing: ['xz'] });
    const wanted = suiteOf(repository, suite, { components: ['main', 'contrib'] });
    await readOnce(wanted, cache);
    await repository.release(suite, [{ name: 'hello', version: '1.1' }]);
    repository.server.forget();
    expect(helloIn(await readOnce(wanted, cache))).toEqual(['1.1']);
    expect(asked()).toEqual(['200 InRelease', '200 Packages.xz']);
  });
});

describe('what is kept', () => {
  const files = (folder: string): readonly string[] => readdirSync(join(folder, 'archives'), { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(folder, 'archives', name)).isFile());

  it('is for its owner alone', async () => {
    const cache = newCache();
    await readOnce(suiteOf(repository, await newSuite()), cache);
    const modes = files(cache).map((name) => [statSync(join(cache, 'archives', name)).mode & 0o777, statSync(join(cache, 'archives', name, '..')).mode & 0o777]);
    expect(modes).toEqual([
      [0o600, 0o700],
      [0o600, 0o700],
    ]);
  });
  it.each(['indexes', 'suites'])('is fetched again when it is damaged: %s', async (part) => {
    const suite = await newSuite({ packing: ['xz'] });
    const cache = newCache();
    await readOnce(suiteOf(repository, suite), cache);
    for (const change of [(bytes: Buffer) => bytes.subarray(0, bytes.length >> 1), () => Buffer.alloc(0), (bytes: Buffer) => bytes.fill(bytes[9]! ^ 1, 9, 10)]) {
      for (const name of files(cache).filter((one) => one.startsWith(part))) writeFileSync(join(cache, 'archives', name), change(readFileSync(join(cache, 'archives', name))));
      repository.server.forget();
      expect(helloIn(await readOnce(suiteOf(repository, suite), cache))).toEqual(['1.0']);
      expect(asked()).toEqual(part === 'indexes' ? ['304 InRelease', '200 Packages.xz'] : ['200 InRelease']);
    }
  });
  it('is no file beside the cache, whatever came of a signature', async () => {
    const scratch = newCache();
    const suite = await newSuite();
    await readOnce(suiteOf(repository, suite), newCache(), { scratch });
    await readOnce(suiteOf(repository, suite, { keyrings: [{ path: 'a.gpg', bytes: stranger.keyring }] }), newCache(), { scratch });
    expect(readdirSync(scratch)).toEqual([]);
  });
  it('cannot be checked where no temporary file can be', async () => {
    expect(helloIn(await readOnce(suiteOf(repository, await newSuite()), newCache(), { scratch: '/dev/null' }))).toEqual(['wrong-signature', expect.stringMatching(/cannot be checked: ENOTDIR$/)]);
  });
  it('is not needed', async () => {
    expect(helloIn(await readOnce(suiteOf(repository, await newSuite()), '/dev/null/nowhere'))).toEqual(['1.0']);
  });
  it('goes when no suite uses it any more', async () => {
    const suite = await newSuite();
    const cache = newCache();
    const later = { ...systemClock, now: () => Date.now() + 2 * 3_600_000 };
    await readOnce(suiteOf(repository, suite), cache);
    const before = files(cache).filter((name) => name.startsWith('indexes'));
    await repository.release(suite, [{ name: 'hello', version: '1.1' }]);
    expect(helloIn(await readOnce(suiteOf(repository, suite), cache, { clock: later }))).toEqual(['1.1']);
    const after = files(cache).filter((name) => name.startsWith('indexes'));
    expect([before.length, after.length, after.filter((name) => before.includes(name))]).toEqual([1, 1, []]);
  });
  it('stays for an hour though no suite uses it: another run may have just written it', async () => {
    const suite = await newSuite();
    const cache = newCache();
    await readOnce(suiteOf(repository, suite), cache);
    await repository.release(suite, [{ name: 'hello', version: '1.1' }]);
    await readOnce(suiteOf(repository, suite), cache);
    expect(files(cache).filter((name) => name.startsWith('indexes'))).toHaveLength(2);
  });
  it('may be written by two runs at once', async () => {
    const suite = await newSuite();
    const cache = newCache();
    const runs = await Promise.all([1, 2, 3].map(() => readOnce(suiteOf(repository, suite), cache)));
    expect(runs.map(helloIn)).toEqual([['1.0'], ['1.0'], ['1.0']]);
    repository.server.forget();
    await readOnce(suiteOf(repository, suite), cache);
    expect(asked()).toEqual(['304 InRelease']);
  });
  it('is for a day that a signature was good: keys expire', async () => {
    const suite = await newSuite();
    const cache = newCache();
    const without = (hours: number): Promise<readonly string[]> => readOnce(suiteOf(repository, suite), cache, { path: '/nowhere', clock: { ...systemClock, now: () => Date.now() + hours * 3_600_000 } }).then(helloIn);
    await readOnce(suiteOf(repository, suite), cache);
    expect(await without(23)).toEqual(['1.0']);
    expect(await without(25)).toEqual(['wrong-signature', expect.stringMatching(/cannot be checked: there is neither gpgv nor sqv on this machine$/)]);
    expect(await without(-25)).toEqual(['wrong-signature', expect.stringMatching(/neither gpgv nor sqv/)]);
  });
});
