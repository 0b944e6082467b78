import { describe, expect, it } from '@jest/globals';
import { findUpgrades } from '../../../src/packages/find-upgrades.js';
import { imageWith, indexWith } from '../../support/packages-in-memory.js';

/** What keeps each upgrade back: `a: why`, or `a` where nothing does. */
function keptBack(installed: readonly string[], offered: readonly string[], files: Readonly<Record<string, string>> = {}): readonly string[] {
  return findUpgrades(imageWith(installed, files), [indexWith('trixie', offered)]).map(({ package: name, arch, heldBack }) => `${name}${arch === 'i386' ? ':i386' : ''}${heldBack === undefined ? '' : `: ${heldBack}`}`);
}

describe('what is kept back', () => {
  it.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ['nothing, where all can come', ['a 1', 'b 1'], ['a 2\nDepends: b (>= 2)', 'b 2'], ['a', 'b']],
    ['what dpkg holds', ['a 1\nStatus: hold ok installed'], ['a 2'], ['a: held by dpkg']],
    ['what needs something held', ['a 1', 'b 1\nStatus: hold ok installed'], ['a 2\nDepends: b (>= 2)', 'b 2'], ['a: needs b (>= 2), but b 1, which stays', 'b: held by dpkg']],
    ['what needs something that nobody has', ['a 1'], ['a 2\nDepends: b'], ['a: needs b, which no source offers']],
    ['what needs a version that nobody has', ['a 1', 'b 1'], ['a 2\nPre-Depends: b (>> 3)', 'b 2'], ['a: needs b (>> 3), but b 2, which comes too', 'b']],
    ['not what needs something that can come in addition', ['a 1'], ['a 2\nDepends: b', 'b 1\nDepends: c', 'c 1'], ['a']],
    ['what needs an addition that lacks something', ['a 1'], ['a 2\nDepends: b', 'b 1\nDepends: c'], ['a: needs b, which cannot be installed']],
    ['not what has another choice', ['a 1'], ['a 2\nDepends: b (>= 9) | c', 'b 1', 'c 1'], ['a']],
    ['not what something else provides', ['a 1'], ['a 2\nDepends: mta', 'b 1\nProvides: mta'], ['a']],
    ['not what provides the version', ['a 1', 'b 1'], ['a 2\nDepends: mta (>= 2)', 'b 2\nProvides: mta (= 2)'], ['a', 'b']],
    ['what needs a version of what is provided without one', ['a 1', 'b 1\nProvides: mta'], ['a 2\nDepends: mta (>= 2)'], ['a: needs mta (>= 2), which no source offers']],
    ['what breaks something that stays', ['a 1', 'b 1'], ['a 2\nBreaks: b (<< 2)'], ['a: breaks b 1, which stays']],
    ['not what breaks only what goes', ['a 1', 'b 1'], ['a 2\nBreaks: b (<< 2)', 'b 2'], ['a', 'b']],
    ['what something that stays breaks', ['a 1', 'b 1\nConflicts: a (>= 2)'], ['a 2'], ['a: b 1, which stays, breaks it']],
    ['what something that stays needs as it is', ['a 1', 'b 1\nDepends: a (= 1)'], ['a 2'], ['a: b 1, which stays, needs a (= 1)']],
    ['what something that is kept back needs as it is', ['a 1', 'b 1\nDepends: a (= 1)'], ['a 2', 'b 2\nDepends: a (= 2), c'], ['a: b 1, which stays, needs a (= 1)', 'b: needs c, which no source offers']],
    ['not what something that stays needs, if that takes another', ['a 1', 'b 1\nDepends: a (= 1) | c'], ['a 2', 'c 1'], ['a']],
    ['not what conflicts with a name that it provides itself', ['a 1'], ['a 2\nProvides: mta\nConflicts: mta'], ['a']],
    ['what needs a name of another architecture', ['a 1', 'b 1\nArchitecture: i386'], ['a 2\nDepends: b'], ['a: needs b, but b 1, which stays']],
    ['not what needs one that serves all architectures', ['a 1', 'b 1\nArchitecture: i386\nMulti-Arch: foreign'], ['a 2\nDepends: b'], ['a']],
    ['not what asks for any architecture of what allows it', ['a 1', 'b 1\nArchitecture: i386\nMulti-Arch: allowed'], ['a 2\nDepends: b:any'], ['a']],
    ['not what names the architecture', ['a 1', 'b 1\nArchitecture: i386'], ['a 2\nDepends: b:i386'], ['a']],
    ['nothing of two that need each other as they will be', ['a 1', 'b 1\nDepends: a (= 1)'], ['a 2', 'b 2\nDepends: a (= 2)'], ['a', 'b']],
    ['not what only something breaks that is kept back itself', ['a 1', 'b 1'], ['a 2', 'b 2\nBreaks: a (>= 2)\nDepends: nowhere'], ['a', 'b: needs nowhere, which no source offers']],
    ['what needs an addition that breaks something', ['a 1', 'b 1'], ['a 2\nDepends: c', 'c 1\nBreaks: b'], ['a: needs c, which cannot be installed']],
    ['not by an addition that was tried and did not do', ['a 1', 'b 1'], ['a 2\nDepends: c | d', 'c 1\nBreaks: b\nDepends: nowhere', 'd 1\nConflicts: c'], ['a']],
    ['not what asks in the old way for the same or an older one', ['a 1', 'b 1'], ['a 2\nDepends: b (< 2)', 'b 2'], ['a', 'b']],
    ['what no longer can be there for two architectures', ['a 1\nMulti-Arch: same', 'a 1\nArchitecture: i386\nMulti-Arch: same'], ['a 2', 'a 2\nArchitecture: i386\nMulti-Arch: same'], ['a: needs the same version as a:i386, which is 2', 'a:i386: needs the same version as a:amd64, which is 1']],
    ['what must have the version of its other architecture', ['a 1\nMulti-Arch: same', 'a 1\nArchitecture: i386\nMulti-Arch: same'], ['a 2\nMulti-Arch: same'], ['a: needs the same version as a:i386, which is 1']],
  ])('%s', (_, installed, offered, expected) => {
    expect(keptBack(installed, offered, { '/var/lib/dpkg/arch': 'amd64\ni386\n' })).toEqual(expected);
  });
  it('what may not be installed is no addition', () => {
    expect(keptBack(['a 1'], ['a 2\nDepends: b', 'b 1'], { '/etc/apt/preferences': 'Package: b\nPin: release *\nPin-Priority: -1\n' })).toEqual(['a: needs b, which cannot be installed']);
  });
  it('a version that a pin makes go back is what others find', () => {
    expect(keptBack(['a 1', 'b 2'], ['a 2\nDepends: b (>= 2)', 'b 1'], { '/etc/apt/preferences': 'Package: b\nPin: version 1\nPin-Priority: 1001\n' })).toEqual(['a: needs b (>= 2), but b 1, which comes too']);
  });
});
