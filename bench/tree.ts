import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event } from '../src/execute/event.js';
import { parseImageRef, repositoryOf } from '../src/shared/image-ref.js';
import { formatDuration } from '../src/report/amounts.js';
import { removeImages } from '../test/support/engine-fixture.js';
import { startRegistry } from '../test/support/registry-fixture.js';

/**
 * The tree that this project ships, built from nothing into an empty registry of its own: how long it took against its critical
 * path, which no number of jobs gets below. Uses this machine's engine and Debian's archives, as the quickstart does; needs root.
 * Usage: npm run bench -- tree [options of build, such as --select GLOB or --jobs N]
 */

const ROOT = process.env['BENCH_ROOT']!;

type Span = { readonly started: number; readonly ended: number; readonly parents: readonly string[] };

/** Runs a build; its events. Standard error goes to the terminal. */
async function eventsOf(args: readonly string[], folder: string): Promise<readonly Event[]> {
  const env = { ...process.env, XDG_STATE_HOME: join(folder, 'state'), XDG_CACHE_HOME: join(folder, 'cache') };
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'main.js'), '--json', '--config', join(folder, 'config.yaml'), ...args, join(ROOT, 'images')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  for await (const chunk of child.stdout) {
    output += String(chunk);
    process.stderr.write('.');
  }
  process.stderr.write('\n');
  return output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Event] : []));
}

/** When each image was worked on, and which images of the run it stands on. */
function spansOf(events: readonly Event[]): ReadonlyMap<string, Span> {
  const spans = new Map<string, Span>();
  const steps = events.flatMap((event) => (event.type === 'run-started' ? event.steps : []));
  const byRepository = new Map(steps.map(({ image, ref }) => [repositoryOf(parseImageRef(ref)!), image]));
  const parents = new Map(steps.map((step) => [step.image, step.parents.flatMap((ref) => byRepository.get(repositoryOf(parseImageRef(ref)!)) ?? [])]));
  for (const event of events) {
    if (event.type === 'step-started') spans.set(event.image, { started: event.at, ended: event.at, parents: parents.get(event.image) ?? [] });
    else if ('image' in event && event.image !== undefined && spans.has(event.image) && ['published', 'finished-locally', 'failed'].includes(event.type)) spans.set(event.image, { ...spans.get(event.image)!, ended: event.at });
  }
  return spans;
}

/** The chain of images that took longest one after the other, and its milliseconds. */
function criticalPath(spans: ReadonlyMap<string, Span>): { readonly chain: readonly string[]; readonly took: number } {
  const known = new Map<string, { chain: readonly string[]; took: number }>();
  const path = (image: string): { readonly chain: readonly string[]; readonly took: number } => {
    const had = known.get(image);
    if (had !== undefined) return had;
    const { started, ended, parents } = spans.get(image)!;
    const above = parents.filter((parent) => spans.has(parent)).map(path).reduce((a, b) => (b.took > a.took ? b : a), { chain: [], took: 0 });
    const found = { chain: [...above.chain, image], took: above.took + ended - started };
    known.set(image, found);
    return found;
  };
  return [...spans.keys()].map(path).reduce((a, b) => (b.took > a.took ? b : a), { chain: [], took: 0 });
}

const folder = mkdtempSync(join(tmpdir(), 'bench-tree-'));
const registry = await startRegistry({ accessLog: false });
try {
  writeFileSync(join(folder, 'config.yaml'), readFileSync(join(ROOT, 'config.yaml'), 'utf8').replace(/^registry: .*$/m, `registry: ${registry.host}`));
  const events = await eventsOf(process.argv.slice(2), folder);
  const spans = spansOf(events);
  const finished = events.find((event) => event.type === 'run-finished');
  if (finished?.type !== 'run-finished' || spans.size === 0) throw new Error('nothing was built');
  const { chain, took } = criticalPath(spans);
  const seconds = (milliseconds: number): string => formatDuration(milliseconds / 1000);
  const worked = [...spans.values()].reduce((sum, { started, ended }) => sum + ended - started, 0);
  for (const event of events) if (event.type === 'failed') console.log(`FAILED ${event.image}: ${event.message}`);
  console.log(`${spans.size} images in ${formatDuration(finished.seconds)}; one after the other ${seconds(worked)}; critical path ${seconds(took)} (${(finished.seconds / (took / 1000)).toFixed(2)} ×)`);
  for (const image of chain) console.log(`  ${image}  ${seconds(spans.get(image)!.ended - spans.get(image)!.started)}`);
  process.exitCode = finished.exit;
} finally {
  await removeImages(`${registry.host}/`);
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
}
