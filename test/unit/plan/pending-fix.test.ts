import { describe, expect, it } from '@jest/globals';
import type { Upgrade } from '../../../src/packages/upgrade.js';
import { pendingFixes } from '../../../src/plan/pending-fix.js';

const upgrade = (name: string, from: string, to: string, security = true): Upgrade => ({ package: name, arch: 'amd64', source: name, from, to, suite: 'trixie-security', security, heldBack: undefined });
const [FIRST, SECOND] = [1000, 2000];
const none = new Set<string>();
const waits = (...upgrades: readonly Upgrade[]) => new Map([['web', upgrades]]);
const since = (fixes: ReturnType<typeof pendingFixes>) => Object.fromEntries(fixes.map(({ image, package: name, to, since: at }) => [`${image} ${name} ${to}`, at]));
const nobodyKnows = () => undefined;
const before = pendingFixes(waits(upgrade('openssl', '1', '2')), none, [], FIRST, nobodyKnows);

describe('security updates that images wait for', () => {
  it('are those of security alone, since the night that saw them', () => {
    expect(since(pendingFixes(waits(upgrade('openssl', '1', '2'), upgrade('tzdata', '1', '2', false)), none, [], FIRST, nobodyKnows))).toEqual({ 'web openssl 2': FIRST });
  });
  it.each([
    ['the same is as old as it was', upgrade('openssl', '1', '2'), { 'web openssl 2': FIRST }],
    ['a still newer one makes it no younger', upgrade('openssl', '1', '3'), { 'web openssl 3': FIRST }],
    ['what a rebuild did not bring up to it is a new wait', upgrade('openssl', '2', '3'), { 'web openssl 3': SECOND }],
    ['another package is a wait of its own', upgrade('zlib', '1', '2'), { 'web zlib 2': SECOND }],
  ])('%s', (_, now, expected) => expect(since(pendingFixes(waits(now), none, before, SECOND, nobodyKnows))).toEqual(expected));
  it('wait since they were made, where a changelog says that, and never since later than they were seen', () => {
    const made = (at: number) => since(pendingFixes(waits(upgrade('openssl', '1', '2')), none, before, SECOND, () => at));
    expect([made(10), made(FIRST + 5)]).toEqual([{ 'web openssl 2': 10 }, { 'web openssl 2': FIRST }]);
  });
  it('are told of each image by itself', () => {
    expect(since(pendingFixes(new Map([['api', [upgrade('openssl', '1', '2')]]]), none, before, SECOND, nobodyKnows))).toEqual({ 'api openssl 2': SECOND });
  });
  it('are forgotten when they are there, and not when nobody knows', () => {
    expect(pendingFixes(waits(), none, before, SECOND, nobodyKnows)).toEqual([]);
    expect(pendingFixes(waits(), new Set(['web']), before, SECOND, nobodyKnows)).toEqual(before);
    expect(pendingFixes(waits(upgrade('openssl', '1', '3')), new Set(['web']), before, SECOND, nobodyKnows)).toHaveLength(1);
  });
});
