import { describe, expect, it } from '@jest/globals';
import { findUpgrades } from '../../../src/packages/find-upgrades.js';
import type { PackageIndex } from '../../../src/packages/package-index.js';
import { imageWith, indexWith } from '../../support/packages-in-memory.js';

const BACKPORTS = { notAutomatic: true, butAutomaticUpgrades: true };

function upgradesOf(installed: readonly string[], indexes: readonly PackageIndex[], files: Readonly<Record<string, string>> = {}): readonly string[] {
  return findUpgrades(imageWith(installed, files), indexes).map(({ package: name, arch, from, to, suite, security, heldBack }) =>
    [`${name}:${arch} ${from} ${to} ${suite}`, ...(security ? ['security'] : []), ...(heldBack === undefined ? [] : [`(${heldBack})`])].join(' '),
  );
}

describe('findUpgrades', () => {
  it.each<[string, readonly string[], readonly PackageIndex[], readonly string[]]>([
    ['what is newer in a suite is an upgrade', ['a 1'], [indexWith('trixie', ['a 2'])], ['a:amd64 1 2 trixie']],
    ['the newest of a suite counts', ['a 1'], [indexWith('trixie', ['a 3', 'a 2', 'a 4~rc1'])], ['a:amd64 1 4~rc1 trixie']],
    ['an older version is none', ['a 2'], [indexWith('trixie', ['a 1'])], []],
    ['an epoch is newer than any number', ['a 9'], [indexWith('trixie', ['a 1:0.1'])], ['a:amd64 9 1:0.1 trixie']],
    ['another architecture is another package', ['a 1'], [indexWith('trixie', ['a 2\nArchitecture: i386'])], []],
    ['one for all architectures counts as native', ['a 1\nArchitecture: all'], [indexWith('trixie', ['a 2'])], ['a:all 1 2 trixie']],
    ['backports are taken from where one is installed', ['a 1~bpo1', 'b 1'], [indexWith('trixie', ['b 1']), indexWith('trixie-backports', ['a 2~bpo1', 'b 2~bpo1'], BACKPORTS)], ['a:amd64 1~bpo1 2~bpo1 trixie-backports']],
    ['experimental is not automatic', ['a 1'], [indexWith('experimental', ['a 2'], { notAutomatic: true })], []],
    ['a version above it in a security suite makes it security', ['a 1'], [indexWith('trixie', ['a 3']), indexWith('trixie-security', ['a 2'])], ['a:amd64 1 3 trixie security']],
    ['a security fix that is installed already does not', ['a 2'], [indexWith('trixie', ['a 3']), indexWith('trixie-security', ['a 2'])], ['a:amd64 2 3 trixie']],
    ['a newer fix that apt does not want does not', ['a 1'], [indexWith('trixie', ['a 2']), indexWith('trixie-security', ['a 3'], { notAutomatic: true })], ['a:amd64 1 2 trixie']],
    ['a suite is of security by its label', ['a 1'], [indexWith('x', ['a 2'], { label: 'Debian-Security' })], ['a:amd64 1 2 x security']],
    ['a suite is of security by its codename', ['a 1'], [indexWith('x-security', ['a 2'], { label: '', suite: '' })], ['a:amd64 1 2 x-security security']],
    ['a suite is of security by its name', ['a 1'], [indexWith('x', ['a 2'], { suite: 'stable-security' })], ['a:amd64 1 2 x security']],
    ['the security suite is named before others that have the version', ['a 1'], [indexWith('trixie', ['a 2']), indexWith('trixie-security', ['a 2'])], ['a:amd64 1 2 trixie-security security']],
    ['a suite without a codename has that of its archive, or of its site', ['a 1', 'b 1'], [indexWith('', ['a 2'], { suite: 'stable' }), indexWith('', ['b 2'], { suite: '', site: 'flat.example.org' })], ['a:amd64 1 2 stable', 'b:amd64 1 2 flat.example.org']],
    ['what dpkg holds is shown as held', ['a 1\nStatus: hold ok installed'], [indexWith('trixie', ['a 2'])], ['a:amd64 1 2 trixie (held by dpkg)']],
    ['what dpkg only speaks of is not installed', ['a 1\nStatus: install ok not-installed'], [indexWith('trixie', ['a 2'])], []],
    ['what was removed but for its settings is not installed', ['a 1\nStatus: deinstall ok config-files'], [indexWith('trixie', ['a 2'])], []],
  ])('%s', (_, installed, indexes, expected) => {
    expect(upgradesOf(installed, indexes)).toEqual(expected);
  });
});
