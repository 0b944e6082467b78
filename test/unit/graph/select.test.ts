import { describe, expect, it } from '@jest/globals';
import { findImages, selectImages } from '../../../src/graph/select.js';
import { tree } from '../../support/plan-tree.js';

const graph = tree('base ← web, base ← web-tool, run', ['run']);

describe('selectImages', () => {
  it.each([
    ['a glob over the whole reference', ['*web*'], ['web', 'web-tool'], []],
    ['the tag is part of it', ['*/web:2.0'], ['web'], []],
    ['a name alone matches nothing', ['web'], [], ['web']],
    ['several globs, what matches nothing said', ['*/run:latest', '*nothing*', '*/base:*'], ['run', 'base'], ['*nothing*']],
    ['none', [], [], []],
  ])('%s', (_, globs, images, missed) => {
    const found = selectImages(graph, globs);
    expect([[...found.images].sort(), found.missed]).toEqual([[...images].sort(), missed]);
  });
});

describe('findImages', () => {
  const spaced = { ...graph, nodes: new Map([...graph.nodes].map(([name, node]) => [`ns/${name}`, { ...node, definition: { ...node.definition, image: `ns/${name}`, repository: `ns/${name}` }, ref: { ...node.ref, repository: `ns/${name}` } }])) };
  it.each(['web', 'ns/web', 'registry.example.org/ns/web', 'registry.example.org/ns/web:2.0'])('by %s', (named) => expect(findImages(spaced, named)).toEqual(['ns/web']));
  it.each(['we', 'web:2.0', 'registry.example.org/ns/web:1.0', ''])('"%s" is none', (named) => expect(findImages(spaced, named)).toEqual([]));
});
