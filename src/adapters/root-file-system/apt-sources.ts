/** One stanza of a deb822 sources file (sources.list(5)). */
export type AptSource = {
  readonly types: readonly string[];
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** Other fields by their deb822 names: `Signed-By`, `Trusted`. */
  readonly options: Readonly<Record<string, string>>;
};

/** Reads one-line entries (`deb [signed-by=…] URI SUITE COMPONENT…`); entries that differ only in their suite become one source. */
export function parseOneLineSources(text: string): readonly AptSource[] {
  const sources = new Map<string, AptSource>();
  for (const line of text.split('\n')) {
    const match = /^\s*(deb|deb-src)\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (match === null) continue;
    const [, type, optionText = '', uri, suite, componentText = ''] = match;
    const components = componentText.trim().split(/\s+/).filter(Boolean);
    const options = parseOptions(optionText);
    const key = JSON.stringify([type, uri, components, options]);
    const known = sources.get(key);
    sources.set(key, known === undefined ? { types: [type!], uris: [uri!], suites: [suite!], components, options } : { ...known, suites: [...known.suites, suite!] });
  }
  return [...sources.values()];
}

/** Options whose deb822 field is not the option's own name with capitals. */
const FIELD_OF_OPTION: Readonly<Record<string, string>> = { arch: 'Architectures', lang: 'Languages', target: 'Targets' };

function parseOptions(text: string): Record<string, string> {
  const options: Record<string, string> = {};
  for (const [, name = '', quoted, bare] of text.matchAll(/([a-z-]+)=(?:"([^"]*)"|(\S+))/gi)) {
    const field = FIELD_OF_OPTION[name.toLowerCase()] ?? name.toLowerCase().replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());
    options[field] = (quoted ?? bare ?? '').replaceAll(',', ' ');
  }
  return options;
}

/** Reads a deb822 sources file (sources.list(5)); stanzas that are switched off are left out. */
export function parseDeb822Sources(text: string): readonly AptSource[] {
  return text.split(/\n(?:[ \t]*\n)+/).flatMap((stanza) => {
    const fields = new Map<string, string>();
    let last = '';
    for (const line of stanza.split('\n')) {
      const field = /^([A-Za-z-]+):[ \t]*(.*)$/.exec(line);
      if (field !== null) fields.set((last = field[1]!), field[2]!);
      else if (/^[ \t]/.test(line) && last !== '') fields.set(last, `${fields.get(last)!}\n${line}`);
    }
    const words = (field: string): string[] => (fields.get(field) ?? '').trim().split(/\s+/).filter(Boolean);
    const source = { types: words('Types'), uris: words('URIs'), suites: words('Suites'), components: words('Components') };
    if (source.types.length === 0 || source.uris.length === 0 || fields.get('Enabled') === 'no') return [];
    const options = Object.fromEntries([...fields].filter(([field]) => !['Types', 'URIs', 'Suites', 'Components', 'Enabled'].includes(field)));
    return [{ ...source, options }];
  });
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
