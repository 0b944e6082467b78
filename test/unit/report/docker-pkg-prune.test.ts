import { describe, expect, it } from '@jest/globals';
import type { Event, Happening } from '../../../src/execute/event.js';
import type { PrunePlan, PruneStep } from '../../../src/plan/prune.js';
import type { Reason } from '../../../src/plan/reason.js';
import { createDockerPkgPruneView } from '../../../src/report/docker-pkg-prune.js';
import { createLogView } from '../../../src/report/log-lines.js';

const REFS = new Map([['web', 'r/web:2'], ['base', 'r/base:1']]);
const step = (image: string, reason: Reason, action: PruneStep['action'] = 'keep'): PruneStep => ({ image, action, id: 'sha256:x', refs: [`r/${image}:0`], created: undefined, reasons: [reason] });
const started = (...steps: readonly PruneStep[]): Happening => ({ type: 'prune-started', run: 'r', plan: { of: 'this engine', where: 'engine', steps } satisfies PrunePlan });
const shown = (...happenings: readonly Happening[]): readonly string[] => {
  const view = createDockerPkgPruneView(REFS);
  return happenings.flatMap((happening) => view.lines({ at: 0, ...happening } as Event));
};
const END: Happening = { type: 'run-finished', run: 'r', seconds: 1, exit: 0 };
const [WEB, BASE] = ['* Pruning old versions of r/web:2', '* Pruning old versions of r/base:1'];
const IN_USE = step('web', { why: 'in-use', by: 'container c' });
const GONE = { id: 'sha256:x', refs: ['r/web:0'] };

describe("a pruning in docker-pkg's lines", () => {
  it('begins with what stays of every image', () => expect(createDockerPkgPruneView(REFS).begin()).toEqual(['Will prune old versions of the following images:', '* r/web:2', '* r/base:1', '== Step 1: pruning images']));
  it.each<[string, readonly Happening[], readonly string[]]>([
    ['names each image, whatever went of it', [started(step('web', { why: 'not-current' }, 'delete-local')), { type: 'deleted', image: 'web', ...GONE }], [WEB, BASE]],
    ['says what is used', [started(IN_USE)], [WEB, '* Errors pruning old images for r/web:2', BASE]],
    ['says what came to be used', [{ type: 'kept', image: 'web', ...GONE, because: 'a container' }], [WEB, '* Errors pruning old images for r/web:2', BASE]],
    ['says what could not be done', [{ type: 'failed', image: 'base', phase: 'delete', message: 'no', detail: [], log: undefined, exit: 1 }], [WEB, BASE, '* Errors pruning old images for r/base:1']],
    ['says what was not begun', [{ type: 'not-started', image: 'base', because: 'interrupted' }], [WEB, BASE, '* Errors pruning old images for r/base:1']],
  ])('%s', (_, happenings, lines) => {
    expect(shown(...happenings)).toEqual([]);
    expect(shown(...happenings, END)).toEqual(lines);
  });
  it('has the same lines where nothing goes', () => expect(createDockerPkgPruneView(REFS).nothingToDo([IN_USE])).toEqual([WEB, '* Errors pruning old images for r/web:2', BASE]));
  it('warns in its log of what is used', () => {
    const log = createLogView().lines({ at: 0, ...started(IN_USE) } as Event);
    expect(log.map(({ level }) => level)).toEqual(['INFO', 'WARNING']);
    expect(log[1]!.text).toContain('container c');
  });
});
