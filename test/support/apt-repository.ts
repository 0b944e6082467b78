import { execFile } from 'node:child_process';
import { createReadStream, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A signed repository of tiny packages, served on loopback. */
export type AptRepository = {
  readonly uri: string;
  /** Its public key, binary and in base64, as `Repository.keyring` has it. */
  readonly keyring: string;
  /** The User-Agents that have asked for its suites. */
  readonly agents: ReadonlySet<string>;
  /** Makes a suite: package → what `/usr/bin/NAME` prints; signed by another key, or valid until a date, if asked for. */
  addSuite(suite: string, packages: readonly TinyPackage[], how?: { readonly otherKey?: boolean; readonly validUntil?: string }): Promise<void>;
  close(): Promise<void>;
};

/** A package whose program prints its own version. */
export type TinyPackage = { readonly name: string; readonly version: string };

/** Starts a repository without suites. */
export async function startAptRepository(): Promise<AptRepository> {
  const folder = mkdtempSync(join(tmpdir(), 'apt-repository-'));
  const agents = new Set<string>();
  const key = await makeKey(join(folder, 'gpg'));
  const server = createServer((asked, answer) => {
    if (asked.url!.includes('/dists/')) agents.add(asked.headers['user-agent'] ?? '');
    const path = join(folder, 'www', decodeURIComponent(new URL(asked.url!, 'http://x').pathname));
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size === undefined) return void answer.writeHead(404).end();
    answer.writeHead(200, { 'content-length': size });
    createReadStream(path).pipe(answer);
  });
  const port = await listen(server);
  return {
    uri: `http://127.0.0.1:${port}/debian`,
    keyring: key.keyring,
    agents,
    async addSuite(suite, packages, how = {}) {
      const root = join(folder, 'www/debian');
      const { stdout } = await run('dpkg', ['--print-architecture']);
      const lists = `dists/${suite}/main/binary-${stdout.trim()}`;
      mkdirSync(join(root, lists), { recursive: true });
      for (const { name, version } of packages) {
        const tree = join(folder, 'packages', `${name}-${version}`);
        write(join(tree, 'DEBIAN/control'), `Package: ${name}\nVersion: ${version}\nArchitecture: all\nMaintainer: A Person <a@example.org>\nDescription: prints its version\n`);
        write(join(tree, `usr/bin/${name}`), `#!/bin/sh\necho ${name} ${version}\n`, 0o755);
        mkdirSync(join(root, 'pool', suite), { recursive: true });
        await run('dpkg-deb', ['--root-owner-group', '--build', tree, join(root, 'pool', suite, `${name}_${version}_all.deb`)]);
      }
      writeFileSync(join(root, lists, 'Packages'), (await run('apt-ftparchive', ['packages', `pool/${suite}`], { cwd: root }).catch(() => ({ stdout: '' }))).stdout);
      const options = ['Origin=Test', 'Label=Test', `Suite=${suite}`, `Codename=${suite}`, 'Components=main'].flatMap((option) => ['-o', `APT::FTPArchive::Release::${option}`]);
      let release = (await run('apt-ftparchive', [...options, 'release', `dists/${suite}`], { cwd: root })).stdout;
      if (how.validUntil !== undefined) release = release.replace(/^Date: .*$/m, `Date: ${how.validUntil}\nValid-Until: ${how.validUntil}`);
      writeFileSync(join(root, `dists/${suite}/Release`), release);
      const signer = how.otherKey === true ? await makeKey(join(folder, 'other-gpg')) : key;
      await signer.gpg('--clearsign', '--output', join(root, `dists/${suite}/InRelease`), join(root, `dists/${suite}/Release`));
    },
    async close() {
      await key.stop();
      await close(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A plain HTTP proxy on loopback that keeps the hosts it was asked for. */
export async function startCountingProxy(): Promise<{ readonly url: string; readonly hosts: ReadonlySet<string>; close(): Promise<void> }> {
  const hosts = new Set<string>();
  const server = createServer((asked, answer) => {
    hosts.add(new URL(asked.url!).host);
    const forward = request(asked.url!, { method: asked.method, headers: asked.headers }, (got: IncomingMessage) => {
      answer.writeHead(got.statusCode!, got.headers);
      got.pipe(answer);
    });
    forward.once('error', () => answer.writeHead(502).end());
    asked.pipe(forward);
  });
  return { url: `http://127.0.0.1:${await listen(server)}`, hosts, close: () => close(server) };
}

async function makeKey(home: string): Promise<{ readonly keyring: string; gpg(...args: readonly string[]): Promise<Buffer>; stop(): Promise<unknown> }> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const gpg = async (...args: readonly string[]): Promise<Buffer> =>
    (await run('gpg', ['--homedir', home, '--batch', '--yes', '--pinentry-mode', 'loopback', '--passphrase', '', ...args], { encoding: 'buffer' })).stdout;
  await gpg('--quick-generate-key', 'Test <test@example.org>', 'ed25519', 'sign', 'never');
  return { keyring: (await gpg('--export')).toString('base64'), gpg, stop: () => run('gpgconf', ['--homedir', home, '--kill', 'all']).catch(() => undefined) };
}

function write(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode });
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((done) => void server.close(() => done()));
}
