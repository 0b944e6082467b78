import { describe, expect, it } from '@jest/globals';
import { planBuild } from '../../../src/plan/build.js';
import type { DatedImage, ImageState } from '../../../src/state/state.js';
import { formerly, image, manifest, planFor, provenance, published, REGISTRY, rolled, stateFor, stepOf, today, tree, whyOf, type Outside } from '../../support/plan-tree.js';

const NOT_PUBLISHING = { publish: false, to: REGISTRY, why: '--no-publish' } as const;
const marked = (tag: string, it: { readonly digest: DatedImage['digest']; readonly provenance: DatedImage['provenance'] }): DatedImage => ({ tag, ...it });

/** `:latest` of a versioned image was taken back from 2.0 to 1.1. */
const takenBack = (name: string): ImageState => ({ version: published(name).version, latest: image(`${name} 1.1`, provenance({ definition: formerly(name), version: '1.1' })) });
const withdrawn = (name: string): readonly DatedImage[] => [marked('withdrawn-2.0', published(name).version!)];

describe('planBuild, a versioned image that was withdrawn', () => {
  const graph = tree('web');
  const outside = { images: { web: takenBack('web') }, withdrawn: { web: withdrawn('web') } };

  it('is not promoted again, and says what it waits for', () => {
    const plan = planFor(graph, outside);
    expect(stepOf(plan, 'web')).toMatchObject({ action: 'keep', promotes: false, now: '1.1', tag: '1.1', ref: `${REGISTRY}/web:1.1`, digest: manifest('web 1.1'), reasons: [{ why: 'withdrawn-latest', tag: 'withdrawn-2.0', waitsFor: 'version' }] });
    expect(plan.needs).toEqual([]);
  });
  it('is promoted where it is not', () => expect(stepOf(planFor(graph, { ...outside, withdrawn: {} }), 'web').action).toBe('promote'));
  it.each<[string, Partial<ImageState>, readonly string[]]>([
    ['asked only when :latest is another', takenBack('web'), ['withdrawn']],
    ['not asked when it is :latest', published('web'), []],
    ['not asked when there is no :latest', { version: published('web').version }, []],
    ['not asked when it is not published', { latest: takenBack('web').latest }, []],
    ['not asked when the checkout is older than :latest', { version: published('web').version, latest: image('web 3', provenance({ definition: today('web'), version: '3.0' })) }, []],
  ])('is %s', (_, web, needs) => {
    const state = { ...stateFor(graph, { images: { web } }), withdrawn: new Map() };
    expect(planBuild(graph, state, requestFor(['web'])).needs.map(({ need }) => need)).toEqual(needs);
  });
  it.each([
    ['a version of its changelog', takenBack('web'), ['withdrawn']],
    ['what nobody knows', { version: published('web').version, latest: image('whose') }, []],
  ])('is asked of an image that is not selected only where :latest is %s', (_, web, needs) => {
    const both = tree('web ← api');
    const state = { ...stateFor(both, { images: { web, api: published('api') }, olderVersion: { web: null } }), withdrawn: new Map() };
    expect(planBuild(both, state, { ...requestFor(['web', 'api']), select: new Set(['api']) }).needs.map(({ need }) => need)).toEqual(needs);
  });
  it('gives way to a newer version', () => {
    const plan = planFor(graph, { images: { web: { latest: takenBack('web').latest } }, withdrawn: { web: withdrawn('web') } });
    expect(stepOf(plan, 'web')).toMatchObject({ action: 'build', promotes: true });
  });
  it('is :latest again once promoted', () => expect(whyOf(planFor(graph, { images: { web: published('web') }, withdrawn: { web: withdrawn('web') } }), 'web')).toEqual(['published']));
});

describe('planBuild, what stands on a versioned image that was withdrawn', () => {
  const graph = tree('web ← api', ['api']);
  const onWeb = (word: string) => ({ [`${REGISTRY}/web:2.0`]: manifest(word) });
  const outside = (api: Partial<ImageState>, part: Outside = {}): Outside => ({ images: { web: takenBack('web'), api }, withdrawn: { web: withdrawn('web') }, ...part });

  it('stands on what :latest is', () => expect(whyOf(planFor(graph, outside(rolled('api', onWeb('web 1.1')))), 'api')).toEqual(['published']));
  it('is built on that', () => {
    const plan = planFor(graph, outside({}));
    expect([stepOf(plan, 'api').action, stepOf(plan, 'web').digest]).toEqual(['build', manifest('web 1.1')]);
  });
  it.each([['selected', undefined], ['not selected', new Set(['api'])]])('goes back with it when it stands on it, the withdrawn one %s', (_, select) => {
    const former = { tag: '20251231', ...image('api on 1.1', provenance({ definition: today('api'), parents: onWeb('web 1.1') })) };
    const plan = planFor(graph, outside(rolled('api', onWeb('web 2.0')), { dated: { api: [former] } }), { select });
    expect(stepOf(plan, 'api')).toMatchObject({ action: 'promote', tag: '20251231' });
    expect(stepOf(plan, 'web').digest).toBe(manifest('web 1.1'));
  });
  it('stands on the older one without publishing, too', () => {
    expect(whyOf(planFor(graph, outside(rolled('api', onWeb('web 1.1'))), { publishing: NOT_PUBLISHING }), 'web')).toEqual(['withdrawn-latest']);
  });
});

describe('planBuild, a rolling image that was withdrawn', () => {
  const graph = tree('base ← run', ['base', 'run']);
  const baseRef = `${REGISTRY}/base:latest`;
  const base = rolled('base');
  const before = { latest: image('run before', provenance({ definition: formerly('run'), parents: { [baseRef]: manifest('base latest') } })) };
  const it2 = image('run 2', provenance({ definition: today('run'), parents: { [baseRef]: manifest('base latest') } }));
  const outside: Outside = { images: { base, run: before }, dated: { run: [{ tag: '20260101-2', ...it2 }] }, withdrawn: { run: [marked('withdrawn-20260101-2', it2)] } };

  it('is neither promoted nor built again, and says what it waits for', () => {
    const plan = planFor(graph, outside);
    expect(stepOf(plan, 'run')).toMatchObject({ action: 'keep', digest: manifest('run before'), reasons: [{ why: 'withdrawn-latest', tag: 'withdrawn-20260101-2', waitsFor: 'change' }] });
  });
  it('is promoted where it is not', () => expect(stepOf(planFor(graph, { ...outside, withdrawn: {} }), 'run').action).toBe('promote'));
  it.each<[string, Outside, Parameters<typeof planFor>[2]]>([
    ['its definition changes', outside, { definitions: new Map([['base', today('base')], ['run', formerly('x')]]) }],
    ['a parent is built', outside, { definitions: new Map([['base', formerly('base')], ['run', today('run')]]) }],
    ['a parent is another', { ...outside, images: { ...outside.images, base: rolled('base', {}, 'base moved') } }, {}],
    ['its packages have newer versions', outside, { outdatedWithdrawn: new Set([it2.digest]) }],
    ['a person asks for it', outside, { rebuild: true, select: new Set(['run']) }],
  ])('is built when %s, under a tag that is free', (_, found, request) => {
    const plan = planFor(graph, found, request);
    expect(stepOf(plan, 'run')).toMatchObject({ action: 'build', tag: '20260101-3', promotes: true });
  });
  it.each([
    ['is promoted when it was made again since', ['20260101-3', '20260101-2'], 'promote'],
    ['is not made up for by an older one', ['20260101-2', '20260101'], 'keep'],
  ])('%s', (_, tags, action) => {
    const again = { ...image('run again', it2.provenance) };
    const dated = tags.map((tag) => ({ tag, ...(tag === '20260101-2' ? it2 : again) }));
    expect(stepOf(planFor(graph, { ...outside, dated: { run: dated } }), 'run').action).toBe(action);
  });
  it('leaves its tag to nobody, though that is gone', () => {
    const found = { ...outside, dated: {} };
    expect(stepOf(planFor(graph, found, { outdatedWithdrawn: new Set([it2.digest]) }), 'run').tag).toBe('20260101-3');
  });
  it('is not withdrawn while it is :latest, whoever moved it there', () => {
    const refresh = new Map([['run', [{ why: 'too-old', age: 2, limit: 1 } as const]]]);
    expect(stepOf(planFor(graph, { ...outside, images: { base, run: { latest: it2 } } }, { refresh }), 'run').action).toBe('build');
  });
  it('is built when there is no :latest to stay with', () => expect(stepOf(planFor(graph, { ...outside, images: { base } }), 'run').action).toBe('build'));
  it('goes back with its parent: each stands on what the other is', () => {
    const base2 = image('base 2', provenance({ definition: today('base') }));
    const run2 = image('run 2', provenance({ definition: today('run'), parents: { [baseRef]: base2.digest } }));
    const found: Outside = {
      images: { base: { latest: image('base before', provenance({ definition: formerly('base') })) }, run: { latest: image('run before', provenance({ definition: today('run'), parents: { [baseRef]: manifest('base before') } })) } },
      dated: { base: [{ tag: '20260101', ...base2 }], run: [{ tag: '20260101', ...run2 }] },
      withdrawn: { base: [marked('withdrawn-20260101', base2)], run: [marked('withdrawn-20260101', run2)] },
    };
    const plan = planFor(graph, found);
    expect([whyOf(plan, 'base'), whyOf(plan, 'run')]).toEqual([['withdrawn-latest'], ['published']]);
  });
});

function requestFor(images: readonly string[]): Parameters<typeof planBuild>[2] {
  return { select: undefined, publishing: { publish: true, to: REGISTRY, as: undefined }, rebuild: false, day: '20260101', definitions: new Map(images.map((name) => [name, today(name)])), platform: undefined };
}
