import { describe, expect, it } from '@jest/globals';
import { expression } from '../../../src/packages/expression.js';
import { findUpgrades } from '../../../src/packages/find-upgrades.js';
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
    ['to an older one, just so', pinned('a', 'version 1', 1000), 'stays'],
    ['to an older one, too weakly', pinned('a', 'version 1', 999), '5'],
    ['against all that is new', pinned('*', 'release a=now', 999), 'stays'],
    ['against all that is new, by the component', pinned('*', 'release c=now', 999), 'stays'],
    ['of nothing that can be asked for, which is of what is installed', pinned('*', 'release x=y', 999), 'stays'],
    ['of any version of a release, which asks for nothing', pinned('*', 'release v=*, o=Vendor', -1), '3'],
    ['of all versions without a name', pinned('*', 'release v=*', -1), '5'],
    ['of all packages by version, which apt does not know', pinned('*', 'version 4', 600), '5'],
    ['of this architecture, whatever its system', pinned('a:any-amd64', 'version 4', 600), '4'],
    ['of this architecture by name', pinned('a:amd64', 'version 4', 600), '4'],
    ['of all architectures', pinned('a:any', 'version 4', 600), '4'],
    ['never', pinned('*', 'origin vendor.example.org', 'never'), '3'],
    ['never, though another was first', { '/etc/apt/preferences': 'Package: *\nPin: release o=Vendor\nPin-Priority: 900\n\nPackage: *\nPin: origin vendor.example.org\nPin-Priority: never\n' }, '3'],
    ['never, though the package is pinned there', { '/etc/apt/preferences': 'Package: *\nPin: origin vendor.example.org\nPin-Priority: never\n\nPackage: a\nPin: version 5\nPin-Priority: 900\n' }, '3'],
    ['to the target release', { '/etc/apt/apt.conf.d/x': 'APT::Default-Release "trixie-backports";' }, '4'],
    ['to the target release before the preferences', { '/etc/apt/apt.conf': 'APT { Default-Release "trixie"; };', ...pinned('*', 'release n=trixie', 1) }, '3'],
    ['the first that is of a version counts', { ...pinned('a', 'version 4', 600), '/etc/apt/preferences.d/x': 'Package: a\nPin: version 4\nPin-Priority: 1\n' }, '4'],
    ['a file with another ending is passed over', { '/etc/apt/preferences.d/x.bak': 'Package: a\nPin: version 4\nPin-Priority: 600\n' }, '5'],
  ])('%s', (_, files, expected) => {
    expect(candidate(files)).toBe(expected);
  });
  it('a package for all architectures is native to a pin', () => {
    const image = imageWith(['a 1\nArchitecture: all'], pinned('a', 'version 2', 900));
    expect(findUpgrades(image, [indexWith('trixie', ['a 2\nArchitecture: all', 'a 3\nArchitecture: all'])])).toMatchObject([{ to: '2' }]);
  });
  it.each([
    ['Pin: version 1\nPin-Priority: 1\n', 'stanza 1 names no package'],
    ['Package: *\nPin: release *\nPin-Priority: 5\n\nPackage: a\nPin: version 1\nPin-Priority: many\n', 'stanza 2 has no priority from -32768 to 32767 other than 0'],
    ['Package: a\nPin: version 1\nPin-Priority: 40000\n', 'stanza 1 has no priority from -32768 to 32767 other than 0'],
    ['Package: a\nPin: version 1\nPin-Priority: never\n', 'stanza 1 has the priority "never", which is for "Package: *" alone'],
    [`Package: ${'['.repeat(2000)}\nPin: version 1\nPin-Priority: 1\n`, 'stanza 1 has an expression that may take for ever'],
    ['Package: *\nPin: version 1\n', undefined],
    ['Package: /(a+)+b/\nPin: version 1\nPin-Priority: 1\n', 'stanza 1 has an expression that may take for ever'],
    ['Package: src:/(a|b)*/:any\nPin: version 1\nPin-Priority: 1\n', 'stanza 1 has an expression that may take for ever'],
    ['Package: a\nPin: version /.*.*.*.*x/\nPin-Priority: 1\n', 'stanza 1 has an expression that may take for ever'],
    ['Package: *\nPin: release o=x, n=/(a*)*b/\nPin-Priority: 1\n', 'stanza 1 has an expression that may take for ever'],
    ['Package: /^(lib)?a[*+]+\\\\*/ /x.*y/\nPin: release n=/^(a|b)$/\nPin-Priority: 1\n', undefined],
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
    ['[z-a]x', 'ax', false],
    ['[!z-a]', 'a', true],
    ['[]]', ']', true],
    ['a*b*c', 'aXbYbZc', true],
    ['a*b*c', 'aXbYbZ', false],
    ['*a', 'banana', true],
    ['ba*', 'ab', false],
    ['a**', 'a', true],
    ['', '', true],
    ['?', '', false],
    ['[[:digit:]]x', '7x', true],
    ['/x/', 'x'.repeat(257), false],
    ['[', '[', true],
    ['*', undefined, false],
  ])('%s, %s: %s', (pattern, text, expected) => {
    expect(expression(pattern)(text)).toBe(expected);
  });
});
