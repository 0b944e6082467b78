import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { startCountingProxy } from '../test/support/counting-proxy.js';
import { startRegistry, type RegistryFixture } from '../test/support/registry-fixture.js';
import { childSeconds, median, timedProcess, type Timed } from './timed-process.js';

/**
 * What is outdated in 125 published images: real Debian root file systems, by mmdebstrap, without the updates that there are; each image with a layer of its own
 * that holds another package. Cold (nothing on disk) and warm, whole processes. Compared with a container of each image that runs `apt-get update && apt-get -s
 * dist-upgrade`, measured on ten and extrapolated; the two must find as much in those. As root, with an engine whose containers reach the archive.
 * Usage: npm run bench -- outdated [N]   (default: 125)
 */

const PROGRAM = join(process.env['BENCH_ROOT']!, 'dist', 'main.js');
const ROUNDS = 5;
const CONTAINERS = 10;
/** Root file systems take half a minute each: they are kept a month. */
const KEPT = '/var/cache/build-images-test/bench-outdated';
const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';
const PACKAGES: Readonly<Record<string, readonly string[]>> = { plain: [], python: ['python3', 'git'], web: ['nginx-light', 'php-fpm', 'perl'], java: ['default-jre-headless'] };
const MIRROR = 'http://deb.debian.org';
const run = promisify(execFile);
const sha256 = (bytes: string | Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

type Root = { readonly name: string; /** Of its tar. */ readonly diff: string; readonly layer: Buffer; readonly status: string };

function sourcesOf(suite: string): string {
  const stanza = (uri: string, suites: string): string => `Types: deb\nURIs: ${MIRROR}/${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: ${KEYS}\n`;
  return `${stanza('debian', `${suite} ${suite}-updates`)}\n${stanza('debian-security', `${suite}-security`)}`;
}

/** A root file system of a suite alone, as a tar; its sources have the updates, too. */
async function makeRoot(suite: string, kind: string): Promise<Root> {
  const name = `${suite}-${kind}`;
  const path = join(KEPT, `${name}.tar`);
  if (!existsSync(path) || Date.now() - statSync(path).mtimeMs > 30 * 86_400_000) {
    mkdirSync(KEPT, { recursive: true });
    const work = mkdtempSync(join(tmpdir(), 'bench-root-'));
    const sources = join(work, 'debian.sources');
    writeFileSync(sources, sourcesOf(suite));
    const clean = 'rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/resolv.conf';
    const include = [...PACKAGES[kind]!, 'debian-archive-keyring'].join(',');
    const options = ['--variant=minbase', '--mode=root', '--format=tar', '--skip=output/dev', '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr', `--include=${include}`, `--customize-hook=${clean}`, `--customize-hook=copy-in ${sources} /etc/apt/sources.list.d`];
    await run('mmdebstrap', [...options, suite, `${path}.part`, `deb [signed-by=${KEYS}] ${MIRROR}/debian ${suite} main`], { maxBuffer: 1 << 28 });
    renameSync(`${path}.part`, path);
    rmSync(work, { recursive: true });
  }
  const packed = `${path}.gz`;
  if (!existsSync(packed) || statSync(packed).mtimeMs < statSync(path).mtimeMs) writeFileSync(packed, gzipSync(readFileSync(path), { level: 6 }));
  const status = execFileSync('tar', ['-xOf', path, './var/lib/dpkg/status'], { encoding: 'utf8', maxBuffer: 1 << 26 });
  return { name, diff: sha256(readFileSync(path)), layer: readFileSync(packed), status };
}

/** One published image: a root, and for all but the roots themselves a layer in which one more package is installed. */
type Published = { readonly name: string; readonly root: Root; readonly parent: string | undefined };

function imagesOf(roots: readonly Root[], count: number): readonly Published[] {
  return Array.from({ length: count }, (_, at) => {
    const root = roots[at % roots.length]!;
    return at < roots.length ? { name: root.name, root, parent: undefined } : { name: `app-${at}`, root, parent: root.name };
  });
}

function writeTree(folder: string, host: string, images: readonly Published[]): void {
  const write = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write('config.yaml', `registry: ${host}\nnamespace: bench\n`);
  for (const { name, parent } of images) {
    write(`images/${name}/Dockerfile.template`, parent === undefined ? 'FROM scratch\nADD root.tar /\n' : `FROM {{ "${parent}" | image_tag }}\nCOPY app.deb /\nRUN dpkg -i /app.deb\n`);
    write(`images/${name}/changelog`, `${name} (1.0) unstable; urgency=medium\n\n  * Made.\n\n -- Some Body <somebody@example.org>  Thu, 01 Jan 2026 10:00:00 +0000\n`);
    write(`images/${name}/control`, `Package: ${name}\nMaintainer: Some Body <somebody@example.org>\nDescription: ${name}\n`);
  }
}

async function publish({ send }: RegistryFixture, images: readonly Published[]): Promise<void> {
  const have = new Map<string, string>();
  const put = async (repository: string, bytes: Uint8Array): Promise<string> => {
    const digest = sha256(bytes);
    const from = have.get(digest);
    const begun = await send('POST', `/v2/${repository}/blobs/uploads/${from === undefined ? '' : `?mount=${digest}&from=${from}`}`);
    if (begun.status === 202) {
      const target = new URL(String(begun.headers['location']), 'http://registry.invalid');
      target.searchParams.set('digest', digest);
      const { status } = await send('PUT', `${target.pathname}${target.search}`, bytes, { 'content-type': 'application/octet-stream' });
      if (status !== 201) throw new Error(`${repository}: ${status}`);
    }
    have.set(digest, repository);
    return digest;
  };
  const media = 'application/vnd.docker.distribution.manifest.v2+json';
  for (const { name, root, parent } of images) {
    const repository = `bench/${name}`;
    const layers: { readonly bytes: Uint8Array; readonly diff: string }[] = [{ bytes: root.layer, diff: root.diff }];
    if (parent !== undefined) {
      const own = `\nPackage: ${name}\nStatus: install ok installed\nPriority: optional\nSection: misc\nMaintainer: Some Body <somebody@example.org>\nArchitecture: all\nVersion: 1.0\nDescription: ${name}\n`;
      const file = (path: string, body: string): Parameters<typeof packTar>[0][number] => ({ header: { name: path, size: Buffer.byteLength(body), mode: 0o644, mtime: new Date(0) }, body });
      const tar = await packTar([file('var/lib/dpkg/status', root.status.trimEnd() + '\n' + own), file(`opt/${name}`, name)]);
      layers.push({ bytes: gzipSync(tar), diff: sha256(tar) });
    }
    const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['/bin/sh'] }, rootfs: { type: 'layers', diff_ids: layers.map(({ diff }) => diff) } }));
    const described = [];
    for (const { bytes } of layers) described.push({ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', size: bytes.length, digest: await put(repository, bytes) });
    const manifest = JSON.stringify({ schemaVersion: 2, mediaType: media, config: { mediaType: 'application/vnd.docker.container.image.v1+json', size: config.length, digest: await put(repository, config) }, layers: described });
    for (const tag of ['1.0', 'latest']) await send('PUT', `/v2/${repository}/manifests/${tag}`, manifest, { 'content-type': media });
  }
}

type Entry = { readonly image: string; readonly unknown: string | null; readonly upgrades: readonly { readonly package: string; readonly heldBack: string | null }[] };

/** Seconds that a container takes, and the packages that it would upgrade. */
async function inContainer(ref: string): Promise<{ readonly seconds: number; readonly packages: readonly string[] }> {
  await run('docker', ['pull', '--quiet', ref]);
  const started = performance.now();
  const { stdout } = await run('docker', ['run', '--rm', ref, 'sh', '-c', 'apt-get update -qq && apt-get -s dist-upgrade'], { maxBuffer: 1 << 26 });
  const seconds = (performance.now() - started) / 1000;
  await run('docker', ['rmi', ref]);
  return { seconds, packages: [...stdout.matchAll(/^Inst (\S+) \[/gm)].map(([, name]) => name!).sort() };
}

const count = Number(process.argv[2] ?? 125);
const folder = mkdtempSync(join(tmpdir(), 'bench-outdated-'));
const registry = await startRegistry({ storage: join(folder, 'registry') });
const proxy = await startCountingProxy();
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
/** Bytes of the bodies that the registry has sent so far, by its log. */
const sent = (): number => [...registry.log().matchAll(/"GET \/v2\/[^"]*" 200 (\d+)/g)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
let good = true;
try {
  const roots: Root[] = [];
  for (const suite of ['bookworm', 'trixie']) for (const kind of Object.keys(PACKAGES)) roots.push(await makeRoot(suite, kind));
  const images = imagesOf(roots, count);
  writeTree(folder, registry.host, images);
  await publish(registry, images);

  const env = { HOME: folder, XDG_STATE_HOME: join(folder, 'state'), XDG_CACHE_HOME: join(folder, 'cache') };
  const timed = (extra: Readonly<Record<string, string>> = {}): Promise<Timed> => timedProcess(process.execPath, [PROGRAM, 'outdated', '--json'], folder, { ...env, ...extra });
  // Bytes are counted in runs of their own: a proxy takes time.
  await timed({ http_proxy: proxy.url });
  const [archiveCold, registryCold] = [proxy.taken(), sent()];
  await timed({ http_proxy: proxy.url });
  const [archiveWarm, registryWarm] = [proxy.taken(), sent() - registryCold];
  rmSync(env.XDG_CACHE_HOME, { recursive: true });
  const cold = await timed();
  const warm: Timed[] = [];
  const before = childSeconds();
  for (let round = 0; round < ROUNDS; round++) warm.push(await timed());
  const processor = (childSeconds() - before) / ROUNDS;

  const entries = JSON.parse(warm[0]!.output) as readonly Entry[];
  const unknown = entries.filter((entry) => entry.unknown !== null);
  if (entries.length !== count || unknown.length > 0) throw new Error(`${entries.length} of ${count} images, unknown: ${JSON.stringify(unknown[0])}`);
  const containers: number[] = [];
  for (const { name } of images.filter((_, at) => at % Math.ceil(count / CONTAINERS) === 0)) {
    const { seconds, packages } = await inContainer(`${registry.host}/bench/${name}:1.0`);
    containers.push(seconds);
    const ours = entries.find(({ image }) => image === `bench/${name}`)!.upgrades.filter(({ heldBack }) => heldBack === null).map((upgrade) => upgrade.package).sort();
    if (ours.join() !== packages.join()) throw new Error(`${name}: apt would upgrade ${packages.join(' ')}; we say ${ours.join(' ')}`);
  }
  const loop = (containers.reduce((sum, seconds) => sum + seconds, 0) / containers.length) * count;
  const warmSeconds = median(warm.map(({ seconds }) => seconds));
  const memory = Math.max(cold.mebibytes, ...warm.map(({ mebibytes }) => mebibytes));
  good = warmSeconds <= 2 && loop / warmSeconds >= 100 && memory <= 300;
  const upgrades = entries.reduce((sum, entry) => sum + entry.upgrades.length, 0);
  console.log(`${count} images on ${roots.length} root file systems, ${upgrades} upgrades; the same ones in ${containers.length} containers`);
  console.log(`cold ${cold.seconds.toFixed(1)} s: ${megabytes(archiveCold.bytes)} in ${archiveCold.requests} requests from archives, ${megabytes(registryCold)} from the registry`);
  console.log(`warm ${warmSeconds.toFixed(2)} s (at most 2; ${processor.toFixed(2)} s of the processor): ${megabytes(archiveWarm.bytes)} in ${archiveWarm.requests} requests from archives, ${megabytes(registryWarm)} from the registry`);
  console.log(`containers one after the other ${loop.toFixed(0)} s (${containers.length} measured: ${Math.min(...containers).toFixed(1)}–${Math.max(...containers).toFixed(1)} s each, without their pull; extrapolated): ${(loop / warmSeconds).toFixed(0)} × as long (at least 100)`);
  console.log(`${memory.toFixed(0)} MiB at most (at most 300)   ${good ? 'ok' : 'MISSED'}`);
} finally {
  await proxy.close();
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = good ? 0 : 1;
