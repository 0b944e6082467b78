import { describe, expect, it } from '@jest/globals';
import { planPromote } from '../../../src/plan/promote.js';
import { image, manifest, provenance, published, REGISTRY, stateFor, today, tree, type Outside } from '../../support/plan-tree.js';

const graph = tree('base ← web, base ← run', ['run']);
const publishing = { publish: true, to: REGISTRY, as: undefined } as const;
const planOf = (name: string, outside: Outside) => planPromote(graph, stateFor(graph, outside), name, publishing);
const version = image('web 2.0', provenance({ definition: today('web'), version: '2.0' }));

describe('planPromote', () => {
  it.each([
    ['a version newer than the changelog', image('newer', provenance({ definition: today('web'), version: '3.0' })), '3.0'],
    ['an image of unknown origin', image('unknown'), undefined],
  ])('moves :latest to the newest version from %s', (_, latest, now) => {
    expect(planOf('web', { images: { web: { version, latest } } })).toEqual({
      plan: {
        publishing,
        needs: [],
        steps: [
          {
            image: 'web',
            ref: `${REGISTRY}/web:2.0`,
            tag: '2.0',
            kind: 'production',
            action: 'promote',
            parents: [`${REGISTRY}/base:2.0`],
            reasons: [{ why: 'promotion-requested' }],
            now,
            publishes: false,
            promotes: true,
            latestBefore: latest.digest,
            digest: version.digest,
            localId: undefined,
          },
        ],
      },
    });
  });
  it('moves it where there is none', () => {
    expect(planOf('web', { images: { web: { version } } })).toMatchObject({ plan: { steps: [{ action: 'promote', latestBefore: undefined }] } });
  });
  it('keeps what is there already', () => {
    expect(planOf('web', { images: { web: published('web') } })).toMatchObject({ plan: { steps: [{ action: 'keep', promotes: false, reasons: [{ why: 'published' }] }] } });
  });
  it('lifts the mark of what it moves to, and looks for one where it moves', () => {
    const images = { web: { version, latest: image('older') } };
    const mark = { tag: 'withdrawn-2.0', ...version };
    expect(planOf('web', { images, withdrawn: { web: [mark] } })).toMatchObject({ plan: { steps: [{ action: 'promote', lifts: 'withdrawn-2.0' }] } });
    expect(planOf('web', { images: { web: published('web') }, withdrawn: { web: [mark] } })).toMatchObject({ plan: { steps: [{ action: 'keep', lifts: undefined }] } });
    expect(planPromote(graph, { ...stateFor(graph, { images }), withdrawn: new Map() }, 'web', publishing)).toEqual({ need: { need: 'withdrawn', image: 'web' } });
    expect(planPromote(graph, { ...stateFor(graph, { images: { web: { version } } }), withdrawn: new Map() }, 'web', publishing)).toMatchObject({ plan: { steps: [{ action: 'promote' }] } });
    const dated = [{ tag: '20260102', ...image('two') }];
    const marks = [{ tag: 'withdrawn-20260101', ...image('one') }, { tag: 'withdrawn-20260102', ...image('two') }];
    expect(planOf('run', { images: { run: { latest: image('one') } }, dated: { run: dated }, withdrawn: { run: marks } })).toMatchObject({ plan: { steps: [{ lifts: 'withdrawn-20260102' }] } });
  });
  it('has nothing to move to before the version is published', () => {
    expect(planOf('web', { images: { web: { latest: image('old') } } })).toEqual({ nothing: 'web is not published as 2.0: build it first' });
  });
  it('takes the newest dated tag of a rolling image, once it was read', () => {
    const dated = [{ tag: '20260102', ...image('two') }, { tag: '20260101', ...image('one') }];
    expect(planOf('run', { images: { run: { latest: image('one') } }, dated: { run: dated } })).toMatchObject({ plan: { steps: [{ action: 'promote', now: '20260101', tag: '20260102', digest: manifest('two'), ref: `${REGISTRY}/run:20260102` }] } });
    expect(planOf('run', { dated: { run: [] } })).toEqual({ nothing: 'run is not published: build it first' });
    expect(planPromote(graph, { ...stateFor(graph, {}), dated: new Map() }, 'run', publishing)).toEqual({ need: { need: 'dated-tags', image: 'run' } });
  });
});
