import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { until } from './until.js';

/** A running sshd (Debian's) on a loopback port, with a host key and a user key of its own; root is needed. */
export type SshFixture = {
  /** `ssh://root@127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** What a program needs to get in: a PATH whose `ssh` reads no configuration but the test's. */
  readonly env: { readonly PATH: string };
  /** The same with more lines of ssh_config, which come first and so win. */
  envWith(name: string, config: string): { readonly PATH: string };
  /** The folder with the keys: `id` and `known`. */
  readonly folder: string;
  /** How many connections were let in so far. */
  logins(): number;
  /** How many connections there are now. */
  connections(): number;
  stop(): void;
};

/** Starts it. `environment`: of the commands that are run over there, where no shell start-up file is read. */
export async function startSshd(environment: Readonly<Record<string, string>>): Promise<SshFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'ssh-fixture-'));
  const file = (name: string): string => join(folder, name);
  for (const key of ['host', 'id']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(key)]);
  const port = await freePort();
  const home = file('home');
  for (const path of [home, '/run/sshd']) mkdirSync(path, { recursive: true });
  writeFileSync(file('known'), `[127.0.0.1]:${port} ${readFileSync(file('host.pub'), 'utf8')}`);
  const variables = Object.entries({ HOME: home, ...environment }).map(([name, value]) => `${name}=${value}`);
  writeFileSync(
    file('sshd_config'),
    [
      ...[`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${file('host')}`, 'PidFile none', `AuthorizedKeysFile ${file('id.pub')}`, 'StrictModes no'],
      ...['PermitRootLogin prohibit-password', 'PasswordAuthentication no', 'KbdInteractiveAuthentication no', 'UsePAM no', `SetEnv ${variables.join(' ')}`, ''],
    ].join('\n'),
  );
  const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', file('sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const envWith = (name: string, config: string): { readonly PATH: string } => {
    const bin = file(name);
    mkdirSync(bin);
    const base = [`IdentityFile ${file('id')}`, 'IdentitiesOnly yes', 'IdentityAgent none', `UserKnownHostsFile ${file('known')}`, 'GlobalKnownHostsFile /dev/null', 'StrictHostKeyChecking yes'];
    writeFileSync(join(bin, 'ssh_config'), `${config}\n${base.join('\n')}\n`);
    writeFileSync(join(bin, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F ${join(bin, 'ssh_config')} "$@"\n`, { mode: 0o755 });
    return { PATH: `${bin}:${process.env['PATH']!}` };
  };
  const sessions = (): readonly number[] =>
    execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).split('\n').flatMap((line) => {
      const [pid, parent] = line.trim().split(/\s+/).map(Number);
      return parent === child.pid ? [pid!] : [];
    });
  const stop = (): void => {
    process.removeListener('exit', killWithUs);
    // One that a person's own sharing keeps would outlive it.
    spawnSync('kill', [child.pid!, ...sessions()].map(String));
    rmSync(folder, { recursive: true, force: true });
  };
  await until('sshd listens', () => {
    if (child.exitCode !== null) throw new Error(`sshd did not start: ${log}`);
    return log.includes('Server listening');
  });
  return { url: `ssh://root@127.0.0.1:${port}`, port, env: envWith('bin', ''), envWith, folder, logins: () => log.split('Accepted publickey').length - 1, connections: () => sessions().length, stop };
}
