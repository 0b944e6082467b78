import { describe, expect, it } from '@jest/globals';
import type { PrunePlan, PruneStep } from '../../../src/plan/prune.js';
import { formatPrunePlan } from '../../../src/report/format-prune.js';
import { createPlainView } from '../../../src/report/plain-lines.js';
import { manifest } from '../../support/plan-tree.js';

const of = (tags: readonly string[], action: PruneStep['action'], reason: PruneStep['reasons'][number]): PruneStep => ({ image: 'ns/web', action, id: manifest('a'), refs: tags.map((tag) => `r.example.org:5000/ns/web:${tag}`), created: Date.UTC(2026, 10, 20), reasons: [reason] });
const steps = [of(['2.0', 'latest'], 'keep', { why: 'current', tag: '2.0' }), of(['1.0', '1.0-20261120'], 'delete-local', { why: 'not-current' }), of(['0.9'], 'keep', { why: 'in-use', by: 'container shop' }), { ...of([], 'delete-local', { why: 'not-current' }), created: undefined, refs: ['r.example.org:5000/ns/web@sha256:a'] }];
const PLAN: PrunePlan = { where: 'engine', of: 'this engine', steps };

describe('a plan of prune', () => {
  it('shows what goes, and what stays though one might wonder; counts the rest', () => {
    expect(formatPrunePlan(PLAN, false)).toEqual([
      'pruning this engine',
      '',
      '  image  tags                  made        action  why',
      '  web    1.0, 1.0-20261120     2026-11-20  delete  not the current one',
      '  web    0.9                   2026-11-20  keep    container shop uses it',
      `  web    ${manifest('a').slice(0, 19)}…  –           delete  not the current one`,
      '',
      '2 to delete, with 3 names of 1 image, 2 kept (1 not shown; --verbose shows them).',
    ]);
  });
  it('shows everything when asked', () => {
    expect(formatPrunePlan(PLAN, true)).toContain('  web    2.0, latest           2026-11-20  keep    the current one (2.0)');
    expect(formatPrunePlan(PLAN, true).at(-1)).toBe('2 to delete, with 3 names of 1 image, 2 kept.');
  });
  it('of a registry says that it cannot be undone', () => {
    expect(formatPrunePlan({ where: 'registry', of: 'r.example.org', steps: steps.slice(0, 1) }, false)).toEqual(['pruning r.example.org: what is deleted there cannot be brought back', '', 'Nothing to delete: 1 kept.']);
  });
});

describe('a run of prune, as plain lines', () => {
  const AT = Date.UTC(2026, 10, 20, 21, 4, 11);
  const view = createPlainView(false);
  const told = (event: Parameters<typeof view.lines>[0]) => view.lines(event);
  it('says first what stays though one might wonder, then what went and what did not, and how many', () => {
    const [, gone] = steps;
    const { image, id, refs } = gone!;
    expect(told({ at: AT, type: 'prune-started', run: 'r', plan: PLAN })).toEqual(['21:04:11 pruning this engine', '21:04:11 web kept      0.9: container shop uses it']);
    expect(told({ at: AT, type: 'deleted', image, id, refs })).toEqual(['21:04:11 web deleted   1.0, 1.0-20261120']);
    expect(told({ at: AT, type: 'kept', image, id, refs: ['r.example.org/ns/web:0.8'], because: 'it is another image by now' })).toEqual(['21:04:11 web kept      0.8: it is another image by now']);
    told({ at: AT, type: 'run-finished', run: 'r', seconds: 1, exit: 0 });
    expect(view.summary()).toEqual(['2 names deleted, 1 name left in 1.0s.   run r']);
  });
});
