import { describe, expect, it } from '@jest/globals';
import type { Graph } from '../../../src/graph/graph.js';
import { formatPublishing, isPublished } from '../../../src/plan/publishing.js';
import type { RunPublishing } from '../../../src/plan/step.js';
import { formatPlan } from '../../../src/report/format-plan.js';
import { createPlainView } from '../../../src/report/plain-lines.js';
import { image, local, planFor, provenance, published, REGISTRY, stepOf, today, tree, whyOf, type Outside } from '../../support/plan-tree.js';

/** The images of these names are of tree `a`, the others of tree `b`. */
function inTrees(graph: Graph, ofA: readonly string[]): Graph {
  return { ...graph, nodes: new Map([...graph.nodes].map(([name, node]) => [name, { ...node, tree: { ...node.tree, name: ofA.includes(name) ? 'a' : 'b' } }])) };
}

const yes = (name: string): { tree: string; publish: true; to: string; as: undefined } => ({ tree: name, publish: true, to: `${REGISTRY}/${name}`, as: undefined });
const no = (name: string): { tree: string; publish: false; to: string; why: string } => ({ tree: name, publish: false, to: `${REGISTRY}/${name}`, why: `publish: false in ${name}.yaml` });
const graph = inTrees(tree('base ← web ← api, tool'), ['base']);
const plan = (publishing: RunPublishing, outside: Outside = {}) => planFor(graph, outside, { publishing });
const publishes = (publishing: RunPublishing, outside: Outside = {}): readonly string[] => plan(publishing, outside).steps.filter((step) => step.publishes).map((step) => step.image);

describe('planBuild of several trees', () => {
  it.each<[string, RunPublishing, readonly string[]]>([
    ['both publish', [yes('a'), yes('b')], ['base', 'web', 'api', 'tool']],
    ['none publishes', [no('a'), no('b')], []],
    ['only the parents publish', [yes('a'), no('b')], ['base']],
    ['only the children publish: what stands on an image that stays, stays', [no('a'), yes('b')], ['tool']],
  ])('%s', (_, publishing, images) => expect([...publishes(publishing)].sort()).toEqual([...images].sort()));

  it('says why an image stays whose tree publishes, and its descendants with it', () => {
    const made = plan([no('a'), yes('b')]);
    expect(stepOf(made, 'web')).toMatchObject({ action: 'build', promotes: false, reasons: [{ why: 'not-published' }, { why: 'parent-stays', parent: 'base' }] });
    expect(stepOf(made, 'api')).toMatchObject({ reasons: [{ why: 'not-published' }, { why: 'parent-stays', parent: 'web' }] });
    expect([whyOf(made, 'base'), whyOf(made, 'tool')]).toEqual([['not-published'], ['not-published']]);
  });

  it('publishes the children of an image that is in the registry, whatever its tree does now', () => {
    expect(publishes([no('a'), yes('b')], { images: { base: published('base') } })).toEqual(['tool', 'web', 'api'].sort((a, b) => [...graph.nodes.keys()].indexOf(a) - [...graph.nodes.keys()].indexOf(b)));
  });

  it('keeps what was built here on an image that stays, and publishes none of it', () => {
    const base = local('b', [`${REGISTRY}/base:2.0`], 'base', today('base'));
    const web = local('w', [`${REGISTRY}/web:2.0`], 'web', today('web'), { [`${REGISTRY}/base:2.0`]: 'id:sha256:b' });
    const made = plan([no('a'), yes('b')], { local: [base, web] });
    expect(stepOf(made, 'web')).toMatchObject({ action: 'keep', localId: 'sha256:w', reasons: [{ why: 'built-locally' }, { why: 'parent-stays', parent: 'base' }] });
    expect(stepOf(made, 'api')).toMatchObject({ action: 'build', publishes: false });
  });

  it('asks the git of the tree that an image is of', () => {
    const rolling = inTrees(tree('one, two', ['one', 'two']), ['one']);
    const newer = { latest: image('newer', provenance({ definition: today('else'), revision: 'abcdef0' })) };
    expect(planFor(rolling, { images: { one: newer, two: newer } }, { publishing: [yes('a'), yes('b')] }).needs.filter(({ need }) => need === 'ancestry')).toEqual([{ need: 'ancestry', revision: 'abcdef0', tree: 'a' }, { need: 'ancestry', revision: 'abcdef0', tree: 'b' }]);
  });
});

describe('what several trees publish', () => {
  it.each<[string, RunPublishing, readonly string[]]>([
    ['one line for each registry and namespace', [yes('a'), { ...yes('b'), as: 'me' }], [`publishing to ${REGISTRY}/a`, `publishing to ${REGISTRY}/b as me`]],
    ['one line where they are the same', [yes('a'), { ...yes('a'), tree: 'b' }], [`publishing to ${REGISTRY}/a`]],
    ['where nothing goes is named, too', [yes('a'), no('b')], [`publishing to ${REGISTRY}/a`, `not publishing to ${REGISTRY}/b: publish: false in b.yaml`]],
  ])('%s', (_, publishing, lines) => {
    expect(formatPublishing(publishing)).toEqual(lines);
    expect(formatPlan(plan(publishing), false).slice(0, lines.length)).toEqual(lines);
    expect(createPlainView(false).lines({ at: 0, type: 'run-started', run: 'x', publishing, steps: [] })).toEqual(lines.map((line) => `00:00:00 ${line}`));
  });

  it('is asked tree by tree; what a tree alone does is so of any', () => {
    expect([isPublished([yes('a'), no('b')], 'a'), isPublished([yes('a'), no('b')], 'b'), isPublished([yes('a')], 'c'), isPublished({ publish: true, to: 'x', as: undefined }, 'any')]).toEqual([true, false, false, true]);
  });
});
