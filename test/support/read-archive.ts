import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/adapters/clock.js';
import { createPackageArchive, type PackageArchiveOptions } from '../../src/adapters/package-archive/package-archive.js';
import type { SuiteRead, SuiteWanted } from '../../src/packages/package-archive.js';
import type { AptRepository } from './apt-repository.js';

/** The archive under test as one run opens it: no time is waited between tries. */
export function openArchive(cacheDirectory: string, options: Partial<PackageArchiveOptions> = {}): ReturnType<typeof createPackageArchive> {
  return createPackageArchive({
    cacheDirectory,
    proxyFor: () => undefined,
    timeouts: { connect: 10, idle: 30 },
    clock: { ...systemClock, sleep: () => Promise.resolve() },
    random: () => 0,
    userAgent: 'build-images',
    path: process.env['PATH']!,
    scratch: tmpdir(),
    isArchived: () => false,
    ...options,
  });
}

/** A suite of a repository as an image wants it that has its key. */
export function suiteOf(repository: AptRepository, suite: string, wanted: Partial<SuiteWanted> = {}): SuiteWanted {
  return { uri: repository.uri, suite, components: suite.endsWith('/') ? [] : ['main'], architectures: [process.arch === 'x64' ? 'amd64' : process.arch], keyrings: [{ path: '/usr/share/keyrings/test.gpg', bytes: repository.key.keyring }], fingerprints: undefined, checksValidUntil: true, ...wanted };
}

/** A new folder for a cache. */
export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'read-archive-test-'));
}

/** One run that reads one suite. */
export async function readOnce(wanted: SuiteWanted, cacheDirectory: string, options: Partial<PackageArchiveOptions> = {}): Promise<SuiteRead> {
  const archive = openArchive(cacheDirectory, options);
  try {
    return await archive.readSuite(wanted, AbortSignal.timeout(60_000));
  } finally {
    archive.close();
  }
}

/** Versions of `hello` that a suite has; or why it is unknown, and what is said of it. */
export function helloIn(read: SuiteRead): readonly string[] {
  return read.known ? read.indexes.flatMap((index) => index.versionsOf('hello').map(({ version }) => version)) : [read.unknown.why, read.unknown.says];
}
