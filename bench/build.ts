import { execFileSync } from 'node:child_process';
import { closeSync, createWriteStream, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { importBase, startEngine, type OwnEngine } from '../test/support/engine-fixture.js';
import { startRegistry, type RegistryFixture } from '../test/support/registry-fixture.js';
import { median, timedProcess, type Timed } from './timed-process.js';

/**
 * How fast images are built, against the `docker` of this machine on the same engine, in turns; nobody pushes, nobody uses a cache.
 * Whole processes, medians of five rounds (three of the big context). Starts an engine of its own, so it needs root.
 * Usage: npm run bench -- build [files] [sleep] [context]   (default: all; BENCH_DOCKER=/path names another docker)
 */

const PROGRAM = join(process.env['BENCH_ROOT']!, 'dist', 'main.js');
const DOCKER = process.env['BENCH_DOCKER'] ?? 'docker';
const MEGABYTE = 1_000_000;
const OURS = 'build-images';

type Image = { readonly name: string; readonly from: string | undefined; readonly lines: readonly string[] };
/** One way to build the same images. */
type Way = { readonly name: string; build(round: number): Promise<Timed> };
type Place = { readonly folder: string; readonly engine: OwnEngine; readonly registry: RegistryFixture; readonly base: string };

/** Runs a program as a user of this place would. */
const time = (command: string, args: readonly string[], place: Place, env: Readonly<Record<string, string>> = {}): Promise<Timed> => timedProcess(command, args, place.folder, { ...environmentOf(place), ...env });

function environmentOf({ folder, engine }: Place): Record<string, string> {
  return {
    HOME: process.env['HOME'] ?? folder,
    DOCKER_HOST: `unix://${engine.socketPath}`,
    ...(process.env['DOCKER_CONFIG'] === undefined ? {} : { DOCKER_CONFIG: process.env['DOCKER_CONFIG'] }),
    XDG_STATE_HOME: join(folder, 'state'),
    XDG_CACHE_HOME: join(folder, 'cache'),
  };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Writes the definitions, and the same images as plain folders for docker. */
function writeImages({ folder, base }: Place, set: string, images: readonly Image[], round: number): void {
  for (const { name, from, lines } of images) {
    const template = [`FROM ${from === undefined ? base : `{{ "${from}" | image_tag }}`}`, ...lines].join('\n');
    write(join(folder, set, name, 'Dockerfile.template'), `${template}\n`);
    // A new version each round: what a round before built must not count as built.
    write(join(folder, set, name, 'changelog'), `${name} (1.${round}-1) trixie; urgency=medium\n\n  * An entry.\n\n -- Some Body <somebody@example.org>  Thu, 01 Jan 2026 10:00:00 +0000\n`);
    write(join(folder, set, name, 'file'), `${name} ${round}\n`);
    write(join(folder, `plain-${set}`, name, 'Dockerfile'), `${[`FROM ${from === undefined ? base : `plain/${from}`}`, ...lines].join('\n')}\n`);
    write(join(folder, `plain-${set}`, name, 'file'), `${name} ${round}\n`);
  }
}

/** A bake file with a target for each image; children are linked to their parent's target. */
function bakeFile({ folder }: Place, set: string, images: readonly Image[]): string {
  const target = Object.fromEntries(
    images.map(({ name, from }) => [name, { context: join(folder, `plain-${set}`, name), tags: [`plain/${name}`], 'no-cache': true, ...(from === undefined ? {} : { contexts: { [`plain/${from}`]: `target:${from}` } }) }]),
  );
  const path = join(folder, `bake-${set}.json`);
  writeFileSync(path, JSON.stringify({ group: { default: { targets: images.map(({ name }) => name) } }, target }));
  return path;
}

/** What docker can do here: `buildx` builds, 20.10's own client of BuildKit, or the classic builder. */
function clientOf(place: Place): { readonly kind: 'buildx' | 'buildkit' | 'classic'; readonly version: string } {
  const ask = (...args: readonly string[]): string => execFileSync(DOCKER, args, { env: environmentOf(place), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  const version = ask('version', '--format', '{{.Client.Version}}');
  try {
    return { kind: 'buildx', version: `${version}, ${ask('buildx', 'version').split(' ').slice(0, 2).join(' ')}` };
  } catch {
    return { kind: Number(version.split('.')[0]) < 23 ? 'buildkit' : 'classic', version };
  }
}

/** Our way, docker's, and where buildx is, bake's. Rounds are in turns, so that a busy machine slows all of them. */
function waysOf(place: Place, set: string, images: readonly Image[], jobs: number): readonly Way[] {
  const { kind } = clientOf(place);
  const env = { DOCKER_BUILDKIT: kind === 'classic' ? '0' : '1' };
  const flags = kind === 'buildx' ? ['--provenance=false', '--load'] : [];
  const loop: Way = {
    name: 'docker build',
    build: (round) => {
      // One process for the loop itself, as a person's script would be.
      const script = images.map(({ name }) => `"$0" build --quiet --no-cache ${flags.join(' ')} --tag plain/${name} ${join(place.folder, `plain-${set}`, name)}`).join(' && ');
      writeImages(place, set, images, round);
      return time('sh', ['-c', script, DOCKER], place, env);
    },
  };
  const ours: Way = {
    name: OURS,
    async build(round) {
      writeImages(place, set, images, round);
      const timed = await time(process.execPath, [PROGRAM, '--no-publish', '--jobs', String(jobs), set], place);
      if (!timed.output.includes(`${images.length} built and kept here`)) throw new Error(timed.output);
      return timed;
    },
  };
  const bake: Way = { name: 'docker buildx bake', build: (round) => (writeImages(place, set, images, round), time(DOCKER, ['buildx', 'bake', '--file', bakeFile(place, set, images), '--load', '--provenance=false', '--progress=quiet'], place, env)) };
  return kind === 'buildx' ? [ours, loop, bake] : [ours, loop];
}

type Rounds = ReadonlyMap<string, readonly Timed[]>;

/** The rounds of each way, in turns; a way that cannot do it at all is left out, and that is said. */
async function compare(ways: readonly Way[], rounds: number): Promise<Rounds> {
  const times = new Map<string, Timed[]>(ways.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const { name, build } of ways) {
      if (!times.has(name)) continue;
      try {
        times.get(name)!.push(await build(round));
      } catch (error) {
        if (name === OURS) throw error;
        console.log(`  ${name} cannot: ${(error as Error).message.split('\n').findLast((line) => /error/i.test(line))?.trim() ?? ''}`);
        times.delete(name);
      }
    }
  }
  return times;
}

let good = true;
type Limit = { readonly text: string; readonly kept: boolean };

const secondsOf = (times: Rounds, name: string): number => median(times.get(name)!.map(({ seconds }) => seconds));
const peakOf = (times: Rounds): number => Math.max(...times.get(OURS)!.map(({ mebibytes }) => mebibytes));

function say(what: string, times: Rounds, limits: readonly Limit[]): void {
  const all = [...times.keys()].map((name) => `${name} ${secondsOf(times, name).toFixed(2)} s`).join(', ');
  console.log(`${what}: ${all}   ${limits.map(({ text, kept }) => `${text} ${kept ? 'ok' : 'MISSED'}`).join(', ')}`);
  good &&= limits.every(({ kept }) => kept);
}

/** Round by round, since a busy machine is busy for both; nothing where there is no such way. */
function ratio(times: Rounds, name: string, most: number): readonly Limit[] {
  const others = times.get(name);
  if (others === undefined) return [];
  const found = median(times.get(OURS)!.map(({ seconds }, round) => seconds / others[round]!.seconds));
  return [{ text: `${found.toFixed(2)} × ${name} (at most ${most.toFixed(2)})`, kept: found <= most }];
}

const CASES: Readonly<Record<string, (place: Place) => Promise<void>>> = {
  async files(place) {
    const images = Array.from({ length: 30 }, (_, index): Image => ({ name: `file-${index}`, from: undefined, lines: ['COPY file /file'] }));
    const times = await compare(waysOf(place, 'files', images, 8), 5);
    const { kind } = clientOf(place);
    const limit = { buildx: 0.6, buildkit: 1.1, classic: undefined }[kind];
    say('30 one-file images, --jobs 8', times, [...(limit === undefined ? [] : ratio(times, 'docker build', limit)), ...ratio(times, 'docker buildx bake', 1)]);
  },
  async sleep(place) {
    const lines = ['RUN sleep 3'];
    const images = [{ name: 'root', from: undefined, lines }, ...Array.from({ length: 11 }, (_, index): Image => ({ name: `child-${index}`, from: 'root', lines }))];
    const ways = waysOf(place, 'sleep', images, 11).filter(({ name }) => name !== 'docker build');
    const times = await compare(ways, 5);
    const seconds = secondsOf(times, OURS);
    say('12 × RUN sleep 3, 11 on one, --jobs 11', times, [{ text: `${seconds.toFixed(2)} s (at most 8.50)`, kept: seconds <= 8.5 }]);
  },
  async context(place) {
    const image = [{ name: 'big', from: undefined, lines: ['COPY . /'] }];
    const ways = waysOf(place, 'context', image, 1).slice(0, 2);
    const small = await compare(ways.slice(0, 1), 1);
    const noise = ['context', 'plain-context'].map((set) => join(place.folder, set, 'big', 'noise'));
    for (const path of noise) await writeNoise(path, 1000 * MEGABYTE);
    // Other bytes each round: docker does not send again what the engine has.
    const fresh = ways.map((way): Way => ({ ...way, build: (round) => (noise.forEach((path) => stamp(path, round)), setTimeout(2_500, round).then(way.build)) }));
    const times = await compare(fresh, 3);
    const [peak, usual] = [peakOf(times), peakOf(small)];
    say(`a context of 1 GB (${peak.toFixed(0)} MiB of memory, ${usual.toFixed(0)} MiB with a small one)`, times, [...ratio(times, 'docker build', 1.2), { text: 'memory at most 100 MiB more', kept: peak <= usual + 100 }]);
  },
};

async function writeNoise(path: string, bytes: number): Promise<void> {
  const file = createWriteStream(path);
  const piece = Buffer.alloc(MEGABYTE);
  for (let written = 0; written < bytes; written += piece.length) if (!file.write(randomFillSync(piece))) await once(file, 'drain');
  file.end();
  await once(file, 'close');
}

function stamp(path: string, round: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.from(`round ${round} `));
  closeSync(file);
}

const folder = mkdtempSync(join(tmpdir(), 'bench-build-'));
const [engine, registry] = await Promise.all([startEngine(), startRegistry({ accessLog: false })]);
try {
  const place: Place = { folder, engine, registry, base: `${registry.host}/bench-base/tiny:1` };
  await importBase(place.base, engine.socketPath);
  await time(DOCKER, ['push', '--quiet', place.base], place);
  write(join(folder, 'config.yaml'), `registry: ${registry.host}\nnamespace: bench\nbase_images: ["${place.base}"]\n`);
  const asked = process.argv.slice(2);
  const { kind, version } = clientOf(place);
  console.log(`docker ${version} (${{ buildx: 'BuildKit through buildx', buildkit: 'its own BuildKit client', classic: 'classic builder: no limit is set on it' }[kind]}), engine ${execFileSync(DOCKER, ['version', '--format', '{{.Server.Version}}'], { env: environmentOf(place), encoding: 'utf8' }).trim()}`);
  for (const [name, run] of Object.entries(CASES)) if (asked.length === 0 || asked.includes(name)) await run(place);
} finally {
  await engine.stop();
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = good ? 0 : 1;
