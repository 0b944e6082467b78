import { describe, expect, it } from '@jest/globals';
import { DEBIAN_KEYRING, formatSources, joinSuites, listPrefix, parseRelease, signSources } from '../../../../src/adapters/root-file-system/apt-sources.js';
import { parseDeb822Sources, parseOneLineSources } from '../../../../src/packages/apt-sources.js';

const ONE_LINE = `deb http://archive.example.org/debian trixie main
deb http://archive.example.org/debian trixie-updates main
# a comment
deb [arch=amd64,i386 signed-by="/usr/share/keyrings/a.gpg"] http://security.example.org/debian-security/ trixie-security main contrib # why
`;

describe('sources of apt', () => {
  it('suites of the same archive become one stanza', () => {
    expect(formatSources(joinSuites(parseOneLineSources(ONE_LINE).sources))).toBe(`Types: deb
URIs: http://archive.example.org/debian
Suites: trixie trixie-updates
Components: main

Types: deb
URIs: http://security.example.org/debian-security/
Suites: trixie-security
Components: main contrib
Architectures: amd64 i386
Signed-By: /usr/share/keyrings/a.gpg
`);
  });
  it('what was written as deb822 is read back equal', () => {
    const sources = joinSuites(parseOneLineSources(ONE_LINE).sources);
    expect(parseDeb822Sources(formatSources(sources))).toEqual({ sources });
  });
  it('a key in the file keeps its lines, and a stanza that is switched off is left out', () => {
    const { sources } = parseDeb822Sources('Types: deb\nURIs: http://a.example.org/\nSuites: ./\nSigned-By:\n -----BEGIN\n .\n -----END\n\nEnabled: no\nTypes: deb\nURIs: http://b.example.org/\nSuites: x/\n');
    expect(sources).toHaveLength(1);
    expect(formatSources(sources)).toContain('Signed-By: \n -----BEGIN\n .\n -----END\n');
  });
});

describe('signSources', () => {
  const release = (origin: string) => ({ origin, date: 1 });
  const sources = parseOneLineSources('deb [signed-by=/root/key.gpg] http://a.example.org/debian trixie main\ndeb http://b.example.org/x y z').sources;
  it("Debian's archives are signed by Debian's keyring inside the image, others as their entry says", () => {
    const releases = new Map([
      ['a.example.org_debian_dists_trixie_InRelease', release('Debian')],
      ['b.example.org_x_dists_y_InRelease', release('Somebody')],
    ]);
    expect(signSources(sources, releases).map(({ options }) => options['Signed-By'])).toEqual([DEBIAN_KEYRING, undefined]);
  });
  it('an archive whose Release file is not known is left as it is', () => {
    expect(signSources(sources, new Map())).toEqual(sources);
  });
});

describe('listPrefix', () => {
  it.each([
    ['http://a.example.org/debian/', 'trixie', 'a.example.org_debian_dists_trixie_'],
    ['https://user:secret@a.example.org:8443/deb_ian', 'trixie', 'a.example.org:8443_deb%5fian_dists_trixie_'],
  ])('%s', (uri, suite, expected) => {
    expect(listPrefix(uri, suite)).toBe(expected);
  });
});

describe('parseRelease', () => {
  it('reads origin and date', () => {
    expect(parseRelease('-----BEGIN PGP SIGNED MESSAGE-----\n\nOrigin: Debian\nLabel: Debian\nDate: Fri, 20 Nov 2026 02:11:10 UTC\nValid-Until: Fri, 27 Nov 2026 02:11:10 UTC\n')).toEqual({ origin: 'Debian', date: 1_795_140_670 });
  });
  it('is undefined without a date', () => {
    expect(parseRelease('Origin: Debian\n')).toBeUndefined();
  });
});
