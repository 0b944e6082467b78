import { describe, expect, it } from '@jest/globals';
import { versionLabelOf } from '../../../src/definition/definition.js';
import { asNightly, nightlyAt, nightlyFaults, type Nightly } from '../../../src/definition/nightly.js';
import { nodeOf } from '../../support/plan-tree.js';

const AT = Date.UTC(2026, 10, 20, 21, 4, 5, 678);
const nightly = nightlyAt('nightly', AT);
const snapshot = nightlyAt('snapshot', AT);
const web = nodeOf('web', []).definition;
const run = nodeOf('run', [], ['run']).definition;
const withVersion = (version: string, ...older: readonly string[]) => ({ ...web, tagSource: { source: 'changelog' as const, version, older } });

describe('a nightly or snapshot build', () => {
  it.each<[string, Nightly, typeof web, object, string | undefined]>([
    ['a version with its day', nightly, web, { source: 'nightly', tag: '2.0-20261120', version: '2.0' }, '2.0-20261120'],
    ['a version with its second', snapshot, web, { source: 'snapshot', tag: '2.0-20261120-210405', version: '2.0' }, '2.0-20261120-210405'],
    ['a rolling image with its day', nightly, run, { source: 'nightly', tag: 'nightly-20261120', version: undefined }, undefined],
    ['a rolling image with its second', snapshot, run, { source: 'snapshot', tag: 'snapshot-20261120-210405', version: undefined }, undefined],
  ])('tags %s; the version label says the same, where there is a version', (_, build, definition, tagSource, label) => {
    expect(asNightly(definition, build)).toEqual({ ...definition, tagSource });
    expect(versionLabelOf(asNightly(definition, build).tagSource)).toBe(label);
  });
  it.each<[string, ReturnType<typeof withVersion> | typeof run, readonly string[]]>([
    ['a version that leaves no room for it is a fault', withVersion('v'.repeat(120)), [`version "${'v'.repeat(120)}" is too long for a nightly build: a tag has at most 128 characters`]],
    ['the longest that leaves room is none', withVersion('v'.repeat(119)), []],
    ['a tag that is a version of the changelog is a fault', withVersion('2.0', '2.0-20261120'), ['a nightly build of 2.0 would be 2.0-20261120, which is a version in this changelog']],
    ['a rolling image has none', run, []],
  ])('%s', (_, definition, messages) => {
    expect(nightlyFaults([definition], nightly)).toEqual(messages.map((message) => ({ path: 'images/' + definition.name + '/changelog', line: 1, message, severity: 'error' })));
  });
});

describe('the version label', () => {
  it('is the version of a versioned image; a rolling one has none', () => expect([web, run].map(({ tagSource }) => versionLabelOf(tagSource))).toEqual(['2.0', undefined]));
});
