import { describe, expect, it } from '@jest/globals';
import { asNightly, nightlyAt } from '../../../src/definition/nightly.js';
import { planLocalPrune, type LocalPruneRequest } from '../../../src/plan/prune-local.js';
import { keptByAge, pruneToJson, type PruneStep } from '../../../src/plan/prune.js';
import type { EngineImage } from '../../../src/state/engine-images.js';
import { REGISTRY, tree } from '../../support/plan-tree.js';

const NOW = Date.UTC(2026, 10, 30);
const DAY = 86_400_000;
const graph = tree('base ← web, run', ['run']);
const NOTHING_ASKED: LocalPruneRequest = { select: undefined, nightly: undefined, keep: undefined, olderThan: undefined, now: NOW, temporary: new Map() };

/** `web:1.0` are tags of one image of the tree's registry; a slash in it: as it is. Ids are the first name, made some days ago. */
function had(names: string, days = 10): EngineImage {
  const full = names.split(' ').map((name) => (name.includes('/') ? name : `${REGISTRY}/${name}`));
  return { id: names.split(' ')[0]!, tags: full.filter((name) => !name.includes('@')), repoDigests: full.filter((name) => name.includes('@')), labels: {}, created: NOW - days * DAY };
}

const plan = (images: readonly EngineImage[], request: Partial<LocalPruneRequest> = {}, containers: readonly { image: string; name: string }[] = []): readonly PruneStep[] => planLocalPrune(graph, { images, containers }, { ...NOTHING_ASKED, ...request });
/** `image names: why`, of what goes. */
const going = (steps: readonly PruneStep[]) => steps.filter(({ action }) => action === 'delete-local').map(({ refs }) => refs.map((ref) => ref.replace(`${REGISTRY}/`, '')).join(' '));
const whyOf = (steps: readonly PruneStep[], id: string) => steps.filter((step) => step.id === id).map(({ action, reasons }) => [action, ...reasons.map(({ why }) => why)].join(' '));

describe('pruning an engine', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['of a versioned image all but the current version goes', ['web:2.0', 'web:1.1', 'web:1.0'], ['web:1.1', 'web:1.0']],
    ['… also what the changelog never knew, :latest of an older one, nightly builds and what was tried', ['web:2.0', 'web:9', 'web:1.1 web:latest', 'web:2.0-20261120', 'web:2.0-local'], ['web:9', 'web:1.1 web:latest', 'web:2.0-20261120', 'web:2.0-local']],
    ['the current image keeps all of its names', ['web:2.0 web:latest web:1.0'], []],
    ['though the current version is not here, what is older goes', ['web:1.0'], ['web:1.0']],
    ['of a rolling image :latest and the newest dated image stay', ['run:20261101 run:latest', 'run:20261102', 'run:20261101-2', 'run:20261030', 'run:nightly-20261130'], ['run:20261101-2', 'run:20261030', 'run:nightly-20261130']],
    ['children go first', ['base:1.0', 'web:1.0'], ['web:1.0', 'base:1.0']],
    ['what is of no image of the tree stays', ['other:1.0', 'webber:1.0', 'web/sub:1.0', 'elsewhere/web:1.0', 'debian:12'], []],
    ['an image that has other names, too, loses only the tree\'s', ['web:1.0 elsewhere/web:1.0'], ['web:1.0']],
    ['what has no tag any more goes by its digest', ['web@sha256:aa'], ['web@sha256:aa']],
    ['… but not while it has another name', ['web@sha256:aa elsewhere/web:1.0'], []],
    ['a digest beside a tag goes with that', ['web:1.0 web@sha256:aa'], ['web:1.0']],
  ])('%s', (_, images, names) => expect(going(plan(images.map((one) => had(one))))).toEqual(names));

  it('is about the selected images alone', () => {
    expect(going(plan([had('web:1.0'), had('base:1.0')], { select: new Set(['base']) }))).toEqual(['base:1.0']);
  });
  it('says why each stays or goes', () => {
    const steps = plan([had('web:2.0'), had('web:1.0')]);
    expect([whyOf(steps, 'web:2.0'), whyOf(steps, 'web:1.0')]).toEqual([['keep current'], ['delete-local not-current']]);
    expect(pruneToJson({ where: 'engine', of: 'this engine', steps })).toEqual({
      pruning: { where: 'engine', of: 'this engine' },
      steps: [
        { image: 'web', action: 'keep', id: 'web:2.0', refs: [`${REGISTRY}/web:2.0`], created: '2026-11-20T00:00:00.000Z', reasons: [{ why: 'current', tag: '2.0' }] },
        { image: 'web', action: 'delete-local', id: 'web:1.0', refs: [`${REGISTRY}/web:1.0`], created: '2026-11-20T00:00:00.000Z', reasons: [{ why: 'not-current' }] },
      ],
    });
  });
  it('leaves what a container stands on, and says which', () => {
    const steps = plan([had('web:1.1'), had('web:1.0')], {}, [{ image: 'web:1.0', name: 'shop' }]);
    expect(steps.map(({ action, reasons }) => [action, reasons[0]])).toEqual([['delete-local', { why: 'not-current' }], ['keep', { why: 'in-use', by: 'container shop' }]]);
  });
  it.each<[string, Partial<LocalPruneRequest>, readonly string[]]>([
    ['by number, the newest of each image stay', { keep: 2 }, ['web:1.0']],
    ['by age, the younger ones', { olderThan: 3 * DAY }, ['web:1.1', 'web:1.0']],
    ['by both, what either keeps', { keep: 1, olderThan: 4 * DAY }, ['web:1.0']],
    ['asked for neither, none', {}, ['web:1.2', 'web:1.1', 'web:1.0', 'web:odd']],
  ])('beside the current image, %s', (_, request, names) => {
    const unknown = { ...had('web:odd'), created: undefined };
    expect(going(plan([had('web:2.0', 1), had('web:1.2', 2), had('web:1.1', 3), had('web:1.0', 5), unknown], request))).toEqual(names);
  });
  it('leaves what nobody knows the age of, if its age is asked for', () => {
    expect(whyOf(plan([{ ...had('web:odd'), created: undefined }], { keep: 1 }), 'web:odd')).toEqual(['keep made-unknown']);
  });
  it.each<[string, string, readonly string[]]>([
    ['the version goes, and other nights', '20261130', ['web:2.0', 'web:2.0-20261129', 'web:1.1-20261130', 'run:nightly-20261129', 'run:20261130 run:latest']],
    ['of a second likewise', '20261130-010203', ['web:2.0', 'web:2.0-20261129', 'web:2.0-20261130', 'web:1.1-20261130', 'run:nightly-20261129', 'run:nightly-20261130', 'run:20261130 run:latest']],
  ])('when a nightly build stays, %s', (_, nightly, names) => {
    const images = ['web:2.0', 'web:2.0-20261129', 'web:2.0-20261130', 'web:1.1-20261130', 'run:nightly-20261129', 'run:nightly-20261130', 'run:20261130 run:latest'].map((one) => had(one));
    expect(going(plan(images, { nightly }))).toEqual(names);
  });
  it('knows the version of a tree that is read for a nightly build', () => {
    const nodes = new Map([...graph.nodes].map(([name, node]) => [name, { ...node, definition: asNightly(node.definition, nightlyAt('nightly', NOW)) }]));
    expect(going(planLocalPrune({ ...graph, nodes }, { images: [had('web:2.0'), had('web:1.0')], containers: [] }, NOTHING_ASKED))).toEqual(['web:1.0']);
  });
});

describe('what runs left on an engine', () => {
  const temporary = (over: boolean) => new Map(['web:untested-r', 'base:run-r', 'outside/x:run-r'].map((name) => [name.startsWith('outside/') ? name : `${REGISTRY}/${name}`, { run: '20261120-2104', over }]));
  const images = [had('web:untested-r'), had('base:run-r base:2.0'), had('outside/x:run-r')];
  it('goes when the run is no more, whatever else the image is called', () => {
    expect(going(plan(images, { temporary: temporary(true) }))).toEqual(['web:untested-r', 'base:run-r', 'outside/x:run-r']);
    expect(whyOf(plan(images, { temporary: temporary(true) }), 'base:run-r')).toEqual(['delete-local leftover', 'keep current']);
  });
  it('goes once, and keeps no old image', () => {
    const steps = plan([had('web:untested-r'), had('web:1.0 web:run-r')], { temporary: new Map(['untested-r', 'run-r'].map((tag) => [`${REGISTRY}/web:${tag}`, { run: '20261120-2104', over: true }])) });
    expect([whyOf(steps, 'web:untested-r'), whyOf(steps, 'web:1.0')]).toEqual([['delete-local leftover'], ['delete-local leftover', 'delete-local not-current']]);
  });
  it('of other images stays when some are selected', () => {
    expect(going(plan(images, { temporary: temporary(true), select: new Set(['web']) }))).toEqual(['web:untested-r']);
  });
  it('stays while the run lives, with the image and all its names', () => {
    const steps = plan([had('web:untested-r web:1.0'), had('base:run-r'), had('outside/x:run-r')], { temporary: temporary(false) });
    expect(going(steps)).toEqual([]);
    expect(whyOf(steps, 'web:untested-r')).toEqual(['keep in-use']);
  });
});

describe('what stays by its age', () => {
  it('is counted from the newest, whatever order they come in', () => {
    const [old, young, middle] = [5, 1, 3].map((days) => ({ days, created: NOW - days * DAY }));
    expect([...keptByAge([old!, young!, middle!], { keep: 2, olderThan: undefined, now: NOW }).keys()]).toEqual([young, middle]);
  });
  it('is what is younger, and not what is just as old', () => {
    const [old, young] = [3, 2.9].map((days) => ({ created: NOW - days * DAY }));
    expect([...keptByAge([old!, young!], { keep: undefined, olderThan: 3 * DAY, now: NOW })]).toEqual([[young, { why: 'too-young', age: 2.9 * DAY }]]);
  });
});
