import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createEngine, type EngineOptions } from '../../src/adapters/engine/engine.js';
import type { EngineAddress } from '../../src/adapters/engine/engine-address.js';
import { createEngineConnection } from '../../src/adapters/engine/engine-connection.js';
import { systemClock } from '../../src/adapters/clock.js';
import type { ContextEntry } from '../../src/definition/build-context.js';
import type { BuildEngine, BuildRequest } from '../../src/execute/build-engine.js';

const run = promisify(execFile);

/** The socket of the engine that the machine runs; TEST_ENGINE_SOCKET names that of another, to run the same tests on a newer one. */
export const SHARED_SOCKET = process.env['TEST_ENGINE_SOCKET'] ?? '/var/run/docker.sock';

/** How dockerd is started: the machine's own, or where TEST_ENGINE_COMMAND names another (a JSON array), that. */
const DOCKERD: readonly string[] = JSON.parse(process.env['TEST_ENGINE_COMMAND'] ?? '["dockerd"]') as string[];

/** Whether the engine under test keeps images in the containerd store: there an image's id is its manifest's digest, and a built layer takes its room twice. */
export function hasContainerdStore(): boolean {
  return execFileSync('docker', ['--host', `unix://${SHARED_SOCKET}`, 'info', '--format', '{{json .DriverStatus}}'], { encoding: 'utf8' }).includes('io.containerd.snapshotter');
}

/** The port under test, behind a Unix socket or at an address; without logins unless given. */
export function engineAt(at: string | EngineAddress = SHARED_SOCKET, options: Partial<EngineOptions> = {}): BuildEngine & { close(): void } {
  const connection = createEngineConnection(typeof at === 'string' ? { via: 'unix', socketPath: at } : at);
  return { ...createEngine(connection, { credentialsFor: () => Promise.resolve(undefined), secretOf: () => Promise.resolve({ absent: 'there are no secrets' }), clock: systemClock, ...options }), close: () => connection.close() };
}

/** A name that no other test uses, for images of one test file. */
export function uniqueName(what: string): string {
  return `build-images-test/${what}-${randomUUID().slice(0, 8)}`;
}

/** Programs of this machine that the base image holds; `sh` runs RUN lines. */
const PROGRAMS = ['sh', 'cat', 'dd', 'echo', 'ls', 'mkdir', 'sha256sum', 'sleep', 'stat', 'touch', 'true', 'wc'];

/** Gives the engine a tiny image with a shell, made of this machine's own programs and their libraries; no network. */
export async function importBase(tag: string, socketPath: string = SHARED_SOCKET): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'build-images-base-'));
  try {
    for (const program of PROGRAMS) {
      await copyProgram(root, (await run('which', [program])).stdout.trim(), `/bin/${program}`);
    }
    await mkdir(join(root, 'tmp'));
    await run('sh', ['-c', 'tar -C "$0" -c . | docker -H "unix://$1" import --change "ENV PATH=/bin" - "$2"', root, socketPath, tag]);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Copies a program of this machine, or a script, with the libraries that it needs. */
export async function copyProgram(root: string, program: string, at: string): Promise<void> {
  const path = await realpath(program);
  await copyInto(root, path, at);
  const { stdout } = await run('ldd', [path]).catch(() => ({ stdout: '' }));
  for (const [, library] of stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(/gm)) await copyInto(root, await realpath(library!), library!);
}

async function copyInto(root: string, from: string, to: string): Promise<void> {
  await mkdir(join(root, dirname(to)), { recursive: true });
  await cp(from, join(root, to));
}

/** Takes every name below a repository prefix away from an engine. */
export async function removeImages(prefix: string, socketPath: string = SHARED_SOCKET): Promise<void> {
  const engine = engineAt(socketPath);
  const signal = AbortSignal.timeout(60_000);
  for (const { tags } of await engine.list(signal)) for (const tag of tags) if (tag.includes(prefix)) await engine.remove(tag, signal);
  engine.close();
}

/** An engine of a test's own. */
export type OwnEngine = {
  readonly socketPath: string;
  /** The folder of its images. */
  readonly data: string;
  /** An address of this machine that is not loopback, as long as the engine lives. */
  readonly address: string;
  readonly pid: number;
  /** SIGKILL, as when the machine's memory is short. */
  kill(): Promise<void>;
  /** Starts it again on the same socket with the same images, after `kill`. */
  restart(): Promise<void>;
  /** Ends it and takes its files, mounts and bridge away. */
  stop(): Promise<void>;
};

/**
 * Starts a dockerd beside the machine's own (root is needed): own socket, data and bridge. More arguments may need to know its
 * address. `disk`: MB of the disk that it keeps its images on.
 */
export async function startEngine(more: readonly string[] | ((address: string) => readonly string[]) = [], { disk }: { readonly disk?: number } = {}): Promise<OwnEngine> {
  const dir = await mkdtemp(join(tmpdir(), 'build-images-engine-'));
  const data = join(dir, 'data');
  if (disk !== undefined) await mountDisk(data, disk);
  const bridge = `bi${randomUUID().slice(0, 8)}`;
  const subnet = 16 + Math.floor(Math.random() * 200);
  await run('ip', ['link', 'add', 'name', bridge, 'type', 'bridge']);
  const address = `10.231.${subnet}.1`;
  const extra = typeof more === 'function' ? more(address) : more;
  await run('ip', ['addr', 'add', `${address}/24`, 'dev', bridge]);
  const socketPath = join(dir, 'docker.sock');
  const start = (): ChildProcess =>
    spawn(
      DOCKERD[0]!,
      [...DOCKERD.slice(1), '--host', `unix://${socketPath}`, '--data-root', data, '--exec-root', join(dir, 'exec'), '--pidfile', join(dir, 'docker.pid'), '--bridge', bridge, '--iptables=false', ...extra],
      { stdio: 'ignore' },
    );
  let child = start();
  const engine: OwnEngine = {
    socketPath,
    data,
    address,
    get pid() {
      return child.pid!;
    },
    kill: () => ended(child, 'SIGKILL'),
    async restart() {
      await killContainerd(join(dir, 'exec'));
      // Where nobody reaps orphans, a dead containerd still counts as one that lives.
      for (const pidfile of ['docker.pid', 'exec/containerd/containerd.pid']) await rm(join(dir, pidfile), { force: true });
      child = start();
      if (!(await answers(child, socketPath))) throw new Error('dockerd did not start again');
    },
    async stop() {
      await ended(child, 'SIGTERM', 10_000);
      await killContainerd(join(dir, 'exec'));
      await run('ip', ['link', 'del', bridge]).catch(() => {});
      await unmountBelow(dir);
      await rm(dir, { recursive: true, force: true });
    },
  };
  if (await answers(child, socketPath)) return engine;
  await engine.stop();
  throw new Error('dockerd did not start');
}

/** Mounts a disk of so many MB at a new folder; umount(8) takes it away. Root is needed. */
export async function mountDisk(path: string, megabytes: number): Promise<void> {
  await mkdir(path, { recursive: true });
  await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes * 1_000_000}`, 'tmpfs', path]);
}

/** Waits until an engine answers; false if it ends instead, or takes longer than half a minute. */
async function answers(child: ChildProcess, socketPath: string): Promise<boolean> {
  for (let tries = 0; tries < 300 && child.exitCode === null; tries++) {
    const probe = engineAt(socketPath);
    const answered = await probe.list(AbortSignal.timeout(2_000)).then(
      () => true,
      () => false,
    );
    probe.close();
    if (answered) return true;
    await sleep(100);
  }
  return false;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals, patience = 5_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const forced = setTimeout(() => child.kill('SIGKILL'), patience);
  await exit;
  clearTimeout(forced);
}

/** A killed dockerd leaves its containerd, and the shims below it, behind: they are known by the folder on their command line. */
async function killContainerd(execRoot: string): Promise<void> {
  const { stdout } = await run('ps', ['-eo', 'pid=,args=']);
  for (const line of stdout.split('\n').filter((text) => text.includes(execRoot))) {
    try {
      process.kill(Number(line.trim().split(/\s+/)[0]), 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}

async function unmountBelow(dir: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const mount of mounts.filter((path) => path.startsWith(`${dir}/`)).reverse()) await run('umount', ['-l', mount]).catch(() => {});
}

/** A file of a context, from memory. */
export function contextFile(path: string, content: string | Uint8Array, mode: 0o644 | 0o755 = 0o644): ContextEntry {
  const bytes = Buffer.from(content);
  return {
    type: 'file',
    path,
    mode,
    size: bytes.length,
    async *read() {
      yield bytes;
    },
  };
}

/** A build request with nothing unusual in it. */
export function buildRequest(tag: string, dockerfile: string, rest: Partial<BuildRequest> = {}): BuildRequest {
  return { dockerfile, tag, context: [], labels: {}, buildArgs: {}, noCache: false, platform: undefined, limits: undefined, onLine: () => {}, ...rest };
}

/** Builders, and the limits with which the engine port chooses them; 1024 shares are what every container has. */
export const BUILDERS: readonly (readonly [string, BuildRequest['limits']])[] = [
  ['BuildKit', undefined],
  ['the classic builder', { cpushares: 1024 }],
];
