import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { definitionDigest } from '../src/definition/definition-digest.js';
import { digestOf } from '../src/shared/digest.js';
import { LABEL } from '../src/state/labels.js';
import { readConfig, readTree } from '../src/cli/tree.js';
import { systemClock } from '../src/adapters/clock.js';
import type { Options } from '../src/cli/verb.js';
import { startRegistry } from '../test/support/registry-fixture.js';
import { median, timedProcess, type Timed } from './timed-process.js';

/**
 * A run that has nothing to do, against a local TLS registry: N definitions, all published. Compared, in turns, with a bare
 * keep-alive client that does the same HEADs; both as whole processes.
 * Usage: npm run bench -- noop [N…]   (default: 125 1000 5000)
 */

const ROOT = process.env['BENCH_ROOT']!;
const PROGRAM = join(ROOT, 'dist', 'main.js');
const ROUNDS = 5;
const PARALLEL = 32;

/** A docker-pkg style tree: nested folders, every tenth image a parent of the nine behind it, a file or two beside each template. */
function writeTree(folder: string, host: string, count: number): void {
  const write = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write('config.yaml', `registry: ${host}\nnamespace: bench\npublish: true\nbase_images: ["${host}/debian:12"]\nca_bundle: ca.pem\napt_options: -y\n`);
  for (let index = 0; index < count; index++) {
    const group = Math.floor(index / 10);
    const name = `image-${index}`;
    const at = index % 10 === 0 ? `images/group-${group}` : `images/group-${group}/${name}`;
    const parent = index % 10 === 0 ? 'debian' : `image-${group * 10}`;
    write(`${at}/Dockerfile.template`, `FROM {{ "${parent}" | image_tag }}\n{% set packages|replace('\\n', ' ') -%}\ncurl\nca-certificates\n{%- endset -%}\nUSER root\nRUN {{ packages | apt_install }}\nCOPY run.sh /usr/local/bin/run-${index}\nUSER 65534\nCMD ["/usr/local/bin/run-${index}"]\n`);
    write(`${at}/changelog`, [3, 2, 1].map((minor) => `${name} (1.${minor}.0-1) wikimedia; urgency=medium\n\n  * Update of something.\n\n -- Some Body <somebody@example.org>  Thu, 0${minor} Jan 2026 10:00:00 +0000\n`).join('\n'));
    write(`${at}/control`, `Package: ${name}\nMaintainer: Some Body <somebody@example.org>\nDescription: Image number ${index}\n${index % 10 === 0 ? '' : `Depends: ${parent}\n`}`);
    write(`${at}/run.sh`, `#!/bin/sh\nexec echo ${index}\n`);
  }
}

/** One connection-keeping request. */
function sender(port: number): (method: string, path: string, body?: string, type?: string) => Promise<{ status: number; location: string }> {
  const agent = new Agent({ keepAlive: true, maxSockets: PARALLEL });
  return (method, path, body, type) =>
    new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port, method, path, agent, headers: { ...(type === undefined ? {} : { 'content-type': type }), 'content-length': Buffer.byteLength(body ?? '') } }, (response) => {
        response.resume();
        response.on('end', () => resolve({ status: response.statusCode ?? 0, location: String(response.headers.location ?? '') }));
      });
      outgoing.on('error', reject).end(body);
    });
}

async function publishAll(folder: string, storage: string): Promise<readonly string[]> {
  const registry = await startRegistry({ storage, accessLog: false });
  const send = sender(registry.port);
  const environment = { env: {}, cwd: folder, home: folder, isRoot: false, pid: 0, cores: 2, clock: systemClock, terminal: undefined, random: Math.random, signal: new AbortController().signal, input: () => Promise.resolve(''), out: () => undefined, err: (line: string) => console.error(line) };
  const options = { directory: join(folder, 'images'), config: join(folder, 'config.yaml'), strict: false, verbose: false } as unknown as Options;
  const tree = await readTree(await readConfig(options, environment), options, environment);
  const images = [...tree.graph.nodes.values()];
  const paths: string[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < images.length; index = next++) {
      const { definition, neutral } = images[index]!;
      const context = tree.files.readContext(definition.directory);
      if (!context.ok) throw new Error(`${definition.directory} is wrong`);
      const version = (definition.tagSource as { version: string }).version;
      const labels = { [LABEL.definition]: definitionDigest(definition, neutral, context.value), [LABEL.parents]: '{}', [LABEL.title]: definition.name, [LABEL.version]: version };
      const config = JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Labels: labels }, rootfs: { type: 'layers', diff_ids: [] } });
      const begun = await send('POST', `/v2/${definition.image}/blobs/uploads/`);
      const target = new URL(begun.location, 'http://127.0.0.1');
      await send('PUT', `${target.pathname}${target.search}&digest=${digestOf(config)}`, config, 'application/octet-stream');
      const type = 'application/vnd.docker.distribution.manifest.v2+json';
      const manifest = JSON.stringify({ schemaVersion: 2, mediaType: type, config: { mediaType: 'application/vnd.docker.container.image.v1+json', size: config.length, digest: digestOf(config) }, layers: [] });
      for (const tag of [version, 'latest']) {
        const { status } = await send('PUT', `/v2/${definition.image}/manifests/${tag}`, manifest, type);
        if (status !== 201) throw new Error(`PUT ${definition.image}:${tag}: ${status}`);
      }
      paths.push(`/v2/${definition.image}/manifests/latest`);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  await registry.kill();
  return paths;
}

const time = (args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<Timed> => timedProcess(process.execPath, args, cwd, env);

async function bench(count: number): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-noop-'));
  const storage = join(folder, 'registry');
  const env = { HOME: folder, XDG_STATE_HOME: join(folder, 'state'), XDG_CACHE_HOME: join(folder, 'cache') };
  try {
    const first = await startRegistry({ storage, tls: true });
    writeFileSync(join(folder, 'ca.pem'), first.ca!);
    writeTree(folder, first.host, count);
    await first.kill();
    const paths = await publishAll(folder, storage);
    writeFileSync(join(folder, 'paths.json'), JSON.stringify(paths));

    // Requests are counted by the registry's own log, times taken without one.
    const counting = await startRegistry({ storage, tls: true, port: first.port });
    writeFileSync(join(folder, 'ca.pem'), counting.ca!);
    const requests = (): number => counting.log().split('\n').filter((line) => / "(?:HEAD|GET|POST|PUT) \/v2\//.test(line)).length;
    await time([PROGRAM], folder, env);
    const cold = requests();
    const nothing = await time([PROGRAM], folder, env);
    const warm = requests() - cold;
    if (!nothing.output.includes(`Nothing to do: ${count} up to date`)) throw new Error(nothing.output);
    await counting.stop();

    const quiet = await startRegistry({ storage, tls: true, port: first.port, accessLog: false });
    writeFileSync(join(folder, 'ca.pem'), quiet.ca!);
    const ours: Timed[] = [];
    const bare: Timed[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(await time([join(ROOT, 'bench', 'heads.mjs'), '127.0.0.1', String(quiet.port), 'ca.pem', 'paths.json', String(PARALLEL)], folder, env));
      ours.push(await time([PROGRAM], folder, env));
    }
    await quiet.stop();
    const [own, client] = [median(ours.map(({ seconds }) => seconds)), median(bare.map(({ seconds }) => seconds))];
    const memory = Math.max(...ours.map(({ mebibytes }) => mebibytes));
    const allowed = 1.4 * client + 0.15;
    const good = own <= allowed && memory <= 250 && cold / count <= 4 && warm / count <= 1.05;
    console.log(
      `${String(count).padStart(5)} images: ${own.toFixed(2)} s, bare HEADs ${client.toFixed(2)} s (${((own - 0.15) / client).toFixed(2)} × + 0.15 s; at most 1.40), ${memory.toFixed(0)} MiB (at most 250), requests per image ${(cold / count).toFixed(2)} cold (4), ${(warm / count).toFixed(2)} warm (1.05)   ${good ? 'ok' : 'MISSED'}`,
    );
    return good;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const counts = process.argv.slice(2).map(Number);
let good = true;
for (const count of counts.length > 0 ? counts : [125, 1000, 5000]) good = (await bench(count)) && good;
process.exitCode = good ? 0 : 1;
