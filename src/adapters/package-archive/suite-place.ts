import type { SuiteWanted } from '../../packages/package-archive.js';
import { SuiteFault } from './suite-fault.js';

/** Where a suite's files are. */
export type SuitePlace = {
  /** Of the archive, without a login and without `/` at its end. */
  readonly uri: string;
  /** Host as `Pin: origin` means it, without a port. */
  readonly site: string;
  readonly suite: string;
  /** Below it are InRelease and the indexes; ends with `/`. */
  readonly base: string;
  readonly flat: boolean;
  /** `trixie-security at security.debian.org` */
  readonly name: string;
};

/** Rejects with a SuiteFault what is not to be read over HTTP. */
export function suitePlace({ uri, suite }: Pick<SuiteWanted, 'uri' | 'suite'>): SuitePlace {
  const scheme = /^([a-z0-9+.-]+):/i.exec(uri)?.[1]?.toLowerCase() ?? '';
  if (scheme !== 'http' && scheme !== 'https') throw new SuiteFault('unreachable', `${suite} is an archive that only the image itself can read (${scheme === '' ? 'no scheme' : `${scheme}:`})`);
  if (!URL.canParse(uri)) throw new SuiteFault('unreachable', `the URI of ${suite} cannot be read`);
  const url = new URL(uri);
  url.username = url.password = url.hash = url.search = '';
  const root = url.href.replace(/\/+$/, '');
  const flat = suite.endsWith('/');
  const base = new URL(flat ? `${root}/${suite.replace(/^\/+/, '')}` : `${root}/dists/${suite}/`).href;
  return { uri: root, site: url.hostname.replace(/^\[(.*)\]$/, '$1'), suite, base, flat, name: `${suite} at ${url.host}` };
}
