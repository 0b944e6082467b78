import { describe, expect, it } from '@jest/globals';
import { withVersions } from '../../../src/plan/bumped-graph.js';
import { published, rolled, stateFor, tree } from '../../support/plan-tree.js';

describe('a graph as it will be when entries are written', () => {
  const before = tree('base ← web ← api', ['base']);
  const found = stateFor(before, { images: { base: rolled('base'), web: published('web'), api: published('api') } });
  const { graph, state } = withVersions(before, found, new Map([['web', '2.0-s1'], ['api', '2.0'], ['base', '1']]));

  it('has the new version, which is not published, above the old ones', () => {
    const { ref, definition } = graph.nodes.get('web')!;
    expect([ref.tag, definition.tagSource, state.images.get('web')]).toEqual(['2.0-s1', { source: 'changelog', version: '2.0-s1', older: ['2.0', '1.1', '1.0'] }, { version: undefined, latest: published('web').latest }]);
  });
  it.each(['api', 'base'])('is as it was where nothing is new, or there is no version: %s', (name) => {
    expect([graph.nodes.get(name), state.images.get(name)]).toEqual([before.nodes.get(name), found.images.get(name)]);
  });
  it('keeps its order and edges', () => {
    expect([[...graph.nodes.keys()], graph.children]).toEqual([[...before.nodes.keys()], before.children]);
  });
});
