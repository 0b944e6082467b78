import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { umask } from 'node:process';
import { aptFilesOfImage, aptFilesWhileMade, keyringFiles, writeFiles } from '../../../../src/adapters/root-file-system/apt-files.js';
import { rootFsOf } from '../../../support/rootfs.js';

const { apt } = rootFsOf(
  `suite: trixie
preferences:
  - { package: linux-* hello, pin: release n=trixie-backports, priority: 900 }
apt_config:
  APT::Install-Recommends: true
  Acquire::Languages: [none, en]
  "DPkg::Post-Invoke::": [touch /ran]
  Acquire::Retries: 3
  acquire::HTTP::Timeout: 30
  Acquire::http::Proxy: http://proxy.example.org
  Acquire::http::Proxy-Auto-Detect: /usr/bin/where
  DPkg::Options::: --force-all
  Dir::Cache: /elsewhere
  APT::Architecture: arm64
repositories:
  example: { uris: ["https://Apt.example.org/debian", "http://b.example.org:8080/debian"], suites: [x, y], components: [main, extra], key: key.gpg, pin: 1001 }
  flat: { uri: "http://flat.example.org", suites: [./] }
`,
  { 'key.gpg': '\x99key' },
);
const text = (files: Readonly<Record<string, string | Buffer>>, path: string): string => String(files[path]);

describe('the files of apt', () => {
  const folder = mkdtempSync(join(tmpdir(), 'apt-files-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('in the image every option stands, lists in the place of those before', () => {
    expect(text(aptFilesOfImage(apt), 'etc/apt/apt.conf.d/local')).toBe(`APT::Install-Recommends "true";
#clear Acquire::Languages;
Acquire::Languages { "none"; "en"; };
DPkg::Post-Invoke { "touch /ran"; };
Acquire::Retries "3";
acquire::HTTP::Timeout "30";
Acquire::http::Proxy "http://proxy.example.org";
Acquire::http::Proxy-Auto-Detect "/usr/bin/where";
DPkg::Options:: "--force-all";
Dir::Cache "/elsewhere";
APT::Architecture "arm64";
`);
  });

  it('while it is made no option is in force that names a command, a file or another machine', () => {
    expect(text(aptFilesWhileMade(apt, '/k'), 'etc/apt/apt.conf.d/local')).toBe('APT::Install-Recommends "true";\nAcquire::Retries "3";\nacquire::HTTP::Timeout "30";\n');
  });

  it.each([
    ['in the image', aptFilesOfImage(apt)],
    ['while it is made', aptFilesWhileMade(apt, '/k')],
  ])('%s preferences come before the pins of repositories', (_, files) => {
    const pins = ['linux-* hello\nPin: release n=trixie-backports\nPin-Priority: 900', '*\nPin: origin "apt.example.org"\nPin-Priority: 1001', '*\nPin: origin "b.example.org"\nPin-Priority: 1001'];
    expect(text(files, 'etc/apt/preferences.d/local')).toBe(pins.map((pin) => `Package: ${pin}\n`).join('\n'));
  });

  it.each([
    ['inside, in the image', aptFilesOfImage(apt), '/etc/apt/keyrings/example.gpg'],
    ['on this machine, while it is made', aptFilesWhileMade(apt, '/k'), '/k/example.gpg'],
  ])("a repository's key is looked for %s; without one it is Debian's", (_, files, key) => {
    expect(text(files, 'etc/apt/sources.list.d/example.sources')).toBe(`Types: deb\nURIs: https://Apt.example.org/debian http://b.example.org:8080/debian\nSuites: x y\nComponents: main extra\nSigned-By: ${key}\n`);
    expect(text(files, 'etc/apt/sources.list.d/flat.sources')).toBe('Types: deb\nURIs: http://flat.example.org\nSuites: ./\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n');
  });

  it('the key is its bytes', () => {
    expect(keyringFiles(apt, '.')).toEqual({ 'example.gpg': Buffer.from('\x99key', 'latin1') });
    expect(aptFilesOfImage(apt)['etc/apt/keyrings/example.gpg']).toEqual(Buffer.from('\x99key', 'latin1'));
  });

  it('without settings there are no files', () => {
    const none = rootFsOf('suite: trixie').apt;
    expect([aptFilesOfImage(none), aptFilesWhileMade(none, '/k')]).toEqual([{}, {}]);
  });

  it('all of them can be read by everybody, whatever the umask', async () => {
    const before = umask(0o077);
    try {
      await writeFiles(join(folder, 'root'), { 'etc/apt/x': 'x', y: Buffer.from('y') });
    } finally {
      umask(before);
    }
    const mode = (path: string): number => statSync(join(folder, 'root', path)).mode & 0o777;
    expect(['.', 'etc', 'etc/apt', 'etc/apt/x', 'y'].map(mode)).toEqual([0o755, 0o755, 0o755, 0o644, 0o644]);
    expect(readFileSync(join(folder, 'root/etc/apt/x'), 'utf8')).toBe('x');
  });
});
