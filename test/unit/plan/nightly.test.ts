import { describe, expect, it } from '@jest/globals';
import { asNightly, nightlyAt } from '../../../src/definition/nightly.js';
import type { Graph } from '../../../src/graph/graph.js';
import { tagOf } from '../../../src/graph/tags.js';
import { planToJson } from '../../../src/plan/step.js';
import { formatPlan } from '../../../src/report/format-plan.js';
import { LABEL } from '../../../src/state/labels.js';
import { actionsOf, image, local, manifest, planFor, provenance, REGISTRY, stepOf, today, tree, whyOf, type Outside } from '../../support/plan-tree.js';

const nightly = nightlyAt('nightly', Date.UTC(2026, 10, 20, 21, 4, 5));

/** The tree with the tags of a nightly build, its Dockerfiles too. */
function atNight(graph: Graph): Graph {
  const nodes = [...graph.nodes].map(([name, node]) => {
    const definition = asNightly(node.definition, nightly);
    return [name, { ...node, definition, ref: { ...node.ref, tag: tagOf(definition) } }] as const;
  });
  const tags = new Map(nodes.map(([name, { ref }]) => [name, ref.tag]));
  const sources = ({ sources: all }: (typeof nodes)[number][1]) => all.map((source) => (source.image === undefined ? source : { ...source, ref: `${REGISTRY}/${source.image}:${tags.get(source.image)!}` }));
  return { ...graph, nodes: new Map(nodes.map(([name, node]) => [name, { ...node, sources: sources(node) }])) };
}

const graph = atNight(tree('base ← web ← api, base ← run', ['run']));
const plan = (outside: Outside = {}, request: Parameters<typeof planFor>[2] = {}) => planFor(graph, outside, { nightly, ...request });
const tonight = (name: string, parents: Record<string, string> = {}) => ({ version: image(`${name} tonight`, provenance({ definition: today(name), version: '2.0-20261120', parents })) });
const NOT_PUBLISHING = { publish: false, to: REGISTRY, why: '--no-publish' } as const;

describe('planBuild, a nightly build', () => {
  it('builds what has no such tag yet, children on their nightly parents, and moves nothing', () => {
    const made = plan();
    expect(made.steps.map(({ tag, action, promotes, publishes, parents }) => [tag, action, promotes, publishes, parents])).toEqual([
      ['2.0-20261120', 'build', false, true, []],
      ['2.0-20261120', 'build', false, true, [`${REGISTRY}/base:2.0-20261120`]],
      ['2.0-20261120', 'build', false, true, [`${REGISTRY}/web:2.0-20261120`]],
      ['nightly-20261120', 'build', false, true, [`${REGISTRY}/base:2.0-20261120`]],
    ]);
    expect(stepOf(made, 'web').reasons).toEqual([{ why: 'nightly', build: 'nightly' }]);
    expect(made.needs).toEqual([]);
  });
  it('keeps what was published the same day', () => {
    const made = plan({ images: { base: tonight('base'), web: tonight('web') } });
    expect(actionsOf(made)).toEqual({ base: 'keep', run: 'build', web: 'keep', api: 'build' });
    expect([whyOf(made, 'web'), stepOf(made, 'web').digest]).toEqual([['published'], manifest('web tonight')]);
  });
  it('claims nothing of one without our labels', () => {
    expect(whyOf(plan({ images: { base: { version: image('whose') } } }), 'base')).toEqual(['origin-unknown']);
  });
  it('of selected images brings the parents that have no such tag along, and no child', () => {
    const made = plan({}, { select: new Set(['web']) });
    expect(actionsOf(made)).toEqual({ base: 'build', run: 'keep', web: 'build', api: 'keep' });
    expect(whyOf(made, 'base')).toEqual(['nightly', 'needed-by']);
    expect(actionsOf(plan({ images: { base: tonight('base') } }, { select: new Set(['web']) }))).toEqual({ base: 'keep', run: 'keep', web: 'build', api: 'keep' });
  });
  it.each<[string, string, string, string]>([
    ['one of this day is taken', `${REGISTRY}/base:2.0-20261120`, '2.0-20261120', 'publish'],
    ['the version is not, though its definition is the same', `${REGISTRY}/base:2.0`, '2.0', 'build'],
    ['the version under its tag is not', `${REGISTRY}/base:2.0-20261120`, '2.0', 'build'],
  ])('of what the engine has, %s', (_, tag, label, action) => {
    const had = local('had', [tag], 'base', today('base'));
    expect(stepOf(plan({ local: [{ ...had, labels: { ...had.labels, [LABEL.version]: label } }] }), 'base').action).toBe(action);
  });
  it('of a rolling image takes what the engine has of this day, and no dated tag', () => {
    const parents = { [`${REGISTRY}/base:2.0-20261120`]: manifest('base tonight') };
    const had = (tag: string) => plan({ images: { base: tonight('base') }, local: [local('had', [`${REGISTRY}/run:${tag}`], 'run', today('run'), parents)] }, { publishing: NOT_PUBLISHING });
    expect(['nightly-20261120', '20261120'].map((tag) => stepOf(had(tag), 'run').action)).toEqual(['keep', 'build']);
  });
  it('says in its first lines that versions and :latest stay, and what to run', () => {
    const lines = formatPlan(plan(), false);
    expect(lines.slice(0, 2)).toEqual([`publishing to ${REGISTRY}`, 'nightly build: tags end in -20261120; versions, dated tags and :latest stay as they are']);
    expect(lines).toContain('  base   –    2.0-20261120      build   a nightly build was asked for');
    expect(lines.at(-1)).toBe('4 to build.   Run build-images --nightly to do it.');
  });
  it('says so in JSON', () => expect(planToJson(plan())).toMatchObject({ nightly: { build: 'nightly', suffix: '20261120' }, steps: [{ ref: `${REGISTRY}/base:2.0-20261120` }, {}, {}, {}] }));
});
