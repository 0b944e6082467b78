import { describe, expect, it } from '@jest/globals';
import type { Graph } from '../../../src/graph/graph.js';
import { planRollback, type Wanted } from '../../../src/plan/rollback.js';
import type { ImageState } from '../../../src/state/state.js';
import { image, manifest, provenance, REGISTRY, stateFor, today, tree } from '../../support/plan-tree.js';

const publishing = { publish: true, to: REGISTRY, as: undefined } as const;
const graph = tree('base ← web, base ← api', ['api']);
const wanted = (name: string, part: Partial<Wanted> = {}): Wanted => ({
  image: name,
  run: '20261120-2104',
  left: { digest: manifest(`${name} new`), name: '2.0' },
  target: { digest: manifest(`${name} old`), tag: '1.1', isThere: true },
  lifts: undefined,
  isRollback: false,
  ...part,
});
const at = (word: string, parents: Readonly<Record<string, string>> = {}): Partial<ImageState> => ({ latest: image(word, provenance({ definition: today(word), version: '3.0', parents })) });
const planOf = (list: readonly Wanted[], images: Readonly<Record<string, Partial<ImageState>>>, of: Graph = graph) => planRollback(of, stateFor(of, { images }).images, list, publishing);

describe('planRollback', () => {
  it('moves :latest to what it was, and marks what it leaves', () => {
    const plan = planOf([wanted('web')], { web: at('web new') });
    expect(plan).toMatchObject({ publishing, isPartial: false });
    expect(plan.steps).toMatchObject([{ image: 'web', action: 'promote', promotes: true, publishes: false, ref: `${REGISTRY}/web:1.1`, tag: '1.1', digest: manifest('web old'), latestBefore: manifest('web new'), now: '2.0', withdraws: 'withdrawn-2.0', reasons: [{ why: 'taken-back', run: '20261120-2104' }] }]);
  });
  it('names what has no tag by its digest', () => {
    const [step] = planOf([wanted('web', { left: { digest: manifest('web new'), name: undefined }, target: { digest: manifest('web old'), tag: undefined, isThere: true } })], { web: at('web new') }).steps;
    expect(step).toMatchObject({ ref: `${REGISTRY}/web@${manifest('web old')}`, tag: `${manifest('web old').slice(0, 19)}…`, withdraws: `withdrawn-${manifest('web new').slice(7, 19)}` });
  });
  it('undoes a rollback without a mark, and lifts that of what it moves to', () => {
    expect(planOf([wanted('web', { isRollback: true, lifts: 'withdrawn-1.1' })], { web: at('web new') }).steps).toMatchObject([{ action: 'promote', withdraws: undefined, lifts: 'withdrawn-1.1' }]);
  });
  it.each<[string, Partial<Wanted>, Partial<ImageState>, object]>([
    ['what is there already', {}, at('web old'), { action: 'keep', now: '1.1', reasons: [{ why: 'back-already' }] }],
    ['what somebody moved on', {}, at('web theirs'), { action: 'blocked', now: '3.0', reasons: [{ why: 'moved-on', run: '20261120-2104', latest: manifest('web theirs') }] }],
    ['what is gone', {}, {}, { action: 'blocked', reasons: [{ why: 'moved-on', run: '20261120-2104', latest: undefined }] }],
    ['what was published for the first time', { target: undefined }, at('web new'), { action: 'blocked', tag: '2.0', reasons: [{ why: 'first-published' }] }],
    ['what has nothing to go back to any more', { target: { digest: manifest('web old'), tag: undefined, isThere: false } }, at('web new'), { action: 'blocked', reasons: [{ why: 'target-gone', digest: manifest('web old') }] }],
  ])('leaves %s, and takes the others back', (_, part, web, step) => {
    const plan = planOf([wanted('web', part), wanted('base')], { web, base: at('base new') });
    expect(plan.steps).toMatchObject([{ promotes: false, ...step }, { image: 'base', action: 'promote' }]);
    expect(plan.isPartial).toBe('action' in step && step.action === 'blocked');
  });
  it('says which children stand on what it leaves, unless they go back, too', () => {
    const on = (word: string) => ({ [`${REGISTRY}/base:2.0`]: manifest(word) });
    const images = { base: at('base new'), web: at('web new', on('base new')), api: at('api new', on('base new')) };
    expect(planOf([wanted('base')], images).steps[0]!.reasons).toEqual([{ why: 'taken-back', run: '20261120-2104' }, { why: 'stood-on', children: ['api', 'web'] }]);
    expect(planOf([wanted('web'), wanted('base')], images).steps[1]!.reasons[1]).toEqual({ why: 'stood-on', children: ['api'] });
    expect(planOf([wanted('base')], { ...images, api: at('api new', on('base old')), web: {} }).steps[0]!.reasons).toHaveLength(1);
  });
  it('takes the images of a stack back together or not at all', () => {
    const stacked = { ...graph, nodes: new Map([...graph.nodes].map(([name, node]) => [name, name === 'base' ? node : { ...node, definition: { ...node.definition, recipe: { kind: 'stack', stack: { id: 'org.example' } } } }])) } as unknown as Graph;
    const plan = planOf([wanted('web'), wanted('api', { target: undefined }), wanted('base')], { web: at('web new'), api: at('api new'), base: at('base new') }, stacked);
    expect(plan.steps).toMatchObject([{ action: 'blocked', promotes: false, reasons: [{ why: 'stays-with', image: 'api' }] }, { action: 'blocked' }, { action: 'promote' }]);
    expect(planOf([wanted('web'), wanted('api')], { web: at('web new'), api: at('api old') }, stacked).steps).toMatchObject([{ action: 'promote' }, { action: 'keep' }]);
  });
});
