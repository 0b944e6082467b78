import { describe, expect, it } from '@jest/globals';
import { makeImage, type Work } from '../../../src/execute/build-image.js';
import type { Graph } from '../../../src/graph/graph.js';
import { digestOf } from '../../../src/shared/digest.js';
import { LABEL } from '../../../src/state/labels.js';
import type { PublishedImage } from '../../../src/state/state.js';
import { packagesDigest } from '../../../src/execute/base-image.js';
import { builtId, outsideInMemory, pushedAs, type OutsideInMemory } from '../../support/outside-in-memory.js';
import { formerly, image, planFor, provenance, REGISTRY, stepOf, today } from '../../support/plan-tree.js';
import { runInMemory } from '../../support/run-in-memory.js';
import { configOf, treeInMemory } from '../../support/tree-in-memory.js';

const NOON = Date.UTC(2026, 0, 1, 12);
const LOG = { path: 'log', line: () => undefined, close: async () => undefined };

async function baseImage(latest?: PublishedImage, epoch?: number, lines?: string, rootfs = 'suite: trixie\n'): Promise<{ proxy: string | undefined; outside: OutsideInMemory; made: unknown; config: { created: string; config: { Labels: Record<string, string> } } }> {
  const checked = (await treeInMemory({ 'images/trixie/rootfs.yaml': rootfs }, configOf(lines))).graph;
  const graph: Graph = (checked as { value: Graph }).value;
  const outside = outsideInMemory();
  let proxy: string | undefined;
  const { make } = outside.ports.rootFileSystems;
  (outside.ports.rootFileSystems as { make: typeof make }).make = (asked, request, signal) => {
    proxy = request.proxy;
    return make(asked, request, signal);
  };
  let archive = '';
  const { load } = outside.ports.engine;
  (outside.ports.engine as { load: typeof load }).load = async (tar, signal) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of tar) chunks.push(chunk);
    archive = Buffer.concat(chunks).toString('latin1');
    await load((async function* () { yield* chunks; })(), signal);
  };
  const plan = planFor(graph, {});
  const work: Work = {
    token: '20260101-0000.abcdef', startedAt: NOON, graph, ports: outside.ports, definitions: new Map([['trixie', today('trixie')]]), useCache: false, epoch, latest: () => latest, bring: async () => [], stackPlatforms: new Map(), cameOutSame: () => false,
  };
  const made = await makeImage(stepOf(plan, 'trixie'), LOG, work, new AbortController().signal);
  const text = /\{"created".*?\]\}(?=\0)/.exec(archive)![0];
  return { proxy, outside, made, config: JSON.parse(text) as never };
}

describe('a base image', () => {
  it.each([
    ['suite: trixie', '', undefined],
    ['suite: trixie', 'http_proxy: http://a', 'http://a'],
    ['suite: trixie', 'http_proxy: http://a\napt_only_proxy: http://b', 'http://b'],
    ['suite: trixie\nhttp_proxy: http://c', 'http_proxy: http://a\napt_only_proxy: http://b', 'http://c'],
  ])('%j with a config that says %j is made through %s', async (rootfs, lines, proxy) => {
    expect((await baseImage(undefined, undefined, lines, rootfs)).proxy).toBe(proxy);
  });
  it('is made from packages, loaded, published under the day, and says so', async () => {
    const { outside, made, config } = await baseImage();
    const ref = `${REGISTRY}/trixie:20260101`;
    expect([made, outside.deeds, outside.published.get(ref)]).toEqual([{ id: builtId('trixie'), digest: pushedAs(builtId('trixie')) }, ['load trixie', `push ${ref}`], pushedAs(builtId('trixie'))]);
    expect(config.created).toBe('2023-11-14T22:13:20Z');
    expect(config.config.Labels).toMatchObject({ [LABEL.title]: 'trixie', [LABEL.definition]: today('trixie'), [LABEL.created]: '2023-11-14T22:13:20Z', [LABEL.packages]: packagesDigest([]), [LABEL.parents]: '{}' });
    expect(config.config.Labels).not.toHaveProperty([LABEL.version]);
    expect([...outside.names.keys()]).toEqual([ref]);
  });
  it("is made for this machine's platform and no other", async () => {
    expect((await baseImage(undefined, undefined, 'platform: linux/amd64\n')).outside.deeds).toContain('load trixie');
    await expect(baseImage(undefined, undefined, 'platform: linux/arm64\n')).rejects.toMatchObject({ phase: 'build', message: "base images can be made for this machine's platform only (linux/amd64), and the config says platform: linux/arm64" });
  });
  const former = provenance({ definition: today('trixie'), created: '2020-01-01T00:00:00Z', packages: packagesDigest([]) });
  it.each([
    ['keeps its date while definition and packages are as they were', former, undefined, '2020-01-01T00:00:00Z'],
    ['has a new date with another definition', { ...former, definition: formerly('trixie') }, undefined, '2023-11-14T22:13:20Z'],
    ['has a new date with other packages', { ...former, packages: digestOf('others') }, undefined, '2023-11-14T22:13:20Z'],
    ['has a new date when the former does not say its packages', { ...former, packages: undefined }, undefined, '2023-11-14T22:13:20Z'],
    ['has a new date when the former does not say its own', { ...former, created: undefined }, undefined, '2023-11-14T22:13:20Z'],
    ['has the date that was asked for', former, 1_000_000_000, '2001-09-09T01:46:40Z'],
  ])('%s', async (_, labels, epoch, created) => {
    expect((await baseImage(image('former', labels), epoch)).config.created).toBe(created);
  });
});

describe('whoever watches', () => {
  it('is shown each phase of an image, the steps of its build, and its promotion at the end', async () => {
    const { shown } = await runInMemory('web', {
      hooks: {
        build: (_, { onLine }) => ['#1 [1/2] FROM x', '#2 [ 2/2] RUN make', '#2 cc a.c'].forEach(onLine),
        test: () => ({ end: 'exited', code: 0 }),
      },
    });
    expect(shown.map(({ image: name, phase, step }) => [name, phase, ...(step === undefined ? [] : [step])].join(' '))).toEqual(['web pull', 'web build', 'web build [1/2] FROM x', 'web build [2/2] RUN make', 'web test', 'web publish', 'web promote']);
  });
});
