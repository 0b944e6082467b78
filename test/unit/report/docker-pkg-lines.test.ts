import { describe, expect, it } from '@jest/globals';
import type { Event, Happening } from '../../../src/execute/event.js';
import type { Publishing } from '../../../src/plan/step.js';
import { NO_LOGIN } from '../../../src/plan/publishing.js';
import { createDockerPkgView } from '../../../src/report/docker-pkg-lines.js';
import { createLogView } from '../../../src/report/log-lines.js';
import { formerly, image, manifest, planFor, provenance, published, REGISTRY, tree } from '../../support/plan-tree.js';

const DIGEST = manifest('pushed');
const END: Happening = { type: 'run-finished', run: 'r', seconds: 1, exit: 0 };

/** What a run of `base ← web`, both to be built, shows of some events. */
function shown(happenings: readonly Happening[], publishing?: Publishing): readonly string[] {
  const view = createDockerPkgView();
  const plan = planFor(tree('base ← web'), {});
  const all: readonly Happening[] = [{ type: 'run-started', run: 'r', publishing: publishing ?? plan.publishing, steps: plan.steps }, ...happenings];
  return all.flatMap((happening) => view.lines({ at: 0, ...happening } as Event));
}
const [base, web] = planFor(tree('base ← web'), {}).steps.map(({ ref }) => ref) as [string, string];
const HEAD = ['Will build the following images:', `* ${base}`, `* ${web}`, '== Step 1: building images =='];
const done = (image: string): readonly Happening[] => [
  { type: 'built', image, seconds: 1, size: 1, id: 'x' },
  { type: 'tested', image, seconds: 1 },
  { type: 'published', image, tag: '1', digest: DIGEST },
];
const failed = (image: string, phase: 'build' | 'test' | 'publish' | 'promote'): Happening => ({ type: 'failed', image, phase, message: 'no', detail: [], log: undefined, exit: 1 });
const notBuilt = (ref: string): string => ` ERROR: image ${ref.replace(/:[^:/]*$/, '')} failed to build, see logs for details`;

describe("a run in docker-pkg's lines", () => {
  it('has its steps in order, though each image is published as soon as it is tested', () => {
    expect(shown([...done('base'), ...done('web'), END])).toEqual([
      ...HEAD,
      `* Built image ${base}`,
      `* Built image ${web}`,
      '== Step 2: publishing ==',
      `Successfully published image ${base}`,
      `Successfully published image ${web}`,
      '== Build done! ==',
    ]);
  });
  it('tells of an image when its test has passed, and no sooner', () => {
    expect(shown([{ type: 'built', image: 'base', seconds: 1, size: 1, id: 'x' }])).toEqual(HEAD);
    expect(shown([{ type: 'untested', image: 'base', because: 'there is no test.sh' }])).toEqual([...HEAD, `* Built image ${base}`]);
  });
  it.each<[string, Happening, string]>([
    ['a failed build', failed('base', 'build'), notBuilt(base)],
    ['a failed test', failed('base', 'test'), notBuilt(base)],
    ['an image that stands on one', { type: 'blocked', image: 'web', by: 'base' }, notBuilt(web)],
    ['an image that was not begun', { type: 'not-started', image: 'web', because: 'the engine is gone' }, notBuilt(web)],
  ])('%s is said at once', (_, happening, line) => expect(shown([happening])).toEqual([...HEAD, line]));
  it.each<[string, Happening, string]>([
    ['a push that fails', failed('web', 'publish'), ` ERROR: image ${REGISTRY}/web failed to publish, see logs for details`],
    ['a :latest that cannot be moved', failed('web', 'promote'), ` ERROR: :latest of image ${REGISTRY}/web failed to move, see logs for details`],
    ['an image that may not be published', { type: 'finished-locally', image: 'web', tag: '1', id: 'x', because: 'it is for another platform' }, `NOT publishing image ${web}: it is for another platform`],
  ])('%s is said below the publishing', (_, happening, line) => {
    expect(shown([happening, END])).toEqual([...HEAD, '== Step 2: publishing ==', line, '== Build done! ==']);
  });
  it.each<[string, readonly Happening[], string]>([
    ['is published', done('web').slice(1), `Successfully published image ${web}`],
    ['is not begun', [{ type: 'not-started', image: 'web', because: 'interrupted' }], ` ERROR: image ${REGISTRY}/web failed to publish, see logs for details`],
  ])('what an earlier run built is not built: it %s', (_, happenings, line) => {
    const view = createDockerPkgView();
    const plan = planFor(tree('web'), {});
    const steps = plan.steps.map((step) => ({ ...step, action: 'publish' as const }));
    const all: readonly Happening[] = [{ type: 'run-started', run: 'r', publishing: plan.publishing, steps }, ...happenings, END];
    expect(all.flatMap((happening) => view.lines({ at: 0, ...happening } as Event))).toEqual(['Will build the following images:', '== Step 1: building images ==', '== Step 2: publishing ==', line, '== Build done! ==']);
  });
  it.each([
    [`${NO_LOGIN}config.yaml`, 'NOT publishing images as we have no auth setup'],
    ['publish: false in config.yaml', 'NOT publishing images: publish: false in config.yaml'],
  ])('without publishing says so: %s', (why, line) => {
    const kept: Happening = { type: 'finished-locally', image: 'base', tag: '1', id: 'x', because: 'not publishing' };
    expect(shown([kept, END], { publish: false, to: REGISTRY, why })).toEqual([...HEAD, '== Step 2: publishing ==', line, '== Build done! ==']);
  });
  it.each<[0 | 1 | 5 | 143, boolean]>([
    [0, true],
    [1, true],
    [5, false],
    [143, false],
  ])('that ends with %j is done: %j', (exit, isDone) => expect(shown([{ ...END, exit } as Happening]).includes('== Build done! ==')).toBe(isDone));
  it('that ended before its plan was begun shows no step', () => {
    expect(createDockerPkgView().lines({ at: 0, ...END } as Event)).toEqual([]);
  });
  it('with nothing to do has all its headings', () => {
    const plan = planFor(tree('base ← web'), { images: { base: published('base'), web: published('web') } });
    expect(createDockerPkgView().nothingToDo(plan)).toEqual(['Will build the following images:', '== Step 1: building images ==', '== Step 2: publishing ==', '== Build done! ==']);
  });
});

describe('the log of a run', () => {
  const log = (happening: Happening) => createLogView().lines({ at: 0, ...happening } as Event);
  it.each<[Happening, string, string]>([
    [{ type: 'published', image: 'web', tag: '2.0', digest: DIGEST }, 'INFO', 'published 2.0'],
    [{ type: 'blocked', image: 'web', by: 'base' }, 'WARNING', 'by base'],
    [{ type: 'not-started', image: 'web', because: 'the engine is gone' }, 'WARNING', 'the engine is gone'],
    [{ type: 'warning', image: 'web', message: 'odd' }, 'WARNING', 'odd'],
    [{ type: 'put-back', image: 'web', digest: DIGEST, was: '1.1', because: 'base' }, 'WARNING', 'put back to 1.1'],
    [failed('web', 'build'), 'ERROR', 'FAILED'],
    [{ type: 'stopped', message: 'the engine is gone', detail: [], exit: 4 }, 'ERROR', 'the engine is gone'],
    [{ type: 'untested', image: 'web', because: 'there is no test.sh' }, 'DEBUG', 'there is no test.sh'],
    [END, 'INFO', 'nothing to do'],
  ])('%j is %s', (happening, level, text) => expect(log(happening)).toEqual([{ level, text: expect.stringContaining(text) }]));
  it('warns of what is blocked from the start', () => {
    const latest = image('newer', provenance({ definition: formerly('web'), version: '3.0' }));
    const plan = planFor(tree('base ← web'), { images: { base: published('base'), web: { ...published('web'), latest } } });
    const older = { level: 'WARNING', text: expect.stringContaining('your checkout is older than the registry') };
    expect(log({ type: 'run-started', run: 'r', publishing: plan.publishing, steps: plan.steps })).toEqual([{ level: 'INFO', text: `publishing to ${REGISTRY}` }, older]);
    expect(createLogView().plan(plan)).toEqual([{ level: 'INFO', text: `publishing to ${REGISTRY}` }, { level: 'INFO', text: 'Nothing to do: 1 up to date.' }, older]);
  });
});
