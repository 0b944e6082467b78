import { describe, expect, it } from '@jest/globals';

import { parseRootFs } from '../../../src/definition/rootfs.js';
import { formatProblem } from '../../../src/shared/problem.js';
import { filesInMemory } from '../../support/tree-in-memory.js';

/** Its base64 needs no `=` at its end, so that only the check sum's is there. */
const KEY = '\x99\x01packets';
const armored = (block: string, key = KEY): string => `A comment.\n-----BEGIN PGP ${block} KEY BLOCK-----\nComment: x\n\n${Buffer.from(key, 'latin1').toString('base64')}\n=abcd\n-----END PGP ${block} KEY BLOCK-----\n`;
const files = filesInMemory({
  'base/key.asc': armored('PUBLIC'),
  'base/two.asc': armored('PUBLIC') + armored('PUBLIC'),
  'base/padded.asc': armored('PUBLIC', `${KEY}1`),
  'base/keys/key.gpg': KEY,
  'base/new.gpg': '\xc6\x01packet',
  'base/secret.asc': armored('PRIVATE'),
  'base/secret.gpg': '\x95\x01packet',
  'base/text': 'no key',
  'base/empty': '',
  'key.asc': armored('PUBLIC'),
});
const binary = Buffer.from(KEY, 'latin1').toString('base64');

function read(text: string, path = 'rootfs.yaml') {
  const checked = parseRootFs(path, text, files);
  return checked.ok ? checked.value : checked.problems.map(formatProblem);
}
const said = (text: string) => (read(`suite: trixie\n${text}`, 'base/rootfs.yaml') as string[]).map?.((line) => line.replace('base/rootfs.yaml:', ''));

describe('parseRootFs', () => {
  it('a suite is enough', () => {
    expect(read('suite: trixie\n')).toEqual({
      suite: 'trixie',
      components: ['main'],
      variant: 'minbase',
      include: [],
      mirrors: undefined,
      suites: undefined,
      env: {},
      cmd: ['bash'],
      user: undefined,
      tool: 'mmdebstrap',
      apt: { preferences: [], options: [], repositories: [] },
      httpProxy: undefined,
    });
  });

  it('takes every key', () => {
    const text =
      'suite: trixie\ncomponents: [main, contrib, non-free-firmware]\nvariant: apt\ninclude: [g++, libstdc++-14-dev]\nmirrors: ["https://archive.example.org/debian", "file:///srv/archive"]\nsuites: [trixie-updates, stable/updates]\nenv: {LANG: C.UTF-8}\ncmd: [sleep, "1"]\nuser: "33:33"\ntool: mmdebstrap\nhttp_proxy: http://proxy.example.org:3128\n' +
      'preferences:\n  - {package: "*", pin: release n=trixie-backports, priority: 100}\n  - {package: linux-* hello, pin: origin "x.example.org", priority: -1}\n' +
      'apt_config:\n  APT::Install-Recommends: false\n  Acquire::Retries: 3\n  Acquire::Languages: [none, "en"]\n  "DPkg::Post-Invoke::": "true; false"\n' +
      'repositories:\n  example: {uri: "https://apt.example.org/debian", suites: [trixie], components: [main, contrib], key: key.asc, pin: 1001}\n  flat: {uris: ["http://a.example.org", "http://b.example.org"], suites: [./], key: ./keys/key.gpg}\n  backports: {uri: "http://deb.debian.org/debian", suites: [trixie-backports]}\n';
    expect(read(text, 'base/rootfs.yaml')).toEqual({
      suite: 'trixie',
      components: ['main', 'contrib', 'non-free-firmware'],
      variant: 'apt',
      include: ['g++', 'libstdc++-14-dev'],
      mirrors: ['https://archive.example.org/debian', 'file:///srv/archive'],
      suites: ['trixie-updates', 'stable/updates'],
      env: { LANG: 'C.UTF-8' },
      cmd: ['sleep', '1'],
      user: '33:33',
      tool: 'mmdebstrap',
      apt: {
        preferences: [
          { package: '*', pin: 'release n=trixie-backports', priority: 100 },
          { package: 'linux-* hello', pin: 'origin "x.example.org"', priority: -1 },
        ],
        options: [
          { name: 'APT::Install-Recommends', value: 'false' },
          { name: 'Acquire::Retries', value: '3' },
          { name: 'Acquire::Languages', value: ['none', 'en'] },
          { name: 'DPkg::Post-Invoke::', value: 'true; false' },
        ],
        repositories: [
          { name: 'example', uris: ['https://apt.example.org/debian'], suites: ['trixie'], components: ['main', 'contrib'], keyring: binary, pin: 1001 },
          { name: 'flat', uris: ['http://a.example.org', 'http://b.example.org'], suites: ['./'], components: [], keyring: binary, pin: undefined },
          { name: 'backports', uris: ['http://deb.debian.org/debian'], suites: ['trixie-backports'], components: ['main'], keyring: undefined, pin: undefined },
        ],
      },
      httpProxy: 'http://proxy.example.org:3128',
    });
  });

  it.each([
    ['', ['rootfs.yaml: suite is missing ("suite: trixie")']],
    ['- trixie', ['rootfs.yaml:1: the file must be a mapping ("key: value"), not a list']],
    ['suite: trixie\nincludes: []', ['rootfs.yaml:2: includes is not a key of rootfs.yaml (near: include)']],
    ['suite: trixie\nzzz: 1', ['rootfs.yaml:2: zzz is not a key of rootfs.yaml (there are: suite, components, variant, include, mirrors, suites, env, cmd, user, tool, preferences, apt_config, repositories, http_proxy)']],
    ['suite: "Trixie 1"', ['rootfs.yaml:1: suite is no such name (lower-case letters, digits, . + _ - /)']],
    ['suite: trixie\ninclude:\n  - ok\n  - Not OK\n  - 1', ['rootfs.yaml:4: include: "Not OK" is no package name (lower-case letters, digits, + . -)', 'rootfs.yaml:5: include: item 3 must be text, not a number']],
    ['suite: trixie\ninclude: bash', ['rootfs.yaml:2: include must be a list, not text']],
    ['suite: trixie\ninclude:', ['rootfs.yaml:2: include must be a list, not nothing']],
    ['suite: trixie\nenv:\n  A: "1"\n  1B: x\n  C: on', ['rootfs.yaml:4: env.1B is no name of an environment variable (letters, digits, _)', 'rootfs.yaml:5: env.C must be text, not true or false: put it in quotes']],
    ['suite: trixie\ncmd: []', ['rootfs.yaml:2: cmd needs at least one item']],
    ['suite: trixie\nuser: 33', ['rootfs.yaml:2: user must be text, not a number: put it in quotes']],
    ['suite: trixie\nsuites: [trixie-updates]', ['rootfs.yaml:2: suites needs mirrors: without them the suites with updates and security are taken anyway']],
    ['suite: trixie\nmirrors:\n  - https://me:secret@archive.example.org/debian\n  - nothing', ['rootfs.yaml:3: mirrors: "https://…@archive.example.org/debian" must not hold credentials', 'rootfs.yaml:4: mirrors: "nothing" is no URL ("https://archive.example.org/debian")']],
    ['suite: trixie\nsuite: forky', ['rootfs.yaml:2: key "suite" stands already on line 1']],
    ['suite: [trixie', ['rootfs.yaml:1: not YAML: unexpected end of the stream within a flow collection']],
  ])('%j: problems with their lines', (text, problems) => expect(read(text)).toEqual(problems));

  const repository = (lines: string): string => `repositories:\n  x: {uri: "https://x.example.org/debian", suites: [trixie], ${lines}}`;
  it.each([
    ['tool: debootstrap', ['2: tool must be mmdebstrap or debuerreotype']],
    ['tool: debuerreotyp', ['2: tool must be mmdebstrap or debuerreotype (near: debuerreotype)']],
    ['tool: debuerreotype\nvariant: apt\nmirrors: ["file:///srv"]', ['3: variant must be minbase with tool: debuerreotype', '4: mirrors must be http or https with tool: debuerreotype']],
    ['http_proxy: http://a b', ['2: http_proxy must be a URL (no blanks, no quotes)']],
    ['preferences: hello', ['2: preferences must be a list, not text']],
    ['preferences:\n  - hello', ['3: preferences must be a mapping ("key: value"), not text']],
    ['preferences:\n  - package: hello', ['3: preferences: pin is missing ("package: hello", "pin: release n=trixie-backports", "priority: 900")', '3: preferences: priority is missing ("package: hello", "pin: release n=trixie-backports", "priority: 900")']],
    ['preferences:\n  - {package: a, pin: release a=b, priority: 1}\n  - {packages: b, pin: release a=b, priority: 1}', ['4: preferences.packages is no key of a preference (near: package)', '4: preferences: package is missing ("package: hello", "pin: release n=trixie-backports", "priority: 900")']],
    ['preferences:\n  - package: "a  b"\n    pin: backports\n    priority: 0', ['3: preferences.package must be names of packages, single blanks between them ("*", "hello", "linux-* firmware-*")', '4: preferences.pin must be "release …", "origin …" or "version …" ("release n=trixie-backports")', '5: preferences.priority must not be 0: to apt that is no priority (negative: never installed; above 1000: even as a downgrade)']],
    ['preferences:\n  - {package: a, pin: "release x=b", priority: 40000}', ['3: preferences.pin asks for "x=": a release has a= (suite), n= (codename), o= (origin), l= (label), c= (component), v= (version), b= (architecture)', '3: preferences.priority must be a whole number from -32768 to 32767']],
    ['preferences:\n  - {package: a, pin: "release a=b\\nPackage: *", priority: 1}', ['3: preferences.pin must be "release …", "origin …" or "version …" ("release n=trixie-backports")']],
    ['apt_config: [a]', ['2: apt_config must be a mapping ("key: value"), not a list']],
    ['apt_config:\n  Aquire::Retries: 3', ['3: apt_config.Aquire::Retries is in no section that apt has (near: Acquire)']],
    ['apt_config:\n  "APT::Install Recommends": 3', ['3: apt_config.APT::Install Recommends is no name of an option ("APT::Install-Recommends")']],
    ['apt_config:\n  APT::X: {a: 1}\n  APT::Y:\n    - a\n    - [b]', ['3: apt_config.APT::X must be text, a number or true/false, or a list of these, not a mapping', '6: apt_config.APT::Y must be text, a number or true/false, or a list of these, not a list']],
    [`apt_config:\n  APT::X: 'a"; b'\n  APT::Y: ["a\\nb"]`, ['3: apt_config.APT::X must hold no double quotes and no line breaks: apt cannot read them', '4: apt_config.APT::Y must hold no double quotes and no line breaks: apt cannot read them']],
    ['apt_config:\n  Acquire::http::Proxy: http://me:secret@proxy.example.org', ['3: apt_config.Acquire::http::Proxy must not hold credentials: everybody who has the image would have them']],
    ['repositories: [x]', ['2: repositories must be a mapping ("key: value"), not a list']],
    ['repositories:\n  x: http://x.example.org', ['3: repositories.x must be a mapping ("key: value"), not text']],
    ['repositories:\n  x: {}', ['3: repositories.x needs uri ("https://apt.example.org/debian")', '3: repositories.x needs suites ("[trixie]"; "[./]" for a repository without)']],
    ['repositories:\n  x: {uri: "http://x", uris: ["http://y"], suites: [z], keys: k}', ['3: repositories.x.keys is no key of a repository (near: key)', '3: repositories.x has uri and uris: one of them']],
    ['repositories:\n  x: {uris: [], suites: []}', ['3: repositories.x.uris needs at least one item', '3: repositories.x needs suites ("[trixie]"; "[./]" for a repository without)']],
    ['repositories:\n  debian: {uri: "http://x", suites: [z]}\n  a+b: {uri: "http://x", suites: [z]}', ["3: repositories.debian is the name of the suite's own sources", '4: repositories.a+b is no name of a file of apt (letters, digits, _ . -)']],
    ['repositories:\n  x: {uri: "https://me:secret@x.example.org", suites: ["b c"]}', ['3: repositories.x.uri must not hold credentials', '3: repositories.x.suites: "b c" is no such name (lower-case letters, digits, . + _ - /)']],
    ['repositories:\n  x: {uri: "http://x", suites: [./], components: [main]}', ['3: repositories.x.components cannot be there with a suite that ends in "/"']],
    [repository('key: nowhere.asc'), ['3: repositories: key "nowhere.asc": there is no such file']],
    [repository('key: ../key.asc'), ['3: repositories.x.key must be the path of a file in this folder ("example.asc")']],
    [repository('key: /etc/passwd'), ['3: repositories.x.key must be the path of a file in this folder ("example.asc")']],
    [repository('key: secret.asc'), ['3: repositories: key "secret.asc": holds a secret key: only the public one belongs here (gpg --armor --export)']],
    [repository('key: secret.gpg'), ['3: repositories: key "secret.gpg": holds a secret key: only the public one belongs here (gpg --export)']],
    [repository('key: text'), ['3: repositories: key "text": is no OpenPGP public key, armored or binary (gpg --armor --export writes one)']],
    [repository('key: empty'), ['3: repositories: key "empty": is no OpenPGP public key, armored or binary (gpg --armor --export writes one)']],
    [repository('pin: 0'), ['3: repositories.x.pin must not be 0: to apt that is no priority (negative: never installed; above 1000: even as a downgrade)']],
    ['repositories:\n  x: {uri: "file:///srv", suites: [z], pin: 5}', ['3: repositories.x.pin needs an http or https repository: write preferences instead']],
    ['repositories:\n  x: {uri: "http://deb.debian.org/debian", suites: [trixie-backports], pin: 5}', ['3: repositories.x.pin would be that of the suite\'s own packages too, which are on deb.debian.org: write preferences with "release n=…" instead']],
    ['mirrors: ["https://X.example.org/debian"]\nrepositories:\n  x: {uri: "https://x.example.org/other", suites: [z], pin: 5}', ['4: repositories.x.pin would be that of the suite\'s own packages too, which are on x.example.org: write preferences with "release n=…" instead']],
  ])('%j: problems with their lines', (text, problems) => expect(said(text)).toEqual(problems));

  it.each([
    ['key.asc', KEY],
    ['two.asc', KEY + KEY],
    ['padded.asc', `${KEY}1`],
    ['keys/key.gpg', KEY],
    ['new.gpg', '\xc6\x01packet'],
  ])('the key in %s is taken as a binary keyring', (file, keyring) => {
    const rootfs = read(`suite: trixie\n${repository(`key: ${file}`)}`, 'base/rootfs.yaml');
    expect(rootfs).toMatchObject({ apt: { repositories: [{ keyring: Buffer.from(keyring, 'latin1').toString('base64') }] } });
  });

  it('credentials of a proxy are left out, with a warning', () => {
    const checked = parseRootFs('rootfs.yaml', 'suite: trixie\nhttp_proxy: http://me:secret@proxy.example.org:3128', files);
    expect(checked).toMatchObject({ ok: true, value: { httpProxy: 'http://proxy.example.org:3128' }, warnings: [{ line: 2, severity: 'warning', message: expect.not.stringContaining('secret') }] });
  });
});
