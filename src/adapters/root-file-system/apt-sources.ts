import type { AptSource } from '../../packages/apt-sources.js';

/** Entries that differ only in their suite as one. */
export function joinSuites(sources: readonly AptSource[]): readonly AptSource[] {
  const joined = new Map<string, AptSource>();
  for (const source of sources) {
    const { suites: _, ...same } = source;
    const key = JSON.stringify(same);
    const known = joined.get(key);
    joined.set(key, known === undefined ? source : { ...known, suites: [...known.suites, ...source.suites] });
  }
  return [...joined.values()];
}

/** A deb822 sources file. */
export function formatSources(sources: readonly AptSource[]): string {
  return sources
    .map((source) =>
      [
        `Types: ${source.types.join(' ')}`,
        `URIs: ${source.uris.join(' ')}`,
        `Suites: ${source.suites.join(' ')}`,
        ...(source.components.length === 0 ? [] : [`Components: ${source.components.join(' ')}`]),
        ...Object.entries(source.options).map(([field, value]) => `${field}: ${value}`),
        '',
      ].join('\n'),
    )
    .join('\n');
}

/** What a Release file says of its archive. */
export type ReleaseFile = { readonly origin: string; readonly date: number };

/** `Origin:` and `Date:` (seconds since 1970) of a Release or InRelease file; undefined without a date. */
export function parseRelease(text: string): ReleaseFile | undefined {
  const date = Date.parse(/^Date: *(.+)$/m.exec(text)?.[1] ?? '');
  return Number.isNaN(date) ? undefined : { origin: /^Origin: *(.+)$/m.exec(text)?.[1]?.trim() ?? '', date: Math.floor(date / 1000) };
}

/** The start of the names under which apt keeps a suite's indexes: the URI without its scheme, slashes and what else it escapes replaced. */
export function listPrefix(uri: string, suite: string): string {
  const path = `${uri.replace(/^[a-z+]+:\/\/(?:[^/@]*@)?/i, '').replace(/\/+$/, '')}/dists/${suite}/`;
  return path.replace(/[\\|{}[\]<>"^~_=!@#$%^&*]/g, (character) => `%${character.charCodeAt(0).toString(16)}`).replaceAll('/', '_');
}

/** Debian's keys inside the image. */
export const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * The sources as they stand in the image: what is Debian's by its Release file (`releases`: list file → content) is signed by
 * Debian's keyring inside; a keyring of this machine is of no use there.
 */
export function signSources(sources: readonly AptSource[], releases: ReadonlyMap<string, ReleaseFile>): readonly AptSource[] {
  return sources.map((source) => {
    const isDebian = source.uris.every((uri) =>
      source.suites.every((suite) => ['InRelease', 'Release'].some((file) => releases.get(listPrefix(uri, suite) + file)?.origin === 'Debian')),
    );
    return isDebian ? { ...source, options: { ...source.options, 'Signed-By': DEBIAN_KEYRING } } : source;
  });
}
