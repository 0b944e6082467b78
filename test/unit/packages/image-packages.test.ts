import { describe, expect, it } from '@jest/globals';
import { parseImagePackages } from '../../../src/packages/image-packages.js';
import { imageWith, packageFiles, statusOf } from '../../support/packages-in-memory.js';

const KEY = { '/usr/share/keyrings/a.gpg': 'key' };

function sourcesOf(files: Readonly<Record<string, string>>): readonly string[] {
  return imageWith([], { '/etc/apt/trusted.gpg.d/t.gpg': 't', ...KEY, ...files }).sources.map(({ uri, suite, components, architectures, keyrings, fingerprints, checksValidUntil }) =>
    [uri, suite, components.join('+'), architectures.join('+'), keyrings === 'trusted' ? keyrings : keyrings.map(({ path }) => path).join('+'), ...(fingerprints ?? []), ...(checksValidUntil ? [] : ['may be old'])].filter(Boolean).join(' '),
  );
}
const line = (text: string): readonly string[] => sourcesOf({ '/etc/apt/sources.list': text });
const stanza = (text: string): readonly string[] => sourcesOf({ '/etc/apt/sources.list.d/x.sources': text });

describe('the sources of an image', () => {
  it.each([
    ['deb http://a.org/d trixie main contrib', ['http://a.org/d trixie main+contrib amd64 /etc/apt/trusted.gpg.d/t.gpg']],
    ['deb [arch=amd64,i386 signed-by=/usr/share/keyrings/a.gpg] http://a.org/d trixie main # why', ['http://a.org/d trixie main amd64+i386 /usr/share/keyrings/a.gpg']],
    ['deb [trusted=yes] http://a.org/$(ARCH) ./', ['http://a.org/amd64 ./ amd64 trusted']],
    ['deb [ signed-by=0123,/usr/share/keyrings/a.gpg check-valid-until=no ] http://a.org/d trixie main', ['http://a.org/d trixie main amd64 /usr/share/keyrings/a.gpg 0123 may be old']],
    ['deb http://a.org/d trixie main\ndeb http://a.org/d trixie contrib main', ['http://a.org/d trixie main+contrib amd64 /etc/apt/trusted.gpg.d/t.gpg']],
    ['deb http://a.org/d x/$(ARCH) main', ['http://a.org/d x/$(ARCH) main amd64 /etc/apt/trusted.gpg.d/t.gpg']],
    ['deb http://a.org/d x/$(ARCH)/', ['http://a.org/d x/amd64/ amd64 /etc/apt/trusted.gpg.d/t.gpg']],
    ['deb [arch+=i386,arm64 arch-=amd64] http://a.org/d trixie main', ['http://a.org/d trixie main i386+arm64 /etc/apt/trusted.gpg.d/t.gpg']],
    ['deb [signed-by=ab12!] http://a.org/d trixie main', ['http://a.org/d trixie main amd64 /etc/apt/trusted.gpg.d/t.gpg AB12!']],
    ['deb [x=#] http://a.org/[#] ./ # why', ['http://a.org/[#] ./ amd64 /etc/apt/trusted.gpg.d/t.gpg']],
    ['# deb http://a.org/d trixie main\ndeb-src http://a.org/d trixie main', []],
  ])('in one line: %s', (text, expected) => {
    expect(line(text)).toEqual(expected);
  });
  it.each([
    ['Types: deb deb-src\nURIs: http://a.org/d\nSuites: trixie trixie-updates\nComponents: main\nSigned-By: /usr/share/keyrings/a.gpg\n', ['http://a.org/d trixie main amd64 /usr/share/keyrings/a.gpg', 'http://a.org/d trixie-updates main amd64 /usr/share/keyrings/a.gpg']],
    ['types: deb\nuris: http://a.org/d\nsuites: ./\narchitectures-add: i386\n', ['http://a.org/d ./ amd64+i386 /etc/apt/trusted.gpg.d/t.gpg']],
    ['Types: deb\nURIs: http://a.org/d\nSuites: ./\nCheck-Date: no\nArchitectures: i386 amd64\nArchitectures-Remove: i386\n', ['http://a.org/d ./ amd64 /etc/apt/trusted.gpg.d/t.gpg may be old']],
    ['Types: deb\nURIs: http://a.org/d\nSuites: ./\nArchitectures: i386,amd64\n', ['http://a.org/d ./ i386+amd64 /etc/apt/trusted.gpg.d/t.gpg']],
    ['Types: deb\nURIs: http://a.org/d\nSuites: ./\nAllow-Insecure: yes\n', ['http://a.org/d ./ amd64 trusted']],
    ['Types: deb\nURIs: http://a.org/d\nSuites: ./\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n ab\n -----END PGP PUBLIC KEY BLOCK-----\n', ['http://a.org/d ./ amd64 Signed-By']],
    ['Enabled: no\nTypes: deb\nURIs: http://a.org/d\nSuites: ./\n', []],
    ['Types: deb-src\nURIs: http://a.org/d\nSuites: ./\n', []],
  ])('in stanzas: %s', (text, expected) => {
    expect(stanza(text)).toEqual(expected);
  });
  it('are in the order of the names of their files, sources.list first; other names are passed over', () => {
    const of = (host: string): string => `deb [trusted=yes] http://${host}.org ./`;
    const parts = ['z.list', 'a.b.list', 'A.list', 'a.list.save', '.h.list', 'a b.list', 'x'].map((name, at) => [`/etc/apt/sources.list.d/${name}`, of(`h${at}`)] as const);
    expect(sourcesOf({ ...Object.fromEntries(parts), '/etc/apt/sources.list': of('main') }).map((each) => each.split(/[/.]+/)[1])).toEqual(['main', 'h2', 'h1', 'h0']);
  });
  it('all keys of trusted.gpg and its folder may sign, armoured ones too', () => {
    expect(sourcesOf({ '/etc/apt/sources.list': 'deb http://a.org/d ./', '/etc/apt/trusted.gpg': 'x', '/etc/apt/trusted.gpg.d/a.asc': 'x', '/etc/apt/trusted.gpg.d/a.txt': 'x' })).toEqual(['http://a.org/d ./ amd64 /etc/apt/trusted.gpg+/etc/apt/trusted.gpg.d/a.asc+/etc/apt/trusted.gpg.d/t.gpg']);
  });
  it('a key in a file of sources keeps its lines, and the empty one', () => {
    const [source] = imageWith([], { '/etc/apt/sources.list.d/x.sources': 'Types: deb\nURIs: http://a.org/d\nSuites: ./\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n ab\n -----END PGP PUBLIC KEY BLOCK-----\n' }).sources;
    expect(new TextDecoder().decode(source!.keyrings === 'trusted' ? undefined : source!.keyrings[0]!.bytes)).toBe('-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nab\n-----END PGP PUBLIC KEY BLOCK-----\n');
  });
  it('nobody asks whether they are old where apt.conf says so', () => {
    expect(sourcesOf({ '/etc/apt/sources.list': 'deb http://a.org/d trixie main', '/etc/apt/apt.conf': 'Acquire { Check-Valid-Until "false"; };' })).toEqual(['http://a.org/d trixie main amd64 /etc/apt/trusted.gpg.d/t.gpg may be old']);
  });
  it.each([
    ['a key that is not there', { '/etc/apt/sources.list': 'deb [signed-by=/root/k.gpg] https://u:p@a.org/d trixie main' }, ['/root/k.gpg is not in it, the key of https://a.org/d trixie']],
    ['a source inside the image', { '/etc/apt/sources.list': 'deb mirror+file:/etc/apt/mirrors.list trixie main' }, ['its source mirror+file:/etc/apt/mirrors.list can be read inside the image only']],
    ['a line without a suite', { '/etc/apt/sources.list': '\ndeb http://a.org/d' }, ['/etc/apt/sources.list: line 2 names no suite']],
    ['a line that is too long', { '/etc/apt/sources.list': `deb http://a.org/d ${'['.repeat(5000)}` }, ['/etc/apt/sources.list: line 1 is too long']],
    ['a line without an address', { '/etc/apt/sources.list': 'deb nowhere trixie main' }, ['/etc/apt/sources.list: line 1 names no URI']],
    ['a suite without a component', { '/etc/apt/sources.list': 'deb http://a.org/d trixie' }, ['/etc/apt/sources.list: line 1 names no component']],
    ['an exact path with a component', { '/etc/apt/sources.list': 'deb http://a.org/d ./ main' }, ['/etc/apt/sources.list: line 1 names a component beside an exact path']],
    ['nothing, of two ways to say the same', { '/etc/apt/sources.list': 'deb [trusted=yes] http://a.org/d trixie main\ndeb [trusted=1] http://a.org/d trixie contrib\n' }, []],
    ['preferences without a priority', { '/etc/apt/preferences': 'Package: a\nPin: version 1\n' }, ['/etc/apt/preferences: stanza 1 has no priority from -32768 to 32767 other than 0']],
    ['settings that end too early', { '/etc/apt/apt.conf.d/x': 'APT { Architecture "amd64"' }, ['/etc/apt/apt.conf.d/x is no apt.conf(5)']],
    ['a stanza of no known type, though switched off', { '/etc/apt/sources.list.d/x.sources': 'Enabled: no\nTypes: rpm\nURIs: http://a.org/d\nSuites: ./\n' }, ['/etc/apt/sources.list.d/x.sources: stanza 1 is of a type that is none of deb and deb-src']],
    ['a stanza that speaks of no type', { '/etc/apt/sources.list.d/x.sources': 'URIs: http://a.org/d\nSuites: ./\n' }, ['/etc/apt/sources.list.d/x.sources: stanza 1 is of a type that is none of deb and deb-src']],
    ['nothing, of a stanza of no type', { '/etc/apt/sources.list.d/x.sources': 'Types:\nURIs: http://a.org/d\nSuites: ./\n' }, []],
    ['two keys for one suite', { ...KEY, '/etc/apt/trusted.gpg.d/t.gpg': 't', '/etc/apt/sources.list': 'deb [signed-by=/usr/share/keyrings/a.gpg] http://a.org/d trixie main\ndeb http://u:p@a.org/d/ trixie contrib\n' }, ['two entries of http://a.org/d trixie say different things of Signed-By']],
    ['nothing, of a key that a later entry has', { ...KEY, '/etc/apt/trusted.gpg.d/t.gpg': 't', '/etc/apt/sources.list': 'deb http://a.org/d trixie main\ndeb [signed-by=/usr/share/keyrings/a.gpg] http://a.org/d trixie contrib\n' }, []],
    ['two ways to trust one suite', { '/etc/apt/trusted.gpg.d/t.gpg': 't', '/etc/apt/sources.list': 'deb http://a.org/d trixie main\ndeb [trusted=yes] http://a.org/d trixie contrib\n' }, ['two entries of http://a.org/d trixie say different things of Trusted']],
    ['no key at all', { '/etc/apt/sources.list': 'deb http://a.org/d trixie main' }, ['it has no key that signs http://a.org/d trixie']],
    ['another system', { '/var/lib/dpkg/status': '', '/etc/os-release': 'PRETTY_NAME="Alpine Linux v3.20"\n' }, []],
  ])('what cannot be read is unknown: %s', (_, files, expected) => {
    expect(imageWith([], files).unreadable.map(({ says }) => says)).toEqual(expected);
  });
  it('a system without dpkg is unknown, an empty image is not', () => {
    expect(parseImagePackages(packageFiles({ '/etc/os-release': 'NAME="Alpine Linux"\n' })).unreadable).toEqual([{ why: 'unreadable', says: 'it is Alpine Linux and has no records of dpkg' }]);
    expect(parseImagePackages(packageFiles({}))).toMatchObject({ installed: [], sources: [], unreadable: [] });
  });
});

describe('what is installed', () => {
  it('is what dpkg and images without dpkg record', () => {
    const files = packageFiles({ '/var/lib/dpkg/status': statusOf('a 1\nSource: b (2)'), '/var/lib/dpkg/status.d/c': 'Package: c\nVersion: 1+b3\nArchitecture: amd64\n', '/var/lib/dpkg/status.d/c.md5sums': 'ab usr/bin/c\n' });
    expect(parseImagePackages(files).installed.map(({ name, version, source, sourceVersion }) => [name, version, source, sourceVersion])).toEqual([['a', '1', 'b', '2'], ['c', '1+b3', 'c', '1']]);
  });
  it('is of the architectures that dpkg lists', () => {
    expect(imageWith([], { '/var/lib/dpkg/arch': 'arm64\namd64\n' })).toMatchObject({ architecture: 'arm64', foreignArchitectures: ['amd64'] });
    expect(imageWith([])).toMatchObject({ architecture: 'amd64', foreignArchitectures: [] });
  });
  it('of packages for all architectures alone is unknown, unless dpkg or apt names one', () => {
    const status = { '/var/lib/dpkg/status': 'Package: tzdata\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n' };
    const of = (more: Readonly<Record<string, string>>): readonly unknown[] => {
      const { architecture, unreadable } = parseImagePackages(packageFiles({ ...status, ...more }));
      return [architecture, unreadable.map(({ says }) => says)];
    };
    expect(of({})).toEqual(['', ['its architecture is told by none of its packages, nor by dpkg or apt']]);
    expect(of({ '/var/lib/dpkg/arch': 'arm64\n' })).toEqual(['arm64', []]);
    expect(of({ '/etc/apt/apt.conf': 'APT::Architecture "arm64";' })).toEqual(['arm64', []]);
    expect(of({ '/var/lib/dpkg/status': '' })).toEqual(['', []]);
  });
  it('is of the architectures that apt is told', () => {
    expect(imageWith([], { '/var/lib/dpkg/arch': 'amd64\ni386\n', '/etc/apt/apt.conf.d/x.conf': 'APT { Architecture "arm64"; Architectures { "arm64"; "riscv64"; }; };' })).toMatchObject({ architecture: 'arm64', foreignArchitectures: ['riscv64'] });
  });
});
