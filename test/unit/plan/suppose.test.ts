import { describe, expect, it } from '@jest/globals';
import type { Graph } from '../../../src/graph/graph.js';
import type { InstalledPackage } from '../../../src/packages/package-record.js';
import { ownersOf } from '../../../src/plan/owners.js';
import { explain } from '../../../src/plan/reason.js';
import { parseRelease, planSupposed, supposedUpgrades, type SupposedPlan, type Supposition } from '../../../src/plan/suppose.js';
import { formatSupposed } from '../../../src/report/format-supposed.js';
import type { UpgradesRead } from '../../../src/state/image-upgrades.js';
import { published, rolled, stateFor, type Outside } from '../../support/plan-tree.js';
import { EXPIRED, readHolding, treeOnOutside as tree } from '../../support/upgrades-in-memory.js';

const installedAs = (written: string): InstalledPackage => {
  const [name = '', version = ''] = written.split(' ');
  return { name, version, architecture: 'amd64', source: name, sourceVersion: version, multiArch: undefined, held: false, relations: { preDepends: '', depends: '', conflicts: '', breaks: '', provides: '' } };
};

describe('parseRelease', () => {
  it.each([
    ['libssl3=3.0.17-1', { package: 'libssl3', version: '3.0.17-1' }],
    ['libssl3', { package: 'libssl3', version: undefined }],
    ['g++=4:12.2.0-3~bpo1+b1', { package: 'g++', version: '4:12.2.0-3~bpo1+b1' }],
  ])('%s is a release', (text, release) => expect(parseRelease(text)).toEqual(release));
  it.each(['', 'libssl3=', '=1', 'Lib SSL', 'libssl3=1 2'])('"%s" is none', (text) => expect(parseRelease(text)).toBeUndefined());
});

describe('supposedUpgrades', () => {
  const upgrades = (installed: readonly string[], ...releases: readonly string[]): readonly string[] => supposedUpgrades(installed.map(installedAs), releases.map((text) => parseRelease(text)!)).map(({ package: name, from }) => `${name} ${from}`);
  it.each<readonly [string, readonly string[], readonly string[], readonly string[]]>([
    ['what is installed below a version would be upgraded', ['ssl 1', 'tar 1'], ['ssl=2'], ['ssl 1']],
    ['what is that version would not', ['ssl 2'], ['ssl=2'], []],
    ['nor what is above it', ['ssl 1:1'], ['ssl=2'], []],
    ['without a version all would that have it', ['ssl 999:1'], ['ssl'], ['ssl 999:1']],
    ['several releases are each looked for', ['ssl 1', 'tar 1', 'php 1'], ['ssl=2', 'tar'], ['ssl 1', 'tar 1']],
  ])('%s', (_, installed, releases, expected) => expect(upgrades(installed, ...releases)).toEqual(expected));
});

describe('planSupposed', () => {
  const NOTHING: Supposition = { releases: [], images: [], outside: [] };
  const planned = (graph: Graph, found: Outside, supposition: Partial<Supposition>, read: UpgradesRead = readHolding({})): SupposedPlan => planSupposed(graph, stateFor(graph, found), { ...NOTHING, ...supposition }, ownersOf(graph, read), '20260102');
  const built = ({ steps }: SupposedPlan): readonly string[] => steps.filter(({ action }) => action === 'build').map(({ image, tag, reasons }) => `${image} ${tag}: ${reasons.map((reason) => explain(reason, String)).join('; ')}`);
  const all = { images: { base: published('base'), web: published('web'), tool: published('tool') } };

  it('whoever brings a package is rebuilt, and all that stands on it, each under its next version', () => {
    const read = readHolding({ base: { ssl: '1 → 2' }, web: { ssl: '1 → 2' }, tool: {} });
    expect(built(planned(tree('base ← web, tool'), all, {}, read))).toEqual(['base 2.0-s1: it has ssl 1 → 2', 'web 2.0-s1: base is refreshed']);
  });
  it('a supposed rebuild takes what stands on it along', () => {
    expect(built(planned(tree('base ← web, tool'), all, { images: ['base'] }))).toEqual(['base 2.0-s1: it is supposed to be rebuilt', 'web 2.0-s1: base is refreshed']);
  });
  it('an outside image that moves takes along what stands on it', () => {
    expect(built(planned(tree('outside/debian:12 ← base ← web, tool'), all, { outside: ['outside/debian:12'] }))).toEqual(['base 2.0-s1: outside/debian:12 is supposed to be rebuilt', 'web 2.0-s1: base is refreshed']);
  });
  it('a version that is not published yet takes the rebuild along', () => {
    expect(built(planned(tree('base'), {}, { images: ['base'] }))).toEqual(['base 2.0: it is supposed to be rebuilt']);
  });
  it('a version that the changelog has already is passed over', () => {
    const graph = tree('base');
    const base = graph.nodes.get('base')!;
    const bumped = { ...base, definition: { ...base.definition, tagSource: { source: 'changelog', version: '2.0', older: ['2.0-s1'] } as const } };
    expect(built(planned({ ...graph, nodes: new Map([['base', bumped]]) }, all, { images: ['base'] }))).toEqual(['base 2.0-s2: it is supposed to be rebuilt']);
  });
  it('a rolling image would be of this day, the next one of it; its tags are read first', () => {
    const graph = tree('base', ['base']);
    const state = stateFor(graph, { images: { base: rolled('base') } });
    const first = planSupposed(graph, { ...state, dated: new Map() }, { ...NOTHING, images: ['base'] }, new Map(), '20260102');
    expect(first.needs).toEqual([{ need: 'dated-tags', image: 'base' }]);
    const { latest } = rolled('base');
    expect(built(planned(graph, { images: { base: rolled('base') }, dated: { base: [{ ...latest!, tag: '20260102' }] } }, { images: ['base'] }))).toEqual(['base 20260102-2: it is supposed to be rebuilt']);
  });
  it('there is a step for every image; what is not concerned says so', () => {
    const { steps, needs } = planned(tree('base ← web, tool'), all, { images: ['web'] });
    expect(steps.map(({ image, action, reasons }) => `${image} ${action} ${reasons[0]!.why}`)).toEqual(['base keep not-concerned', 'tool keep not-concerned', 'web build supposed-rebuild']);
    expect(needs).toEqual([]);
  });
  it('what only an outside image brings waits for it', () => {
    const plan = planned(tree('outside/debian:12 ← base'), all, {}, readHolding({ 'outside/debian:12': { ssl: '1' }, base: { ssl: '1 → 2' } }));
    expect(built(plan)).toEqual([]);
    expect([...plan.waiting]).toEqual([['outside/debian:12', ['base']]]);
  });
  it('is shown as a table, with what would stay and what is unknown', () => {
    const supposition: Supposition = { releases: [parseRelease('ssl')!, parseRelease('tar=2')!], images: ['web'], outside: ['outside/debian:12'] };
    const graph = tree('outside/debian:12 ← base, web');
    const plan = planned(graph, { images: { base: published('base') } }, { images: ['web'] }, readHolding({ 'outside/debian:12': { ssl: '1' }, base: { ssl: '1 → 2' } }));
    expect(formatSupposed(plan, supposition, new Map([['base', [EXPIRED]]]))).toEqual([
      'supposing a new ssl and tar 2 and a rebuild of web and a rebuild of outside/debian:12: nothing is built or written',
      '',
      '  image  now  would be  why',
      '  web    –    2.0       it is supposed to be rebuilt',
      '',
      'outside/debian:12 brings it to 1 image, and is no image of this tree: nothing would be rebuilt for that.',
      'base is unknown: InRelease of trixie expired 2026-11-01',
      '1 image would be rebuilt; 1 image would not.',
    ]);
    expect(formatSupposed(planned(tree('base'), all, {}), { ...NOTHING, releases: [parseRelease('ssl=2')!] }, new Map())).toEqual(['supposing ssl 2: nothing is built or written', '', 'Nothing would be rebuilt; 1 image would not.']);
  });
});
