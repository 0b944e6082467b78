import { settingOf, type AptConf } from './apt-conf.js';
import { parseDeb822Sources, parseOneLineSources, saysNo, saysYes, type AptSource } from './apt-sources.js';
import { textOf } from './installed-packages.js';
import type { SuiteWanted, Unknown } from './package-archive.js';
import type { PackageFiles } from './package-files.js';

/** What an image's sources name, and what of it nobody outside the image can read. */
export type SuitesWanted = { readonly suites: readonly SuiteWanted[]; readonly unreadable: readonly Unknown[] };

const PARTS = '/etc/apt/sources.list.d/';
const TRUSTED = '/etc/apt/trusted.gpg';
const TRUSTED_PARTS = '/etc/apt/trusted.gpg.d/';

/**
 * The suites of all sources of an image, in apt's order, each once, with the keys that may sign it.
 * @param architectures native first
 */
export function suitesWanted(files: PackageFiles, conf: AptConf, architectures: readonly string[]): SuitesWanted {
  const suites = new Map<string, SuiteWanted>();
  const unreadable: Unknown[] = [];
  const all: AptSource[] = [];
  for (const path of filesOf(files, '/etc/apt/sources.list', PARTS, /^[\w:-][\w:.-]*\.(?:list|sources)$/)) {
    const parse = path.endsWith('.sources') ? parseDeb822Sources : parseOneLineSources;
    const { sources, fault } = parse(textOf(files.get(path)));
    if (fault !== undefined) unreadable.push({ why: 'unreadable', says: `${path}: ${fault}` });
    all.push(...sources);
    for (const source of sources) {
      if (!source.types.includes('deb')) continue;
      const wanted = wantedOf(source, files, conf, architectures);
      if ('says' in wanted) unreadable.push(wanted);
      else for (const suite of wanted.suites) addSuite(suites, suite);
    }
  }
  const contradicting = contradiction(all);
  if (contradicting !== undefined) unreadable.push({ why: 'unreadable', says: contradicting });
  return { suites: [...suites.values()], unreadable };
}

/** A file and then those of a folder whose names apt takes, in the order of their bytes. */
export function filesOf(files: PackageFiles, main: string, folder: string, names: RegExp): readonly string[] {
  const parts = [...files.keys()].filter((path) => path.startsWith(folder) && names.test(path.slice(folder.length)));
  return [...(files.has(main) ? [main] : []), ...parts.sort((a, b) => (a < b ? -1 : 1))];
}

/** What is named twice is one: its components are fetched together. */
function addSuite(suites: Map<string, SuiteWanted>, suite: SuiteWanted): void {
  const { components, ...same } = suite;
  const key = JSON.stringify({ ...same, keyrings: same.keyrings === 'trusted' ? 'trusted' : same.keyrings.map(({ path }) => path) });
  const known = suites.get(key);
  suites.set(key, known === undefined ? suite : { ...known, components: [...new Set([...known.components, ...components])] });
}

/** Options that entries of the same suite must have alike. */
const OF_A_SUITE = ['Signed-By', 'Trusted', 'Check-Valid-Until', 'Check-Date', 'Allow-Insecure', 'Allow-Weak'];

/** apt reads nothing at all where two entries of one suite differ in what they say of it. Only a key may come later. */
function contradiction(sources: readonly AptSource[]): string | undefined {
  const said = new Map<string, string>();
  for (const { uris, suites, options } of sources) {
    for (const suite of uris.flatMap((uri) => suites.map((each) => `${shown(uri).replace(/(?<!\/)\/+$/, '')} ${shown(each)}`))) {
      for (const field of OF_A_SUITE) {
        const value = options[field] ?? '';
        const plain = saysYes(value) ? 'yes' : saysNo(value) ? 'no' : value.split(/[\s,]+/).filter(Boolean).join();
        const known = said.get(`${suite} ${field}`);
        if (known !== undefined && known !== plain && (known !== '' || field !== 'Signed-By')) return `two entries of ${suite} say different things of ${field}`;
        said.set(`${suite} ${field}`, plain);
      }
    }
  }
  return undefined;
}

function wantedOf(source: AptSource, files: PackageFiles, conf: AptConf, architectures: readonly string[]): { readonly suites: readonly SuiteWanted[] } | Unknown {
  const named = (text: string): string => text.replaceAll('$(ARCH)', architectures[0] ?? '');
  const uris = source.uris.map(named);
  const far = uris.find((uri) => !/^https?:\/\//i.test(uri));
  if (far !== undefined) return { why: 'unreadable', says: `its source ${shown(far)} can be read inside the image only` };
  const says = (what: string): Unknown => ({ why: 'unreadable', says: `${what} ${shown(uris[0]!)} ${shown(source.suites[0]!)}` });
  const keys = keysOf(source, files);
  if ('missing' in keys) return says(`${shown(keys.missing)} is not in it, the key of`);
  if (keys.keyrings !== 'trusted' && keys.keyrings.length === 0) return says('it has no key that signs');
  const words = (field: string): readonly string[] => (source.options[field] ?? '').split(/[\s,]+/).filter(Boolean);
  const chosen = [...(words('Architectures').length > 0 ? words('Architectures') : architectures), ...words('Architectures-Add')].filter((each) => !words('Architectures-Remove').includes(each));
  const checksValidUntil = !saysNo(source.options['Check-Valid-Until'] ?? settingOf(conf, 'Acquire::Check-Valid-Until')) && !saysNo(source.options['Check-Date'] ?? settingOf(conf, 'Acquire::Check-Date'));
  return {
    suites: uris.flatMap((uri) =>
      source.suites.map((suite) => ({ uri, suite: suite.endsWith('/') ? named(suite) : suite, components: source.components, architectures: [...new Set(chosen)], ...keys, checksValidUntil })),
    ),
  };
}

/** `Signed-By` is paths of keyrings, fingerprints of keys, or a key itself (sources.list(5)). */
function keysOf({ options }: AptSource, files: PackageFiles): Pick<SuiteWanted, 'keyrings' | 'fingerprints'> | { readonly missing: string } {
  if (saysYes(options['Trusted']) || saysYes(options['Allow-Insecure'])) return { keyrings: 'trusted', fingerprints: undefined };
  const signer = options['Signed-By'] ?? '';
  if (signer.includes('-----BEGIN PGP PUBLIC KEY BLOCK-----')) {
    const key = signer.split('\n').map((line) => line.trim()).map((line) => (line === '.' ? '' : line)).join('\n').trim();
    return { keyrings: [{ path: 'Signed-By', bytes: new TextEncoder().encode(`${key}\n`) }], fingerprints: undefined };
  }
  const words = signer.split(/[\s,]+/).filter(Boolean);
  const paths = words.filter((word) => word.startsWith('/'));
  const missing = paths.find((path) => !files.has(path));
  if (missing !== undefined) return { missing };
  const fingerprints = words.filter((word) => !word.startsWith('/')).map((word) => word.toUpperCase());
  const keyrings = paths.length > 0 ? paths : filesOf(files, TRUSTED, TRUSTED_PARTS, /^[\w:-][\w:.-]*\.(?:gpg|asc)$/);
  return { keyrings: keyrings.map((path) => ({ path, bytes: files.get(path)! })), fingerprints: fingerprints.length > 0 ? fingerprints : undefined };
}

/** Words of a file as they may be shown: without a login, in one line. */
function shown(text: string): string {
  return text.replace(/^([a-z+]+:\/*)?[^]*@/i, '$1').replace(/[\0-\x1f\x7f]/g, '?');
}
