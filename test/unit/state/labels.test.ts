import { describe, expect, it } from '@jest/globals';
import { formatParents, LABEL, provenanceOf } from '../../../src/state/labels.js';
import { manifest, today } from '../../support/plan-tree.js';

const labels = {
  [LABEL.title]: 'web',
  [LABEL.definition]: today('web'),
  [LABEL.parents]: `{"r/base:1":"${manifest('base')}"}`,
  [LABEL.version]: '1.0',
  [LABEL.revision]: 'abc',
  [LABEL.created]: '2026-01-01T00:00:00Z',
  [LABEL.packages]: manifest('packages'),
  [LABEL.platform]: 'linux/arm64',
};

describe('provenanceOf', () => {
  it('reads what we wrote', () => {
    expect(provenanceOf(labels, 'web')).toEqual({ definition: today('web'), parents: { 'r/base:1': manifest('base') }, version: '1.0', revision: 'abc', created: '2026-01-01T00:00:00Z', packages: manifest('packages'), platform: 'linux/arm64' });
  });
  it('takes an emptied label for one that is not there', () => {
    expect(provenanceOf({ ...labels, [LABEL.version]: '', [LABEL.revision]: '', [LABEL.created]: '', [LABEL.packages]: '', [LABEL.platform]: '' }, 'web')).toMatchObject({ platform: undefined, version: undefined, revision: undefined, created: undefined, packages: undefined });
  });
  it('does not believe a digest of packages that is none', () => {
    expect(provenanceOf({ ...labels, [LABEL.packages]: 'sha256:1' }, 'web')?.packages).toBeUndefined();
  });
  it.each([
    ['inherited labels: another tool\'s image on one of ours', { ...labels }, 'tool'],
    ['no labels', {}, 'web'],
    ['a definition that is no digest', { ...labels, [LABEL.definition]: 'sha256:12' }, 'web'],
    ['no definition', { [LABEL.title]: 'web', [LABEL.parents]: '{}' }, 'web'],
    ['no parents', { [LABEL.title]: 'web', [LABEL.definition]: today('web') }, 'web'],
    ['parents that are no JSON', { ...labels, [LABEL.parents]: '{' }, 'web'],
    ['parents that are a list', { ...labels, [LABEL.parents]: '[]' }, 'web'],
    ['parents that are null', { ...labels, [LABEL.parents]: 'null' }, 'web'],
    ['parents that are no texts', { ...labels, [LABEL.parents]: '{"a":1}' }, 'web'],
  ])('of unknown origin: %s', (_, found, name) => expect(provenanceOf(found, name)).toBeUndefined());
});

describe('formatParents', () => {
  it('writes equal parents equally, in order', () => {
    expect(formatParents({ b: '2', a: '1' })).toBe('{"a":"1","b":"2"}');
    expect(formatParents({})).toBe('{}');
  });
});
