import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import type { OfferedPackage, PackageChangelogs } from '../../packages/package-changelogs.js';
import type { ArchiveCache } from './archive-cache.js';
import type { ArchiveHttp } from './archive-http.js';
import { readPackageChangelog } from './package-changelog.js';

/** Bytes that are fetched for a changelog at the most. */
const LARGEST = 16 * 1024 * 1024;
/** Of a source's packages, how many are looked into: some have their documentation in another. */
const TRIED = 2;
const AT_ONCE = 4;

/** Changelogs out of packages, each fetched once for ever. `path`: where programs are looked for. */
export function createChangelogs(http: ArchiveHttp, cache: ArchiveCache, path: string): PackageChangelogs {
  const limit = pLimit(AT_ONCE);
  const read = new Map<string, Promise<string | undefined>>();

  async function fetchOne({ uri, filename, size, sha256 }: OfferedPackage, signal: AbortSignal): Promise<string | undefined> {
    const known = cache.changelog(sha256);
    if (known !== undefined) return known === '' ? undefined : known;
    try {
      const { status, body } = await http.get(`${uri}/${filename}`, {}, size, signal);
      if (status !== 200 || body.length !== size || createHash('sha256').update(body).digest('hex') !== sha256) return undefined;
      const changelog = await readPackageChangelog(body, path, signal);
      cache.keepChangelog(sha256, changelog ?? '');
      return changelog;
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }

  return {
    async changelogOf(offered, signal) {
      const smallest = [...offered].sort((a, b) => a.size - b.size).filter(({ size }) => size <= LARGEST);
      for (const one of smallest.slice(0, TRIED)) {
        const reading = read.get(one.sha256) ?? limit(fetchOne, one, signal);
        read.set(one.sha256, reading);
        const changelog = await reading;
        if (changelog !== undefined) return changelog;
      }
      return undefined;
    },
  };
}
