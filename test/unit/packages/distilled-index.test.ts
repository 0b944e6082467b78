import { describe, expect, it } from '@jest/globals';
import { openDistilledIndex, type IndexPlace } from '../../../src/packages/distilled-index.js';
import { createPackageDistiller } from '../../../src/packages/package-distiller.js';
import { indexOfPackages } from '../../support/index-of-packages.js';

const PLACE: IndexPlace = {
  release: { origin: '', label: '', suite: '', codename: 'trixie', version: '', date: 0, validUntil: undefined, notAutomatic: false, butAutomaticUpgrades: false },
  site: 'deb.example.org',
  uri: 'http://deb.example.org/debian',
  component: 'main',
  architecture: 'amd64',
  sha256: 'ab',
};

const TEXT = `Package: zlib1g
Source: zlib (1:1.3)
Version: 1:1.3+b2
Architecture: amd64
Multi-Arch: same
Maintainer: J\u00fcrgen <j@example.org>
Pre-Depends: dpkg (>= 1.20)
Depends: libc6 (>= 2.14),
 libfoo | libbar,
\tlibbaz
Conflicts: zlib1
Breaks: libxml2 (<< 2.7)
Provides: libz1, zlib1-virtual (= 1:1.3),
 zlib:any
Description: compression
 Version: 9
 .
 more
Filename: pool/main/z/zlib/zlib1g_1.3+b2_amd64.deb
Size: 90000
SHA256: ABCD

Package: abc
Version: 2+b1
Architecture: all
Multi-Arch: no
provides: mail-agent
Filename: pool/abc.deb
Size: 1
SHA256: 01

Package: abcd
Version: 3
Architecture: all
Provides: abcd, mail-agent-x
Filename: pool/abcd.deb
Size: 2
SHA256: 02

Package: abc
Version: 1
Architecture: all
Source: other
Provides: mail-agent, mail-agent (= 2)
Filename: pool/abc1.deb
Size: 3
SHA256: 03


Package: without-version
Architecture: all
`;

const names = (found: readonly { readonly name: string; readonly version: string }[]): readonly string[] => found.map(({ name, version }) => `${name} ${version}`);

describe('an index of packages', () => {
  const index = indexOfPackages(TEXT, PLACE);
  it('has all that a record says, folded lines in one', () => {
    expect(index.versionsOf('zlib1g')).toEqual([
      {
        name: 'zlib1g',
        architecture: 'amd64',
        version: '1:1.3+b2',
        source: 'zlib',
        sourceVersion: '1:1.3',
        multiArch: 'same',
        relations: { preDepends: 'dpkg (>= 1.20)', depends: 'libc6 (>= 2.14), libfoo | libbar, libbaz', conflicts: 'zlib1', breaks: 'libxml2 (<< 2.7)', provides: 'libz1, zlib1-virtual (= 1:1.3), zlib:any' },
        filename: 'pool/main/z/zlib/zlib1g_1.3+b2_amd64.deb',
        size: 90000,
        sha256: 'abcd',
      },
    ]);
  });
  it('has every version of a package, in whatever order they came', () => {
    expect(names(index.versionsOf('abc'))).toEqual(['abc 2+b1', 'abc 1']);
  });
  it('takes a binary rebuild for a version of its source, and "Source:" for the source', () => {
    expect(index.versionsOf('abc').map(({ source, sourceVersion, multiArch }) => [source, sourceVersion, multiArch])).toEqual([
      ['abc', '2', undefined],
      ['other', '1', undefined],
    ]);
  });
  it.each([
    ['a name that another begins with', 'ab', []],
    ['a name that begins with another', 'abcde', []],
    ['a name before all', '0', []],
    ['a name behind all', 'zzz', []],
    ['a stanza without a version', 'without-version', []],
    ['the empty name', '', []],
  ])('does not have %s', (_, name, expected) => {
    expect([index.versionsOf(name), index.providersOf(name)]).toEqual([expected, []]);
  });
  it.each([
    ['the packages that provide a name, each once', 'mail-agent', ['abc 2+b1', 'abc 1']],
    ['those that provide it in a version', 'zlib1-virtual', ['zlib1g 1:1.3+b2']],
    ['those that provide it on a folded line, with an architecture', 'zlib', ['zlib1g 1:1.3+b2']],
    ['not the package of that name', 'abcd', []],
    ['those that provide a name that begins with another', 'mail-agent-x', ['abcd 3']],
  ])('has %s', (_, name, expected) => {
    expect(names(index.providersOf(name))).toEqual(expected);
  });
  it('says where it is from', () => {
    expect(index).toMatchObject(PLACE);
  });
  it('of nothing has nothing', () => {
    expect(indexOfPackages('', PLACE).versionsOf('abc')).toEqual([]);
  });
});

describe('a Packages file that comes in pieces', () => {
  const whole = createPackageDistiller();
  whole.add(Buffer.from(TEXT));
  const expected = whole.end();
  it.each([1, 2, 3, 7, 64, 1000])('of %d bytes says the same', (size) => {
    const distiller = createPackageDistiller();
    const bytes = Buffer.from(TEXT);
    for (let at = 0; at < bytes.length; at += size) distiller.add(bytes.subarray(at, at + size));
    const distilled = distiller.end();
    expect(distilled.equals(expected)).toBe(true);
    expect(openDistilledIndex(distilled, PLACE).versionsOf('abcd')).toHaveLength(1);
  });
  it.each([0, 1, 10_000_000])('is the same whatever size was expected of it: %d bytes', (size) => {
    const long = Array.from({ length: 3000 }, (_, at) => `Package: p${at}\nVersion: ${at}\nArchitecture: all\nProvides: v${at % 7}\n`).join('\n');
    const distil = (distiller: ReturnType<typeof createPackageDistiller>): Buffer => {
      distiller.add(Buffer.from(long));
      return distiller.end();
    };
    const distilled = distil(createPackageDistiller(size));
    expect(distilled.equals(distil(createPackageDistiller(2 * long.length)))).toBe(true);
    expect(openDistilledIndex(distilled, PLACE).providersOf('v3')).toHaveLength(429);
  });
  it('with line ends of two characters says the same', () => {
    expect(indexOfPackages(TEXT.replaceAll('\n', '\r\n'), PLACE).versionsOf('zlib1g')).toEqual(indexOfPackages(TEXT, PLACE).versionsOf('zlib1g'));
  });
});
