import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { PackageArchiveOptions } from '../../../../src/adapters/package-archive/package-archive.js';
import type { SuiteWanted } from '../../../../src/packages/package-archive.js';
import { startAptClient } from '../../../support/apt-client.js';
import { startAptRepository, type AptRepository, type SuiteOptions } from '../../../support/apt-repository.js';
import { helloIn, newFolder, openArchive, readOnce, suiteOf } from '../../../support/read-archive.js';

/** Every way in which somebody may meddle with an archive, or in which it may break, tried on a real one, and on apt as well. */
let repository: AptRepository;
const folders: string[] = [];
let made = 0;
const counts = { refused: 0, aptToo: 0 };

beforeAll(async () => {
  repository = await startAptRepository();
}, 60_000);

afterEach(() => repository.server.heal());

afterAll(async () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  await repository.close();
});

const main = (suite: string, file: string): string => `dists/${suite}/main/binary-${process.arch === 'x64' ? 'amd64' : process.arch}/${file}`;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Puts another content in an index's place and signs that this is it. */
async function replaceIndex(suite: string, bytes: Buffer): Promise<void> {
  const path = repository.path(main(suite, 'Packages.gz'));
  const before = readFileSync(path);
  writeFileSync(path, bytes);
  await repository.rewrite(suite, (release) => release.replace(new RegExp(`^ ${sha256(before)} +\\d+ `, 'm'), ` ${sha256(bytes)} ${bytes.length} `));
}

type Tampering = {
  readonly how?: SuiteOptions;
  /** After a first run has read the suite. */
  readonly tamper: (suite: string) => Promise<void> | void;
  readonly wanted?: Partial<SuiteWanted>;
  readonly options?: Partial<PackageArchiveOptions>;
  readonly why: string;
  readonly says: RegExp;
  /** apt has no rule like it. */
  readonly aptTakesIt?: true;
};

const CASES: Readonly<Record<string, Tampering>> = {
  'a changed index': { tamper: (suite) => repository.tamper(main(suite, 'Packages.gz'), () => gzipSync('Package: hello\nVersion: 9\nArchitecture: all\n')), why: 'mismatch', says: /^main\/binary-amd64\/Packages\.gz of \S+ at 127\.0\.0\.1:\d+ is not what its Release says it is$/ },
  'an index of which one byte was changed': { how: { packing: ['plain'] }, tamper: (suite) => repository.tamper(main(suite, 'Packages'), (text) => text.replace('Version: 1.1', 'Version: 0.1')), why: 'mismatch', says: /Packages of .* is not what its Release says it is$/ },
  'an index that is cut off': { tamper: (suite) => repository.tamper(main(suite, 'Packages.gz'), (text) => text.slice(0, 50)), why: 'mismatch', says: /is not what its Release says it is$/ },
  'an index that is longer than it should be': { tamper: (suite) => repository.tamper(main(suite, 'Packages.gz'), (text) => `${text}more`), why: 'mismatch', says: /is not what its Release says it is$/ },
  'an index that is listed and not there': { tamper: (suite) => rmSync(repository.path(main(suite, 'Packages.gz'))), why: 'mismatch', says: /Packages of .* is not there, though its Release lists it$/ },
  'an index that is signed and is no gzip': { tamper: (suite) => replaceIndex(suite, Buffer.from('no gzip at all')), why: 'mismatch', says: /Packages\.gz of .* cannot be unpacked$/ },
  'an index that is signed and is half a gzip': { tamper: (suite) => replaceIndex(suite, gzipSync('Package: hello\n'.repeat(1000)).subarray(0, 40)), why: 'mismatch', says: /cannot be unpacked$/ },
  'an index that is signed and unpacks to far more than is said': { tamper: (suite) => replaceIndex(suite, gzipSync(Buffer.alloc(64 * 1024 * 1024))), why: 'mismatch', says: /Packages\.gz of .* holds more than \d+ bytes$/ },
  'an index that is signed and unpacks to something else': { tamper: (suite) => replaceIndex(suite, gzipSync('Package: hello\n')), why: 'mismatch', says: /holds something else than its Release says$/ },
  'an index that is signed and unpacks to something else of that size': { tamper: (suite) => replaceIndex(suite, gzipSync(gunzipSync(readFileSync(repository.path(main(suite, 'Packages.gz')))).toString().replace('Version: 1.1', 'Version: 1.9'))), why: 'mismatch', says: /holds something else than its Release says$/ },
  'a changed InRelease': { tamper: (suite) => repository.tamper(`dists/${suite}/InRelease`, (text) => text.replace('Origin: Test', 'Origin: Tent')), why: 'wrong-signature', says: /^InRelease of \S+ at 127\.0\.0\.1:\d+ does not fit its signature$/ },
  'another key': { how: { otherKey: true }, tamper: () => undefined, why: 'wrong-signature', says: /^InRelease of .* is signed by none of the image's keys \([0-9A-F]{16}\)$/ },
  'an image without a key for it': { tamper: () => undefined, wanted: { keyrings: [] }, why: 'wrong-signature', says: /cannot be checked: the image has no key for it$/, aptTakesIt: true },
  'an image whose key is no key': { tamper: () => undefined, wanted: { keyrings: [{ path: '/etc/apt/trusted.gpg.d/a.gpg', bytes: Buffer.from('none') }] }, why: 'wrong-signature', says: /the image has no key for it$/, aptTakesIt: true },
  'a key that Signed-By does not name': { tamper: () => undefined, wanted: { fingerprints: ['A'.repeat(40)] }, why: 'wrong-signature', says: /is signed by a key that its Signed-By does not name \([0-9A-F]{40}\)$/, aptTakesIt: true },
  'text before the signed one': { tamper: (suite) => repository.tamper(`dists/${suite}/InRelease`, (text) => `Suite: other\n${text}`), why: 'wrong-signature', says: /^InRelease of .* is no signed text$/ },
  'text behind the signature': { tamper: (suite) => repository.tamper(`dists/${suite}/InRelease`, (text) => `${text}Suite: other\n`), why: 'wrong-signature', says: /is no signed text$/ },
  'a signature without a text': { tamper: (suite) => repository.tamper(`dists/${suite}/InRelease`, (text) => text.slice(text.indexOf('-----BEGIN PGP SIGNATURE'))), why: 'wrong-signature', says: /is no signed text$/ },
  'a page of a network that wants a login first': { tamper: (suite) => repository.tamper(`dists/${suite}/InRelease`, () => '<html>'), why: 'wrong-signature', says: /is no signed text$/ },
  'a Release that nobody signed': { how: { signed: 'not' }, tamper: () => undefined, why: 'wrong-signature', says: /^Release of .* is not signed$/ },
  'a detached signature of another text': { how: { signed: 'detached' }, tamper: (suite) => repository.tamper(`dists/${suite}/Release`, (text) => text.replace('Origin: Test', 'Origin: Tent')), why: 'wrong-signature', says: /^Release of .* does not fit its signature$/ },
  'a detached signature that is none': { how: { signed: 'detached' }, tamper: (suite) => repository.tamper(`dists/${suite}/Release.gpg`, () => 'none'), why: 'wrong-signature', says: /has no signature that can be read$/ },
  'a signature with a digest that proves nothing': { tamper: (suite) => repository.rewrite(suite, (text) => text, ['--digest-algo', 'SHA1']), why: 'wrong-signature', says: /is signed with a digest that proves nothing$/ },
  'an InRelease that has expired': { how: { validUntil: 'Thu, 01 Oct 2026 00:00:00 UTC' }, tamper: () => undefined, why: 'expired', says: /^InRelease of .* expired 2026-10-01$/ },
  'an InRelease of tomorrow': { how: { date: new Date(Date.now() + 86_400_000).toUTCString() }, tamper: () => undefined, why: 'expired', says: /^InRelease of .* is of \d{4}-\d\d-\d\d \d\d:\d\d, which is yet to come: a clock is wrong$/ },
  'the InRelease of another suite': {
    tamper: async (suite) => {
      await repository.addSuite(`${suite}-security`, [{ name: 'hello', version: '2' }]);
      writeFileSync(repository.path(`dists/${suite}/InRelease`), readFileSync(repository.path(`dists/${suite}-security/InRelease`)));
    },
    why: 'mismatch',
    says: /^InRelease of (\S+) at .* is that of \1-security$/,
  },
  'a Release without SHA-256': { tamper: (suite) => repository.rewrite(suite, (text) => text.replace('SHA256:', 'Nothing:').replace('SHA512:', 'Neither:')), why: 'mismatch', says: /has no Date, or no SHA-256 of its indexes$/ },
  'a Release without a date': { tamper: (suite) => repository.rewrite(suite, (text) => text.replace(/^Date: .*\n/m, '')), why: 'mismatch', says: /has no Date, or no SHA-256/, aptTakesIt: true },
  'a suite that is not there any more': { tamper: (suite) => rmSync(repository.path(`dists/${suite}`), { recursive: true }), why: 'gone', says: /^there is no suite \S+ at 127\.0\.0\.1:\d+ any more$/ },
  'a login that is asked for': { tamper: () => repository.server.fail(/Release/, { status: 401 }), why: 'unreachable', says: /^\S+ at .* asks for a login \(401\), and logins of images are not used$/ },
  'an archive that lets nobody in': { tamper: () => repository.server.fail(/Release/, { status: 403 }), why: 'unreachable', says: /^\S+ at .* is refused \(403\)$/ },
  'an archive in trouble': { tamper: () => repository.server.fail(/Release/, { status: 503 }), why: 'unreachable', says: /^127\.0\.0\.1:\d+ answers 503$/ },
  'an index that is refused': { tamper: () => repository.server.fail(/Packages/, { status: 451 }), why: 'unreachable', says: /^main\/binary-amd64\/Packages\.gz of .* is refused \(451\)$/ },
  'an index that breaks off': { tamper: () => repository.server.fail(/Packages/, 'breaks'), why: 'unreachable', says: /^127\.0\.0\.1:\d+ does not answer \(the connection broke\)$/ },
  'an index that does not come to its end': { tamper: () => repository.server.fail(/Packages/, 'stalls'), options: { timeouts: { connect: 10, idle: 0.2 } }, why: 'unreachable', says: /does not answer \(no byte for 0\.2s\)$/ },
  'a place that is its own': { tamper: () => repository.server.fail(/InRelease/, { status: 302, headers: { location: 'InRelease' } }), why: 'unreachable', says: /sends from place to place without end$/, aptTakesIt: true },
  'a place of another kind': { tamper: () => repository.server.fail(/InRelease/, { status: 302, headers: { location: 'file:///etc/passwd' } }), why: 'unreachable', says: /sends to a place that is none$/, aptTakesIt: true },
};

describe('an archive that somebody meddles with, or that is broken', () => {
  it.each(Object.entries(CASES))('is unknown, never up to date, and apt takes nothing from it either: %s', async (_, { how = {}, tamper, wanted = {}, options = {}, why, says, aptTakesIt }) => {
    const suite = `suite${++made}`;
    const cache = newFolder();
    folders.push(cache);
    const asWanted = suiteOf(repository, suite, wanted);
    await repository.addSuite(suite, [{ name: 'hello', version: '1.0' }], { packing: ['gz'] });
    const apt = startAptClient(`deb [signed-by=KEY] ${repository.uri} ${suite} main\n`, repository.key.keyring);
    try {
      expect(helloIn(await readOnce(suiteOf(repository, suite), cache))).toEqual(['1.0']);
      await repository.release(suite, [{ name: 'hello', version: '1.1' }], how);
      await tamper(suite);
      expect(helloIn(await readOnce(asWanted, cache, options))).toEqual([why, expect.stringMatching(says)]);
      counts.refused++;
      if (aptTakesIt === true) return;
      await apt.update();
      expect(await apt.candidate('hello')).toBe('none');
      counts.aptToo++;
    } finally {
      apt.close();
    }
  }, 60_000);
  it('was tried in every way, and apt too where it has such a rule', () => {
    const all = Object.values(CASES);
    expect(counts).toEqual({ refused: all.length, aptToo: all.filter(({ aptTakesIt }) => aptTakesIt !== true).length });
  });
});

describe('an archive that is older than it was', () => {
  it('is unknown: somebody may want to hide an update', async () => {
    const suite = `suite${++made}`;
    const cache = newFolder();
    folders.push(cache);
    await repository.addSuite(suite, [{ name: 'hello', version: '1.0' }]);
    const restore = repository.keep(suite);
    await repository.release(suite, [{ name: 'hello', version: '1.1' }]);
    const read = async (): Promise<readonly string[]> => helloIn(await readOnce(suiteOf(repository, suite), cache));
    expect(await read()).toEqual(['1.1']);
    restore();
    expect(await read()).toEqual(['replayed', expect.stringMatching(/^InRelease of \S+ at \S+ is of \S+ \S+, older than one seen before \(\S+ \S+\)$/)]);
    // Nor is it forgotten.
    expect((await read())[0]).toBe('replayed');
    await repository.release(suite, [{ name: 'hello', version: '1.2' }], { date: new Date(Date.now() - 60_000).toUTCString() });
    expect(await read()).toEqual(['1.2']);
  });
});

describe('an archive that does not answer', () => {
  it('is unknown, and the next run finds it again', async () => {
    const suite = `suite${++made}`;
    const cache = newFolder();
    folders.push(cache);
    await repository.addSuite(suite, [{ name: 'hello', version: '1.0' }]);
    await repository.server.down();
    try {
      expect(helloIn(await readOnce(suiteOf(repository, suite), cache))).toEqual(['unreachable', expect.stringMatching(/^127\.0\.0\.1:\d+ does not answer \(connect: refused\)$/)]);
    } finally {
      await repository.server.up();
    }
    expect(helloIn(await readOnce(suiteOf(repository, suite), cache))).toEqual(['1.0']);
  });
  it('is tried four times for one suite, and not again for the next one', async () => {
    const waits: number[] = [];
    const clock = { now: () => Date.now(), sleep: (milliseconds: number) => Promise.resolve(void waits.push(milliseconds)) };
    const cache = newFolder();
    folders.push(cache);
    await repository.server.down();
    const archive = openArchive(cache, { clock });
    try {
      expect((await archive.readSuite(suiteOf(repository, 'one'), AbortSignal.timeout(60_000))).known).toBe(false);
      expect((await archive.readSuite(suiteOf(repository, 'two'), AbortSignal.timeout(60_000))).known).toBe(false);
      expect(waits).toEqual([500, 1000, 2000]);
    } finally {
      archive.close();
      await repository.server.up();
    }
  });
  it('is not gone for other suites when it breaks off once it has answered', async () => {
    const [broken, good] = [`suite${++made}`, `suite${++made}`];
    const cache = newFolder();
    folders.push(cache);
    for (const suite of [broken, good]) await repository.addSuite(suite, [{ name: 'hello', version: '1.0' }]);
    repository.server.fail(new RegExp(`${broken}/main/.*Packages`), 'breaks');
    const archive = openArchive(cache);
    const signal = AbortSignal.timeout(60_000);
    const read = [await archive.readSuite(suiteOf(repository, broken), signal), await archive.readSuite(suiteOf(repository, good), signal)];
    archive.close();
    expect([helloIn(read[0]!)[0], helloIn(read[1]!)]).toEqual(['unreachable', ['1.0']]);
  });
  it('leaves others as they are', async () => {
    const good = `suite${++made}`;
    const cache = newFolder();
    folders.push(cache);
    await repository.addSuite(good, [{ name: 'hello', version: '1.0' }]);
    const archive = openArchive(cache);
    const signal = AbortSignal.timeout(60_000);
    const [broken, whole] = await Promise.all([archive.readSuite(suiteOf(repository, 'nowhere'), signal), archive.readSuite(suiteOf(repository, good), signal)]);
    archive.close();
    expect([helloIn(broken)[0], helloIn(whole)]).toEqual(['gone', ['1.0']]);
  });
});

describe('an archive that is being updated, or behind a cache', () => {
  it.each<[string, SuiteOptions, (suite: string) => void]>([
    ['an index that is not there by its hash yet', { byHash: true }, () => repository.server.fail(/by-hash/, { status: 404 })],
    ['an index that is another by its hash', { byHash: true }, () => repository.server.fail(/by-hash/, { bytes: Buffer.from('another') })],
    ['an index that has a new name already, and is there by its hash', { byHash: true }, (suite) => repository.tamper(main(suite, 'Packages.xz'), () => 'newer')],
    ['an index that is there in another form only', {}, (suite) => rmSync(repository.path(main(suite, 'Packages.xz')))],
    ['an InRelease that is refused and not there, as in stores of files', { signed: 'detached' }, () => repository.server.fail(/InRelease/, { status: 403 })],
    ['a moment of trouble', {}, () => repository.server.fail(/InRelease|Packages/, { status: 503 }, 3)],
    ['a connection that broke', {}, () => repository.server.fail(/Packages/, 'breaks', 2)],
    ['an InRelease that is looked for at another place', {}, (suite) => repository.server.fail(/InRelease/, { status: 302, headers: { location: `/debian/dists/${suite}/InRelease?` } }, 1)],
  ])('is read: %s', async (_, how, tamper) => {
    const suite = `suite${++made}`;
    const cache = newFolder();
    folders.push(cache);
    await repository.addSuite(suite, [{ name: 'hello', version: '1.0' }], how);
    tamper(suite);
    expect(helloIn(await readOnce(suiteOf(repository, suite), cache))).toEqual(['1.0']);
  }, 30_000);
  it('is read when its InRelease was newer than its indexes a moment ago', async () => {
    const suite = `suite${++made}`;
    const cache = newFolder();
    folders.push(cache);
    await repository.addSuite(suite, [{ name: 'hello', version: '1.0' }]);
    const stale = readFileSync(repository.path(`dists/${suite}/InRelease`));
    await repository.release(suite, [{ name: 'hello', version: '1.1' }]);
    repository.server.fail(/InRelease/, { bytes: stale }, 1);
    expect(helloIn(await readOnce(suiteOf(repository, suite), cache))).toEqual(['1.1']);
  });
});
