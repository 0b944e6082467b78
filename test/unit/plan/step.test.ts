import { describe, expect, it } from '@jest/globals';
import { isPending, planToJson } from '../../../src/plan/step.js';
import { planFor, published, REGISTRY, stepOf, tree } from '../../support/plan-tree.js';

const plan = planFor(tree('base ← web'), { images: { base: published('base') } });

describe('a step', () => {
  it.each([
    ['keep', false],
    ['blocked', false],
    ['build', true],
    ['publish', true],
    ['promote', true],
  ] as const)('%s is pending: %s', (action, pending) => expect(isPending({ ...stepOf(plan, 'web'), action })).toBe(pending));
});

describe('planToJson', () => {
  it('has what scripts rely on: one entry per image, parents first, and no more than that', () => {
    expect(JSON.parse(JSON.stringify(planToJson(plan)))).toEqual({
      publishing: { publish: true, to: REGISTRY },
      steps: [
        { image: 'base', ref: `${REGISTRY}/base:2.0`, tag: '2.0', kind: 'production', action: 'keep', parents: [], reasons: [{ why: 'published', digest: stepOf(plan, 'base').digest }] },
        { image: 'web', ref: `${REGISTRY}/web:2.0`, tag: '2.0', kind: 'production', action: 'build', parents: [`${REGISTRY}/base:2.0`], reasons: [{ why: 'not-published' }] },
      ],
    });
  });
});
