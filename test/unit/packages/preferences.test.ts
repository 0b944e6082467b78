import { describe, expect, it } from '@jest/globals';
import { findUpgrades } from '../../../src/packages/find-upgrades.js';
import { expression } from '../../../src/packages/pin.js';
import { parsePreferences } from '../../../src/packages/preferences.js';
import { imageWith, indexWith } from '../../support/packages-in-memory.js';

/** What `a 2` becomes, where trixie has 3, its backports 4, and a vendor 1 and 5. */
function candidate(files: Readonly<Record<string, string>>, installed = 'a 2\nSource: s'): string {
  const image = imageWith([installed], files);
  const indexes = [
    indexWith('trixie', ['a 3\nSource: s']),
    indexWith('trixie-backports', ['a 4\nSource: s'], { notAutomatic: true, butAutomaticUpgrades: true, label: 'Debian Backports' }),
    indexWith('vendor', ['a 5\nSource: s', 'a 1\nSource: s'], { origin: 'Vendor', site: 'vendor.example.org', version: '' }),
  ];
  return findUpgrades(image, indexes)[0]?.to ?? 'stays';
}
const pinned = (packages: string, pin: string, priority: number | string): Readonly<Record<string, string>> => ({ '/etc/apt/preferences': `Package: ${packages}\nPin: ${pin}\nPin-Priority: ${priority}\n` });

describe('preferences', () => {
  it.each([
    ['without any, the newest', {}, '5'],
    ['to a release', pinned('*', 'release n=trixie', 990), '3'],
    ['against a site', pinned('*', 'origin vendor.example.org', -1), '3'],
    ['against a vendor', pinned('*', 'release o=Vendor', 50), '3'],
    ['to backports', pinned('a', 'release n=trixie-backports', 600), '4'],
    ['of a source', pinned('src:s', 'version 4', 600), '4'],
    ['by a glob', pinned('[ab]*', 'version 4*', 600), '4'],
    ['by an expression', pinned('/^A$/', 'version /^4/', 600), '4'],
    ['of another architecture', pinned('a:i386', 'version 4', 600), '5'],
    ['of another package', pinned('aa', 'version 4', 600), '5'],
    ['to the installed one', pinned('a', 'release a=now', 999), 'stays'],
    ['to an older one', pinned('a', 'version 1', 1001), 'stays'],
    ['never', pinned('*', 'origin vendor.example.org', 'never'), '3'],
    ['to the target release', { '/etc/apt/apt.conf.d/x': 'APT::Default-Release "trixie-backports";' }, '4'],
    ['to the target release before the preferences', { '/etc/apt/apt.conf': 'APT { Default-Release "trixie"; };', ...pinned('*', 'release n=trixie', 1) }, '3'],
    ['the first that is of a version counts', { ...pinned('a', 'version 4', 600), '/etc/apt/preferences.d/x': 'Package: a\nPin: version 4\nPin-Priority: 1\n' }, '4'],
    ['a file with another ending is passed over', { '/etc/apt/preferences.d/x.bak': 'Package: a\nPin: version 4\nPin-Priority: 600\n' }, '5'],
  ])('%s', (_, files, expected) => {
    expect(candidate(files)).toBe(expected);
  });
  it.each([
    ['Pin: version 1\nPin-Priority: 1\n', 'stanza 1 names no package'],
    ['Package: *\nPin: release *\nPin-Priority: 5\n\nPackage: a\nPin: version 1\nPin-Priority: many\n', 'stanza 2 has no priority from -32768 to 32767 other than 0'],
    ['Package: a\nPin: version 1\nPin-Priority: 40000\n', 'stanza 1 has no priority from -32768 to 32767 other than 0'],
    ['Package: a\nPin: version 1\nPin-Priority: never\n', 'stanza 1 has the priority "never", which is for "Package: *" alone'],
    ['Package: a\nPin-Priority: 1\n\nPackage: a\nPin: moon full\nPin-Priority: 1\n', undefined],
  ])('apt refuses %j: %s', (text, expected) => {
    expect(parsePreferences(text).fault).toBe(expected);
  });
});

describe('expression', () => {
  it.each([
    ['trix*', 'Trixie', true],
    ['trix', 'trixie', false],
    ['t?ixie', 'trixie', true],
    ['[!a-s]rixie', 'trixie', true],
    ['[^t]rixie', 'trixie', false],
    ['a.b', 'axb', false],
    ['a\\*b', 'a*b', true],
    ['/^[[:alpha:]]+[[:digit:]]$/', 'lib1', true],
    ['/rix/', 'trixie', true],
    ['/(/', '(', false],
    ['[z-a]', 'a', false],
    ['[', '[', true],
    ['*', undefined, false],
  ])('%s, %s: %s', (pattern, text, expected) => {
    expect(expression(pattern)(text)).toBe(expected);
  });
});
