import { describe, expect, it } from '@jest/globals';
import { promote, type Promotion } from '../../../src/execute/promote.js';
import type { Digest } from '../../../src/shared/digest.js';
import { outsideInMemory, type Hooks, type OutsideInMemory } from '../../support/outside-in-memory.js';
import { manifest, REGISTRY } from '../../support/plan-tree.js';

const latest = (name: string): string => `${REGISTRY}/${name}:latest`;
const promotionOf = (image: string): Promotion => ({ image, ref: `${REGISTRY}/${image}:2.0`, digest: manifest(`${image} new`), from: manifest(`${image} old`), was: '1.1' });
const signal = new AbortController().signal;

/** A registry in which each image's `:latest` is old, and its new version is there. */
function registryWith(images: readonly string[], hooks: Hooks = {}): OutsideInMemory {
  const outside = outsideInMemory(hooks);
  for (const image of images) {
    outside.published.set(latest(image), manifest(`${image} old`));
    outside.published.set(`${REGISTRY}/${image}:2.0`, manifest(`${image} new`));
  }
  return outside;
}

describe('promote', () => {
  const promotion = promotionOf('web');
  it('tells the intent before the deed, and the deed after', async () => {
    const told: string[][] = [];
    const outside = registryWith(['web'], { putTag: () => void told.push([...outside.told()]) });
    expect(await promote([promotion], outside.ports, signal)).toBeUndefined();
    expect([told, outside.told(), outside.published.get(latest('web'))]).toEqual([[['promotion-intended web']], ['promotion-intended web', 'promoted web'], promotion.digest]);
    expect(outside.events[1]).toMatchObject({ tag: '2.0', digest: promotion.digest, from: promotion.from, was: '1.1' });
  });
  it('moves another tag where the images have another, and puts that back', async () => {
    const testing = (name: string): string => `${REGISTRY}/${name}:testing`;
    const outside = registryWith(['run', 'build'], { putTag: (ref) => { if (ref.endsWith('build')) throw new Error('refused'); } });
    for (const name of ['run', 'build']) outside.published.set(testing(name), manifest(`${name} old`));
    await promote(['run', 'build'].map((name) => ({ ...promotionOf(name), moving: 'testing' })), outside.ports, signal);
    expect(outside.events.at(-1)).toMatchObject({ type: 'put-back', image: 'run', moving: 'testing' });
    expect([outside.published.get(testing('run')), outside.published.get(latest('run'))]).toEqual([manifest('run old'), manifest('run old')]);
    const alone = registryWith(['web']);
    alone.published.set(testing('web'), promotion.from!);
    await promote([{ ...promotion, moving: 'testing' }], alone.ports, signal);
    expect([alone.published.get(testing('web')), alone.published.get(latest('web')), alone.events.at(-1)]).toMatchObject([promotion.digest, promotion.from, { type: 'promoted', moving: 'testing' }]);
  });
  it('marks what it leaves before it moves, once, and looks at the target of a single image, too', async () => {
    const mark = `${REGISTRY}/web:withdrawn-1.1`;
    for (const deeds of [['put web withdrawn-1.1', 'put web latest'], ['put web latest']]) {
      const outside = registryWith(['web']);
      if (deeds.length === 1) outside.published.set(mark, promotion.from!);
      await promote([{ ...promotion, withdraws: 'withdrawn-1.1' }], outside.ports, signal);
      expect([outside.deeds, outside.told(), outside.published.get(mark)]).toEqual([deeds, ['promotion-intended web', 'withdrawn web', 'promoted web'], promotion.from]);
    }
    const gone = registryWith(['web']);
    gone.published.delete(promotion.ref);
    expect(await promote([{ ...promotion, withdraws: 'withdrawn-1.1' }], gone.ports, signal)).toMatchObject({ image: 'web', error: { phase: 'promote' } });
    expect(gone.deeds).toEqual([]);
  });
  it('marks nothing where it leaves nothing', async () => {
    const outside = registryWith(['web']);
    outside.published.delete(latest('web'));
    await promote([{ ...promotion, from: undefined, withdraws: 'withdrawn-1.1', lifts: 'withdrawn-2.0' }], outside.ports, signal);
    expect(outside.deeds).toEqual(['put web latest']);
  });
  it('moves nothing when what it leaves cannot be marked', async () => {
    const outside = registryWith(['run', 'web'], { putTag: (name) => { if (name === 'web') throw new Error('refused'); } });
    const group = ['run', 'web'].map((name) => ({ ...promotionOf(name), withdraws: 'withdrawn-1.1' }));
    expect(await promote(group, outside.ports, signal)).toMatchObject({ image: 'web', error: { message: 'refused' } });
    expect(outside.published.get(latest('run'))).toBe(manifest('run old'));
  });
  it('sets the mark of what it moves to elsewhere first; one that cannot be set is told, and it moves', async () => {
    const mark = `${REGISTRY}/web:withdrawn-2.0`;
    const outside = registryWith(['web']);
    await promote([{ ...promotion, lifts: 'withdrawn-2.0' }], outside.ports, signal);
    expect([outside.deeds, outside.told(), outside.published.get(mark)]).toEqual([['put web withdrawn-2.0', 'put web latest'], ['promotion-intended web', 'lifted web', 'promoted web'], promotion.from]);
    let times = 0;
    const refusing = registryWith(['web'], { putTag: () => { if (times++ === 0) throw new Error('immutable'); } });
    await promote([{ ...promotion, lifts: 'withdrawn-2.0' }], refusing.ports, signal);
    expect([refusing.events[1], refusing.published.get(latest('web'))]).toMatchObject([{ type: 'warning', message: expect.stringContaining('withdrawn-2.0 stays (immutable)') }, promotion.digest]);
  });
  it('moves it where there is none, as planned', async () => {
    const outside = outsideInMemory();
    await promote([{ ...promotion, from: undefined, was: undefined }], outside.ports, signal);
    expect(outside.published.get(latest('web'))).toBe(promotion.digest);
  });
  it('does nothing where it is already', async () => {
    const outside = outsideInMemory();
    outside.published.set(latest('web'), promotion.digest);
    await promote([promotion], outside.ports, signal);
    expect([outside.deeds, outside.told()]).toEqual([[], ['promoted web']]);
  });
  it.each([
    ['another image', manifest('theirs'), `to ${manifest('theirs').slice(0, 19)}…`],
    ['nothing', undefined, 'to nothing'],
  ])('moves nothing that someone else moved meanwhile to %s', async (_, theirs, said) => {
    const outside = outsideInMemory();
    if (theirs !== undefined) outside.published.set(latest('web'), theirs);
    expect(await promote([promotion], outside.ports, signal)).toMatchObject({ image: 'web', error: { phase: 'promote', message: expect.stringContaining(said) } });
    expect([outside.deeds, outside.told()]).toEqual([[], []]);
  });
});

describe('promote, of images that belong together', () => {
  const group = [promotionOf('run'), promotionOf('build')];
  const both = (outside: OutsideInMemory): readonly (Digest | undefined)[] => [outside.published.get(latest('run')), outside.published.get(latest('build'))];
  const failing = (name: string, error: Error = new Error('denied')): Hooks => ({ putTag: (ref) => { if (ref === name) throw error; } });

  it('tells all intents, moves all, then tells all deeds', async () => {
    const outside = registryWith(['run', 'build']);
    expect(await promote(group, outside.ports, signal)).toBeUndefined();
    expect(outside.told()).toEqual(['promotion-intended run', 'promotion-intended build', 'promoted run', 'promoted build']);
    expect(both(outside)).toEqual([manifest('run new'), manifest('build new')]);
  });
  it('moves none when one was moved by someone else', async () => {
    const outside = registryWith(['run', 'build']);
    outside.published.set(latest('build'), manifest('theirs'));
    expect(await promote(group, outside.ports, signal)).toMatchObject({ image: 'build' });
    expect([outside.deeds, outside.told()]).toEqual([[], []]);
  });
  it.each([
    ['is not there', undefined, `${REGISTRY}/build:2.0 is not there in the registry`],
    ['is another', manifest('theirs'), `${REGISTRY}/build:2.0 is ${manifest('theirs').slice(0, 19)}…`],
  ])('moves none when the target of one %s', async (_, there, said) => {
    const outside = registryWith(['run', 'build']);
    if (there === undefined) outside.published.delete(`${REGISTRY}/build:2.0`);
    else outside.published.set(`${REGISTRY}/build:2.0`, there);
    expect(await promote(group, outside.ports, signal)).toMatchObject({ image: 'build', error: { message: expect.stringContaining(said) } });
    expect(outside.deeds).toEqual([]);
  });
  it('puts back what moved when the next cannot', async () => {
    const outside = registryWith(['run', 'build'], failing('build'));
    expect(await promote(group, outside.ports, signal)).toMatchObject({ image: 'build', error: { message: 'denied' } });
    expect(both(outside)).toEqual([manifest('run old'), manifest('build old')]);
    expect(outside.told()).toEqual(['promotion-intended run', 'promotion-intended build', 'put-back run']);
    expect(outside.events.at(-1)).toMatchObject({ digest: manifest('run old'), was: '1.1', because: 'build' });
  });
  it('says what stays moved: where there was nothing before, where someone else moved it on, where putting back fails', async () => {
    const outside = registryWith(['run', 'build'], failing('build'));
    outside.published.delete(latest('run'));
    await promote([{ ...group[0]!, from: undefined }, group[1]!], outside.ports, signal);
    expect(outside.events.at(-1)).toMatchObject({ type: 'warning', image: 'run', message: ':latest is 2.0 though build, with which it moves, stayed: there was none before, and a registry takes no tag away; the next run moves the rest' });

    const moved = registryWith(['run', 'build'], { putTag: (ref) => { if (ref === 'build') { moved.published.set(latest('run'), manifest('theirs')); throw new Error('denied'); } } });
    await promote(group, moved.ports, signal);
    expect([moved.events.at(-1), moved.published.get(latest('run'))]).toMatchObject([{ type: 'warning', message: expect.stringContaining('someone else moved it meanwhile') }, manifest('theirs')]);

    let puts = 0;
    const gone = registryWith(['run', 'build'], { putTag: () => { if (++puts > 1) throw new Error('the registry is gone'); } });
    await promote(group, gone.ports, signal);
    expect(gone.events.at(-1)).toMatchObject({ type: 'warning', message: expect.stringContaining('it could not be put back (the registry is gone)') });
  });
  it('completes what a run that was killed in between left: one is there already', async () => {
    const outside = registryWith(['run', 'build']);
    outside.published.set(latest('run'), manifest('run new'));
    await promote(group, outside.ports, signal);
    expect([outside.deeds, both(outside)]).toEqual([['put build latest'], [manifest('run new'), manifest('build new')]]);
  });
});
