import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createRootFileSystems } from '../../src/adapters/root-file-system.js';
import type { RootFs } from '../../src/definition/rootfs.js';
import { baseImageConfig, epochRule, packagesDigest } from '../../src/execute/base-image.js';
import { imageArchive, imageManifest, type ArchiveLayer } from '../../src/execute/image-archive.js';
import type { MadeRootFs, RootFileSystemFailure, RootFsRequest } from '../../src/execute/root-file-systems.js';
import { digestOf } from '../../src/shared/digest.js';
import { ArchiveError, Fault } from '../../src/shared/errors.js';

/** Older than most files of the suite: what is dated must be dated back. */
const EPOCH = 1_700_000_000;
// mtr-packet gets a file capability, which is an extended attribute in the layer.
const rootfs: RootFs = { suite: 'trixie', components: ['main'], variant: 'minbase', include: ['libcap2-bin', 'mtr-tiny'], mirrors: undefined, suites: undefined, env: { LANG: 'C.UTF-8' }, cmd: ['bash'], user: undefined, tool: 'mmdebstrap', apt: { preferences: [], options: [], repositories: [] }, httpProxy: undefined };
const tag = `base-image-test.invalid/base/trixie:${process.pid}`;
const never = new AbortController().signal;
const rootFileSystems = createRootFileSystems();
const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function request(change: Partial<RootFsRequest> = {}): RootFsRequest {
  const workDirectory = mkdtempSync(join(tmpdir(), 'base-image-test-'));
  folders.push(workDirectory);
  return { chooseEpoch: epochRule(EPOCH, undefined), proxy: undefined, workDirectory, onLine: () => undefined, ...change };
}

const run = (command: string, ...commandLine: string[]): string => execFileSync(command, commandLine, { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' }, maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'pipe'] });
const inside = (script: string): string => run('docker', 'run', '--rm', '--network', 'host', tag, 'sh', '-euc', script);

const configOf = (made: MadeRootFs): string => baseImageConfig({ rootfs, diffId: made.diffId, epoch: made.epoch, architecture: made.architecture, labels: { purpose: 'test' } });

const layerOf = (made: MadeRootFs): ArchiveLayer => ({ digest: made.diffId, size: made.size, compression: 'none', read: () => createReadStream(made.layerPath) });
const hasContainerdStore = (): boolean => run('docker', 'info', '--format', '{{json .DriverStatus}}').includes('io.containerd.snapshotter');

/** Loads the image into the engine; its id there. */
async function load(made: MadeRootFs, layer: ArchiveLayer = layerOf(made)): Promise<string> {
  const loading = spawn('docker', ['load', '--quiet'], { stdio: ['pipe', 'ignore', 'inherit'] });
  const [[code]] = await Promise.all([once(loading, 'exit'), pipeline(Readable.from(imageArchive({ config: configOf(made), layers: [layer], tag })), loading.stdin)]);
  expect(code).toBe(0);
  return run('docker', 'image', 'inspect', '--format', '{{.Id}}', tag).trim();
}

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

describe('a base image made from Debian packages', () => {
  let first: MadeRootFs;
  let firstId: string;
  let entries: readonly { readonly mode: string; readonly owner: string; readonly date: string; readonly name: string }[];

  beforeAll(async () => {
    first = await rootFileSystems.make(rootfs, request(), never);
    firstId = await load(first);
    entries = run('tar', '--numeric-owner', '--full-time', '-tvf', first.layerPath)
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [mode = '', owner = '', , day, time, name = ''] = line.split(/ +/);
        return { mode, owner, date: `${day}T${time}Z`, name };
      });
  }, 300_000);

  afterAll(() => {
    run('docker', 'image', 'rm', '--force', tag);
  });

  it('is the same image, bit by bit, when it is made again and its package list is unchanged', async () => {
    const former = { epoch: EPOCH, packagesDigest: packagesDigest(first.packages) };
    const second = await rootFileSystems.make(rootfs, request({ chooseEpoch: epochRule(undefined, former) }), never);
    expect(second.diffId).toBe(first.diffId);
    expect(await load(second)).toBe(firstId);
  }, 300_000);

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
    expect(inside('apt-mark showmanual').trim()).toBe('libcap2-bin\nmtr-tiny');
  });

  it('is the suite it says, with its sources signed by the keyring inside, and apt works', () => {
    expect(inside('cat /etc/os-release')).toContain('VERSION_CODENAME=trixie');
    const sources = inside('cat /etc/apt/sources.list.d/debian.sources; ls /etc/apt/sources.list /etc/apt/sources.list.d || true');
    expect(sources).toMatch(/^Suites: trixie trixie-updates$/m);
    expect(sources).toMatch(/^Suites: trixie-security$/m);
    expect(sources.match(/^Signed-By: \/usr\/share\/keyrings\//gm)).toHaveLength(2);
    expect(sources.trim().split('\n').at(-1)).toBe('debian.sources');
    expect(inside('{ apt-get update && apt-get install --yes --no-install-recommends hello; } > /tmp/log 2>&1 || cat /tmp/log; hello; find /var/cache/apt -name "*.deb" -o -name "*.bin"')).toBe('Hello, world!\n');
  }, 120_000);

  it('starts no service while packages are installed', () => {
    expect(inside('policy-rc.d || echo $?')).toBe('101\n');
  });

  it('keeps file capabilities', () => {
    expect(paxHeaderOf('./usr/bin/mtr-packet', first.layerPath)).toContain('SCHILY.xattr.security.capability');
    expect(inside('getcap /usr/bin/mtr-packet').trim()).toBe('/usr/bin/mtr-packet cap_net_raw=ep');
  });

  it('has licences, and folders for manuals, but no documentation', () => {
    const files = entries.filter(({ mode, name }) => mode.startsWith('-') && /^\.\/usr\/share\/(?:doc|man|info|locale|lintian)\//.test(name)).map(({ name }) => name);
    expect(files).toContain('./usr/share/doc/libc6/copyright');
    expect(files.filter((name) => !/\/copyright$|\/locale\.alias$/.test(name))).toEqual([]);
    expect(entries.map(({ name }) => name)).toEqual(expect.arrayContaining(['./usr/share/man/man1/', './usr/share/man/man9/']));
  });

  it('has nothing of the machine it was made on', () => {
    const names = new Set(entries.map(({ name }) => name));
    expect(entries.filter(({ mode }) => /^[bcp]/.test(mode))).toEqual([]);
    expect([...names].filter((name) => /^\.\/dev\/./.test(name) || /mmdebstrap|aux-cache|\/var\/cache\/apt\/.*\.bin|\/var\/lib\/apt\/lists\/(?!partial\/$)./.test(name))).toEqual([]);
    expect(names.has('./dev/')).toBe(true);
    const text = (name: string): string => run('tar', '-xOf', first.layerPath, name);
    expect(text('./etc/hostname')).toBe('localhost\n');
    expect(text('./etc/resolv.conf')).toBe('');
    for (const name of names) if (/^\.\/(?:etc\/machine-id|var\/log\/.*[^/])$/.test(name)) expect([name, text(name)]).toEqual([name, '']);
  });

  it('is dated by its epoch, and by nothing later', () => {
    const latest = entries.map(({ date }) => Date.parse(date) / 1000).reduce((a, b) => Math.max(a, b));
    expect(latest).toBe(EPOCH);
    expect(inside('cut -d: -f3 /etc/shadow | sort -u').trim()).toBe(String(Math.floor(EPOCH / 86_400)));
  });
});

describe('a root file system that cannot be made', () => {
  const failing = async (change: Partial<RootFs>): Promise<Error> => {
    const asked = request();
    const error = await rootFileSystems.make({ ...rootfs, ...change }, asked, never).then(
      () => new Error('it was made'),
      (reason: Error) => reason,
    );
    expect(readdirSync(asked.workDirectory)).toEqual([]);
    return error;
  };

  it('a suite that is not there is the fault of the definition', async () => {
    const failure: RootFileSystemFailure = await failing({ suite: 'nosuchsuite' });
    expect([failure.name, failure.message]).toEqual(['RootFileSystemFailure', expect.stringMatching(/^there is no such suite: .*nosuchsuite Release: 404 Not Found$/)]);
  }, 120_000);

  it('a package that is not there is the fault of the definition', async () => {
    const failure = await failing({ include: ['no-such-package'] });
    expect([failure.name, failure.message]).toEqual(['RootFileSystemFailure', 'Unable to locate package no-such-package']);
  }, 120_000);

  it('a component that is not there is the fault of the definition', async () => {
    const failure = await failing({ components: ['main', 'nosuch'] });
    expect([failure.name, failure.message]).toEqual(['RootFileSystemFailure', expect.stringContaining('has no component nosuch')]);
  }, 120_000);

  it('an archive that does not answer is an error of the archive', async () => {
    const failure = await failing({ mirrors: ['http://127.0.0.1:9/debian'] });
    expect(failure).toBeInstanceOf(ArchiveError);
    expect(failure.message).toContain('Could not connect to 127.0.0.1:9');
  }, 120_000);

  it('without mmdebstrap it says what to install', async () => {
    const failure = await createRootFileSystems({ path: '/nowhere' })
      .make(rootfs, request(), never)
      .catch((reason: Error) => reason);
    expect(failure).toBeInstanceOf(Fault);
    expect((failure as Fault).message).toBe('mmdebstrap is not installed');
    expect((failure as Fault).hints).toEqual(['apt-get install mmdebstrap']);
  });

  it('an abort in the middle of an installation leaves no process, no mount and no file', async () => {
    const abort = new AbortController();
    let abortedAt = 0;
    const asked = request({
      onLine(line) {
        if (abortedAt !== 0 || !line.startsWith('I: installing essential packages')) return;
        abortedAt = Date.now();
        abort.abort(new Error('interrupted'));
      },
    });
    await expect(rootFileSystems.make(rootfs, asked, abort.signal)).rejects.toThrow('interrupted');
    expect(Date.now() - abortedAt).toBeLessThan(5_000);
    expect(readdirSync(asked.workDirectory)).toEqual([]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(asked.workDirectory);
    const left = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(asked.workDirectory);
        } catch {
          return false;
        }
      });
    expect(left).toEqual([]);
  }, 300_000);
});
