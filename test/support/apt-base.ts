import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { copyProgram, SHARED_SOCKET } from './engine-fixture.js';

const run = promisify(execFile);

/** What apt and dpkg are, and what they call; those that this release of Debian does not have are left out. */
const PROGRAMS = [
  ...['apt-get', 'apt-config', 'apt-key', 'dpkg', 'dpkg-deb', 'dpkg-split', 'dpkg-query', 'gpgv', 'sqv'],
  ...['sh', 'tar', 'gzip', 'rm', 'cat', 'ls', 'mkdir', 'cp', 'mv', 'sleep', 'grep', 'sed', 'true', 'env', 'id', 'cmp', 'find', 'sort', 'mktemp', 'chmod', 'chown', 'touch', 'diff', 'head', 'wc', 'tr', 'cut', 'basename', 'dirname', 'readlink', 'test', 'uname', 'awk'],
  ...['start-stop-daemon', 'ldconfig'],
];

/**
 * Gives an engine an image of this machine's own apt and dpkg, with nothing else installed: real packages can be installed in it, and it
 * is made in seconds.
 */
export async function importAptBase(tag: string, socketPath: string = SHARED_SOCKET): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'build-images-apt-base-'));
  try {
    for (const folder of ['usr/bin', 'usr/lib', 'usr/lib64', 'tmp', 'var/lib/dpkg/info', 'var/lib/dpkg/updates', 'var/lib/apt/lists/partial', 'var/cache/apt/archives/partial', 'var/log/apt', 'etc/apt/apt.conf.d', 'etc/apt/preferences.d', 'etc/apt/sources.list.d', 'etc/apt/trusted.gpg.d']) mkdirSync(join(root, folder), { recursive: true });
    for (const [link, target] of [['bin', 'usr/bin'], ['sbin', 'usr/bin'], ['lib', 'usr/lib'], ['lib64', 'usr/lib64'], ['usr/sbin', 'bin']] as const) symlinkSync(target, join(root, link));
    const paths = await Promise.all(PROGRAMS.map((program) => run('which', [program], { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } }).then(({ stdout }) => ({ path: stdout.trim(), at: `/usr/bin/${program}` }), () => undefined)));
    const methods = ['http', 'gpgv', 'sqv', 'store', 'copy', 'file'].map((method) => `/usr/lib/apt/methods/${method}`).filter((path) => existsSync(path)).map((path) => ({ path, at: path }));
    for (const found of [...paths, ...methods]) if (found !== undefined) await copyProgram(root, found.path, found.at);
    // What dpkg knows architectures by.
    cpSync('/usr/share/dpkg', join(root, 'usr/share/dpkg'), { recursive: true });
    const machine = (await run('dpkg', ['--print-architecture'])).stdout.trim();
    const files = {
      'var/lib/dpkg/status': `Package: dpkg\nStatus: install ok installed\nMaintainer: A <a@example.org>\nArchitecture: ${machine}\nVersion: 1.21\nDescription: x\n`,
      'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n_apt:x:100:65534::/nonexistent:/bin/false\n',
      'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
      'etc/apt/apt.conf.d/00sandbox': 'APT::Sandbox::User "root";\n',
    };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    await run('sh', ['-c', 'tar -C "$0" -c . | docker -H "unix://$1" import --change "ENV PATH=/usr/bin" - "$2"', root, socketPath, tag]);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
