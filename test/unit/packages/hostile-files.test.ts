import { describe, expect, it } from '@jest/globals';
import { findUpgrades } from '../../../src/packages/find-upgrades.js';
import { parseImagePackages } from '../../../src/packages/image-packages.js';
import { indexWith, statusOf } from '../../support/packages-in-memory.js';
import { seeded, type Chance } from '../../support/seeded.js';

const FILES: Readonly<Record<string, string>> = {
  '/var/lib/dpkg/status': statusOf('a 1\nDepends: b (>= 1) | c:any, d\nSource: s (2)', 'b 1:2~rc1-1+b1\nBreaks: c (<< 2), e\nProvides: f (= 1), g\nMulti-Arch: same', 'c 1\nStatus: hold ok installed\nConffiles:\n /etc/c 0123\nDescription: x\n y\n .\n z'),
  '/var/lib/dpkg/arch': 'amd64\ni386\n',
  '/var/lib/dpkg/status.d/d': 'Package: d\nVersion: 1\nArchitecture: all\n',
  '/etc/os-release': 'PRETTY_NAME="Debian"\n',
  '/etc/apt/sources.list': 'deb [arch=amd64,i386 signed-by="/usr/share/keyrings/k.gpg" arch-=i386] http://u:p@a.org/$(ARCH) x main # c\ndeb cdrom:[Debian 13 "x"]/ y z\ndeb http://a.org ./\n',
  '/etc/apt/sources.list.d/x.sources': 'Types: deb deb-src\nURIs: http://b.org\nSuites: x y/\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abcd\n -----END PGP PUBLIC KEY BLOCK-----\n\n# c\nEnabled: no\nTypes: deb\n',
  '/usr/share/keyrings/k.gpg': 'k',
  '/etc/apt/preferences': 'Package: a src:s:any /^[[:alpha:]]+$/ [!a]*\nPin: release a=stable, v=13*, n=/(x|y)+/\nPin-Priority: 990\n\nExplanation: x\nPackage: *\nPin: origin "deb.example.org"\nPin-Priority: never\n',
  '/etc/apt/apt.conf.d/10x': '// c\n#clear X;\nAPT { Default-Release "trixie"; Architectures { "amd64"; "i386"; }; /* c */ }; Acquire::Check-Valid-Until "false"; DPkg::Post-Invoke { "rm -f /x || true"; };\n',
};
const PIECES = ['\0', '\n', '\r\n', '\n\n', ' ', ':', '"', '[', ']', '{', '}', '(', ')', '/', '*', '\\', '#', '$(ARCH)', ',', '|', '=', '\u2028', '\uFFFD', '\u{1F600}', '-'.repeat(50), '9'.repeat(400), '__proto__', 'constructor:'];

/** The files with a few bytes, lines or pieces of them changed. */
function mutated(chance: Chance): ReadonlyMap<string, Uint8Array> {
  return new Map(
    Object.entries(FILES)
      .filter(() => chance.is(0.95))
      .map(([path, text]) => {
        let bytes = Buffer.from(text);
        for (let changes = chance.below(6); changes > 0; changes--) {
          const at = chance.below(bytes.length + 1);
          const to = at + chance.below(chance.is(0.2) ? 80 : 3);
          const piece = chance.is(0.3) ? Buffer.from([chance.below(256)]) : chance.is(0.2) ? bytes.subarray(chance.below(bytes.length + 1)) : Buffer.from(chance.one(PIECES));
          bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(to)]);
        }
        return [path, bytes];
      }),
  );
}

describe('an image with files that nobody would write', () => {
  const indexes = [indexWith('trixie', ['a 2\nDepends: b', 'b 2:1\nProvides: a', 'c 3\nConflicts: a']), indexWith('trixie-security', ['d 2'])];
  const chance = seeded(7);
  const many = 400;

  it('is read all the same, as unknown where it must be', () => {
    let unknown = 0;
    let upgrades = 0;
    for (let round = 0; round < many; round++) {
      const image = parseImagePackages(mutated(chance));
      unknown += image.unreadable.length > 0 ? 1 : 0;
      upgrades += findUpgrades(image, indexes).length;
      for (const { says } of image.unreadable) expect(says).not.toMatch(/[\n\0]|u:p@/);
    }
    expect(unknown).toBeGreaterThan(many / 4);
    expect(upgrades).toBeGreaterThan(many);
  });

  it.each(['[', '[a', '(a+)+', '/*', 'a b', '( '])('is read, however long: %j', (piece) => {
    const long = piece.repeat(20_000);
    for (const path of Object.keys(FILES)) {
      for (const text of [long, `${FILES[path]!}${long}`]) {
        const image = parseImagePackages(new Map(Object.entries({ ...FILES, [path]: text }).map(([name, content]) => [name, Buffer.from(content)])));
        expect(findUpgrades(image, indexes).length).toBeLessThan(9);
      }
    }
  });
});
