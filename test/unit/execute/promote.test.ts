import { describe, expect, it } from '@jest/globals';
import { promote } from '../../../src/execute/promote.js';
import { outsideInMemory } from '../../support/outside-in-memory.js';
import { manifest, REGISTRY } from '../../support/plan-tree.js';

const LATEST = `${REGISTRY}/web:latest`;
const promotion = { image: 'web', ref: `${REGISTRY}/web:2.0`, digest: manifest('new'), from: manifest('old'), was: '1.1' };
const signal = new AbortController().signal;

describe('promote', () => {
  it('tells the intent before the deed, and the deed after', async () => {
    const told: string[][] = [];
    const outside = outsideInMemory({ putTag: () => void told.push([...outside.told()]) });
    outside.published.set(LATEST, manifest('old'));
    await promote(promotion, outside.ports, signal);
    expect([told, outside.told(), outside.published.get(LATEST)]).toEqual([[['promotion-intended web']], ['promotion-intended web', 'promoted web'], manifest('new')]);
    expect(outside.events[1]).toMatchObject({ tag: '2.0', digest: manifest('new'), from: manifest('old'), was: '1.1' });
  });
  it('moves it where there is none, as planned', async () => {
    const outside = outsideInMemory();
    await promote({ ...promotion, from: undefined, was: undefined }, outside.ports, signal);
    expect(outside.published.get(LATEST)).toBe(manifest('new'));
  });
  it('does nothing where it is already', async () => {
    const outside = outsideInMemory();
    outside.published.set(LATEST, manifest('new'));
    await promote(promotion, outside.ports, signal);
    expect([outside.deeds, outside.told()]).toEqual([[], ['promoted web']]);
  });
  it.each([
    ['another image', manifest('theirs'), `to ${manifest('theirs').slice(0, 19)}…`],
    ['nothing', undefined, 'to nothing'],
  ])('moves nothing that someone else moved meanwhile to %s', async (_, theirs, said) => {
    const outside = outsideInMemory();
    if (theirs !== undefined) outside.published.set(LATEST, theirs);
    await expect(promote(promotion, outside.ports, signal)).rejects.toMatchObject({ phase: 'promote', message: expect.stringContaining(said) });
    expect([outside.deeds, outside.told()]).toEqual([[], []]);
  });
});
