import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../../src/shared/digest.js';
import { RegistryError } from '../../../src/shared/errors.js';
import type { Reason } from '../../../src/plan/reason.js';
import { LABEL } from '../../../src/state/labels.js';
import { builtId, pushedAs } from '../../support/outside-in-memory.js';
import { manifest, REGISTRY, rolled } from '../../support/plan-tree.js';
import { runInMemory, type RunInMemory } from '../../support/run-in-memory.js';

const ROLLING = ['base', 'web', 'api', 'tool'];
const ref = (name: string): string => `${REGISTRY}/${name}:latest`;
const latest = (name: string): string => `${REGISTRY}/${name}@${manifest(`${name} latest`)}`;
const outdated: Reason = { why: 'packages-outdated', upgrades: [], tried: ['a', 'b'] };
const follows = (parent: string): Reason => ({ why: 'parent-refreshed', parent, ifDiffers: false });
const PARENTS: Readonly<Record<string, string>> = { web: 'base', api: 'web', tool: 'base' };

/** Refreshes `base ← web ← api, base ← tool`, all rolling and published; `same`: images that come out as they are. */
function refresh(same: readonly string[], run: RunInMemory = {}, own: Readonly<Record<string, readonly Reason[]>> = {}, tested = true) {
  const images = Object.fromEntries(ROLLING.map((name) => [name, rolled(name, PARENTS[name] === undefined ? {} : { [ref(PARENTS[name])]: manifest(`${PARENTS[name]} latest`) })]));
  const due = new Map(ROLLING.map((name) => [name, [...(name === 'base' ? [outdated] : [follows(PARENTS[name]!)]), ...(own[name] ?? [])]]));
  const contents = new Map(ROLLING.flatMap((name) => [[builtId(name), same.includes(name) ? `old ${name}` : `new ${name}`], [latest(name), `old ${name}`]]));
  return runInMemory('base ← web ← api, base ← tool', {
    rolling: ROLLING,
    found: { images },
    request: { refresh: due, select: new Set(due.keys()) },
    ...run,
    hooks: { content: (asked) => contents.get(asked)!, ...(tested ? { test: () => ({ end: 'exited', code: 0 } as const) } : {}), ...run.hooks },
    before(outside) {
      for (const name of ROLLING) outside.published.set(ref(name), manifest(`${name} latest`));
      run.before?.(outside);
    },
  });
}
const doneIn = (deeds: readonly string[]): readonly string[] => deeds.filter((deed) => /^(build|push|put) /.test(deed)).map((deed) => deed.replace(`${REGISTRY}/`, ''));

describe('a refresh that comes out as it is', () => {
  it('is neither tested nor published, and nothing is built on it', async () => {
    const { exit, deeds, told, events } = await refresh(['base']);
    expect([exit, doneIn(deeds)]).toEqual([0, ['build base']]);
    expect(told()).toEqual(['run-started', 'step-started base', 'built base', 'unchanged base', 'unchanged web', 'unchanged api', 'unchanged tool']);
    expect(events.flatMap((event) => (event.type === 'unchanged' ? [[event.image, event.digest, event.built]] : []))).toEqual([['base', manifest('base latest'), true], ...['web', 'api', 'tool'].map((name) => [name, manifest(`${name} latest`), false])]);
  });
  it.each([['in a run that publishes', true], ['in one that does not', false]])('leaves no name on the engine: %s', async (_, publish) => {
    const publishing = publish ? { publish, to: REGISTRY, as: undefined } : { publish, to: REGISTRY, why: '--no-publish' };
    const { names, told } = await refresh(['base'], { request: { publishing, select: new Set(['base']), refresh: new Map([['base', [outdated]]]) } }, {}, false);
    expect([[...names.keys()], told().includes('unchanged base')]).toEqual([[], true]);
  });
  it('is kept in mind with what it was built for, and when', async () => {
    const { ports } = await refresh(['base']);
    expect(ports.refreshMemory.tried(manifest('base latest'))).toEqual({ marks: ['a', 'b'], at: expect.any(Number) });
  });
  it('is built on as it is published, by what has a reason of its own', async () => {
    const { deeds, requests } = await refresh(['base'], {}, { web: [outdated] });
    expect(doneIn(deeds)).toEqual(['build base', 'build web', `push web:20260101`, 'build api', 'push api:20260101', 'put web latest', 'put api latest']);
    expect(requests.get('web')!.labels[LABEL.parents]).toBe(JSON.stringify({ [ref('base')]: manifest('base latest') }));
  });
  it('may come out as it is below such a one, too', async () => {
    const { deeds } = await refresh(['base', 'web'], {}, { web: [outdated] });
    expect(doneIn(deeds)).toEqual(['build base', 'build web']);
  });
});

describe('a refresh that comes out otherwise', () => {
  it('is published with all that stands on it, which is compared with nothing: its parents must be recorded', async () => {
    const { deeds, events } = await refresh(['web', 'api', 'tool']);
    expect(doneIn(deeds).filter((deed) => deed.startsWith('put'))).toEqual(['put base latest', 'put web latest', 'put api latest', 'put tool latest']);
    expect(deeds.filter((deed) => deed.startsWith('compare'))).toEqual([`compare ${builtId('base')}`, `compare ${latest('base')}`]);
    expect(events.filter(({ type }) => type === 'unchanged')).toEqual([]);
  });
  it('remembers in a label what it was built for', async () => {
    const { requests } = await refresh([]);
    expect(['base', 'web'].map((name) => requests.get(name)!.labels[LABEL.tried])).toEqual(['a b', '']);
  });
  it('is compared the next time without a pull', async () => {
    const { ports } = await refresh([]);
    expect(ports.refreshMemory.content(pushedAs(builtId('base')))).toBeDefined();
  });
});

describe('what is published', () => {
  it('is pulled to be compared, if the engine does not have it, and what it is is kept in mind', async () => {
    const once = await refresh(['base']);
    expect([once.deeds.filter((deed) => deed.startsWith('pull')), once.ports.refreshMemory.content(manifest('base latest'))]).toEqual([[`pull ${latest('base')}`], digestOf('old base')]);
    const { deeds } = await refresh(['base'], { before: ({ have }) => have('sha256:1', [], { repoDigests: [latest('base')] }) });
    expect(deeds.filter((deed) => deed.startsWith('pull'))).toEqual([]);
  });
  it('and cannot be had is not the same', async () => {
    const gone = new RegistryError('gone', REGISTRY, 404);
    const { exit, deeds } = await refresh(['base'], { hooks: { pull: (name) => { if (name === latest('base')) throw gone; } } });
    expect([exit, doneIn(deeds).includes('put base latest')]).toEqual([0, true]);
  });
  it('of a registry that does not answer is an error', async () => {
    const { exit, told } = await refresh(['base'], { hooks: { pull: () => { throw new RegistryError('away', REGISTRY, undefined); } } });
    expect([exit, told().includes('failed base')]).toEqual([5, true]);
  });
});

it('a build that was asked for is compared with nothing', async () => {
  const { deeds } = await refresh(['base'], { request: { rebuild: true, select: new Set(['base']) } });
  expect(deeds.filter((deed) => /^(compare|push)/.test(deed))).toEqual([`push ${REGISTRY}/base:20260101`]);
});
