import { describe, expect, it } from '@jest/globals';
import type { Graph, Node } from '../../../src/graph/graph.js';
import { BuildFailure } from '../../../src/execute/build-engine.js';
import { LABEL } from '../../../src/state/labels.js';
import type { Hooks } from '../../support/outside-in-memory.js';
import { image, manifest, provenance, REGISTRY, today } from '../../support/plan-tree.js';
import { runInMemory } from '../../support/run-in-memory.js';

const STACK = { id: 'org.example.stack.trixie1', uid: 1000, gid: 1000, distro: { name: 'debian', version: '13' }, mixins: [] };

/** trixie and the two images of a stack on it, of which nothing is published, beside an image that is none of the stack's. */
const run = (hooks: Hooks = {}, more: Parameters<typeof runInMemory>[1] = {}) =>
  runInMemory('trixie ← trixie1-run, trixie ← trixie1-build, trixie ← other', { rolling: ['trixie', 'trixie1-run', 'trixie1-build', 'other'], graph: stacked, hooks, ...more });

function stacked(graph: Graph): Graph {
  const asStack = (node: Node): Node => {
    const role = /-(run|build)$/.exec(node.definition.name)?.[1] as 'run' | 'build' | undefined;
    if (role === undefined) return node;
    const { directory } = node.definition;
    return { ...node, definition: { ...node.definition, recipe: { kind: 'stack', template: '', templatePath: `${directory}/Dockerfile.template`, stackPath: `${directory}/stack.yaml`, lines: { id: 1, role: 1, uid: 1, gid: 1, distro: 1, mixins: 1 }, stack: { ...STACK, role } } } };
  };
  return { ...graph, nodes: new Map([...graph.nodes].map(([name, node]) => [name, asStack(node)])) };
}

const failing = (name: string): Hooks => ({ build: (built) => { if (built === name) throw new BuildFailure('RUN false exit 1', 3); } });
const moves = (deeds: readonly string[]): readonly string[] => deeds.filter((deed) => deed.startsWith('put ')).sort();
const ALL = ['put other latest', 'put trixie latest', 'put trixie1-build latest', 'put trixie1-run latest'];

describe('the images of a stack', () => {
  it('are checked before they are published, carry both generations of labels, and move together', async () => {
    const { exit, deeds, told, requests } = await run();
    expect([exit, moves(deeds)]).toEqual([0, ALL]);
    const ofStack = told().filter((line) => /^promot.*trixie1/.test(line));
    expect(ofStack).toEqual(['promotion-intended trixie1-run', 'promotion-intended trixie1-build', 'promoted trixie1-run', 'promoted trixie1-build'].sort((a, b) => told().indexOf(a) - told().indexOf(b)));
    expect(ofStack.slice(0, 2).every((line) => line.startsWith('promotion-intended'))).toBe(true);
    expect(requests.get('trixie1-run')!.labels).toMatchObject({ 'io.buildpacks.stack.id': STACK.id, 'io.buildpacks.base.id': STACK.id, 'io.buildpacks.rebasable': 'true', [LABEL.title]: 'trixie1-run' });
    expect(requests.get('trixie1-build')!.labels).toMatchObject({ 'io.buildpacks.base.distro.version': '13' });
  });
  it('stay where they are when one fails, and nothing else does', async () => {
    const { exit, deeds, events } = await run(failing('trixie1-build'));
    expect([exit, moves(deeds)]).toEqual([1, ['put other latest', 'put trixie latest']]);
    expect(events.find(({ type }) => type === 'warning')).toMatchObject({ image: 'trixie1-run', message: ':latest was not moved: it moves together with trixie1-build, which did not get that far' });
  });
  it('move apart when they are of two trees, which may have one stack on two registries', async () => {
    const apart = (graph: Graph): Graph => ({ ...graph, nodes: new Map([...stacked(graph).nodes].map(([name, node]) => [name, name === 'trixie1-build' ? { ...node, tree: { ...node.tree, name: 'other' } } : node])) });
    const { exit, deeds } = await run(failing('trixie1-build'), { graph: apart });
    expect([exit, moves(deeds)]).toEqual([1, ['put other latest', 'put trixie latest', 'put trixie1-run latest']]);
  });
  it('stay where they are when one is blocked', async () => {
    const { exit, deeds, events } = await run({}, {
      found: { images: { 'trixie1-build': { latest: image('newer', provenance({ definition: manifest('newer'), revision: 'newer' })) } }, ancestry: { newer: false } },
    });
    expect([exit, moves(deeds)]).toEqual([0, ['put other latest', 'put trixie latest']]);
    expect(events.find(({ type }) => type === 'warning')).toMatchObject({ image: 'trixie1-run', message: ':latest was not moved: it moves together with trixie1-build, which is blocked' });
  });
  it('are not published when they are not what stack.yaml promises', async () => {
    const { exit, deeds, events } = await run({ contents: (name) => (name === 'trixie1-run' ? { user: 'root' } : {}) });
    expect(exit).toBe(1);
    expect(deeds.filter((deed) => deed.includes('trixie1-run'))).toEqual(['probe trixie1-run', 'build trixie1-run']);
    expect(events.find(({ type }) => type === 'failed')).toMatchObject({ image: 'trixie1-run', phase: 'test', message: 'it is not the run image that stack.yaml promises', detail: ['its user is "root", not 1000:1000: does its Dockerfile end in the middle of an instruction?'] });
  });
  it('are of one platform', async () => {
    const { exit, events } = await run({ contents: (name) => (name === 'trixie1-build' ? { architecture: 'arm64' } : {}) }, { options: { jobs: 1 } });
    expect(exit).toBe(1);
    expect(events.find(({ type }) => type === 'failed')).toMatchObject({ detail: [expect.stringMatching(/^it is for linux\/a(?:rm|md)64, but trixie1-(?:run|build) of the same stack is for linux\/a(?:rm|md)64$/)] });
  });
  it('do not wait for one whose refresh came out as it is', async () => {
    const names = ['trixie1-run', 'trixie1-build'];
    const asIs = (name: string) => ({ latest: image(name, provenance({ definition: today(name), parents: { [`${REGISTRY}/trixie:latest`]: manifest('trixie') } })) });
    const { exit, deeds } = await run({ content: (ref) => (ref.includes('build') ? `old of ${ref}` : 'the same') }, {
      found: { images: { trixie: { latest: image('trixie', provenance({ definition: today('trixie') })) }, ...Object.fromEntries(names.map((name) => [name, asIs(name)])) } },
      request: { select: new Set(names), refresh: new Map(names.map((name) => [name, [{ why: 'packages-outdated', upgrades: [], tried: ['a'] }]])) },
      before({ have, published }) {
        for (const name of ['trixie', ...names]) {
          published.set(`${REGISTRY}/${name}:latest`, manifest(name));
          have(`sha256:${name}`, [], { repoDigests: [`${REGISTRY}/${name}@${manifest(name)}`] });
        }
      },
    });
    expect([exit, moves(deeds)]).toEqual([0, ['put trixie1-build latest']]);
  });
  it('are put back when the second cannot be moved', async () => {
    const old = manifest('old');
    const outside = await run({ putTag: (name) => { if (name.startsWith('trixie1-') && ++puts === 2) throw new Error('denied'); } }, {
      found: { images: Object.fromEntries(['trixie1-run', 'trixie1-build'].map((name) => [name, { latest: image('old', provenance({ definition: manifest('former') })) }])) },
      before: ({ published }) => { for (const name of ['trixie1-run', 'trixie1-build']) published.set(`${REGISTRY}/${name}:latest`, old); },
    });
    expect([outside.exit, outside.published.get(`${REGISTRY}/trixie1-run:latest`), outside.published.get(`${REGISTRY}/trixie1-build:latest`)]).toEqual([70, old, old]);
  });
  it('move with what a killed run left: one is kept, the other promoted', async () => {
    const parents = { [`${REGISTRY}/trixie:latest`]: manifest('trixie latest') };
    const labelled = (name: string, word: string) => image(word, provenance({ definition: today(name), parents }));
    const { exit, deeds } = await run({}, {
      found: {
        images: { trixie: { latest: image('trixie latest', provenance({ definition: today('trixie') })) }, other: { latest: labelled('other', 'other') }, 'trixie1-run': { latest: labelled('trixie1-run', 'run new') }, 'trixie1-build': { latest: image('old', provenance({ definition: manifest('former') })) } },
        dated: { 'trixie1-build': [{ tag: '20251231', ...labelled('trixie1-build', 'build new') }] },
      },
      before: ({ published }) => {
        published.set(`${REGISTRY}/trixie1-build:latest`, manifest('old'));
        published.set(`${REGISTRY}/trixie1-build:20251231`, manifest('build new'));
      },
    });
    expect([exit, deeds.filter((deed) => !deed.startsWith('probe'))]).toEqual([0, ['put trixie1-build latest']]);
  });
});

let puts = 0;
