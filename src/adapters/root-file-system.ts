import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, mkdtemp, readFile, readdir, rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { kill } from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { RootFileSystemFailure, type DebianPackage, type MadeRootFs, type RootFileSystems, type RootFsRequest } from '../execute/root-file-systems.js';
import type { RootFs } from '../definition/rootfs.js';
import type { Digest } from '../shared/digest.js';
import { EXIT, Fault } from '../shared/errors.js';
import { explainFailure, missingComponent } from './apt-failure.js';
import { formatSources, parseDeb822Sources, parseOneLineSources, parseRelease, signSources, type AptSource, type ReleaseFile } from './apt-sources.js';
import { withoutDeviceNodes } from './device-nodes.js';
import { LISTS_VARIABLE, makeArguments, MERGED_USR_MARK, resolveArguments } from './mmdebstrap.js';

/** Milliseconds that mmdebstrap gets to take its mounts down before it is killed. */
const GRACE = 2_000;

/** Root file systems made by mmdebstrap on this machine, as root. `path`: where its tools are looked for. */
export function createRootFileSystems(options: { readonly path?: string } = {}): RootFileSystems {
  const path = options.path ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  return {
    async make(rootfs, request, signal) {
      signal.throwIfAborted();
      if (!(await runs('mmdebstrap', ['--version'], path))) throw new Fault(EXIT.failed, 'mmdebstrap is not installed', ['apt-get install mmdebstrap']);
      const folder = await mkdtemp(join(resolve(request.workDirectory), 'rootfs-'));
      try {
        // apt downloads as its own user, who has to get in.
        await chmod(folder, 0o755);
        const made = await make(rootfs, request, { folder, path, unshare: await runs('unshare', ['--mount', 'true'], path) }, signal);
        const layerPath = join(request.workDirectory, 'layer.tar');
        await rename(made.layerPath, layerPath);
        return { ...made, layerPath };
      } finally {
        await runs('rm', ['-rf', '--one-file-system', '--', folder], path);
      }
    },
  };
}

type Place = {
  /** Temporary folder of this run. */
  readonly folder: string;
  readonly path: string;
  /** Whether a mount namespace can be had: what is mounted in one goes away with its last process. */
  readonly unshare: boolean;
};

async function make(rootfs: RootFs, request: RootFsRequest, place: Place, signal: AbortSignal): Promise<MadeRootFs> {
  const environment = {
    PATH: place.path,
    LC_ALL: 'C.UTF-8',
    HOME: place.folder,
    TMPDIR: place.folder,
    DEBIAN_FRONTEND: 'noninteractive',
    DEBCONF_NONINTERACTIVE_SEEN: 'true',
    ...(request.proxy === undefined ? {} : { http_proxy: request.proxy, https_proxy: request.proxy }),
  };
  const resolvedRoot = join(place.folder, 'resolved');
  const lines = await mmdebstrap(resolveArguments(rootfs, resolvedRoot), environment, request.onLine, ignoreOutput, place, signal);
  const component = missingComponent(lines);
  if (component !== undefined) throw new RootFileSystemFailure(component);
  const packages = plannedPackages(lines);
  const architecture = packages.find((one) => one.architecture !== 'all')?.architecture;
  if (architecture === undefined) throw new RootFileSystemFailure(`variant ${rootfs.variant} with nothing to include has no packages`);
  const lists = join(resolvedRoot, 'var/lib/apt/lists');
  const releases = await readReleases(lists);
  const epoch = request.chooseEpoch({ newestRelease: Math.max(0, ...[...releases.values()].map(({ date }) => date)), packages });

  const layerPath = join(place.folder, 'layer.tar');
  const hash = createHash('sha256');
  let size = 0;
  const write = (output: Readable): Promise<void> =>
    pipeline(
      output,
      withoutDeviceNodes,
      async function* (layer: AsyncIterable<Uint8Array>) {
        for await (const piece of layer) {
          hash.update(piece);
          size += piece.length;
          yield piece;
        }
      },
      createWriteStream(layerPath),
    );
  await mmdebstrap(
    makeArguments(rootfs, { mergedUsr: lines.includes(MERGED_USR_MARK), sources: formatSources(signSources(await readSources(resolvedRoot), releases)) }),
    { ...environment, SOURCE_DATE_EPOCH: String(epoch), [LISTS_VARIABLE]: lists },
    request.onLine,
    write,
    place,
    signal,
  );
  return { layerPath, diffId: `sha256:${hash.digest('hex')}` as Digest, size, epoch, packages, architecture };
}

/** Runs mmdebstrap to its end; the lines it printed. Rejects with what its failure means, or with the signal's reason. */
async function mmdebstrap(
  commandLine: readonly string[],
  environment: NodeJS.ProcessEnv,
  onLine: (line: string) => void,
  useOutput: (output: Readable) => Promise<void>,
  place: Place,
  signal: AbortSignal,
): Promise<readonly string[]> {
  signal.throwIfAborted();
  const [command, ...before] = place.unshare ? ['unshare', '--mount', '--', 'mmdebstrap'] : ['mmdebstrap'];
  // A process group of its own: apt, dpkg and maintainer scripts are stopped with it.
  const child = spawn(command!, [...before, ...commandLine], { cwd: place.folder, env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = stopOnAbort(child, signal);
  const lines: string[] = [];
  const reader = createInterface({ input: child.stderr });
  reader.on('line', (line) => {
    lines.push(line);
    onLine(line);
  });
  try {
    const status = new Promise<string>((settle, reject) => {
      child.once('error', reject);
      child.once('close', (code, by) => settle(code === 0 ? '' : code === null ? `killed by ${by}` : `exit ${code}`));
    });
    const [ended, used] = await Promise.allSettled([status, useOutput(child.stdout)]);
    signal.throwIfAborted();
    if (ended.status === 'rejected') throw ended.reason;
    if (used.status === 'rejected' && (used.reason as NodeJS.ErrnoException).code === 'ENOSPC') throw new Fault(EXIT.failed, `no space left for the layer in ${place.folder}`);
    if (ended.value !== '') throw explainFailure(lines, ended.value);
    if (used.status === 'rejected') throw used.reason;
    return lines;
  } finally {
    stop.done();
  }
}

/** Stops a child's whole group when the signal aborts: first kindly, so that it can take its mounts down, then for good. */
function stopOnAbort(child: ChildProcess, signal: AbortSignal): { done(): void } {
  let timer: NodeJS.Timeout | undefined;
  const signalGroup = (name: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) kill(-child.pid, name);
    } catch {
      // The group is gone already.
    }
  };
  const onAbort = (): void => {
    signalGroup('SIGTERM');
    timer = setTimeout(() => signalGroup('SIGKILL'), GRACE);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (signal.aborted) signalGroup('SIGKILL');
    },
  };
}

async function ignoreOutput(output: Readable): Promise<void> {
  output.resume();
}

/** apt's simulation: `Inst zlib1g (1:1.3 Debian:13.7/stable [amd64]) []`. */
function plannedPackages(lines: readonly string[]): readonly DebianPackage[] {
  const packages = lines.flatMap((line) => {
    const match = /^Inst (\S+) \((\S+) .*\[([a-z0-9-]+)\]\)/.exec(line);
    return match === null ? [] : [{ name: match[1]!.replace(/:.*/, ''), version: match[2]!, architecture: match[3]! }];
  });
  const key = ({ name, architecture }: DebianPackage): string => `${name}:${architecture}`;
  return packages.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

async function readReleases(lists: string): Promise<ReadonlyMap<string, ReleaseFile>> {
  const releases = new Map<string, ReleaseFile>();
  for (const name of await readdir(lists)) {
    if (!/_(?:In)?Release$/.test(name)) continue;
    const release = parseRelease(await readFile(join(lists, name), 'utf8'));
    if (release !== undefined) releases.set(name, release);
  }
  return releases;
}

/** The sources that mmdebstrap wrote: one line each, or deb822 in newer versions. */
async function readSources(root: string): Promise<readonly AptSource[]> {
  const parts = join(root, 'etc/apt/sources.list.d');
  const sources = [...parseOneLineSources(await readFile(join(root, 'etc/apt/sources.list'), 'utf8').catch(() => ''))];
  for (const name of (await readdir(parts)).sort()) {
    const text = await readFile(join(parts, name), 'utf8');
    sources.push(...(name.endsWith('.sources') ? parseDeb822Sources(text) : parseOneLineSources(text)));
  }
  return sources;
}

/** Whether a command can be started and ends well. In a group of its own: an interrupt at the terminal must not stop cleaning up. */
function runs(command: string, commandLine: readonly string[], path: string): Promise<boolean> {
  return new Promise((settle) => {
    const child = spawn(command, commandLine, { env: { PATH: path, LC_ALL: 'C' }, stdio: 'ignore', detached: true });
    child.once('error', () => settle(false));
    child.once('close', (code) => settle(code === 0));
  });
}
