import { describe, expect, it } from '@jest/globals';
import type { Graph } from '../../../src/graph/graph.js';
import { ownersOf, rebuildsFor } from '../../../src/plan/owners.js';
import type { UpgradesRead } from '../../../src/state/image-upgrades.js';
import { EXPIRED, imageHolding, readHolding, treeOnOutside as tree, type Held } from '../../support/upgrades-in-memory.js';

/** `image package owner` of every upgrade. */
function owners(graph: Graph, read: UpgradesRead): readonly string[] {
  return [...ownersOf(graph, read)].flatMap(([image, upgrades]) => upgrades.map(({ package: name, owner }) => `${image} ${name} ${'image' in owner ? owner.image : owner.outside}`));
}

const from = (graph: Graph, image: string, base: string | undefined): Graph => ({ ...graph, nodes: new Map(graph.nodes).set(image, { ...graph.nodes.get(image)!, base }) });

describe('the owner of an upgrade', () => {
  it.each<readonly [string, string, Readonly<Record<string, Held>>, readonly string[]]>([
    ['of a package that no parent has is the image', 'base ← web', { base: {}, web: { ssl: '1 → 2' } }, ['web ssl web']],
    ['of what the parent has at the same version is the parent', 'base ← web', { base: { ssl: '1 → 2' }, web: { ssl: '1 → 2' } }, ['base ssl base', 'web ssl base']],
    ['is the topmost ancestor', 'base ← python ← web', { base: { ssl: '1 → 2' }, python: { ssl: '1 → 2' }, web: { ssl: '1 → 2' } }, ['base ssl base', 'python ssl base', 'web ssl base']],
    ['is the topmost one that has the package, not the topmost one', 'base ← python ← web', { base: {}, python: { ssl: '1 → 2' }, web: { ssl: '1 → 2' } }, ['python ssl python', 'web ssl python']],
    ['is told of each package by itself', 'base ← web', { base: { ssl: '1 → 2', tar: '5' }, web: { ssl: '1 → 2', tar: '5', php: '8 → 9' } }, ['base ssl base', 'web ssl base', 'web php web']],
    ['of what the parent has as new already is the image: a build on it brings it', 'base ← web', { base: { ssl: '2' }, web: { ssl: '1 → 2' } }, ['web ssl web']],
    ['of what the parent has newer than the candidate is the image', 'base ← web', { base: { ssl: '3' }, web: { ssl: '1 → 2' } }, ['web ssl web']],
    ['of what the parent has newer, and will have as new as the candidate, is the parent', 'base ← web', { base: { ssl: '2 → 3' }, web: { ssl: '1 → 3' } }, ['base ssl base', 'web ssl base']],
    ['of what the parent has newer, but not as new, is the image', 'base ← web', { base: { ssl: '2' }, web: { ssl: '1 → 3' } }, ['web ssl web']],
    ['of what the image has newer than its parent is the image: it brought it itself', 'base ← web', { base: { ssl: '1 → 3' }, web: { ssl: '2 → 3' } }, ['base ssl base', 'web ssl web']],
    ['of what the parent\'s sources do not offer is the image', 'base ← web', { base: { ssl: '1' }, web: { ssl: '1 → 2' } }, ['web ssl web']],
    ['of what the parent\'s sources offer less new is the image', 'base ← web', { base: { ssl: '1 → 2' }, web: { ssl: '1 → 3~bpo' } }, ['base ssl base', 'web ssl web']],
    ['of what the parent\'s sources offer newer is the parent', 'base ← web', { base: { ssl: '1 → 3' }, web: { ssl: '1 → 2' } }, ['base ssl base', 'web ssl base']],
    ['of what is held in the parent alone is the image', 'base ← web', { base: { ssl: '1 → 2 held' }, web: { ssl: '1 → 2' } }, ['base ssl base', 'web ssl web']],
    ['of what is held in both is the parent', 'base ← web', { base: { ssl: '1 → 2 held' }, web: { ssl: '1 → 2 held' } }, ['base ssl base', 'web ssl base']],
    ['of what is held in the child alone is the parent', 'base ← web', { base: { ssl: '1 → 2' }, web: { ssl: '1 → 2 held' } }, ['base ssl base', 'web ssl base']],
    ['below an image that brought it itself is that image', 'base ← python ← web', { base: { ssl: '1 → 3' }, python: { ssl: '2 → 3' }, web: { ssl: '2 → 3' } }, ['base ssl base', 'python ssl python', 'web ssl python']],
    ['whose parent is not published is the image', 'base ← web', { web: { ssl: '1 → 2' } }, ['web ssl web']],
    ['of what the outside image has at the same version is that', 'outside/debian:12 ← web', { 'outside/debian:12': { ssl: '1' }, web: { ssl: '1 → 2' } }, ['web ssl outside/debian:12']],
    ['of what the outside image has as new by now is the image', 'outside/debian:12 ← web', { 'outside/debian:12': { ssl: '2' }, web: { ssl: '1 → 2' } }, ['web ssl web']],
    ['of what the outside image has newer, but not as new, is the outside image', 'outside/debian:12 ← web', { 'outside/debian:12': { ssl: '2' }, web: { ssl: '1 → 3' } }, ['web ssl outside/debian:12']],
    ['of what the outside image has older is the image', 'outside/debian:12 ← web', { 'outside/debian:12': { ssl: '1' }, web: { ssl: '2 → 3' } }, ['web ssl web']],
    ['of what the outside image lacks is the image', 'outside/debian:12 ← web', { 'outside/debian:12': {}, web: { ssl: '1 → 2' } }, ['web ssl web']],
    ['that the parent has from an outside image is the outside image', 'outside/debian:12 ← base ← web', { 'outside/debian:12': { ssl: '1' }, base: { ssl: '1 → 2' }, web: { ssl: '1 → 2' } }, ['base ssl outside/debian:12', 'web ssl outside/debian:12']],
    ['is looked for where the final stage is from, not where files are copied from', 'base ← web, tool ← web', { base: { ssl: '1 → 2' }, tool: { php: '8 → 9' }, web: { ssl: '1 → 2', php: '8 → 9' } }, ['base ssl base', 'tool php tool', 'web ssl base', 'web php web']],
  ])('%s', (_, text, held, expected) => {
    const graph = tree(text);
    expect([...owners(graph, readHolding(held))].sort()).toEqual([...expected].sort());
  });

  it.each([
    ['of what an outside image has is the image, if that upgrades all packages', 'RUN apt-get -y upgrade', 'web', 'web'],
    ['of what an outside image has is the image, if that installs it by name', 'RUN apt-get install -y ssl', 'web', 'web'],
    ['of what an outside image has stays that, whatever else the image installs', 'RUN apt-get install -y php', 'outside/debian:12', 'outside/debian:12'],
  ])('%s; and so of all that stands on it', (_, run, owner, below) => {
    const graph = tree('outside/debian:12 ← web ← api');
    const web = { ...graph.nodes.get('web')!, dockerfile: `FROM outside/debian:12\n${run}\n` };
    const read = readHolding({ 'outside/debian:12': { ssl: '1' }, web: { ssl: '1 → 2' }, api: { ssl: '1 → 2' } });
    expect(owners({ ...graph, nodes: new Map(graph.nodes).set('web', web) }, read)).toEqual([`web ssl ${owner}`, `api ssl ${below}`]);
  });
  it('of what a parent in the tree brings is the parent, though the image would bring it, too', () => {
    const graph = tree('base ← web');
    const web = { ...graph.nodes.get('web')!, dockerfile: 'FROM base\nRUN apt-get upgrade\n' };
    expect(owners({ ...graph, nodes: new Map(graph.nodes).set('web', web) }, readHolding({ base: { ssl: '1 → 2' }, web: { ssl: '1 → 2' } }))).toEqual(['base ssl base', 'web ssl base']);
  });
  it('of an image that is FROM scratch is what it copied the package from', () => {
    const graph = from(tree('base ← web, tool ← web'), 'web', undefined);
    expect(owners(graph, readHolding({ base: { ssl: '1 → 2' }, tool: { php: '8 → 9' }, web: { php: '8 → 9', tar: '1 → 2' } })).slice(2)).toEqual(['web php tool', 'web tar web']);
  });
  it('of another architecture\'s package is told from that of the same name', () => {
    const read = readHolding({ base: { ssl: '1 → 2' }, web: { ssl: '1 → 2' } });
    const { upgrades, ...web } = read.images.get('web')!;
    const i386 = upgrades.map((upgrade) => ({ ...upgrade, arch: 'i386' }));
    expect(owners(tree('base ← web'), { ...read, images: new Map(read.images).set('web', { ...web, upgrades: i386 }) })).toEqual(['base ssl base', 'web ssl web']);
  });
  it('of a package that the parent will have newer for another architecture alone is the image', () => {
    const read = readHolding({ base: { ssl: '1 → 2' }, web: { ssl: '1 → 2' } });
    const [base, { upgrades, ...web }] = [read.images.get('base')!, read.images.get('web')!];
    const images = new Map(read.images)
      .set('base', { ...base, installed: new Map(base.installed).set('ssl:i386', '1') })
      .set('web', { ...web, upgrades: upgrades.map((upgrade) => ({ ...upgrade, arch: 'i386' })) });
    expect(owners(tree('base ← web'), { ...read, images })).toEqual(['base ssl base', 'web ssl web']);
  });
  it('on an outside image that cannot be read is that: nothing is rebuilt for what nobody knows', () => {
    const read = { images: readHolding({ web: { ssl: '1 → 2' } }).images, outside: new Map([['outside/debian:12', imageHolding('debian', {}, [EXPIRED])]]) };
    expect(owners(tree('outside/debian:12 ← web'), read)).toEqual(['web ssl outside/debian:12']);
  });
  it('is there for every image that was read, also where it has nothing to own', () => {
    expect([...ownersOf(tree('base ← web'), readHolding({ base: {} })).entries()]).toEqual([['base', []]]);
  });
});

describe('the rebuilds for some upgrades', () => {
  const rebuilds = (text: string, held: Readonly<Record<string, Held>>): string => {
    const graph = tree(text);
    const { owners: first, descendants } = rebuildsFor(graph, [...ownersOf(graph, readHolding(held)).values()].flat());
    return `${first.join(' ')}; ${descendants.join(' ')}`;
  };
  it.each<readonly [string, string, Readonly<Record<string, Held>>, string]>([
    ['are the owner and what stands on it', 'base ← web ← api', { base: { ssl: '1 → 2' }, web: { ssl: '1 → 2' }, api: { ssl: '1 → 2' } }, 'base; web api'],
    ['leave siblings alone', 'base ← web, base ← tool', { base: {}, web: { ssl: '1 → 2' }, tool: {} }, 'web; '],
    ['are also of what stands on the owner and has nothing to mend', 'base ← web ← api', { base: {}, web: { ssl: '1 → 2' } }, 'web; api'],
    ['count an owner that stands on another among the owners', 'base ← web', { base: { ssl: '1 → 2' }, web: { ssl: '1 → 2', php: '8 → 9' } }, 'base web; '],
    ['are none for what is held back', 'base ← web', { base: { ssl: '1 → 2 held' }, web: {} }, '; '],
    ['are none for what an outside image owns', 'outside/debian:12 ← web', { 'outside/debian:12': { ssl: '1' }, web: { ssl: '1 → 2' } }, '; '],
  ])('%s', (_, text, held, expected) => expect(rebuilds(text, held)).toBe(expected));
});
