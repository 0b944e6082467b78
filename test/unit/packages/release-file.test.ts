import { describe, expect, it } from '@jest/globals';
import { parseRelease } from '../../../src/packages/release-file.js';

const A = 'a'.repeat(64);
const B = 'B'.repeat(64);
const TEXT = `Origin: Debian
Label: Debian-Security
Suite: stable-security
Version: 13.1
Codename: trixie-security
Date: Sat, 21 Nov 2026 08:00:00 UTC
Valid-Until: Sat, 28 Nov 2026 08:00:00 UTC
Acquire-By-Hash: yes
No-Support-for-Architecture-all: Packages
Architectures: all
 amd64
Components: main contrib
Description: Debian 13
 Label: not this
MD5Sum:
 00000000000000000000000000000000 3 main/binary-amd64/Packages
SHA256:
 ${A} 12 main/binary-amd64/Packages
 ${B}       34 main/binary-amd64/Packages.xz
 ${A} 56 main/binary-amd64/Release
 ${A} 56 main/Contents-amd64.gz
SHA512:
 ${A}${A} 78 main/binary-amd64/Packages.gz
`;

describe('a Release file', () => {
  it('says what its suite is, and what each index of packages must be', () => {
    expect(parseRelease(TEXT)).toEqual({
      origin: 'Debian',
      label: 'Debian-Security',
      suite: 'stable-security',
      codename: 'trixie-security',
      version: '13.1',
      date: Date.UTC(2026, 10, 21, 8),
      validUntil: Date.UTC(2026, 10, 28, 8),
      notAutomatic: false,
      butAutomaticUpgrades: false,
      architectures: ['all', 'amd64'],
      components: ['main', 'contrib'],
      acquireByHash: true,
      allWithin: true,
      indexes: new Map([
        ['main/binary-amd64/Packages', { size: 12, sha256: A }],
        ['main/binary-amd64/Packages.xz', { size: 34, sha256: B.toLowerCase() }],
      ]),
    });
  });
  it('of which little is said is one as well', () => {
    expect(parseRelease(`Date: Sat, 21 Nov 2026 08:00:00 UTC\nNotAutomatic: yes\nButAutomaticUpgrades: yes\nSHA256:\n ${A} 1 ./Packages\n`)).toMatchObject({
      suite: '',
      validUntil: undefined,
      notAutomatic: true,
      butAutomaticUpgrades: true,
      architectures: undefined,
      components: undefined,
      acquireByHash: false,
      allWithin: false,
      indexes: new Map([['Packages', { size: 1, sha256: A }]]),
    });
  });
  it.each([
    ['without a date', TEXT.replace(/^Date: .*\n/m, '')],
    ['with a date that is none', TEXT.replace(/^Date: .*$/m, 'Date: soon')],
    ['without SHA-256', TEXT.replace('SHA256:', 'SHA1:')],
    ['that is something else', '<html>'],
  ])('%s is none', (_, text) => {
    expect(parseRelease(text)).toBeUndefined();
  });
});
