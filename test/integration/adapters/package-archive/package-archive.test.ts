import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../../src/adapters/clock.js';
import { createPackageArchive, type PackageArchiveOptions } from '../../../../src/adapters/package-archive/package-archive.js';
import type { SuiteRead, SuiteWanted } from '../../../../src/packages/package-archive.js';
import { startAptRepository, type AptRepository, type SuiteOptions } from '../../../support/apt-repository.js';

let repository: AptRepository;
let machine: string;
const folders: string[] = [];
let suites = 0;

beforeAll(async () => {
  repository = await startAptRepository();
  machine = process.arch === 'x64' ? 'amd64' : process.arch;
}, 60_000);

afterAll(async () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  await repository.close();
});

function newCache(): string {
  const folder = mkdtempSync(join(tmpdir(), 'package-archive-test-'));
  folders.push(folder);
  return folder;
}

/** A run of its own: nothing is remembered but what the cache has. */
async function read(wanted: Partial<SuiteWanted> & { readonly suite: string }, options: Partial<PackageArchiveOptions> = {}): Promise<SuiteRead> {
  const archive = createPackageArchive({
    cacheDirectory: newCache(),
    proxyFor: () => undefined,
    timeouts: { connect: 10, idle: 30 },
    clock: { ...systemClock, sleep: () => Promise.resolve() },
    random: () => 0,
    userAgent: 'build-images',
    path: process.env['PATH']!,
    isArchived: () => false,
    ...options,
  });
  try {
    return await archive.readSuite({ uri: repository.uri, components: ['main'], architectures: [machine], keyrings: [{ path: '/usr/share/keyrings/test.gpg', bytes: repository.key.keyring }], fingerprints: undefined, checksValidUntil: true, ...wanted }, AbortSignal.timeout(60_000));
  } finally {
    archive.close();
  }
}

/** `hello 1.0` of each index, or why it is unknown. */
function said(result: SuiteRead): readonly string[] {
  return result.known ? result.indexes.flatMap((index) => index.versionsOf('hello').map(({ name, version }) => `${name} ${version}`)) : [result.unknown.why, result.unknown.says];
}

/** A suite of its own with one package. */
async function newSuite(how: SuiteOptions = {}, name = `suite${++suites}`): Promise<string> {
  await repository.addSuite(name, [{ name: 'hello', version: '1.0' }], how);
  return name;
}

describe('a suite', () => {
  it.each<[string, SuiteOptions]>([
    ['an ordinary one', {}],
    ['by hash', { byHash: true, packing: ['xz'] }],
    ['with gzip alone', { packing: ['gz'] }],
    ['with bzip2 alone', { packing: ['bz2'] }],
    ['not packed', { packing: ['plain'] }],
    ['with a detached signature', { signed: 'detached' }],
    ['with both signatures', { signed: 'both' }],
  ])('is read in every form: %s', async (_, how) => {
    const suite = await newSuite(how);
    expect(said(await read({ suite }))).toEqual(['hello 1.0']);
  });
});
