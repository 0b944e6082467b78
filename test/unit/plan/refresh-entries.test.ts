import { describe, expect, it } from '@jest/globals';
import { formatEntry } from '../../../src/definition/changelog-entry.js';
import type { Upgrade } from '../../../src/packages/upgrade.js';
import type { Reason } from '../../../src/plan/reason.js';
import { planEntries, type EntriesRequest } from '../../../src/plan/refresh-entries.js';
import { differsByOurEntry } from '../../../src/plan/update.js';
import { changelogOf, said } from '../../support/tree-in-memory.js';
import { tree } from '../../support/plan-tree.js';

const openssl: Upgrade = { package: 'openssl', arch: 'amd64', source: 'openssl', from: '1', to: '2', suite: 'trixie-security', security: true, heldBack: undefined };
const outdated = (...upgrades: readonly Upgrade[]): Reason => ({ why: 'packages-outdated', upgrades, tried: [] });
const follows = (parent: string): Reason => ({ why: 'parent-refreshed', parent, ifDiffers: false });

type Case = Partial<EntriesRequest> & { readonly rolling?: readonly string[]; readonly texts?: Readonly<Record<string, string>>; readonly published?: boolean };

function planned(text: string, due: Readonly<Record<string, readonly Reason[]>>, { rolling = [], texts = {}, published = true, ...request }: Case = {}) {
  const graph = tree(text, rolling);
  const changelogs = new Map([...graph.nodes.keys()].map((image) => [image, Buffer.from(texts[image] ?? changelogOf(image, '2.0', '1.1'))]));
  const plan = planEntries(graph, new Map(Object.entries(due)), { reason: [], date: 'Fri, 20 Nov 2026 09:00:00 +0000', signature: () => ({ author: 'A <a@b>', distribution: 'trixie', mark: 's' }), isTaken: () => false, isPublished: () => published, ...request }, changelogs);
  if (!plan.ok) throw new Error(said(plan).join());
  return plan.value;
}

/** What each new or longer entry says, without heading, our mark and trailer. */
function entries(...args: Parameters<typeof planned>): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(planned(...args).steps.map(({ image, entry }) => [image, entry.split('\n').slice(2, -3).map((line) => line.trim())]));
}

describe('planEntries', () => {
  it('says the packages, and below the name of the image that brings them what follows it', () => {
    const due = { base: [outdated(openssl)], web: [follows('base')], api: [follows('web')] };
    expect(entries('base ← web ← api', due)).toEqual({
      base: ['openssl 1 → 2 (trixie-security)'],
      web: ['Refresh for update in parent image base:', 'openssl 1 → 2 (trixie-security)'],
      api: ['Refresh for update in parent image base:', 'openssl 1 → 2 (trixie-security)'],
    });
  });
  it('says an image\'s own packages first, then those of each image that it follows', () => {
    const vim = { ...openssl, package: 'vim', source: 'vim' };
    const due = { a: [outdated(openssl)], b: [outdated(vim)], web: [outdated({ ...vim, from: '0' }), follows('a'), follows('b')] };
    expect(entries('a ← web, b ← web', due)['web']).toEqual(['vim 0 → 2 (trixie-security)', 'Refresh for update in parent image a:', 'openssl 1 → 2 (trixie-security)', 'Refresh for update in parent image b:', 'vim 1 → 2 (trixie-security)']);
  });
  it.each<[string, Reason, string]>([
    ['a parent that moved', { why: 'parent-moved', parent: 'registry.example.org/debian:13', from: 'a', to: 'b' }, 'Refresh for a newer registry.example.org/debian:13'],
    ['one of the tree', { why: 'parent-moved', parent: 'base', from: 'a', to: 'b' }, 'Refresh for a newer base'],
    ['a parent that was bumped', { why: 'parent-bumped', parent: 'base', version: '2.0-s1' }, 'Refresh for base 2.0-s1'],
    ['age', { why: 'too-old', age: 40 * 24 * 3_600_000, limit: 1 }, 'Refresh after 40d'],
  ])('says %s', (_, reason, line) => {
    expect(entries('base ← web', { web: [reason] })).toEqual({ web: [line] });
  });
  it('begins with the words that were given', () => {
    expect(entries('base ← web', { base: [outdated(openssl)], web: [follows('base')] }, { reason: ['Before the release'] })).toEqual({
      base: ['Before the release', 'openssl 1 → 2 (trixie-security)'],
      web: ['Refresh for update in parent image base:', 'Before the release', 'openssl 1 → 2 (trixie-security)'],
    });
  });
  it('follows a rolling image too, which has nothing to write', () => {
    const plan = planned('base ← web', { base: [outdated(openssl)], web: [follows('base')] }, { rolling: ['base'] });
    expect([plan.rolling, plan.steps.map(({ image, from, to }) => [image, from, to])]).toEqual([['base'], [['web', '2.0', '2.0-s1']]]);
  });
  it('passes over versions that the registry has', () => {
    const { steps } = planned('base', { base: [outdated(openssl)] }, { isTaken: (_, version) => version === '2.0-s1' });
    expect(steps.map(({ to }) => to)).toEqual(['2.0-s2']);
  });
  it('what is only to be promoted gets none', () => {
    expect(entries('base', { base: [{ why: 'promotion-pending', from: '1.1' }] })).toEqual({});
  });
  it('a version of somebody\'s that is not published is built as it is, and said', () => {
    const plan = planned('base', { base: [outdated(openssl)] }, { published: false });
    expect([plan.steps, plan.waiting]).toEqual([[], [{ image: 'base', version: '2.0' }]]);
  });
  it('so is one that somebody\'s update wrote', () => {
    const base = formatEntry({ package: 'base', version: '2.0-s1', distribution: 'x', lines: ['Fixes'], heading: undefined, author: 'A <a@b>', date: 'Fri, 20 Nov 2026 09:00:00 +0000' }) + changelogOf('base', '2.0');
    expect(planned('base', { base: [outdated(openssl)] }, { published: false, texts: { base } }).waiting).toEqual([{ image: 'base', version: '2.0-s1' }]);
  });
  it('the next version must be a tag', () => {
    expect(() => planned('base', { base: [outdated(openssl)] }, { texts: { base: changelogOf('base', 'x'.repeat(127)) } })).toThrow('cannot be an image tag');
  });

  describe('an entry of a refresh that is not published', () => {
    const due = { base: [outdated(openssl)], web: [follows('base')] };
    const written = planned('base ← web', due, { reason: ['One'] });
    const texts = Object.fromEntries(written.steps.map(({ image, text }) => [image, text]));
    const again = (next: Parameters<typeof planned>[1], options: Case = {}) => planned('base ← web', next, { texts, published: false, ...options });

    it('stays as it is when there is nothing new to say, on whatever day', () => {
      const plan = again(due, { date: 'Sat, 21 Nov 2026 09:00:00 +0000', reason: ['One'] });
      expect([plan.steps, plan.unchanged.map(({ version }) => version)]).toEqual([[], ['2.0-s1', '2.0-s1']]);
    });
    it('says a newer candidate in the place of the older one, and what is new behind it', () => {
      const vim = { ...openssl, package: 'vim', source: 'vim' };
      const next = { base: [outdated({ ...openssl, to: '3' }, vim)], web: [follows('base')] };
      const lines = ['One', 'openssl 1 → 3 (trixie-security)', 'vim 1 → 2 (trixie-security)'];
      const plan = again(next);
      expect(plan.steps.map(({ from, to }) => [from, to])).toEqual([['2.0-s1', '2.0-s1'], ['2.0-s1', '2.0-s1']]);
      expect(Object.fromEntries(plan.steps.map(({ image, entry }) => [image, entry.split('\n').slice(2, -3).map((line) => line.trim())]))).toEqual({ base: lines, web: ['Refresh for update in parent image base:', ...lines] });
    });
    it('says what is upgraded from two versions twice', () => {
      const other = { ...openssl, arch: 'i386', from: '0' };
      const plan = again({ base: [outdated(openssl, other)] });
      expect(plan.steps[0]!.entry.split('\n').slice(3, -3).map((line) => line.trim())).toEqual(['openssl 1 → 2 (trixie-security)', 'openssl 0 → 2 (trixie-security)']);
    });
    it('differs from the committed one by nothing else', () => {
      const [step] = again({ base: [outdated({ ...openssl, to: '3' })] }).steps;
      const [longer, committed] = [Buffer.from(step!.text), Buffer.from(texts['base']!)];
      expect([differsByOurEntry('x', longer, committed), differsByOurEntry('x', longer, Buffer.from(`${texts['base']!}# mine\n`)), differsByOurEntry('x', longer, Buffer.from(texts['base']!.replace('(build-images refresh)', 'by hand')))]).toEqual([true, false, false]);
    });
    it('keeps what somebody wrote into it', () => {
      const base = texts['base']!.replace('   openssl', '   openssl was mended by hand\n   openssl');
      const plan = again({ base: [outdated({ ...openssl, to: '3' })] }, { texts: { base } });
      expect(plan.steps[0]!.entry.split('\n').slice(2, -3).map((line) => line.trim())).toEqual(['One', 'openssl was mended by hand', 'openssl 1 → 3 (trixie-security)']);
    });
    it('gets its own packages above those of what it follows', () => {
      const plan = again({ base: [outdated(openssl)], web: [outdated({ ...openssl, package: 'vim', source: 'vim' }), follows('base')] });
      expect(plan.steps.map(({ image, entry }) => [image, ...entry.split('\n').slice(2, 4).map((line) => line.trim())])).toEqual([['web', 'vim 1 → 2 (trixie-security)', 'Refresh for update in parent image base:']]);
    });
    it('is closed once it is published', () => {
      const plan = again({ base: [outdated({ ...openssl, from: '2', to: '3' })] }, { published: true });
      expect(plan.steps.map(({ from, to, entry }) => [from, to, entry.split('\n')[2]])).toEqual([['2.0-s1', '2.0-s2', '   openssl 2 → 3 (trixie-security)']]);
    });
  });
});
