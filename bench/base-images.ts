import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGzip } from 'node:zlib';
import { createRootFileSystems } from '../src/adapters/root-file-system/root-file-system.js';
import { parseRootFs } from '../src/definition/rootfs.js';
import type { DebianPackage } from '../src/execute/root-file-systems.js';
import { bad } from '../src/shared/problem.js';
import { childSeconds } from './timed-process.js';

/**
 * Both tools of base images on the same rootfs.yaml, each twice, in turns: packages, size, time (of the clock and of the processor, which a busy machine stretches less), and whether the second came out
 * as the first. As root. Usage: npm run bench -- base-images [SUITE…]
 */

const suites = process.argv.length > 2 ? process.argv.slice(2) : ['bookworm', 'trixie'];
const rootFileSystems = createRootFileSystems();
const nameOf = ({ name, version, architecture }: DebianPackage): string => `${name} ${version} ${architecture}`;

async function gzipSize(path: string): Promise<number> {
  let size = 0;
  for await (const piece of createReadStream(path).pipe(createGzip({ level: 6 }))) size += (piece as Buffer).length;
  return size;
}

async function make(suite: string, tool: string): Promise<{ readonly digest: string; readonly packages: readonly string[]; readonly size: number; readonly gzip: number; readonly seconds: number; readonly processor: number }> {
  const parsed = parseRootFs('rootfs.yaml', `suite: ${suite}\ntool: ${tool}\ninclude: [ca-certificates]\n`, { readBytes: () => bad([]) });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const workDirectory = mkdtempSync(join(tmpdir(), 'bench-base-'));
  try {
    const [started, before] = [performance.now(), childSeconds()];
    const made = await rootFileSystems.make(parsed.value, { chooseEpoch: () => 1_700_000_000, proxy: process.env['http_proxy'], workDirectory, onLine: () => undefined }, new AbortController().signal);
    return { digest: made.diffId, packages: made.packages.map(nameOf), size: made.size, seconds: (performance.now() - started) / 1000, processor: childSeconds() - before, gzip: await gzipSize(made.layerPath) };
  } finally {
    rmSync(workDirectory, { recursive: true, force: true });
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
let same = true;
console.log('| suite | tool | packages | tar | gzip -6 | seconds | of processor | twice the same |\n|---|---|---|---|---|---|---|---|');
for (const suite of suites) {
  const tools = ['mmdebstrap', 'debuerreotype'];
  const rounds = [];
  for (let round = 0; round < 2; round++) for (const tool of tools) rounds.push({ tool, ...(await make(suite, tool)) });
  for (const tool of tools) {
    const [first, second] = rounds.filter((one) => one.tool === tool) as [(typeof rounds)[number], (typeof rounds)[number]];
    same &&= first.digest === second.digest;
    const both = (of: 'seconds' | 'processor'): string => [first[of], second[of]].map((one) => one.toFixed(0)).join(', ');
    console.log(`| ${suite} | ${tool} | ${first.packages.length} | ${megabytes(first.size)} | ${megabytes(first.gzip)} | ${both('seconds')} | ${both('processor')} | ${first.digest === second.digest ? 'yes' : 'NO'} |`);
  }
  const [one, other] = rounds as [(typeof rounds)[number], (typeof rounds)[number]];
  const differing = [...one.packages.filter((name) => !other.packages.includes(name)), ...other.packages.filter((name) => !one.packages.includes(name))];
  console.log(`\n${suite}: ${differing.length === 0 ? 'the same packages' : `packages differ: ${differing.join(', ')}`}\n`);
}
process.exitCode = same ? 0 : 1;
