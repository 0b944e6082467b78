import { describe, expect, it } from '@jest/globals';
import { imageLabels, type LabelFacts } from '../../../src/execute/image-labels.js';
import { LABEL } from '../../../src/state/labels.js';
import { manifest, nodeOf, REGISTRY, today } from '../../support/plan-tree.js';
import { production, treeInMemory } from '../../support/tree-in-memory.js';

const facts: LabelFacts = {
  definition: nodeOf('web', []).definition,
  digest: today('web'),
  parents: { [`${REGISTRY}/base:2.0`]: manifest('base') },
  folder: { revision: 'c0ffee', source: 'https://git.example.org/images' },
  created: '2026-01-01T00:00:00Z',
  base: { ref: `${REGISTRY}/base:2.0`, digest: manifest('base'), labels: {} },
  version: '2.0',
  packages: undefined,
  platform: undefined,
};

describe('imageLabels', () => {
  it('says what an image is, and what it was made from', () => {
    expect(imageLabels(facts)).toEqual({
      [LABEL.definition]: today('web'),
      [LABEL.parents]: `{"${REGISTRY}/base:2.0":"${manifest('base')}"}`,
      [LABEL.title]: 'web',
      [LABEL.version]: '2.0',
      [LABEL.created]: '2026-01-01T00:00:00Z',
      [LABEL.revision]: 'c0ffee',
      [LABEL.source]: 'https://git.example.org/images',
      [LABEL.baseName]: `${REGISTRY}/base:2.0`,
      [LABEL.baseDigest]: manifest('base'),
    });
  });
  it('says what platform was asked for', () => {
    expect(imageLabels({ ...facts, platform: 'linux/arm64' })[LABEL.platform]).toBe('linux/arm64');
    expect(imageLabels({ ...facts, base: { ...facts.base!, labels: { [LABEL.platform]: 'linux/arm64' } } })[LABEL.platform]).toBe('');
  });
  it('empties what the base has and this image has not, and nothing else of the base\'s', () => {
    const labels = { [LABEL.version]: '1.0', [LABEL.packages]: manifest('packages'), [LABEL.vendor]: 'Someone', [LABEL.description]: '', 'org.example.own': 'kept by the engine' };
    const made = imageLabels({ ...facts, version: undefined, base: { ...facts.base!, labels } });
    expect(made).toMatchObject({ [LABEL.version]: '', [LABEL.packages]: '', [LABEL.vendor]: '' });
    expect(Object.keys(made)).not.toContain(LABEL.description);
    expect(Object.keys(made)).not.toContain('org.example.own');
    expect(made[LABEL.title]).toBe('web');
  });
  it('names no digest of a base that was never pushed', () => {
    const made = imageLabels({ ...facts, base: { ...facts.base!, digest: 'id:sha256:aaa' } });
    expect([made[LABEL.baseName], LABEL.baseDigest in made]).toEqual([`${REGISTRY}/base:2.0`, false]);
  });
  it('names no base of an image made from scratch, no revision outside git, and the packages of a base image', () => {
    const made = imageLabels({ ...facts, base: undefined, folder: { revision: undefined, source: undefined }, packages: manifest('packages') });
    expect(Object.keys(made).filter((key) => key === LABEL.baseName || key === LABEL.baseDigest || key === LABEL.revision || key === LABEL.source)).toEqual([]);
    expect(made[LABEL.packages]).toBe(manifest('packages'));
  });
  it('takes vendor and description from control; an address is nobody\'s business', async () => {
    const { definitions } = await treeInMemory(production('web', 'FROM scratch', 'Package: web\nMaintainer: The Team <team@example.org>\nDescription: A web server\n'));
    expect(imageLabels({ ...facts, definition: definitions[0]! })).toMatchObject({ [LABEL.vendor]: 'The Team', [LABEL.description]: expect.stringContaining('A web server') });
  });
});
