import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, mkdtemp, readFile, readdir, rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { AptSettings } from '../../definition/apt-settings.js';
import { parsePublicKeys } from '../../definition/openpgp-key.js';
import type { BaseTool, RootFs } from '../../definition/rootfs.js';
import { RootFileSystemFailure, type MadeRootFs, type RootFileSystems, type RootFsRequest } from '../../execute/root-file-systems.js';
import { parseDeb822Sources, parseOneLineSources, type AptSource } from '../../packages/apt-sources.js';
import type { Digest } from '../../shared/digest.js';
import { EXIT, Fault } from '../../shared/errors.js';
import { missingComponent } from './apt-failure.js';
import { aptFilesOfImage, aptFilesWhileMade, keyringFiles, writeFiles } from './apt-files.js';
import { idlePreference, MERGED_USR_MARK, plannedPackages } from './apt-resolve.js';
import { DEBIAN_KEYRING, formatSources, joinSuites, parseRelease, signSources, type ReleaseFile } from './apt-sources.js';
import { DEBUERREOTYPE } from './debuerreotype.js';
import { withoutDeviceNodes } from './device-nodes.js';
import { IN_IMAGE_VARIABLE, LISTS_VARIABLE, WHILE_MADE_VARIABLE } from './finish-root.js';
import { MMDEBSTRAP } from './mmdebstrap.js';
import type { RootTool } from './root-tool.js';
import { runs, runTool, type Place } from './run-tool.js';

const TOOLS: Readonly<Record<BaseTool, RootTool>> = { mmdebstrap: MMDEBSTRAP, debuerreotype: DEBUERREOTYPE };

/** Root file systems made by mmdebstrap or debuerreotype on this machine, as root. `path`: where their programs are looked for. */
export function createRootFileSystems(options: { readonly path?: string } = {}): RootFileSystems {
  const path = options.path ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  return {
    async architecture() {
      const told = await promisify(execFile)('dpkg', ['--print-architecture'], { env: { PATH: path, LC_ALL: 'C' } }).catch(() => {
        throw new Fault(EXIT.failed, 'dpkg is not installed: base images are made on Debian');
      });
      return told.stdout.trim();
    },
    async make(rootfs, request, signal) {
      signal.throwIfAborted();
      const tool = TOOLS[rootfs.tool];
      for (const program of tool.programs) {
        if (!(await runs(program, ['--version'], path))) throw new Fault(EXIT.failed, `${program.replace('-init', '')} is not installed`, [`apt-get install ${tool.packages.join(' ')}`]);
      }
      const unshare = await runs('unshare', ['--mount', 'true'], path);
      if (tool.needsNamespaces && !unshare) throw new Fault(EXIT.failed, `${tool.name} needs mount namespaces, which this machine does not give`, ['"tool: mmdebstrap" works without']);
      const folder = await mkdtemp(join(resolve(request.workDirectory), 'rootfs-'));
      try {
        // apt downloads as its own user, who has to get in.
        await chmod(folder, 0o755);
        const made = await make(tool, rootfs, request, { folder, path, unshare }, signal);
        const layerPath = join(request.workDirectory, 'layer.tar');
        await rename(made.layerPath, layerPath);
        return { ...made, layerPath };
      } finally {
        await runs('rm', ['-rf', '--one-file-system', '--', folder], path);
      }
    },
  };
}

async function make(tool: RootTool, rootfs: RootFs, request: RootFsRequest, place: Place, signal: AbortSignal): Promise<MadeRootFs> {
  const { apt } = rootfs;
  const environment = {
    PATH: place.path,
    LC_ALL: 'C.UTF-8',
    HOME: place.folder,
    TMPDIR: place.folder,
    DEBIAN_FRONTEND: 'noninteractive',
    DEBCONF_NONINTERACTIVE_SEEN: 'true',
    ...(request.proxy === undefined ? {} : { http_proxy: request.proxy, https_proxy: request.proxy }),
    [WHILE_MADE_VARIABLE]: join(place.folder, 'while-made'),
    [IN_IMAGE_VARIABLE]: join(place.folder, 'in-image'),
  };
  const keyring = join(place.folder, 'trusted.gpg');
  await writeFiles(place.folder, { 'trusted.gpg': await trustedKeys(), ...keyringFiles(apt, 'keyrings') });
  await writeFiles(environment[WHILE_MADE_VARIABLE], aptFilesWhileMade(apt, join(place.folder, 'keyrings')));
  await writeFiles(environment[IN_IMAGE_VARIABLE], aptFilesOfImage(apt));
  const run = { name: tool.name, place, repositories: apt.repositories, onLine: request.onLine };

  const root = join(place.folder, 'resolved');
  const lines = await resolved(apt, (onLine) => runTool(tool.resolve(rootfs, root, keyring), { ...run, onLine, environment }, signal), request.onLine);
  const planned = plannedPackages(lines);
  const architecture = planned.find((one) => one.architecture !== 'all')?.architecture;
  if (architecture === undefined) throw new RootFileSystemFailure(`variant ${rootfs.variant} with nothing to include has no packages`);
  const lists = join(root, 'var/lib/apt/lists');
  const releases = await readReleases(lists);
  const epoch = request.chooseEpoch({ newestRelease: Math.max(0, ...[...releases.values()].map(({ date }) => date)), packages: planned });

  const sources = formatSources(signSources(await readSources(root, rootfs, keyring), releases));
  const layerPath = join(place.folder, 'layer.tar');
  const layer = layerWriter(layerPath);
  const printed = await runTool(
    tool.install(rootfs, { mergedUsr: lines.includes(MERGED_USR_MARK), sources, keyring, proxy: request.proxy, folder: place.folder }),
    { ...run, environment: { ...environment, SOURCE_DATE_EPOCH: String(epoch), [LISTS_VARIABLE]: lists }, useOutput: layer.write },
    signal,
  );
  return { layerPath, ...layer.written(), epoch, packages: tool.installed(printed, planned), architecture };
}

/** What resolving printed. Why apt finds no package may be something that it passes over, or only warns of: that is said first. */
async function resolved(apt: AptSettings, resolving: (onLine: (line: string) => void) => Promise<unknown>, tell: (line: string) => void): Promise<readonly string[]> {
  const lines: string[] = [];
  const failure = await resolving((line) => {
    lines.push(line);
    tell(line);
  }).then(() => undefined, (error: Error) => error);
  if (failure !== undefined && !(failure instanceof RootFileSystemFailure)) throw failure;
  const fault = missingComponent(lines, apt.repositories) ?? idlePreference(apt.preferences, lines);
  if (fault !== undefined) throw new RootFileSystemFailure(fault);
  if (failure !== undefined) throw failure;
  return lines;
}

/** Writes a tool's tar file as a layer; what was written is known when it has ended. */
function layerWriter(path: string): { write(output: Readable): Promise<void>; written(): { readonly diffId: Digest; readonly size: number } } {
  const hash = createHash('sha256');
  let size = 0;
  return {
    write: (output) =>
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
        createWriteStream(path),
      ),
    written: () => ({ diffId: `sha256:${hash.digest('hex')}` as Digest, size }),
  };
}

/** The keys that this machine's apt trusts for sources that name none, Debian's among them, as one binary keyring (apt-secure(8)). */
async function trustedKeys(): Promise<Buffer> {
  const folder = '/etc/apt/trusted.gpg.d';
  const names = (await readdir(folder).catch(() => [])).filter((name) => /\.(?:gpg|asc)$/.test(name));
  const files = await Promise.all([DEBIAN_KEYRING, ...names.sort().map((name) => join(folder, name))].map((path) => readFile(path).then((bytes) => parsePublicKeys(path, bytes), () => undefined)));
  return Buffer.concat(files.flatMap((file) => (file?.ok === true ? [file.value] : [])));
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

/** The sources of the suite, beside those of repositories: mmdebstrap writes one line each, or deb822 in newer versions. What is signed by `trusted` is signed by no file of the image. */
async function readSources(root: string, { apt }: RootFs, trusted: string): Promise<readonly AptSource[]> {
  const ours = apt.repositories.map(({ name }) => `${name}.sources`);
  const parts = join(root, 'etc/apt/sources.list.d');
  const sources = [...joinSuites(parseOneLineSources(await readFile(join(root, 'etc/apt/sources.list'), 'utf8').catch(() => '')).sources)];
  for (const name of (await readdir(parts)).sort()) {
    if (ours.includes(name)) continue;
    const text = await readFile(join(parts, name), 'utf8');
    sources.push(...(name.endsWith('.sources') ? parseDeb822Sources(text).sources : joinSuites(parseOneLineSources(text).sources)));
  }
  return sources.map((source) => {
    const { 'Signed-By': signer, ...others } = source.options;
    return signer === trusted ? { ...source, options: others } : source;
  });
}

