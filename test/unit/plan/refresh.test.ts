import { describe, expect, it } from '@jest/globals';
import { planRefresh, upgradeMark, type Refresh, type RefreshRequest } from '../../../src/plan/refresh.js';
import { explain } from '../../../src/plan/reason.js';
import type { Digest } from '../../../src/shared/digest.js';
import type { OwnedUpgrade } from '../../../src/state/image-upgrades.js';
import { formerly, image, manifest, provenance, published, rolled, stateFor, today, tree, type Outside } from '../../support/plan-tree.js';

const DAY = 24 * 3_600_000;
const NOW = Date.UTC(2026, 10, 21);
const REF = 'registry.example.org';

/** `openssl` from 1 to 2, brought by an image; security unless said. */
function upgrade(owner: string, part: Partial<OwnedUpgrade> = {}): OwnedUpgrade {
  return { package: 'openssl', arch: 'amd64', source: 'openssl', from: '1', to: '2', suite: 'trixie-security', security: true, heldBack: undefined, owner: owner.startsWith('outside') ? { outside: owner } : { image: owner }, ...part };
}

type Case = Partial<Omit<RefreshRequest, 'upgrades' | 'maxAge' | 'select' | 'excluded'>> & {
  readonly rolling?: readonly string[];
  readonly found?: Outside;
  readonly upgrades?: Readonly<Record<string, readonly OwnedUpgrade[]>>;
  readonly maxAge?: number;
  readonly select?: readonly string[];
  readonly excluded?: readonly string[];
};

/** A tree of which everything is published and stands on what its parents are, and is refreshed. */
function refreshed(text: string, { rolling = [], found = {}, upgrades = {}, maxAge, select, excluded = [], ...request }: Case = {}): Refresh {
  const graph = tree(text, rolling);
  const digestOf = (name: string): string => (rolling.includes(name) ? manifest(`${name} latest`) : manifest(`${name} 2.0`));
  const images = Object.fromEntries(
    [...graph.nodes].map(([name, { sources }]) => {
      const parents = Object.fromEntries(sources.map(({ ref, image: parent }) => [ref, parent === undefined ? manifest(ref) : digestOf(parent)]));
      return [name, found.images?.[name] ?? (rolling.includes(name) ? rolled(name, parents) : published(name, parents))];
    }),
  );
  const outside = Object.fromEntries([...graph.nodes.values()].flatMap(({ sources }) => sources.flatMap(({ ref, image: parent }) => (parent === undefined ? [[ref, manifest(ref)]] : []))));
  const state = stateFor(graph, { ...found, images, outside: { ...outside, ...found.outside } });
  return planRefresh(graph, state, {
    which: 'security',
    maxBuilds: undefined,
    now: NOW,
    tried: () => undefined,
    outdatedWithdrawn: new Set(),
    today,
    platform: undefined,
    mayWrite: () => true,
    ...request,
    select: select === undefined ? undefined : new Set(select),
    excluded: new Set(excluded),
    maxAge: () => maxAge,
    upgrades: new Map(Object.entries(upgrades)),
  });
}

/** `image: why, why` of what is due. */
const dueIn = ({ due }: Pick<Refresh, 'due'>): readonly string[] => [...due].map(([name, reasons]) => `${name}: ${reasons.map(({ why }) => why).join(', ')}`);
const leftIn = ({ left }: Refresh): readonly string[] => dueIn({ due: left });

describe('planRefresh', () => {
  const both = { base: [upgrade('base')], web: [upgrade('base')], api: [upgrade('base')] };
  it.each<[string, string, Case, readonly string[]]>([
    ['nothing is due where nothing is outdated', 'base ← web', {}, []],
    ['the image that brings an upgrade and all that stands on it, no sibling', 'base ← web ← api, base ← tool, other', { upgrades: { web: [upgrade('web')], api: [upgrade('web')] } }, ['web: packages-outdated', 'api: parent-refreshed']],
    ['rolling images as versioned ones', 'base ← web ← api', { rolling: ['base', 'api'], upgrades: both }, ['base: packages-outdated', 'web: parent-refreshed', 'api: parent-refreshed']],
    ['no upgrade that is none of security', 'base', { upgrades: { base: [upgrade('base', { security: false })] } }, []],
    ['such a one, too, when all are asked for', 'base', { which: 'all', upgrades: { base: [upgrade('base', { security: false })] } }, ['base: packages-outdated']],
    ['what is held back asks for nothing', 'base', { which: 'all', upgrades: { base: [upgrade('base', { heldBack: 'held' })] } }, []],
    ['what only an outside image brings asks for nothing', 'outside/debian:13 ← base', { upgrades: { base: [upgrade('outside/debian:13')] } }, []],
    ['what was never published is none of its business', 'base ← web', { found: { images: { base: {} } }, upgrades: both }, []],
    ['an image whose outside parent moved', 'outside/debian:13 ← base ← web', { found: { outside: { 'outside/debian:13': manifest('new') } } }, ['base: parent-moved', 'web: parent-refreshed']],
    ['an outside parent that is gone is no move', 'outside/debian:13 ← base', { found: { outside: { 'outside/debian:13': null } } }, []],
    ['an image whose parent moved in the tree', 'base ← web', { found: { images: { web: published('web', { [`${REF}/base:1.1`]: manifest('base 1.1') }) } } }, ['web: parent-moved']],
    ['a parent that was on one engine only cannot have moved', 'base ← web', { found: { images: { web: published('web', { [`${REF}/base:2.0`]: 'id:sha256:1' }) } } }, []],
    ['an image whose parent was bumped and it was not', 'base ← web', { found: { images: { base: { latest: image('base 1.1', provenance({ definition: today('base'), version: '1.1' })) }, web: published('web', { [`${REF}/base:1.1`]: manifest('base 1.1') }) } } }, ['web: parent-bumped']],
    ['a parent that is refreshed is said once', 'base ← web', { found: { images: { web: published('web', { [`${REF}/base:1.1`]: manifest('base 1.1') }) } }, upgrades: both }, ['base: packages-outdated', 'web: parent-refreshed']],
    ['an image that is of unknown origin, when it is outdated', 'base', { found: { images: { base: { version: image('x'), latest: image('x') } } }, upgrades: both }, ['base: packages-outdated']],
    ['an image whose newest version is published and not promoted is promoted first, and moves nobody', 'base ← web', { found: { images: { base: { version: image('base 2.0'), latest: image('base 1.1', provenance({ definition: formerly('base'), version: '1.1' })) } } }, upgrades: { base: [upgrade('base')] } }, ['base: promotion-pending']],
    ['an image whose newest version is not published', 'base', { found: { images: { base: { latest: image('base 1.1', provenance({ definition: today('base'), version: '1.1' })) } } }, upgrades: both }, ['base: packages-outdated']],
    ['without those left out, and what stands on the owner only through them', 'base ← web ← api, base ← tool', { excluded: ['web'], upgrades: both }, ['base: packages-outdated', 'tool: parent-refreshed']],
    ['what was selected, and what must be built for it', 'base ← web ← api, base ← tool', { select: ['web'], upgrades: both }, ['base: packages-outdated', 'web: parent-refreshed']],
    ['nothing for a selected image that is well', 'base ← web, other', { select: ['other'], upgrades: both }, []],
  ])('%s', (_, text, options, expected) => {
    expect(dueIn(refreshed(text, options))).toEqual(expected);
  });
  it('an image of which the checkout is older than the registry is named, and left', () => {
    const newer = image('base 3.0', provenance({ definition: today('base'), version: '3.0' }));
    const plan = refreshed('base ← web', { found: { images: { base: { version: image('base 2.0'), latest: newer } } }, upgrades: { base: [upgrade('base')] } });
    expect([dueIn(plan), [...plan.held]]).toEqual([[], [['base', { why: 'older-checkout', latest: '3.0' }]]]);
  });
  it('a rolling image that was made from a commit which is not here is named, and left, with what would follow it', () => {
    const found = { images: { base: { version: undefined, latest: image('base latest', provenance({ definition: today('base'), revision: 'c0ffee' })) } } };
    const after = (ancestry: Outside['ancestry']): Refresh => refreshed('base ← web', { rolling: ['base'], found: { ...found, ...(ancestry === undefined ? {} : { ancestry }) }, upgrades: { base: [upgrade('base')] } });
    expect(after(undefined).needs).toEqual([{ need: 'ancestry', revision: 'c0ffee', tree: 'images' }]);
    expect([{ c0ffee: false }, { c0ffee: true }, { c0ffee: undefined }].map((ancestry) => [dueIn(after(ancestry)).length, [...after(ancestry).held.values()].map(({ why }) => why)])).toEqual([[0, ['older-checkout']], [2, []], [2, []]]);
  });
  it('asks what an outside parent is, and what an unlabelled :latest is, before it says anything of them', () => {
    const graph = tree('outside/debian:13 ← base, web');
    const images = { base: published('base', { 'outside/debian:13': manifest('old') }), web: { version: image('web 2.0'), latest: image('web 1.1') } };
    const plan = planRefresh(graph, stateFor(graph, { images }), { select: undefined, excluded: new Set(), which: 'all', maxBuilds: undefined, now: NOW, maxAge: () => undefined, upgrades: new Map([['web', [upgrade('web')]]]), tried: () => undefined, outdatedWithdrawn: new Set(), today, platform: undefined, mayWrite: () => true });
    expect([plan.needs, dueIn(plan)]).toEqual([[{ need: 'outside-digest', ref: 'outside/debian:13' }, { need: 'older-version', image: 'web' }], ['web: promotion-pending']]);
  });

  it('an entry that may not be written is named; what stands on it waits with it, and rolling images do not', () => {
    const plan = refreshed('base ← web ← api, tool', { rolling: ['web', 'tool'], mayWrite: () => false, upgrades: { base: [upgrade('base')], tool: [upgrade('tool')] } });
    expect([dueIn(plan), dueIn({ due: plan.unwritable })]).toEqual([['tool: packages-outdated'], ['base: packages-outdated']]);
  });
  it('an entry that is written, and not built yet, needs no other', () => {
    const found = { images: { base: { latest: image('base 1.1', provenance({ definition: today('base'), version: '1.1' })) } } };
    expect(dueIn(refreshed('base', { mayWrite: () => false, found, upgrades: { base: [upgrade('base')] } }))).toEqual(['base: packages-outdated']);
  });

  describe('what was withdrawn', () => {
    const bad = { tag: 'withdrawn-2.0', ...image('base 2.0', provenance({ definition: today('base'), version: '2.0' })) };
    const good = image('base 1.1', provenance({ definition: today('base'), version: '1.1' }));
    const versioned: Outside = { images: { base: { version: bad, latest: good }, web: published('web', { [`${REF}/base:1.1`]: good.digest }) }, withdrawn: { base: [bad] } };
    const dated = { tag: 'withdrawn-20260101', ...image('bad', provenance({ definition: today('base') })) };
    const rolling: Outside = { images: { base: rolled('base') }, withdrawn: { base: [dated] } };
    it('is not made again: a versioned image waits, and what stands on :latest stands well', () => {
      const plan = refreshed('base ← web', { found: versioned, upgrades: { base: [upgrade('base')] } });
      expect([dueIn(plan), [...plan.held]]).toEqual([[], [['base', { why: 'withdrawn-latest', tag: 'withdrawn-2.0', waitsFor: 'version' }]]]);
    });
    it('is passed over once what it stands on is refreshed', () => {
      const web = { ...image('web 2.0', provenance({ definition: today('web'), version: '2.0' })) };
      const found: Outside = { images: { web: { version: web, latest: image('web 1.1', provenance({ definition: today('web'), version: '1.1' })) } }, withdrawn: { web: [{ tag: 'withdrawn-2.0', ...web }] } };
      expect(dueIn(refreshed('base ← web', { found, upgrades: { base: [upgrade('base')] } }))).toEqual(['base: packages-outdated', 'web: parent-refreshed']);
    });
    it('is not made again: a rolling image waits', () => {
      const plan = refreshed('base', { rolling: ['base'], found: rolling, upgrades: { base: [upgrade('base')] } });
      expect([dueIn(plan), [...plan.held]]).toEqual([[], [['base', { why: 'withdrawn-latest', tag: 'withdrawn-20260101', waitsFor: 'change' }]]]);
    });
    it.each<[string, readonly string[], Outside, Digest]>([
      ['a versioned image', [], versioned, bad.digest],
      ['a rolling image', ['base'], rolling, dated.digest],
    ])('is passed over once its packages have newer versions: %s', (_, names, found, digest) => {
      expect(dueIn(refreshed('base', { rolling: names, found, upgrades: { base: [upgrade('base')] }, outdatedWithdrawn: new Set([digest]) }))).toEqual(['base: packages-outdated']);
    });
    it.each<[string, Case, readonly string[]]>([
      ['its definition is today\'s, though that of :latest is a former one', { found: { ...rolling, images: { base: { latest: image('base latest', provenance({ definition: formerly('base') })) } } } }, []],
      ['its definition is no more', { today: () => formerly('base') }, ['base: packages-outdated']],
      ['its definition cannot be read', { today: () => undefined }, ['base: packages-outdated']],
      ['it is :latest again', { found: { ...rolling, images: { base: { latest: dated } } } }, ['base: packages-outdated']],
    ])('is not made again while %s', (_, part, due) => {
      expect(dueIn(refreshed('base', { rolling: ['base'], found: rolling, upgrades: { base: [upgrade('base')] }, ...part }))).toEqual(due);
    });
    it.each<[string, string, Case, readonly string[]]>([
      ['is what it was', 'base latest', {}, []],
      ['is another one', 'base before', {}, ['web: packages-outdated']],
      ['is refreshed, too', 'base latest', { upgrades: { base: [upgrade('base')], web: [upgrade('web')] } }, ['base: packages-outdated', 'web: packages-outdated, parent-refreshed']],
    ])('is not made again on a parent that %s', (_, parent, part, due) => {
      const withdrawn = { web: [{ tag: 'withdrawn-20260101', ...image('bad', provenance({ definition: today('web'), parents: { [`${REF}/base:latest`]: manifest(parent) } })) }] };
      expect(dueIn(refreshed('base ← web', { rolling: ['base', 'web'], found: { withdrawn }, upgrades: { web: [upgrade('web')] }, ...part }))).toEqual(due);
    });
    it('is none: then no definition is read for it', () => {
      const today = (): never => {
        throw new Error('read');
      };
      expect(dueIn(refreshed('base', { rolling: ['base'], upgrades: { base: [upgrade('base')] }, today }))).toEqual(['base: packages-outdated']);
    });
    it('of another definition has no say', () => {
      const other = { tag: 'withdrawn-20260101', ...image('bad', provenance({ definition: formerly('base') })) };
      expect(dueIn(refreshed('base', { rolling: ['base'], found: { ...rolling, withdrawn: { base: [other] } }, upgrades: { base: [upgrade('base')] } }))).toEqual(['base: packages-outdated']);
    });
    it('is asked for only where it may matter', () => {
      const graph = tree('base ← web');
      const state = stateFor(graph, { images: { ...versioned.images } });
      const plan = planRefresh(graph, { ...state, withdrawn: new Map() }, { select: undefined, excluded: new Set(), which: 'all', maxBuilds: undefined, now: NOW, maxAge: () => undefined, upgrades: new Map([['base', [upgrade('base')]], ['web', [upgrade('web')]]]), tried: () => undefined, outdatedWithdrawn: new Set(), today, platform: undefined, mayWrite: () => true });
      expect(new Set(plan.needs.map((need) => JSON.stringify(need)))).toEqual(new Set([JSON.stringify({ need: 'withdrawn', image: 'base' })]));
    });
  });

  describe('by age', () => {
    const aged = (days: number): Outside => ({ images: { base: rolled('base'), web: { version: undefined, latest: image('web latest', provenance({ definition: today('web'), parents: { [`${REF}/base:latest`]: manifest('base latest') }, created: new Date(NOW - days * DAY).toISOString() })) } } });
    it.each<[string, number | undefined, number, readonly string[]]>([
      ['an image that is older than max_age', 30 * DAY, 31, ['web: too-old']],
      ['no image that is as old', 30 * DAY, 30, []],
      ['none without max_age', undefined, 3000, []],
    ])('%s', (_, maxAge, days, expected) => {
      expect(dueIn(refreshed('base ← web', { rolling: ['base', 'web'], found: aged(days), ...(maxAge === undefined ? {} : { maxAge }) }))).toEqual(expected);
    });
    it('a rebuild that gave the same image counts as young', () => {
      const found = aged(31);
      const plan = refreshed('base ← web', { rolling: ['base', 'web'], found, maxAge: 30 * DAY, tried: (digest) => (digest === manifest('web latest') ? { marks: [], at: NOW - DAY } : undefined) });
      expect(dueIn(plan)).toEqual([]);
    });
  });

  describe('what a rebuild did not bring', () => {
    const [first, second] = [upgrade('base', { package: 'a' }), upgrade('base', { package: 'b', security: false })];
    const built = (...tried: readonly OwnedUpgrade[]): Outside => ({ images: { base: { version: undefined, latest: image('base latest', provenance({ definition: today('base'), tried: tried.map(upgradeMark) })) } } });
    it('is reported and not tried again, though less is left of it', () => {
      const plan = refreshed('base', { rolling: ['base'], which: 'all', found: built(first, second), upgrades: { base: [second] } });
      expect([dueIn(plan), [...plan.notBrought]]).toEqual([[], [['base', [second]]]]);
    });
    it('is known on this host where nothing was published', () => {
      const plan = refreshed('base', { rolling: ['base'], upgrades: { base: [first] }, tried: (digest) => (digest === manifest('base latest') ? { marks: [upgradeMark(first)], at: 0 } : undefined) });
      expect([dueIn(plan), [...plan.notBrought.keys()]]).toEqual([[], ['base']]);
    });
    it.each<[string, Partial<OwnedUpgrade>]>([
      ['a newer candidate', { to: '3' }],
      ['one of another architecture', { arch: 'i386' }],
      ['one of another package', { package: 'c' }],
    ])('%s is tried', (_, part) => {
      const plan = refreshed('base', { rolling: ['base'], found: built(first), upgrades: { base: [{ ...first, ...part }] } });
      expect(dueIn(plan)).toEqual(['base: packages-outdated']);
    });
    it('the new image remembers all that it was built for, what was not asked for too', () => {
      const plan = refreshed('base', { rolling: ['base'], found: built(first), upgrades: { base: [first, second, upgrade('base')] } });
      const [reason] = plan.due.get('base')!;
      expect(reason).toEqual({ why: 'packages-outdated', upgrades: [upgrade('base')], tried: [first, second, upgrade('base')].map(upgradeMark).sort() });
    });
  });

  describe('at most so many builds', () => {
    const upgrades = { a: [upgrade('a', { security: false })], b: [upgrade('b')], c: [upgrade('c')] };
    const text = 'a ← a1, a ← a2, a ← a3, b ← b1, c ← c1, c ← c2 ← b1';
    it.each<[number, readonly string[], readonly string[]]>([
      [1, ['c'], ['a', 'b', 'a1', 'a2', 'a3', 'b1', 'c1', 'c2']],
      [3, ['c', 'c1', 'c2'], ['a', 'b', 'a1', 'a2', 'a3', 'b1']],
      [5, ['b', 'c', 'b1', 'c1', 'c2'], ['a', 'a1', 'a2', 'a3']],
      [6, ['a', 'b', 'c', 'b1', 'c1', 'c2'], ['a1', 'a2', 'a3']],
      [99, ['a', 'b', 'c', 'a1', 'a2', 'a3', 'b1', 'c1', 'c2'], []],
    ])('%d: security first, then what most stands on, none before all of its parents; the rest is named', (maxBuilds, due, left) => {
      const plan = refreshed(text, { which: 'all', maxBuilds, upgrades });
      expect([dueIn(plan), leftIn(plan)].map((lines) => lines.map((line) => line.split(':')[0]).sort())).toEqual([[...due].sort(), [...left].sort()]);
    });
  });

  it('says packages by their sources, security first, and counts the rest', () => {
    const upgrades = ['libc6', 'libc-bin', 'locales', 'libc-l10n'].map((name) => upgrade('base', { package: name, source: 'glibc', security: false, suite: 'trixie' }));
    const more = [upgrade('base'), upgrade('base', { package: 'libssl3' }), upgrade('base', { package: 'vim', source: 'vim', security: false }), upgrade('base', { package: 'zlib1g', source: 'zlib', security: false })];
    expect(explain({ why: 'packages-outdated', upgrades: [...upgrades, ...more], tried: [] }, (name) => name)).toBe('libssl3, openssl 1 → 2 (trixie-security), glibc (4 packages) 1 → 2 (trixie), vim 1 → 2 (trixie-security) and 1 more');
  });
});
