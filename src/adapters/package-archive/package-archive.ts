import { createHash } from 'node:crypto';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { parsePublicKeys } from '../../definition/openpgp-key.js';
import { openDistilledIndex } from '../../packages/distilled-index.js';
import type { PackageArchive, SuiteRead, SuiteWanted } from '../../packages/package-archive.js';
import type { PackageChangelogs } from '../../packages/package-changelogs.js';
import type { PackageIndex } from '../../packages/package-index.js';
import { parseRelease, type ReleaseFile } from '../../packages/release-file.js';
import { createArchiveCache } from './archive-cache.js';
import { createArchiveHttp, type ArchiveHttpOptions } from './archive-http.js';
import { createChangelogs } from './fetch-changelog.js';
import { fetchIndex, indexesWanted, type IndexWanted } from './fetch-index.js';
import { fetchRelease, signedTextOf, type ReceivedRelease } from './fetch-release.js';
import { SuiteFault } from './suite-fault.js';
import { suitePlace, type SuitePlace } from './suite-place.js';
import { verifySignature } from './verify-signature.js';

/** How archives are read. */
export type PackageArchiveOptions = ArchiveHttpOptions & {
  /** What was fetched is kept below it. */
  readonly cacheDirectory: string;
  /** PATH, for gpgv, sqv, xz, zstd and bzip2. */
  readonly path: string;
  /** The folder of temporary files. */
  readonly scratch: string;
  /** Whether nothing new comes to a suite any more, by `archived_suites`: it is not asked. */
  isArchived(suite: string): boolean;
};

/** A Release as it came, and what is known of it by now. */
type Opened = {
  readonly place: SuitePlace;
  readonly received: ReceivedRelease;
  /** The newest date that was proved before. */
  readonly newest: number | undefined;
  readonly proved: Map<string, number>;
  /** SHA-256 of those in use. */
  readonly indexes: Set<string>;
  /** What names a set of keys → who is checking it. */
  readonly checks: Map<string, Promise<void>>;
  /** Path → what images share. */
  readonly shared: Map<string, PackageIndex>;
  /** Of what was proved, or needs no proof. */
  release: ReleaseFile | undefined;
  /** More is known than the cache has. */
  isNews: boolean;
};

/** Milliseconds that a signature which was found good is taken for good without asking again: keys expire. */
const PROVED_FOR = 86_400_000;
/** Acquire::Max-FutureTime of apt.conf(5): milliseconds by which a clock may be behind. */
const FUTURE = 10_000;
/** Indexes that are fetched and distilled at once. */
const AT_ONCE = 2;

/** Opens nothing yet. */
export function createPackageArchive(options: PackageArchiveOptions): PackageArchive & PackageChangelogs & { close(): void } {
  const { clock } = options;
  const http = createArchiveHttp(options);
  const cache = createArchiveCache(join(options.cacheDirectory, 'archives'));
  const limit = pLimit(AT_ONCE);
  const opened = new Map<string, Promise<Opened>>();
  const reopened = new Map<string, Promise<Opened>>();
  const indexes = new Map<string, Promise<Buffer>>();

  async function open(key: string, place: SuitePlace, fresh: boolean, signal: AbortSignal): Promise<Opened> {
    const known = cache.suite(key);
    const received = await fetchRelease(http, place, known?.release, fresh, signal);
    const same = known !== undefined && received.bytes.equals(known.release.bytes);
    return { place, received, newest: known?.date, proved: new Map(same ? known.proved : []), indexes: new Set(same ? known.indexes : []), checks: new Map(), shared: new Map(), release: undefined, isNews: !same };
  }

  async function readFrom(key: string, suite: Opened, wanted: SuiteWanted, signal: AbortSignal): Promise<readonly PackageIndex[]> {
    const { place } = suite;
    const proved = wanted.keyrings !== 'trusted';
    if (proved) await prove(suite, wanted.keyrings, wanted.fingerprints, signal);
    const release = (suite.release ??= releaseOf(suite));
    checkDates(release, suite, wanted);
    const all = indexesWanted(release, place.flat, wanted.components, wanted.architectures);
    const found = await Promise.all(
      all.map(async (index) => {
        const distilled = await distilledOf(place, release, index, signal);
        const known = suite.shared.get(index.path) ?? openDistilledIndex(distilled, { release, site: place.site, uri: place.uri, component: index.component, architecture: index.architecture, sha256: index.sha256 });
        suite.shared.set(index.path, known);
        return known;
      }),
    );
    // Without a signature anybody could have told a newer date.
    remember(key, suite, proved ? release.date : undefined, all);
    return found;
  }

  function releaseOf(suite: Opened): ReleaseFile {
    const { place, received } = suite;
    const release = parseRelease((signedTextOf(received)?.text ?? received.bytes).toString('utf8'));
    if (release === undefined) throw new SuiteFault('mismatch', `${received.form} of ${place.name} has no Date, or no SHA-256 of its indexes`);
    checkSuite(release, suite);
    return release;
  }

  /** Signed by the same keys, another suite of an archive could be served in a suite's place for ever: the one without updates. */
  function checkSuite({ suite, codename }: ReleaseFile, { place, received }: Opened): void {
    // `buster/updates` is called `buster` inside, as apt knows (apt-pkg/acquire-item.cc, VerifyVendor).
    const expected = place.suite.replace(/\/[^/]*$/, '');
    if (place.flat || (suite === '' && codename === '') || suite === expected || codename === expected || suite === place.suite || codename === place.suite) return;
    throw new SuiteFault('mismatch', `${received.form} of ${place.name} is that of ${codename || suite}`);
  }

  /** Once for each set of keys. */
  function prove(suite: Opened, keyrings: Exclude<SuiteWanted['keyrings'], 'trusted'>, fingerprints: SuiteWanted['fingerprints'], signal: AbortSignal): Promise<void> {
    const keys = keyrings.flatMap(({ path, bytes }) => {
      const parsed = parsePublicKeys(path, bytes);
      return parsed.ok ? [parsed.value] : [];
    });
    const name = createHash('sha256').update(JSON.stringify([keys.map((key) => key.toString('base64')), fingerprints])).digest('hex');
    let check = suite.checks.get(name);
    if (check === undefined) suite.checks.set(name, (check = proveOnce(suite, name, Buffer.concat(keys), fingerprints, signal)));
    return check;
  }

  async function proveOnce(suite: Opened, name: string, keyring: Buffer, fingerprints: SuiteWanted['fingerprints'], signal: AbortSignal): Promise<void> {
    const { place, received, proved } = suite;
    const until = proved.get(name);
    if (until !== undefined && clock.now() < until && until <= clock.now() + PROVED_FOR) return;
    const wrong = (says: string): SuiteFault => new SuiteFault('wrong-signature', `${received.form} of ${place.name} ${says}`);
    const signed = signedTextOf(received);
    if (signed === undefined) throw wrong(received.form === 'InRelease' ? 'is no signed text' : 'is not signed');
    if (keyring.length === 0) throw wrong('cannot be checked: the image has no key for it');
    const verdict = await verifySignature(signed, keyring, fingerprints, options, signal);
    if (!verdict.good) throw wrong(verdict.says);
    proved.set(name, clock.now() + PROVED_FOR);
    suite.isNews = true;
  }

  function checkDates({ date, validUntil }: ReleaseFile, { place, received, newest }: Opened, { checksValidUntil }: SuiteWanted): void {
    const name = `${received.form} of ${place.name}`;
    const now = clock.now();
    if (date > now + FUTURE) throw new SuiteFault('expired', `${name} is of ${timeOf(date)}, which is yet to come: a clock is wrong`);
    if (checksValidUntil && validUntil !== undefined && now > validUntil) throw new SuiteFault('expired', `${name} expired ${dayOf(validUntil)}`);
    if (newest !== undefined && date < newest) throw new SuiteFault('replayed', `${name} is of ${timeOf(date)}, older than one seen before (${timeOf(newest)})`);
  }

  function distilledOf(place: SuitePlace, release: ReleaseFile, wanted: IndexWanted, signal: AbortSignal): Promise<Buffer> {
    let index = indexes.get(wanted.sha256);
    if (index === undefined) {
      index = limit(async () => {
        const known = cache.index(wanted.sha256);
        if (known !== undefined) return known;
        const distilled = await fetchIndex(http, place, release, wanted, options.path, signal);
        cache.keepIndex(wanted.sha256, distilled);
        return distilled;
      });
      indexes.set(wanted.sha256, index);
      // Another archive may have it.
      index.catch(() => indexes.delete(wanted.sha256));
    }
    return index;
  }

  function remember(key: string, suite: Opened, date: number | undefined, used: readonly IndexWanted[]): void {
    const { received, newest, proved, indexes: known } = suite;
    const added = used.filter(({ sha256 }) => !known.has(sha256));
    for (const { sha256 } of added) known.add(sha256);
    if (!suite.isNews && added.length === 0) return;
    suite.isNews = false;
    cache.keepSuite(key, { release: received, date: date ?? newest, proved, indexes: known });
  }

  async function read(wanted: SuiteWanted, signal: AbortSignal): Promise<readonly PackageIndex[]> {
    const place = suitePlace(wanted);
    const key = `${place.uri} ${wanted.suite}`;
    const once = (suites: Map<string, Promise<Opened>>, fresh: boolean): Promise<Opened> => {
      let suite = suites.get(key);
      if (suite === undefined) suites.set(key, (suite = open(key, place, fresh, signal)));
      return suite;
    };
    const suite = await once(opened, false);
    try {
      return await readFrom(key, suite, wanted, signal);
    } catch (error) {
      if (!(error instanceof SuiteFault) || !error.mayBeStale) throw error;
      return readFrom(key, await once(reopened, true), wanted, signal);
    }
  }

  return {
    ...createChangelogs(http, cache, options.path),
    async readSuite(wanted, signal): Promise<SuiteRead> {
      signal.throwIfAborted();
      if (options.isArchived(wanted.suite)) return { known: true, indexes: [], archived: true };
      try {
        return { known: true, indexes: await read(wanted, signal) };
      } catch (error) {
        if (!(error instanceof SuiteFault)) throw error;
        return { known: false, unknown: { why: error.why, says: error.message } };
      }
    },
    close() {
      cache.tidy(clock.now());
      http.close();
    },
  };
}

function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ');
}
