import { describe, expect, it } from '@jest/globals';
import type { Reason } from '../../../src/plan/reason.js';
import type { Plan } from '../../../src/plan/step.js';
import { LABEL } from '../../../src/state/labels.js';
import { formerly, image, local, manifest, planFor, provenance, published, REGISTRY, rolled, stepOf, today, tree, whyOf, type Outside } from '../../support/plan-tree.js';

const outdated = (...tried: readonly string[]): Reason => ({ why: 'packages-outdated', upgrades: [], tried });
const old: Reason = { why: 'too-old', age: 2, limit: 1 };
const follows = (parent: string): Reason => ({ why: 'parent-refreshed', parent, ifDiffers: false });
const moved: Reason = { why: 'parent-moved', parent: 'outside/debian:13', from: manifest('old'), to: manifest('new') };

/** `base ← web`, both rolling and as they should be, refreshed. */
function planned(refresh: Readonly<Record<string, readonly Reason[]>>, found: Outside = {}, rolling: readonly string[] = ['base', 'web'], text = 'base ← web'): Plan {
  const images = { base: rolled('base'), web: rolled('web', { [`${REGISTRY}/base:latest`]: manifest('base latest') }), ...found.images };
  return planFor(tree(text, rolling), { ...found, images }, { refresh: new Map(Object.entries(refresh)), select: new Set(Object.keys(refresh)) });
}
/** `action, why, why` and whether it is published if it is the same. */
const saidOf = (plan: Plan, name: string): string => `${stepOf(plan, name).action}: ${whyOf(plan, name).join(', ')}${stepOf(plan, name).unlessSame === true ? ' (unless same)' : ''}`;

describe('a rolling image that is refreshed', () => {
  it.each<[string, Reason, string]>([
    ['for its packages', outdated('a'), 'build: packages-outdated (unless same)'],
    ['for its age', old, 'build: too-old (unless same)'],
    ['for an outside parent, which must be recorded', moved, 'build: parent-moved'],
    ['for a parent whose new version is not there yet', { why: 'parent-bumped', parent: 'other', version: '2' }, 'build: parent-bumped'],
  ])('is built %s', (_, reason, said) => {
    expect(saidOf(planned({ base: [reason] }), 'base')).toBe(said);
  });
  it('is built, and what follows it only if it comes out otherwise', () => {
    const plan = planned({ base: [outdated('a')], web: [follows('base')] });
    expect([saidOf(plan, 'base'), saidOf(plan, 'web'), stepOf(plan, 'web').reasons]).toEqual(['build: packages-outdated (unless same)', 'build: parent-refreshed (unless same)', [{ why: 'parent-refreshed', parent: 'base', ifDiffers: true }]]);
  });
  it('is followed whatever comes out, if it was to be built anyway', () => {
    const plan = planned({ base: [moved], web: [follows('base')] });
    expect(saidOf(plan, 'web')).toBe('build: parent-builds');
  });
  it('is published whatever comes out, if its definition changed', () => {
    const plan = planned({ base: [outdated('a')] }, { images: { base: { latest: image('base latest', provenance({ definition: formerly('base') })) } } });
    expect(saidOf(plan, 'base')).toBe('build: packages-outdated, inputs-changed');
  });
  it('is followed by nobody who is not due', () => {
    expect(saidOf(planned({ base: [outdated('a')] }), 'web')).toBe('keep: not-selected, published');
  });
  it('says once that a parent in the tree moved', () => {
    const plan = planned({ web: [{ why: 'parent-moved', parent: 'base', from: manifest('x'), to: manifest('base latest') }] }, { images: { web: rolled('web', { [`${REGISTRY}/base:latest`]: manifest('x') }) } });
    expect(saidOf(plan, 'web')).toBe('build: parent-moved');
  });

  describe('that an interrupted run made already', () => {
    const dated = (...tried: readonly string[]): Outside => ({ dated: { base: [{ tag: '20260101', ...image('new', provenance({ definition: today('base'), tried })) }, { tag: '20251231', ...image('base latest', provenance({ definition: today('base') })) }] } });
    it.each<[string, readonly Reason[], readonly string[], string]>([
      ['is promoted, if that was for all that is asked for', [outdated('a', 'b')], ['a', 'b', 'c'], 'promote: promoted, packages-outdated'],
      ['is built again, if it was for less', [outdated('a', 'b')], ['a'], 'build: packages-outdated (unless same)'],
      ['is built again, if it is too old: nobody knows how old that one is', [outdated('a'), old], ['a'], 'build: packages-outdated, too-old (unless same)'],
    ])('%s', (_, reasons, tried, said) => {
      expect(saidOf(planned({ base: reasons }, dated(...tried)), 'base')).toBe(said);
    });
    it.each([['is promoted, if it stands on the outside parent of today', 'new', 'promote: promoted, parent-moved'], ['is built again, if it stands on another one', 'old', 'build: parent-moved']])('%s', (_, on, said) => {
      const found: Outside = { dated: { base: [{ tag: '20260101', ...image('made', provenance({ definition: today('base'), parents: { 'outside/debian:13': manifest(on) } })) }] } };
      expect(saidOf(planned({ base: [moved] }, found), 'base')).toBe(said);
    });
    it('and kept on the engine is published, if it was for all that is asked for', () => {
      const kept = local('1', [`${REGISTRY}/base:20260101`], 'base', today('base'));
      const plans = ['a', 'b'].map((mark) => planned({ base: [outdated('a')] }, { local: [{ ...kept, labels: { ...kept.labels, [LABEL.tried]: mark } }] }));
      expect(plans.map((plan) => saidOf(plan, 'base'))).toEqual(['publish: packages-outdated, built-locally', 'build: packages-outdated (unless same)']);
    });
  });
});

describe('a versioned image that is refreshed', () => {
  const bumped: Outside = { images: { base: { latest: image('base 1.1', provenance({ definition: today('base'), version: '1.1' })) }, web: published('web', { [`${REGISTRY}/base:1.1`]: manifest('base 1.1') }) } };
  it('is built as its new version, and says why', () => {
    const plan = planned({ base: [outdated('a')] }, bumped, []);
    expect(saidOf(plan, 'base')).toBe('build: not-published, packages-outdated');
  });
  it('is published whatever comes out: its entry says so', () => {
    const plan = planned({ base: [outdated('a')], web: [follows('base')] }, { images: { ...bumped.images, web: rolled('web', { [`${REGISTRY}/base:1.1`]: manifest('base 1.1') }) } }, ['web']);
    expect(saidOf(plan, 'web')).toBe('build: parent-builds');
  });
  it('without an entry is kept', () => {
    expect(saidOf(planned({ base: [outdated('a')] }, { images: { base: published('base') } }, []), 'base')).toBe('keep: published');
  });
});
