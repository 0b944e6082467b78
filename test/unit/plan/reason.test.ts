import { describe, expect, it } from '@jest/globals';
import { explain, sayNames, type Reason } from '../../../src/plan/reason.js';
import { manifest } from '../../support/plan-tree.js';

const from = `${manifest('a').slice(0, 19)}…`;
const to = `${manifest('b').slice(0, 19)}…`;

/** Every reason there is: one that is missing here does not compile. */
const SAID: { readonly [why in Reason['why']]: readonly [Extract<Reason, { why: why }>, string] } = {
  published: [{ why: 'published', digest: manifest('a') }, 'published'],
  promoted: [{ why: 'promoted', tag: '20260101' }, '20260101 has this definition and these parents already'],
  'promotion-pending': [{ why: 'promotion-pending', from: '1.0' }, 'published, but :latest is still 1.0'],
  'not-published': [{ why: 'not-published' }, 'not in the registry yet'],
  'parent-stays': [{ why: 'parent-stays', parent: 'ns/base' }, 'it stays here with base, whose tree does not publish'],
  'built-locally': [{ why: 'built-locally' }, 'built here from this definition and these parents'],
  'parent-builds': [{ why: 'parent-builds', parent: 'ns/base' }, 'base is built in this run'],
  'parent-moved': [{ why: 'parent-moved', parent: 'ns/base', from: manifest('a'), to: manifest('b') }, `base moved (${from} → ${to})`],
  'parent-bumped': [{ why: 'parent-bumped', parent: 'ns/base', version: '2.0-s1' }, 'base is 2.0-s1 by now'],
  'parent-refreshed': [{ why: 'parent-refreshed', parent: 'ns/base', ifDiffers: true }, 'base is refreshed, unless that comes out the same'],
  'packages-outdated': [{ why: 'packages-outdated', upgrades: [{ package: 'openssl', arch: 'amd64', source: 'openssl', from: '1', to: '2', suite: 'trixie-security', security: true, heldBack: undefined }], tried: [] }, 'openssl 1 → 2 (trixie-security)'],
  'too-old': [{ why: 'too-old', age: 40 * 24 * 3_600_000, limit: 30 * 24 * 3_600_000 }, 'made 40d ago (max_age: 30d)'],
  'supposed-release': [{ why: 'supposed-release', package: 'libssl3', from: '1', to: '2' }, 'it has libssl3 1 → 2'],
  'supposed-rebuild': [{ why: 'supposed-rebuild', of: 'debian:12' }, 'debian:12 is supposed to be rebuilt'],
  'not-concerned': [{ why: 'not-concerned' }, 'not concerned'],
  'inputs-changed': [{ why: 'inputs-changed' }, 'its definition changed'],
  'platform-changed': [{ why: 'platform-changed', from: 'linux/amd64', to: 'linux/arm64' }, 'it is for linux/amd64, and the config says platform: linux/arm64'],
  'changed-without-changelog': [{ why: 'changed-without-changelog' }, 'published, but its definition changed without a new changelog entry'],
  requested: [{ why: 'requested' }, 'a rebuild was asked for'],
  'promotion-requested': [{ why: 'promotion-requested' }, 'its promotion was asked for'],
  nightly: [{ why: 'nightly', build: 'snapshot' }, 'a snapshot build was asked for'],
  'needed-by': [{ why: 'needed-by', child: 'ns/web' }, 'web stands on it'],
  'not-selected': [{ why: 'not-selected' }, 'not selected'],
  'update-asked': [{ why: 'update-asked' }, 'it was named'],
  'parent-updated': [{ why: 'parent-updated', parents: ['ns/base', 'ns/web'] }, 'base and web are updated'],
  'older-checkout': [{ why: 'older-checkout', latest: '3.0' }, 'your checkout is older than the registry (:latest is 3.0)'],
  'age-unknown': [{ why: 'age-unknown' }, 'without git nobody can tell whether this checkout is older than the registry'],
  resting: [{ why: 'resting', nights: 2, next: Date.UTC(2026, 10, 22, 2) }, 'it failed in 2 nights: the next try is on 2026-11-22'],
  'rests-with': [{ why: 'rests-with', parent: 'ns/base' }, 'it waits for base'],
  'older-parent': [{ why: 'older-parent', parent: 'ns/base' }, 'it would step back: base is older here than in the registry'],
  'not-current': [{ why: 'not-current' }, 'not the current one'],
  leftover: [{ why: 'leftover', run: '20261120-2104' }, 'left by run 20261120-2104, which is no more'],
  current: [{ why: 'current', tag: '2.0' }, 'the current one (2.0)'],
  'in-use': [{ why: 'in-use', by: 'container web' }, 'container web uses it'],
  'among-newest': [{ why: 'among-newest', keep: 3 }, 'among the 3 newest of the others'],
  'too-young': [{ why: 'too-young', age: 36 * 3_600_000 }, 'made 36h ago'],
  'made-unknown': [{ why: 'made-unknown' }, 'nobody knows when it was made'],
  withdrawn: [{ why: 'withdrawn', tag: 'withdrawn-1.0' }, 'withdrawn-1.0 keeps what was withdrawn'],
  'strange-tag': [{ why: 'strange-tag', tag: 'prod' }, 'its tag prod is none that this tree makes'],
  'in-index': [{ why: 'in-index', index: '2.0' }, 'part of the index 2.0, which stays'],
  'parent-of': [{ why: 'parent-of', child: 'ns/web' }, 'web, as it is now, was built on it'],
  'run-image-of': [{ why: 'run-image-of', app: 'tool-a/app' }, 'the app tool-a/app runs on it'],
  'apps-unknown': [{ why: 'apps-unknown' }, 'apps may run on it, and the registry does not tell which repositories it has'],
  'rollback-target': [{ why: 'rollback-target', run: '20261120-2104' }, ':latest was this before run 20261120-2104 moved it'],
  'origin-unknown': [{ why: 'origin-unknown', digest: manifest('a') }, 'published, origin unknown: kept'],
  'withdrawn-latest': [{ why: 'withdrawn-latest', tag: 'withdrawn-2.0', waitsFor: 'version' }, 'withdrawn-2.0 says that it was withdrawn: it waits for a newer changelog version; build-images promote lifts that'],
  'taken-back': [{ why: 'taken-back', run: '20261120-2104' }, 'it undoes run 20261120-2104'],
  'back-already': [{ why: 'back-already' }, 'it is there already'],
  'first-published': [{ why: 'first-published' }, 'it was published for the first time: there is nothing to go back to'],
  'moved-on': [{ why: 'moved-on', run: '20261120-2104', latest: manifest('a') }, `it was moved on since run 20261120-2104 (to ${from}): left; build-images rollback IMAGE --to TAG moves it all the same`],
  'target-gone': [{ why: 'target-gone', digest: manifest('a') }, `what it was before, ${from}, is gone from the registry; build-images rollback IMAGE --to TAG takes it to another`],
  'stays-with': [{ why: 'stays-with', image: 'base' }, 'it moves together with base, which stays'],
  'stood-on': [{ why: 'stood-on', children: ['web', 'api'] }, 'web, api stand on what it leaves: a rolling one is built anew by the next run, a version has to be taken back, too'],
  'latest-unknown': [{ why: 'latest-unknown', digest: manifest('a') }, `:latest (${from}) is none of the versions in the changelog: left; build-images promote forces it`],
  'parents-differ': [{ why: 'parents-differ', added: ['a', 'b'], removed: ['c'] }, 'names a, b, no longer c'],
};

describe('explain', () => {
  it.each(Object.entries(SAID))('%s', (_, [reason, words]) => expect(explain(reason, sayNames(['ns/base', 'ns/web']))).toBe(words));
  it('says that there is no :latest yet', () => {
    expect(explain({ why: 'promotion-pending', from: undefined }, String)).toBe('published, but there is no :latest yet');
  });
  it('says of one parent that it is updated', () => {
    expect(explain({ why: 'parent-updated', parents: ['base'] }, String)).toBe('base is updated');
  });
  it('says which is the newest of the others', () => expect(explain({ why: 'among-newest', keep: 1 }, String)).toBe('the newest of the others'));
  it('tells a local image from a published one', () => {
    expect(explain({ why: 'parent-moved', parent: 'base', from: `id:${manifest('a')}`, to: manifest('b') }, String)).toBe(`base moved (local image ${from} → ${to})`);
  });
});

describe('sayNames', () => {
  it.each([
    ['the namespace that all share is not said', ['ns/a', 'ns/b'], 'ns/a', 'a'],
    ['one image without it, and it is', ['ns/a', 'b'], 'ns/a', 'ns/a'],
    ['another namespace, and it is', ['ns/a', 'other/b'], 'ns/a', 'ns/a'],
    ['an image of elsewhere keeps its own', ['ns/a'], 'other/b', 'other/b'],
    ['no namespace', ['a', 'b'], 'a', 'a'],
    ['no images', [], 'ns/a', 'ns/a'],
  ])('%s', (_, images, image, said) => expect(sayNames(images)(image)).toBe(said));
});
