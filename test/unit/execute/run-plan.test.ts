import { describe, expect, it } from '@jest/globals';
import type { Graph } from '../../../src/graph/graph.js';
import { BuildFailure } from '../../../src/execute/build-engine.js';
import type { TestEnd } from '../../../src/execute/ports.js';
import { ArchiveError, EngineError, Fault, RegistryError } from '../../../src/shared/errors.js';
import { docsOf } from '../../../src/shared/fault-docs.js';
import { formatParents, LABEL } from '../../../src/state/labels.js';
import { configOf } from '../../support/tree-in-memory.js';
import { builtId, pushedAs, type OutsideInMemory } from '../../support/outside-in-memory.js';
import { formerly, image, local, manifest, provenance, published, REGISTRY, today } from '../../support/plan-tree.js';
import { runInMemory, TOKEN } from '../../support/run-in-memory.js';

const TREE = 'base ← web ← api, base ← tool';
const ref = (name: string, tag = '2.0'): string => `${REGISTRY}/${name}:${tag}`;
const NOT_PUBLISHING = { publish: false, to: REGISTRY, why: '--no-publish' } as const;
const wrong = new BuildFailure('RUN false exit 1', 3);
const failing = (name: string, error: Error = wrong) => ({ build: (built: string) => { if (built === name) throw error; } });
const results = (events: readonly string[]): readonly string[] => events.filter((event) => /^(published|finished-locally|failed|blocked|not-started|promoted)/.test(event));
const temporary = (names: Iterable<string>): readonly string[] => [...names].filter((name) => /:(run|untested)-/.test(name));

describe('a run that goes well', () => {
  it('builds, tests and publishes parents first, and moves :latest at the end', async () => {
    const { exit, deeds, published: tags } = await runInMemory('base ← web', { hooks: { test: () => ({ end: 'exited', code: 0 }) } });
    expect(exit).toBe(0);
    expect(deeds).toEqual(['probe base', 'probe web', 'build base', `push ${ref('base')}`, 'build web', `push ${ref('web')}`, 'put base latest', 'put web latest']);
    expect(Object.fromEntries(tags)).toEqual({ [ref('base')]: pushedAs(builtId('base')), [ref('base', 'latest')]: pushedAs(builtId('base')), [ref('web')]: pushedAs(builtId('web')), [ref('web', 'latest')]: pushedAs(builtId('web')) });
  });
  it('tells everything in order', async () => {
    const { told } = await runInMemory('base', { hooks: { test: () => ({ end: 'exited', code: 0 }) } });
    expect(told()).toEqual(['run-started', 'step-started base', 'built base', 'tested base', 'published base', 'promotion-intended base', 'promoted base']);
    expect((await runInMemory('base')).told()).toContain('untested base');
  });
  it('leaves no temporary tag on the engine, and its own :latest where the registry\'s is', async () => {
    const { names } = await runInMemory('base ← web');
    expect([...names.keys()].sort()).toEqual([ref('base'), ref('base', 'latest'), ref('web'), ref('web', 'latest')]);
    expect(names.get(ref('web', 'latest'))).toBe(builtId('web'));
  });
  it('writes a tag of this run alone in place of each parent, and records its digest', async () => {
    const { requests } = await runInMemory('base ← web');
    expect(requests.get('web')!.dockerfile).toBe(`FROM ${REGISTRY}/base:run-${TOKEN}\n`);
    expect(requests.get('web')!.labels).toMatchObject({
      [LABEL.parents]: formatParents({ [ref('base')]: pushedAs(builtId('base')) }),
      [LABEL.definition]: today('web'),
      [LABEL.baseName]: ref('base'),
      [LABEL.baseDigest]: pushedAs(builtId('base')),
      [LABEL.version]: '2.0',
      [LABEL.created]: '2026-01-01T00:00:00Z',
      [LABEL.revision]: 'c0ffee',
    });
    expect(requests.get('web')!.tag).toBe(`${REGISTRY}/web:untested-${TOKEN}-2.0`);
  });
  it('brings a published parent by the digest that planning found, whatever its tag is now', async () => {
    const { deeds, requests } = await runInMemory('base ← web', { found: { images: { base: published('base') } }, before: ({ published: tags }) => tags.set(ref('base'), manifest('moved')) });
    expect(deeds).toContain(`pull ${REGISTRY}/base@${manifest('base 2.0')}`);
    expect(requests.get('web')!.labels[LABEL.parents]).toBe(formatParents({ [ref('base')]: manifest('base 2.0') }));
  });
  it('keeps what is to be kept', async () => {
    const { deeds, exit } = await runInMemory('base', { found: { images: { base: published('base') } } });
    expect([deeds, exit]).toEqual([[], 0]);
  });
  it('publishes what the engine has without a build, and builds on it', async () => {
    const { deeds, requests, exit } = await runInMemory('base ← web', {
      found: { local: [local('had', [ref('base')], 'base', today('base'))] },
      before: ({ have }) => have('sha256:had', [ref('base')]),
    });
    expect([exit, deeds]).toEqual([0, ['probe base', 'probe web', `push ${ref('base')}`, 'build web', `push ${ref('web')}`, 'put base latest', 'put web latest']]);
    expect(requests.get('web')!.labels[LABEL.parents]).toBe(formatParents({ [ref('base')]: pushedAs('sha256:had') }));
  });
  it('moves only :latest of what is published', async () => {
    const found = { images: { base: { version: image('base 2.0', provenance({ definition: today('base'), version: '2.0' })), latest: image('old', provenance({ definition: formerly('base'), version: '1.1' })) } } };
    const { deeds, events, exit } = await runInMemory('base', { found, before: ({ published: tags }) => tags.set(ref('base', 'latest'), manifest('old')) });
    expect([exit, deeds]).toEqual([0, ['probe base', 'put base latest']]);
    expect(events.at(-1)).toMatchObject({ type: 'promoted', tag: '2.0', digest: manifest('base 2.0'), from: manifest('old'), was: '1.1' });
  });
  it('stands a rebuilt VERSION-local aside: nothing is pushed, and children stand on the published version', async () => {
    const { deeds, requests, names } = await runInMemory('base ← web', {
      found: { images: { base: published('base') } },
      request: { select: new Set(['base', 'web']), rebuild: true },
    });
    expect(deeds.filter((deed) => deed.includes('base'))).toEqual(['build base', `pull ${REGISTRY}/base@${manifest('base 2.0')}`]);
    expect(requests.get('web')!.labels[LABEL.parents]).toBe(formatParents({ [ref('base')]: manifest('base 2.0') }));
    expect(names.get(ref('base', '2.0-local'))).toBe(builtId('base'));
  });
});

describe('a run that does not publish', () => {
  it('pushes nothing, proves no right, moves nothing, and keeps what it built under its final tag', async () => {
    const { deeds, published: tags, names, told, exit } = await runInMemory('base ← web', { request: { publishing: NOT_PUBLISHING } });
    expect([exit, deeds, tags.size]).toEqual([0, ['build base', 'build web'], 0]);
    expect([...names.keys()].sort()).toEqual([ref('base'), ref('web')]);
    expect(results(told())).toEqual(['finished-locally base', 'finished-locally web']);
  });
  it('builds what has no test under its final tag at once, and what has one under another', async () => {
    const tagged = async (test?: () => TestEnd): Promise<string> => (await runInMemory('base', { request: { publishing: NOT_PUBLISHING }, hooks: test === undefined ? {} : { test } })).requests.get('base')!.tag;
    expect(await tagged()).toBe(ref('base'));
    expect(await tagged(() => ({ end: 'exited', code: 0 }))).toBe(`${REGISTRY}/base:untested-${TOKEN}-2.0`);
  });
  it('leaves no image under a final tag whose files are not those that its label names', async () => {
    const { names, exit, events } = await runInMemory('base', { request: { publishing: NOT_PUBLISHING }, before: ({ ports }) => ((ports as { digestNow: unknown }).digestNow = () => today('other')) });
    expect([exit, [...names.keys()]]).toEqual([1, []]);
    expect(events.at(-1)).toMatchObject({ message: 'its files changed since this run was planned; run again' });
  });
  it('a build that fails takes no name from what was there', async () => {
    const { names } = await runInMemory('base', {
      request: { publishing: NOT_PUBLISHING },
      before: ({ have }) => have('sha256:had', [ref('base')]),
      hooks: failing('base'),
    });
    expect([...names]).toEqual([[ref('base'), 'sha256:had']]);
  });
  it('records a parent that was never pushed by its image id', async () => {
    const { requests } = await runInMemory('base ← web', { request: { publishing: NOT_PUBLISHING } });
    expect(requests.get('web')!.labels[LABEL.parents]).toBe(formatParents({ [ref('base')]: `id:${builtId('base')}` }));
    expect(requests.get('web')!.labels[LABEL.baseDigest]).toBeUndefined();
  });
  it('stands on what an earlier such run left', async () => {
    const { requests } = await runInMemory('base ← web', {
      request: { publishing: NOT_PUBLISHING },
      found: { local: [local('had', [ref('base')], 'base', today('base'))] },
      before: ({ have }) => have('sha256:had', [ref('base')]),
    });
    expect([...requests.keys()]).toEqual(['web']);
    expect(requests.get('web')!.labels[LABEL.parents]).toBe(formatParents({ [ref('base')]: 'id:sha256:had' }));
  });
});

describe('an image of another platform than the config\'s', () => {
  it('is built and not published, and neither is what stands on it', async () => {
    const { deeds, told, events, exit } = await runInMemory('base ← web', { config: configOf('platform: linux/arm64\n'), platform: 'linux/amd64' });
    expect([exit, deeds]).toEqual([0, ['probe base', 'probe web', 'build base', 'build web']]);
    expect(results(told())).toEqual(['finished-locally base', 'finished-locally web']);
    expect(events.find(({ type }) => type === 'finished-locally')).toMatchObject({ because: 'it is for linux/amd64, and the config says platform: linux/arm64' });
  });
});

describe('an image of the config\'s platform in other words', () => {
  it.each([['linux/arm64/v8', 'linux/arm64'], ['linux/arm', 'linux/arm/v7']])('%s is published as %s', async (wanted, platform) => {
    expect(results((await runInMemory('base', { config: configOf(`platform: ${wanted}\n`), platform })).told())).toEqual(['published base', 'promoted base']);
  });
});

describe('an image that may not be published', () => {
  const DEBIAN = 'docker.io/library/debian:12';
  const onDebian = { graph: (graph: Graph): Graph => ({ ...graph, nodes: new Map([...graph.nodes].map(([name, node]) => [name, name === 'base' ? { ...node, sources: [{ ref: DEBIAN, image: undefined }], base: DEBIAN } : node])) }) };

  it('stays here with the reason, and so does everything that stands on it', async () => {
    const { deeds, events, exit } = await runInMemory('base ← web ← api', { ...onDebian, options: { noPull: true }, before: ({ have }) => have('sha256:old', [DEBIAN]) });
    expect([exit, deeds.filter((deed) => !deed.startsWith('probe'))]).toEqual([0, ['build base', 'build web', 'build api']]);
    expect(events.flatMap((event) => (event.type === 'finished-locally' ? [event.because] : []))).toEqual([
      `it stands on the engine's ${DEBIAN}, which is not the registry's (--no-pull)`,
      'it stands on base, which is on this engine only',
      'it stands on web, which is on this engine only',
    ]);
  });
  it('holds back :latest also of what only its control makes stand on it', async () => {
    const byControl = (graph: Graph): Graph => {
      const { nodes } = onDebian.graph(graph);
      return { ...graph, nodes: new Map([...nodes].map(([name, node]) => [name, name === 'web' ? { ...node, sources: [], base: undefined } : node])) };
    };
    const { told, events, exit } = await runInMemory('base ← web, tool', { graph: byControl, options: { noPull: true }, before: ({ have }) => have('sha256:old', [DEBIAN]) });
    expect([exit, results(told())]).toEqual([0, ['finished-locally base', 'published tool', 'published web', 'promoted tool']]);
    expect(events).toContainEqual(expect.objectContaining({ type: 'warning', image: 'web', message: ':latest was not moved: something that it stands on stays on this engine' }));
  });
  it('records a parent by its own reference, whatever way the Dockerfile spells it', async () => {
    const spelled = (graph: Graph): Graph => ({ ...graph, nodes: new Map([...graph.nodes].map(([name, node]) => [name, name === 'web' ? { ...node, sources: [{ ref: `${REGISTRY}/base`, image: 'base' }], base: `${REGISTRY}/base` } : node])) });
    const { requests } = await runInMemory('base ← web', { graph: spelled });
    expect(requests.get('web')!.labels).toMatchObject({ [LABEL.parents]: formatParents({ [ref('base')]: pushedAs(builtId('base')) }), [LABEL.baseName]: ref('base') });
  });
});

describe('a failure', () => {
  it('blocks descendants and nobody else; what is done is promoted', async () => {
    const { exit, told, deeds } = await runInMemory(TREE, { hooks: failing('web') });
    expect(exit).toBe(1);
    expect(results(told())).toEqual(['published base', 'failed web', 'blocked api', 'published tool', 'promoted base', 'promoted tool']);
    expect(deeds.filter((deed) => /^(push|put|build) .*(web|api)/.test(deed))).toEqual(['build web']);
  });
  it('leaves no temporary tag behind', async () => {
    const { names } = await runInMemory(TREE, { hooks: failing('web') });
    expect(temporary(names.keys())).toEqual([]);
  });
  it('stops the run when it is told to stop on the first', async () => {
    const { exit, told, events } = await runInMemory('a, b', { hooks: failing('a'), options: { onError: 'stop' } });
    expect([exit, results(told())]).toEqual([1, ['failed a', 'not-started b']]);
    expect(events.at(-1)).toMatchObject({ because: 'a failed, and --on-error is stop' });
  });
  it('of a test is no publication: the final tag is never set', async () => {
    const { names, told, deeds, exit, events } = await runInMemory('base', { hooks: { test: () => ({ end: 'exited', code: 3 }) } });
    expect([exit, results(told()), deeds]).toEqual([1, ['failed base'], ['probe base', 'build base']]);
    expect([...names.keys()]).toEqual([]);
    expect(events.at(-1)).toMatchObject({ phase: 'test', message: 'its test failed: exit 3', log: 'logs/base.log' });
  });
  it('of a build says the instruction, and where', async () => {
    const { events } = await runInMemory('base', { hooks: { build: (_, { onLine }) => { onLine('E: no such package'); onLine('  '); throw wrong; } } });
    expect(events.at(-1)).toMatchObject({ type: 'failed', phase: 'build', message: 'RUN false exit 1', detail: ['E: no such package', 'images/base/Dockerfile.template (line 3 of the rendered Dockerfile)'], exit: 1 });
  });
  it('that nobody foresaw is a bug, and says where', async () => {
    const { exit, events } = await runInMemory('base', { hooks: failing('base', new TypeError('x is undefined')) });
    expect([exit, events.at(-1)]).toEqual([70, expect.objectContaining({ message: 'x is undefined', detail: [expect.stringContaining('at '), expect.anything(), expect.anything()] })]);
  });
});

describe('a run that is asked to pause', () => {
  it('starts nothing new, ends what is under way, and moves :latest to what was published', async () => {
    let built = 0;
    const { told, events, exit, deeds } = await runInMemory('a ← b, c', { hooks: { build: () => void built++ }, options: { pausedFor: () => (built > 0 ? 'it is 06:00' : undefined) } });
    expect([exit, results(told()).toSorted(), deeds.filter((deed) => deed.startsWith('build'))]).toEqual([0, ['not-started b', 'not-started c', 'promoted a', 'published a'], ['build a']]);
    expect(events.filter(({ type }) => type === 'not-started').map((event) => (event as { because: string }).because)).toEqual(['it is 06:00', 'it is 06:00']);
  });
  it('is not asked again once it was: what is left waits for the next run', async () => {
    let asked = 0;
    await runInMemory('a, b, c', { options: { jobs: 1, pausedFor: () => (++asked === 2 ? 'it is 06:00' : undefined) } });
    expect(asked).toBe(2);
  });
  it('begins those that come last behind the others', async () => {
    const { deeds } = await runInMemory('a, b', { options: { last: new Set(['a']) } });
    expect(deeds.filter((deed) => deed.startsWith('build'))).toEqual(['build b', 'build a']);
  });
});

describe('what a failure comes to', () => {
  const refused = new RegistryError('403 from the registry', REGISTRY, 403, ['docker login']);
  const gone = new RegistryError('the registry does not answer', REGISTRY, undefined);
  it.each([
    ['a registry that refuses one image fails that image', refused, 1, ['failed a', 'published b', 'promoted b']],
    ['a quota that is used up fails that image, though nobody told a status', new RegistryError('no room', REGISTRY, undefined, [], 'quota'), 1, ['failed a', 'published b', 'promoted b']],
    ['a tag that is immutable fails that image, though nobody told a status', new RegistryError('immutable', REGISTRY, undefined, [], 'immutable-tag'), 1, ['failed a', 'published b', 'promoted b']],
    ['a registry that does not answer stops the run', gone, 5, ['failed a', 'not-started b']],
    ['a registry that is broken stops the run', new RegistryError('503', REGISTRY, 503), 5, ['failed a', 'not-started b']],
    ['a registry that is asked too much stops the run', new RegistryError('429', REGISTRY, 429), 5, ['failed a', 'not-started b']],
    ['an engine that is gone stops the run', new EngineError('the engine is gone'), 4, ['failed a', 'not-started b']],
    ['a package archive that does not answer fails that image', new ArchiveError('no answer'), 6, ['failed a', 'published b', 'promoted b']],
    ['another fault fails that image', new Fault(3, 'wrong'), 1, ['failed a', 'published b', 'promoted b']],
  ])('%s', async (_, error, exit, told) => {
    const run = await runInMemory('a, b', { hooks: failing('a', error) });
    expect([run.exit, results(run.told())]).toEqual([exit, told]);
    const docs = docsOf(error);
    expect(run.events.find(({ type }) => type === 'failed')).toMatchObject({ message: error.message, detail: [...error.hints.map((hint) => `try: ${hint}`), ...(docs === undefined ? [] : [`docs: ${docs}`])] });
  });
  it('somebody else\'s registry that does not answer fails what stands on it, and the rest is published and promoted', async () => {
    const run = await runInMemory('a, b', { hooks: failing('a', new RegistryError('docker.io does not answer', 'docker.io', undefined)) });
    expect([run.exit, results(run.told())]).toEqual([5, ['failed a', 'published b', 'promoted b']]);
  });
  it('a push that is refused fails that image, and blocks what stands on it', async () => {
    const run = await runInMemory(TREE, { hooks: { push: (pushed) => { if (pushed === ref('web')) throw refused; } } });
    expect([run.exit, results(run.told())]).toEqual([1, ['published base', 'failed web', 'blocked api', 'published tool', 'promoted base', 'promoted tool']]);
  });
  it('engine and registry win over a failed image, whichever was first', async () => {
    const both = (first: Error, second: Error) => runInMemory('a, b', { hooks: { build: (name) => { throw name === 'a' ? first : second; } } });
    expect((await both(wrong, gone)).exit).toBe(5);
    expect((await both(wrong, new EngineError('gone'))).exit).toBe(4);
    expect((await both(new ArchiveError('gone'), wrong)).exit).toBe(6);
    expect((await both(wrong, new ArchiveError('gone'))).exit).toBe(6);
  });
  it('lets what is under way end when the engine is gone for another', async () => {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const run = await runInMemory('a, b, c', {
      options: { jobs: 2 },
      hooks: {
        async build(name) {
          if (name === 'b') {
            open();
            throw new EngineError('gone');
          }
          await gate;
        },
      },
    });
    expect([run.exit, [...results(run.told())].sort()]).toEqual([4, ['failed b', 'not-started c', 'promoted a', 'published a']]);
  });
});

describe('the right to push', () => {
  const denied = new RegistryError('may not push', REGISTRY, 403);
  it('is proved for every repository before anything is built', async () => {
    const outside: string[][] = [];
    await expect(runInMemory(TREE, { hooks: { probe: (name) => { if (name === 'tool') throw denied; } }, before: ({ deeds }) => outside.push(deeds) })).rejects.toBe(denied);
    expect([...outside[0]!].sort()).toEqual(['probe api', 'probe base', 'probe tool', 'probe web']);
  });
  it('is proved for what is only promoted', async () => {
    const found = { images: { base: { version: image('base 2.0', provenance({ definition: today('base'), version: '2.0' })) } } };
    await expect(runInMemory('base', { found, hooks: { probe: () => { throw denied; } } })).rejects.toBe(denied);
  });
});

describe('an interrupt', () => {
  it('starts nothing new, promotes nothing, and cleans up', async () => {
    const ending = new AbortController();
    const run = await runInMemory('base ← web, zoo', {
      signal: ending.signal,
      hooks: { build(name, _, signal) { if (name === 'web') { ending.abort(new Error('interrupted')); signal.throwIfAborted(); } } },
    });
    expect(results(run.told())).toEqual(['published base', 'not-started web', 'not-started zoo']);
    expect(run.deeds.filter((deed) => deed.startsWith('put'))).toEqual([]);
    expect(temporary(run.names.keys())).toEqual([]);
    expect(run.exit).toBe(0);
  });
  it('before the first build is thrown', async () => {
    await expect(runInMemory('base', { signal: AbortSignal.abort('interrupted') })).rejects.toBe('interrupted');
  });
  it('during promotions lets the one under way end, and begins no other', async () => {
    const ending = new AbortController();
    const { deeds, told } = await runInMemory('a, b', { signal: ending.signal, hooks: { putTag: () => ending.abort(new Error('interrupted')) } });
    expect(deeds.filter((deed) => deed.startsWith('put'))).toEqual(['put a latest']);
    expect(told().filter((event) => event.startsWith('promoted'))).toEqual(['promoted a']);
  });
});

describe('promotions', () => {
  const version = (name: string) => image(`${name} 2.0`, provenance({ definition: today(name), version: '2.0' }));
  it('are not for what is published beside a newer :latest', async () => {
    const latest = image('newer', provenance({ definition: formerly('base'), version: '3.0' }));
    const { deeds, exit } = await runInMemory('base', { found: { images: { base: { latest } } }, before: ({ published: tags }) => tags.set(ref('base', 'latest'), latest.digest) });
    expect([exit, deeds]).toEqual([0, ['probe base', 'build base', `push ${ref('base')}`]]);
  });
  it('are not for what stands on a failed image, though it is published', async () => {
    const { deeds, told, exit } = await runInMemory('base ← web', { found: { images: { web: { version: version('web') } } }, hooks: failing('base') });
    expect([exit, deeds, results(told())]).toEqual([1, ['probe base', 'probe web', 'build base'], ['failed base', 'blocked web']]);
  });
  it('come in the order of the plan, all after the last publication', async () => {
    const { deeds } = await runInMemory('b, a ← c', { options: { jobs: 3 } });
    expect(deeds.filter((deed) => deed.startsWith('put'))).toEqual(['put a latest', 'put b latest', 'put c latest']);
    expect(deeds.findIndex((deed) => deed.startsWith('put'))).toBeGreaterThan(deeds.findLastIndex((deed) => deed.startsWith('push')));
  });
  it('that are refused fail that image, and the next is tried', async () => {
    const run = await runInMemory('a, b', { hooks: { putTag: (name) => { if (name === 'a') throw new RegistryError('403', REGISTRY, 403); } } });
    expect([run.exit, results(run.told())]).toEqual([1, ['published a', 'published b', 'failed a', 'promoted b']]);
    expect(run.events.find(({ type }) => type === 'failed')).toMatchObject({ phase: 'promote', log: undefined });
  });
  it('end where the registry is gone', async () => {
    const run = await runInMemory('a, b', { hooks: { putTag: () => { throw new RegistryError('no answer', REGISTRY, undefined); } } });
    expect([run.exit, results(run.told())]).toEqual([5, ['published a', 'published b', 'failed a']]);
  });
});

describe('what someone else does meanwhile', () => {
  it('a name that another run took between tagging and pushing is said, and what was pushed is not promoted', async () => {
    const outside: OutsideInMemory[] = [];
    const { exit, events, deeds } = await runInMemory('base', {
      before: (made) => void outside.push(made),
      hooks: { push: () => outside[0]!.have('sha256:theirs', [ref('base')]) },
    });
    expect([exit, deeds.filter((deed) => deed.startsWith('put'))]).toEqual([1, []]);
    expect(events.at(-1)).toMatchObject({ type: 'failed', phase: 'publish', message: expect.stringContaining('is not the image that was tested') });
  });
  it('files that change after planning fail their image: its label would tell of others', async () => {
    const { exit, events, deeds } = await runInMemory('base', { before: ({ ports }) => { (ports as { digestNow: unknown }).digestNow = formerly; } });
    expect([exit, deeds]).toEqual([1, ['probe base', 'build base']]);
    expect(events.at(-1)).toMatchObject({ type: 'failed', phase: 'build', message: 'its files changed since this run was planned; run again' });
  });
  it('a version that was published since is left, and said', async () => {
    const { exit, events, deeds, published: tags } = await runInMemory('base', { before: ({ published: registry }) => registry.set(ref('base'), manifest('theirs')) });
    expect([exit, deeds.some((deed) => deed.startsWith('push')), tags.get(ref('base'))]).toEqual([1, false, manifest('theirs')]);
    expect(events.at(-1)).toMatchObject({ type: 'failed', phase: 'publish', message: expect.stringContaining('was published by someone else') });
  });
  it('a tag that is another image right after the push is a failure', async () => {
    const outside: { published?: Map<string, unknown> } = {};
    let pushes = 0;
    const { exit, events } = await runInMemory('base', {
      before: ({ published: registry }) => (outside.published = registry),
      hooks: { push: () => void pushes++, digestOf: () => { if (pushes > 0) outside.published!.set(ref('base'), manifest('theirs')); } },
    });
    expect([exit, events.at(-1)]).toEqual([1, expect.objectContaining({ phase: 'publish', message: expect.stringContaining(`is ${manifest('theirs').slice(0, 19)}… in the registry`) })]);
  });
});

describe('makeImage, through a run', () => {
  it('hands proxies to builds and tests, and the user\'s wish for the build cache to the engine', async () => {
    const config = configOf('http_proxy: http://proxy.example.org:8080\n');
    const { requests } = await runInMemory('base', { config, options: { useCache: true } });
    expect(requests.get('base')).toMatchObject({ noCache: false, buildArgs: { http_proxy: 'http://proxy.example.org:8080', HTTPS_PROXY: 'http://proxy.example.org:8080' } });
    expect((await runInMemory('base')).requests.get('base')).toMatchObject({ noCache: true, buildArgs: {} });
  });
  it.each([
    [{ end: 'killed', signal: 'SIGKILL' }, 'its test was killed (SIGKILL)'],
    [{ end: 'timed-out' }, 'its test did not end within 600 s'],
    [{ end: 'not-started', because: 'there is no /bin/bash' }, 'its test could not be started: there is no /bin/bash'],
  ] as const)('a test that ends so: %j', async (end, message) => {
    const { exit, events } = await runInMemory('base', { hooks: { test: () => end } });
    expect([exit, events.at(-1)]).toEqual([1, expect.objectContaining({ phase: 'test', message })]);
  });
  it('tests the untested tag, in the definition\'s own folder, and logs the command', async () => {
    const { logs } = await runInMemory('base', { hooks: { test: () => ({ end: 'exited', code: 0 }) } });
    expect(logs.get('base')!.join('\n')).toContain(`/tree/images/base/test.sh ${REGISTRY}/base:untested-${TOKEN}-2.0`);
  });
  it('an image that the engine lost is a failure of that image', async () => {
    const { exit, events } = await runInMemory('base', {
      found: { local: [local('had', [ref('base')], 'base', today('base'))] },
      before: ({ have, ports }) => {
        have('sha256:had', [ref('base')]);
        (ports.engine as { inspect: unknown }).inspect = async () => undefined;
      },
    });
    expect([exit, events.at(-1)]).toEqual([1, expect.objectContaining({ message: expect.stringContaining('the engine no longer has') })]);
  });
});
