import { describe, expect, it } from '@jest/globals';
import { descendantsOf, isVersioned, orderGraph, parentRefs } from '../../../src/graph/graph.js';
import { nodeOf, REGISTRY, tree } from '../../support/plan-tree.js';

const order = (...nodes: readonly [string, ...string[]][]) => orderGraph(nodes.map(([name, ...parents]) => nodeOf(name, parents)));
const cycle = (...nodes: readonly [string, ...string[]][]) => order(...nodes).problems.map(({ path, message }) => `${path}: ${message}`);

describe('orderGraph', () => {
  it('puts parents first, and else orders by name, whatever order they came in', () => {
    const nodes = [nodeOf('b', []), nodeOf('a', ['z']), nodeOf('z', []), nodeOf('c', ['a', 'b'])];
    for (const given of [nodes, [...nodes].reverse()]) expect([...orderGraph(given).graph.nodes.keys()]).toEqual(['z', 'a', 'b', 'c']);
  });
  it('knows the children of each', () => {
    expect(Object.fromEntries(tree('base ← web ← api, base ← tool').children)).toEqual({ base: ['web', 'tool'], tool: [], web: ['api'], api: [] });
  });
  it.each([
    ['two that need each other', cycle(['a', 'b'], ['b', 'a']), ['images/a: stands on itself: a → b → a (each needs the next)']],
    ['a longer way round, begun at the first by name', cycle(['c', 'a'], ['a', 'b'], ['b', 'c']), ['images/a: stands on itself: a → b → c → a (each needs the next)']],
    ['the shortest way round', cycle(['a', 'b'], ['b', 'c', 'a'], ['c', 'd'], ['d', 'a']), ['images/a: stands on itself: a → b → a (each needs the next)']],
    ['each of two', cycle(['a', 'b'], ['b', 'a'], ['x', 'y'], ['y', 'x']), ['images/a: stands on itself: a → b → a (each needs the next)', 'images/x: stands on itself: x → y → x (each needs the next)']],
    ['not those above and below it', cycle(['top'], ['a', 'b', 'top'], ['b', 'a'], ['under', 'b']), ['images/a: stands on itself: a → b → a (each needs the next)']],
  ])('a cycle is a problem that names its members: %s', (_, problems, expected) => expect([...problems].sort()).toEqual(expected));
  it('stands a chain of ten thousand', () => {
    const nodes = Array.from({ length: 10_000 }, (_, at) => nodeOf(`n${String(at).padStart(5, '0')}`, at === 9_999 ? [] : [`n${String(at + 1).padStart(5, '0')}`]));
    const { graph, problems } = orderGraph(nodes);
    expect(problems).toEqual([]);
    expect([...graph.nodes.keys()].at(0)).toBe('n09999');
  });
  it('takes names that JavaScript gives its objects for names', () => {
    expect([...order(['constructor', '__proto__'], ['__proto__']).graph.nodes.keys()]).toEqual(['__proto__', 'constructor']);
  });
});

describe('what a graph tells', () => {
  const graph = tree('base ← web ← api, base ← tool, other', ['other']);
  it('all that stands on some images, directly or not, without them', () => {
    expect([...descendantsOf(graph, ['base'])].sort()).toEqual(['api', 'tool', 'web']);
    expect([...descendantsOf(graph, ['web', 'other'])]).toEqual(['api']);
    expect([...descendantsOf(graph, [])]).toEqual([]);
  });
  it('each once, however many ways lead to it', () => {
    const layers = Array.from({ length: 40 }, (_, at) => [`a${at}`, `b${at}`]);
    const ladder = orderGraph(layers.flatMap(([a, b], at) => [a!, b!].map((name) => nodeOf(name, layers[at - 1] ?? [])))).graph;
    expect(descendantsOf(ladder, ['a0']).size).toBe(78);
  });
  it('whether an image is versioned', () => {
    expect(isVersioned(graph.nodes.get('base')!)).toBe(true);
    expect(isVersioned(graph.nodes.get('other')!)).toBe(false);
  });
  it('what an image stands on: the tree\'s first, then outside images', () => {
    const mixed = orderGraph([nodeOf('base', []), nodeOf('web', ['outside/debian:12', 'base'])]).graph;
    expect(parentRefs(mixed, mixed.nodes.get('web')!)).toEqual([`${REGISTRY}/base:2.0`, 'outside/debian:12']);
  });
});
