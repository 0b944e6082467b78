import { describe, expect, it } from '@jest/globals';
import { BuildFailure } from '../../../src/execute/build-engine.js';
import type { Event } from '../../../src/execute/event.js';
import type { Graph } from '../../../src/graph/graph.js';
import { EngineError, NoSpaceError } from '../../../src/shared/errors.js';
import { configOf } from '../../support/tree-in-memory.js';
import { published } from '../../support/plan-tree.js';
import { runInMemory } from '../../support/run-in-memory.js';
import type { Hooks } from '../../support/outside-in-memory.js';
import { rootFsOf } from '../../support/rootfs.js';

const ROOTFS = rootFsOf('suite: trixie');
const asBase = (name: string) => ({ graph: (graph: Graph): Graph => ({ ...graph, nodes: new Map([...graph.nodes].map(([key, node]) => [key, key === name ? { ...node, dockerfile: undefined, definition: { ...node.definition, recipe: { kind: 'base', rootfsPath: 'rootfs.yaml', rootfs: ROOTFS } as const } } : node])) }) });
/** What is free of the engine's disk, look by look. */
const looks = (...free: readonly number[]): Hooks => {
  let look = 0;
  return { free: (disk) => (disk === 'engine' ? free[Math.min(look++, free.length - 1)] : 1e12) };
};
const say = (events: readonly Event[]) => events.flatMap((event) => (event.type === 'stopped' || event.type === 'warning' ? [event.message] : event.type === 'cache-pruned' ? [`freed ${event.freed}, kept ${event.keep}`] : []));
const builds = (deeds: readonly string[]) => deeds.filter((deed) => /^(?:build|load|prune) /.test(deed));

describe('the room that builds need', () => {
  it.each([
    ['less than min_free', 1_960_000_000, '', '/disk/engine has 1.9 GB free, and min_free is 2.0 GB'],
    ['nothing', 0, 'min_free: 1MB\n', '/disk/engine has 1 kB free, and min_free is 1 MB'],
  ])('%s before the first build ends the run before anything is done', async (_, free, config, message) => {
    const run = runInMemory('base ← web', { hooks: { free: () => free, build: () => expect(1).toBe(0) }, config: configOf(config) });
    await expect(run).rejects.toThrow(message);
    await expect(run).rejects.toBeInstanceOf(NoSpaceError);
  });
  it.each([
    ['as much as min_free', { free: () => 2e9 }, ''],
    ['nobody can tell how much', { free: () => undefined }, ''],
    ["the engine's disk is not here", { engineDisk: () => undefined, free: (disk: string) => (disk === 'engine' ? 0 : 1e12) }, ''],
    ['min_free: 0', { free: () => 0 }, 'min_free: 0\n'],
  ])('%s lets builds start', async (_, hooks, config) => {
    expect(builds((await runInMemory('base', { hooks, config: configOf(config) })).deeds)).toEqual(['build base']);
  });
  it('too little after a while: nothing new starts, what is under way goes on, and what was published is promoted', async () => {
    let look = 0;
    let open!: () => void;
    const gate = new Promise<void>((resolve) => (open = resolve));
    // Two looks before the run, one each for `base` and `tool`; `tool` is under way until `web` was looked at.
    const free = (disk: string): number => {
      if (disk === 'scratch' || ++look < 5) return 3e9;
      open();
      return 1e9;
    };
    const { exit, told, events } = await runInMemory('base ← web, tool', { hooks: { free, build: (image) => (image === 'tool' ? gate : undefined) }, options: { jobs: 2 } });
    expect(exit).toBe(4);
    expect(told().filter((event) => /^(stopped|published|not-started|failed|promoted)/.test(event))).toEqual(['published base', 'stopped', 'published tool', 'not-started web', 'promoted base', 'promoted tool']);
    expect(say(events)).toEqual(['/disk/engine has 1.0 GB free, and min_free is 2.0 GB']);
    expect(events).toContainEqual(expect.objectContaining({ type: 'not-started', image: 'web', because: 'too little space' }));
    expect(events).toContainEqual(expect.objectContaining({ type: 'stopped', exit: 4, detail: [expect.stringMatching(/^try: docker system df/)] }));
  });
  it('the folder of temporary files is looked at only for base images', async () => {
    const hooks: Hooks = { free: (disk) => (disk === 'scratch' ? 1e9 : 3e9) };
    expect(builds((await runInMemory('base', { hooks })).deeds)).toEqual(['build base']);
    const run = runInMemory('base', { hooks, ...asBase('base') });
    await expect(run).rejects.toThrow('/disk/scratch has 1.0 GB free, and min_free is 2.0 GB');
    await expect(run).rejects.toMatchObject({ hints: [expect.stringMatching(/^TMPDIR=/)] });
  });
  it('is not looked at when nothing is built', async () => {
    const { exit } = await runInMemory('base', { hooks: { free: () => 0 }, found: { images: { base: published('base') } } });
    expect(exit).toBe(0);
  });
});

describe('engine_cache', () => {
  const config = configOf('engine_cache: 20GB\n');
  it('unset, the cache is not touched', async () => expect(builds((await runInMemory('base')).deeds)).toEqual(['build base']));
  it('is what the cache is pruned to at the end', async () => {
    const { deeds, events } = await runInMemory('base', { config, hooks: { prune: () => 7 } });
    expect(deeds.at(-1)).toBe('prune 20000000000');
    expect(say(events)).toEqual(['freed 7, kept 20000000000']);
  });
  it('is not spoken of when there was nothing to prune', async () => expect(say((await runInMemory('base', { config })).events)).toEqual([]));
  it('is not pruned when nothing was built', async () => {
    expect(builds((await runInMemory('base', { config, found: { images: { base: published('base') } } })).deeds)).toEqual([]);
  });
  it('that cannot be pruned is a warning', async () => {
    const { exit, events } = await runInMemory('base', { config, hooks: { prune: () => Promise.reject(new EngineError('the engine would not')) } });
    expect([exit, say(events)]).toEqual([0, ["the engine's build cache was not pruned: the engine would not"]]);
  });
  it('makes room before the first build, where there is too little', async () => {
    const { exit, deeds } = await runInMemory('base', { config, hooks: looks(1e9, 3e9) });
    expect([exit, builds(deeds)]).toEqual([0, ['prune 20000000000', 'build base', 'prune 20000000000']]);
  });
  it('is not pruned after an interrupt', async () => {
    const interrupt = new AbortController();
    const { deeds } = await runInMemory('base', { config, signal: interrupt.signal, hooks: { build: () => interrupt.abort() } });
    expect(builds(deeds)).toEqual(['build base']);
  });
});

describe('a disk that is full in the middle of a build', () => {
  it.each([
    ['is what a RUN met that says so', "dd: error writing '/fat': No space left on device", 4, "no space left on the engine's disk: RUN false exit 1"],
    ["is not the build's shared memory, which is small everywhere", '/dev/shm/x: No space left on device', 1, 'RUN false exit 1'],
    ['is not what a RUN without such words met', 'no route to host', 1, 'RUN false exit 1'],
  ])('%s', async (_, line, code, message) => {
    const build: Hooks['build'] = (image, request) => {
      request.onLine(line);
      if (image === 'base') throw new BuildFailure('RUN false exit 1', 3);
    };
    const { exit, events } = await runInMemory('base, tool', { hooks: { build } });
    expect(exit).toBe(code);
    expect(events).toContainEqual(expect.objectContaining({ type: 'failed', image: 'base', message, exit: code }));
    expect(events.some(({ type }) => type === 'not-started')).toBe(code === 4);
  });
  it('stops the run: exit 4, nothing new starts', async () => {
    const { exit, events } = await runInMemory('base ← web, tool', { hooks: { build: (image) => { if (image === 'base') throw new NoSpaceError("no space left on the engine's disk"); } } });
    expect(exit).toBe(4);
    expect(events).toContainEqual(expect.objectContaining({ type: 'not-started', image: 'tool', because: 'no space left' }));
  });
});
