import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createRootFileSystems } from '../../src/adapters/root-file-system/root-file-system.js';
import type { BaseTool, RootFs } from '../../src/definition/rootfs.js';
import { baseImageConfig, epochRule, packagesDigest } from '../../src/execute/base-image.js';
import { imageArchive, imageManifest, type ArchiveLayer } from '../../src/execute/image-archive.js';
import type { MadeRootFs, RootFsRequest } from '../../src/execute/root-file-systems.js';
import { digestOf } from '../../src/shared/digest.js';
import { startAptRepository, type AptRepository } from '../support/apt-repository.js';
import { startCountingProxy } from '../support/counting-proxy.js';
import { rootFsOf } from '../support/rootfs.js';

/** Older than most files of the suite: what is dated must be dated back. */
const EPOCH = 1_700_000_000;
const never = new AbortController().signal;
const rootFileSystems = createRootFileSystems();
const folders: string[] = [];

let repository: AptRepository;
let proxy: Awaited<ReturnType<typeof startCountingProxy>>;

beforeAll(async () => {
  repository = await startAptRepository();
  await repository.addSuite('good', [
    { name: 'hello', version: '1.0' },
    { name: 'greeting', version: '1.0' },
    { name: 'greeting', version: '2.0' },
    { name: 'farewell', version: '1.0' },
  ]);
  proxy = await startCountingProxy();
}, 60_000);

afterAll(async () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  await proxy.close();
  await repository.close();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'base-image-test-'));
  folders.push(path);
  return path;
}

function request(change: Partial<RootFsRequest> = {}): RootFsRequest {
  return { chooseEpoch: epochRule(EPOCH, undefined), proxy: undefined, workDirectory: folder(), onLine: () => undefined, ...change };
}

const rootFs = (text: string): RootFs => rootFsOf(text, { 'key.gpg': Buffer.from(repository.keyring, 'base64').toString('latin1') });

const run = (command: string, ...commandLine: string[]): string => execFileSync(command, commandLine, { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' }, maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'pipe'] });
const hasContainerdStore = (): boolean => run('docker', 'info', '--format', '{{json .DriverStatus}}').includes('io.containerd.snapshotter');

/** The extended header of an entry (POSIX.1-2017, pax), or nothing. */
function paxHeaderOf(wanted: string, path: string): string {
  const archive = readFileSync(path);
  let pax = '';
  for (let at = 0; at < archive.length; ) {
    const field = (start: number, length: number): string => archive.toString('latin1', at + start, at + start + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(field(124, 12) || '0', 8);
    if (field(0, 100) === wanted) return pax;
    pax = field(156, 1) === 'x' ? archive.toString('latin1', at + 512, at + 512 + size) : '';
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return '';
}

/** What each tool made: they are compared. */
const madeBy = new Map<BaseTool, MadeRootFs>();

describe.each(['mmdebstrap', 'debuerreotype'] as const)('a base image made by %s', (tool) => {
  const tag = `base-image-test.invalid/base/${tool}:${process.pid}`;
  const hookRan = join(folder(), 'ran');
  let rootfs: RootFs;
  let first: MadeRootFs;
  let firstId: string;
  let entries: readonly { readonly mode: string; readonly owner: string; readonly date: string; readonly name: string }[];

  const inside = (script: string): string => run('docker', 'run', '--rm', '--network', 'host', tag, 'sh', '-euc', script);
  const configOf = (made: MadeRootFs): string => baseImageConfig({ rootfs, diffId: made.diffId, epoch: made.epoch, architecture: made.architecture, labels: { purpose: 'test' } });
  const layerOf = (made: MadeRootFs): ArchiveLayer => ({ digest: made.diffId, size: made.size, compression: 'none', read: () => createReadStream(made.layerPath) });
  /** debuerreotype writes names without a dot in front. */
  const nameIn = (name: string): string => (tool === 'mmdebstrap' ? `./${name}` : name);
  /** Loads the image into the engine; its id there. */
  const load = async (made: MadeRootFs): Promise<string> => {
    const loading = spawn('docker', ['load', '--quiet'], { stdio: ['pipe', 'ignore', 'inherit'] });
    const [[code]] = await Promise.all([once(loading, 'exit'), pipeline(Readable.from(imageArchive({ config: configOf(made), layers: [layerOf(made)], tag })), loading.stdin)]);
    expect(code).toBe(0);
    return run('docker', 'image', 'inspect', '--format', '{{.Id}}', tag).trim();
  };

  beforeAll(async () => {
    // mtr-packet gets a file capability, which is an extended attribute in the layer.
    rootfs = rootFs(`
suite: trixie
tool: ${tool}
include: [libcap2-bin, mtr-tiny, hello, greeting]
env: { LANG: C.UTF-8 }
preferences:
  - { package: greeting, pin: version 1.*, priority: 1002 }
apt_config:
  APT::Install-Recommends: false
  APT::NeverAutoRemove: ["^greeting$"]
  Acquire::http::User-Agent: made by ${tool}
  "DPkg::Post-Invoke::": ["touch ${hookRan} || true"]
repositories:
  example: { uri: "${repository.uri}", suites: [good], key: key.gpg, pin: 1001 }
`);
    first = await rootFileSystems.make(rootfs, request({ proxy: proxy.url }), never);
    madeBy.set(tool, first);
    firstId = await load(first);
    entries = run('tar', '--numeric-owner', '--full-time', '-tvf', first.layerPath)
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [mode = '', owner = '', , day, time, name = ''] = line.split(/ +/);
        return { mode, owner, date: `${day}T${time}Z`, name: name.replace(/^\.\//, '') };
      });
  }, 400_000);

  afterAll(() => {
    run('docker', 'image', 'rm', '--force', tag);
  });

  it('is the same image, bit by bit, when it is made again and its package list is unchanged', async () => {
    // Another way there, without the proxy, makes no other image.
    const former = { epoch: EPOCH, packagesDigest: packagesDigest(first.packages) };
    const second = await rootFileSystems.make(rootfs, request({ chooseEpoch: epochRule(undefined, former) }), never);
    expect(second.diffId).toBe(first.diffId);
    expect(await load(second)).toBe(firstId);
  }, 400_000);

  it('has the id that follows from its config', async () => {
    // In the containerd image store an id is the manifest's digest.
    expect(firstId).toBe(digestOf(hasContainerdStore() ? imageManifest({ config: configOf(first), layers: [layerOf(first)] }) : configOf(first)));
    expect(run('docker', 'image', 'inspect', '--format', '{{.Created}} {{.Config.Env}} {{.Config.Cmd}} {{.Config.Labels}}', tag).trim()).toBe(
      '2023-11-14T22:13:20Z [LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin] [bash] map[purpose:test]',
    );
  });

  it('holds the packages that it was said to hold', () => {
    const installed = inside("dpkg-query -W -f '${Package} ${Version} ${Architecture}\\n'").trim().split('\n').sort();
    expect(installed).toEqual(first.packages.map(({ name, version, architecture }) => `${name} ${version} ${architecture}`).sort());
    expect(installed.some((line) => line.startsWith('usrmerge '))).toBe(false);
  });

  it('leaves only what was asked for marked as wanted', () => {
    expect(inside('apt-mark showmanual').trim()).toBe('greeting\nhello\nlibcap2-bin\nmtr-tiny');
  });

  it('is the suite it says, with its sources signed by the keyring inside, and apt works', () => {
    expect(inside('cat /etc/os-release')).toContain('VERSION_CODENAME=trixie');
    const sources = inside('cat /etc/apt/sources.list.d/debian.sources; ls /etc/apt/sources.list /etc/apt/sources.list.d || true');
    expect(sources).toMatch(/^Suites: trixie trixie-updates$/m);
    expect(sources).toMatch(/^Suites: trixie-security$/m);
    expect(sources.match(/^Signed-By: \/usr\/share\/keyrings\//gm)).toHaveLength(2);
    expect(sources.trim().split('\n').slice(-2)).toEqual(['debian.sources', 'example.sources']);
  });

  it("has the repository's version where its pin wins, and a preference's where that does", () => {
    expect(inside('hello; greeting')).toBe('hello 1.0\ngreeting 1.0\n');
  });

  it('takes packages from the suite and from the repository, by the key inside', async () => {
    expect(inside('cat /etc/apt/sources.list.d/example.sources')).toBe(`Types: deb\nURIs: ${repository.uri}\nSuites: good\nComponents: main\nSigned-By: /etc/apt/keyrings/example.gpg\n`);
    const script = '{ apt-get update --error-on=any && apt-get install --yes ed farewell; } > /tmp/log 2>&1 || cat /tmp/log; farewell; ed --version | head -n 1; find /var/cache/apt -name "*.deb" -o -name "*.bin"';
    // Not waited for in one piece: this process serves the repository.
    const { stdout } = await promisify(execFile)('docker', ['run', '--rm', '--network', 'host', tag, 'sh', '-euc', script]);
    expect(stdout).toMatch(/^farewell 1\.0\nGNU ed [0-9.]+\n$/);
  }, 120_000);

  it("has the options of apt, of which those that matter were in force, and no command of theirs was this machine's", () => {
    expect(inside('apt-config dump APT::Install-Recommends; apt-config dump APT::NeverAutoRemove')).toBe('APT::Install-Recommends "false";\nAPT::NeverAutoRemove "";\nAPT::NeverAutoRemove:: "^greeting$";\n');
    expect(inside('apt-config dump DPkg::Post-Invoke').match(/^DPkg::Post-Invoke:: /gm)).toHaveLength(2);
    expect(repository.agents).toContain(`made by ${tool}`);
    expect(existsSync(hookRan)).toBe(false);
  });

  it('came through the proxy, and holds no trace of it', () => {
    expect([...proxy.hosts]).toEqual(expect.arrayContaining(['deb.debian.org', new URL(repository.uri).host]));
    expect(readFileSync(first.layerPath).includes(new URL(proxy.url).host)).toBe(false);
    expect(run('tar', '-xOf', first.layerPath, ...entries.filter(({ name }) => name.startsWith('etc/apt/apt.conf.d/') && !name.endsWith('/')).map(({ name }) => nameIn(name)))).not.toMatch(/proxy/i);
  });

  it('starts no service while packages are installed', () => {
    expect(inside('policy-rc.d || echo $?')).toBe('101\n');
  });

  it('keeps file capabilities', () => {
    expect(paxHeaderOf(nameIn('usr/bin/mtr-packet'), first.layerPath)).toContain('SCHILY.xattr.security.capability');
    expect(inside('getcap /usr/bin/mtr-packet').trim()).toBe('/usr/bin/mtr-packet cap_net_raw=ep');
  });

  it('has licences, and folders for manuals, but no documentation', () => {
    const files = entries.filter(({ mode, name }) => mode.startsWith('-') && /^usr\/share\/(?:doc|man|info|locale|lintian)\//.test(name)).map(({ name }) => name);
    expect(files).toContain('usr/share/doc/libc6/copyright');
    expect(files.filter((name) => !/\/copyright$|\/locale\.alias$/.test(name))).toEqual([]);
    expect(entries.map(({ name }) => name)).toEqual(expect.arrayContaining(['usr/share/man/man1/', 'usr/share/man/man9/']));
  });

  it('has nothing of the machine it was made on', () => {
    const names = new Set(entries.map(({ name }) => name));
    expect(entries.filter(({ mode }) => /^[bcp]/.test(mode))).toEqual([]);
    expect([...names].filter((name) => /^dev\/./.test(name) || /mmdebstrap|aux-cache|debuerreotype|bootstrap|var\/cache\/apt\/.*\.bin|var\/lib\/apt\/lists\/(?!partial\/$)./.test(name))).toEqual([]);
    expect(names.has('dev/')).toBe(true);
    const text = (name: string): string => run('tar', '-xOf', first.layerPath, nameIn(name));
    expect(text('etc/hostname')).toBe('localhost\n');
    expect(text('etc/resolv.conf')).toBe('');
    for (const name of names) if (/^(?:etc\/machine-id|var\/log\/.*[^/])$/.test(name)) expect([name, text(name)]).toEqual([name, '']);
  });

  it('is dated by its epoch, and by nothing later', () => {
    const latest = entries.map(({ date }) => Date.parse(date) / 1000).reduce((a, b) => Math.max(a, b));
    expect(latest).toBe(EPOCH);
    expect(inside('cut -d: -f3 /etc/shadow | sort -u').trim()).toBe(String(Math.floor(EPOCH / 86_400)));
  });
});

describe('mmdebstrap and debuerreotype', () => {
  it('install the same packages', () => {
    expect(madeBy.get('debuerreotype')!.packages).toEqual(madeBy.get('mmdebstrap')!.packages);
  });
});
