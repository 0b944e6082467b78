import { describe, expect, it } from '@jest/globals';
import type { Event, Happening } from '../../../src/execute/event.js';
import { createPlainView } from '../../../src/report/plain-lines.js';
import { image, manifest, planFor, provenance, published, REGISTRY, formerly, tree, type Outside } from '../../support/plan-tree.js';

const AT = Date.UTC(2026, 10, 20, 21, 4, 11);
const DIGEST = manifest('pushed');

function view(outside: Outside = {}, verbose = false, graph = tree('base ← web'), request: Parameters<typeof planFor>[2] = {}) {
  const plan = planFor(graph, outside, request);
  const plain = createPlainView(verbose);
  const tell = (happening: Happening): readonly string[] => plain.lines({ at: AT, ...happening } as Event);
  const started = tell({ type: 'run-started', run: '20261120-2104', publishing: plan.publishing, steps: plan.steps });
  const end = (seconds = 52, exit: 0 | 1 | 5 = 0): readonly string[] => {
    expect(tell({ type: 'run-finished', run: '20261120-2104', seconds, exit })).toEqual([]);
    return plain.summary();
  };
  return { started, tell, end };
}

describe('the lines of a run', () => {
  it('begin with what will happen to the outside', () => expect(view().started).toEqual([`21:04:11 publishing to ${REGISTRY}`]));
  it('say at once what is withdrawn, and what it waits for', () => {
    const web = { ...published('web'), latest: image('web 1.1', provenance({ definition: formerly('web'), version: '1.1' })) };
    const { started } = view({ images: { base: published('base'), web }, withdrawn: { web: [{ tag: 'withdrawn-2.0', ...web.version! }] } });
    expect(started[1]).toMatch(/^21:04:11 web kept {6}withdrawn-2\.0 says that it was withdrawn: it waits for a newer changelog version/);
  });
  it('say at once what is blocked, and why', () => {
    const latest = image('newer', provenance({ definition: formerly('web'), version: '3.0' }));
    expect(view({ images: { base: published('base'), web: { ...published('web'), latest } } }).started).toEqual([
      `21:04:11 publishing to ${REGISTRY}`,
      '21:04:11 web blocked   your checkout is older than the registry (:latest is 3.0)',
    ]);
  });
  it.each<[Happening, readonly string[]]>([
    [{ type: 'step-started', image: 'web', action: 'build', reasons: [{ why: 'not-published' }, { why: 'parent-builds', parent: 'base' }] }, ['21:04:11 web  build     not in the registry yet; base is built in this run']],
    [{ type: 'built', image: 'web', seconds: 29, size: 81e6, id: 'sha256:x' }, ['21:04:11 web  built     29s, 81 MB']],
    [{ type: 'tested', image: 'web', seconds: 2 }, ['21:04:11 web  tested    2.0s']],
    [{ type: 'untested', image: 'web', because: 'there is no test.sh' }, []],
    [{ type: 'published', image: 'base', tag: '2.0', digest: DIGEST }, [`21:04:11 base published 2.0 (${DIGEST.slice(0, 19)}…)`]],
    [{ type: 'finished-locally', image: 'base', tag: '2.0', id: 'sha256:x', because: 'not publishing' }, ['21:04:11 base kept here as 2.0 (not publishing)']],
    [
      { type: 'failed', image: 'web', phase: 'build', message: 'RUN false exit 1', detail: ['E: no such package', 'images/web/Dockerfile.template'], log: 'logs/web.log', exit: 1 },
      ['21:04:11 web  FAILED    RUN false exit 1   log: logs/web.log', '               E: no such package', '               images/web/Dockerfile.template'],
    ],
    [{ type: 'failed', image: 'web', phase: 'promote', message: 'moved', detail: [], log: undefined, exit: 1 }, ['21:04:11 web  FAILED    moved']],
    [{ type: 'blocked', image: 'web', by: 'base' }, ['21:04:11 web  blocked   by base']],
    [{ type: 'not-started', image: 'web', because: 'the engine is gone' }, ['21:04:11 web  not done  the engine is gone']],
    [{ type: 'promotion-intended', image: 'web', tag: '2.0', digest: DIGEST, from: undefined }, []],
    [{ type: 'withdrawn', image: 'web', tag: 'withdrawn-1.1', digest: DIGEST }, ['21:04:11 web  withdrawn as withdrawn-1.1']],
    [{ type: 'lifted', image: 'web', tag: 'withdrawn-1.1' }, ['21:04:11 web  lifted    withdrawn-1.1']],
    [{ type: 'promoted', image: 'web', tag: '2.0', digest: DIGEST, from: undefined, was: '1.1' }, ['21:04:11 web  :latest   → 2.0 (was 1.1)']],
    [{ type: 'promoted', image: 'web', tag: '2.0', digest: DIGEST, from: undefined, was: undefined }, ['21:04:11 web  :latest   → 2.0']],
    [{ type: 'put-back', image: 'web', digest: DIGEST, was: '1.1', because: 'base' }, ['21:04:11 web  :latest   put back to 1.1, since that of base could not be moved']],
    [{ type: 'put-back', image: 'web', digest: DIGEST, was: undefined, because: 'base' }, [`21:04:11 web  :latest   put back to ${DIGEST.slice(0, 19)}…, since that of base could not be moved`]],
    [{ type: 'warning', image: undefined, message: 'odd' }, ['21:04:11 odd']],
    [{ type: 'warning', image: 'web', message: 'odd' }, ['21:04:11 web  note      odd']],
  ])('%j', (happening, lines) => expect(view().tell(happening)).toEqual(lines));
  it('say what had no test only when asked', () => {
    expect(view({}, true).tell({ type: 'untested', image: 'web', because: 'there is no test.sh' })).toEqual(['21:04:11 web  untested  there is no test.sh']);
  });
  it('name images without the namespace that all share', () => {
    const { tell } = view({}, false, tree('ns/base ← ns/web'));
    expect(tell({ type: 'blocked', image: 'ns/web', by: 'ns/base' })).toEqual(['21:04:11 web  blocked   by base']);
  });
});

describe('the lines of a run on a terminal', () => {
  const plan = planFor(tree('base ← web'), {});
  const plain = createPlainView(false, { paint: (colour, text) => `<${colour}>${text}</${colour}>`, clean: (line) => line.replaceAll('\u001B', '') });
  plain.lines({ at: AT, type: 'run-started', run: 'r', publishing: plan.publishing, steps: plan.steps });

  it.each<[Happening, readonly string[]]>([
    [{ type: 'failed', image: 'web', phase: 'build', message: 'RUN \u001B[2J', detail: ['\u001B[31mred'], log: 'logs/web.log', exit: 1 }, ['21:04:11 web  <red>FAILED</red>    RUN [2J   log: logs/web.log', '               [31mred']],
    [{ type: 'blocked', image: 'web', by: 'base' }, ['21:04:11 web  <yellow>blocked</yellow>   by base']],
    [{ type: 'not-started', image: 'web', because: 'x' }, ['21:04:11 web  <yellow>not done</yellow>  x']],
    [{ type: 'stopped', message: 'too little', detail: ['try: more'], exit: 4 }, ['21:04:11 <red>stopped</red>: too little; no more builds are started', '         try: more']],
    [{ type: 'warning', image: 'web', message: 'odd' }, ['21:04:11 web  <yellow>note</yellow>      odd']],
    [{ type: 'promoted', image: 'web', tag: '2.0', digest: DIGEST, from: undefined, was: undefined }, ['21:04:11 web  :latest   → 2.0']],
  ])('%j', (happening, lines) => expect(plain.lines({ at: AT, ...happening } as Event)).toEqual(lines));
});

describe('the last line', () => {
  it('says what changed, what did not, and the run', () => {
    const { tell, end } = view({ images: { base: published('base') } }, false, tree('base ← web ← api, base ← tool, base ← late'));
    tell({ type: 'published', image: 'tool', tag: '2.0', digest: DIGEST });
    tell({ type: 'failed', image: 'web', phase: 'build', message: 'x', detail: [], log: undefined, exit: 1 });
    tell({ type: 'blocked', image: 'api', by: 'web' });
    tell({ type: 'not-started', image: 'late', because: 'x' });
    tell({ type: 'promoted', image: 'tool', tag: '2.0', digest: DIGEST, from: DIGEST, was: undefined });
    expect(end(52, 1)).toEqual(['1 published, 1 failed, 1 blocked, 1 not done, 1 kept in 52s.   :latest moved for 1 image.   To undo: build-images rollback 20261120-2104']);
  });
  it('tells what was only kept here, and what was only promoted', () => {
    const kept = view();
    kept.tell({ type: 'finished-locally', image: 'base', tag: '2.0', id: 'x', because: 'y' });
    expect(kept.end()).toEqual(['1 built and kept here in 52s.   run 20261120-2104']);
    const promoted = view();
    promoted.tell({ type: 'promoted', image: 'base', tag: '2.0', digest: DIGEST, from: undefined, was: undefined });
    expect(promoted.end(1)[0]).toBe('1 promoted in 1.0s.   :latest moved for 1 image.   run 20261120-2104');
  });
  it('does not count as kept what nobody asked for', () => {
    const graph = tree('base ← web');
    const selected = view({ images: { base: published('base') } }, false, graph, { select: new Set([...graph.nodes.keys()].slice(0, 1)) });
    expect(selected.end(1)).toEqual(['1 kept, 1 not selected in 1.0s.   run 20261120-2104']);
  });
  it('names a run that ended before its plan was begun', () => {
    const plain = createPlainView(false);
    plain.lines({ at: AT, type: 'run-finished', run: '20261120-2104', seconds: 0, exit: 4 });
    expect(plain.summary()).toEqual(['Nothing was built or changed.   run 20261120-2104']);
  });
  it('says that nothing was changed', () => {
    expect(view().end(1, 5)).toEqual(['Nothing was built or changed.   run 20261120-2104']);
    expect(view({ images: { base: published('base'), web: published('web') } }).end(1)).toEqual(['2 kept in 1.0s.   run 20261120-2104']);
  });
});
