import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bumpVersion } from '../../../src/definition/bump-version.js';
import { tagFault } from '../../../src/definition/changelog.js';
import { compareVersions } from '../../../src/definition/version.js';

describe('bumpVersion', () => {
  it.each([
    ['1', '1-s1'],
    ['1.0.0-1', '1.0.0-1-s1'],
    ['1.0-1-s3', '1.0-1-s4'],
    ['1-s09', '1-s10'],
    ['1-s0', '1-s1'],
    ['1.0-1-s99999999999999999999', '1.0-1-s100000000000000000000'],
    // docker-pkg refuses those that follow.
    ['3.5a', '3.5a-s1'],
    ['3.5a-s1', '3.5a-s2'],
    ['buster-1', 'buster-1-s1'],
    ['1:2.0~rc1-1+b2', '1:2.0~rc1-1+b2-s1'],
    ['1.0+deb12-s4', '1.0+deb12-s5'],
    ['1-2-s9-s1', '1-2-s9-s2'],
    ['1.0-1-s3.1', '1.0-1-s3.1-s1'],
    ['1.2.3-s', '1.2.3-s-s1'],
    ['1.0.0-1s2', '1.0.0-1s2-s1'],
    ['1.2-S3', '1.2-S3-s1'],
    ['-s4', '-s4-s1'],
  ])('after %s comes %s', (version, next) => expect(bumpVersion(version, 's')).toBe(next));
  it('counts behind the mark of the config alone', () => {
    expect(['1.0', '1.0-s3', '1.0-sec.3'].map((version) => bumpVersion(version, 'sec.'))).toEqual(['1.0-sec.1', '1.0-s3-sec.1', '1.0-sec.4']);
  });
  it('passes versions over that are taken', () => {
    const taken = ['1.0-s1', '1.0-s2', '1.0-s4'];
    expect([bumpVersion('1.0', 's', (version) => taken.includes(version)), bumpVersion('1.0-s3', 's', (version) => taken.includes(version))]).toEqual(['1.0-s3', '1.0-s5']);
  });

  const texts = fc.string({ unit: fc.constantFrom(...'0019aZs.+~-_:'), minLength: 1, maxLength: 12 });
  const marks = fc.constantFrom('s', 'sec.', '_', 'wm2f', '.', 'S');
  it('whatever a version looks like, the next one sorts above it, and so does the one after that', () => {
    fc.assert(
      fc.property(texts, marks, (version, mark) => {
        const next = bumpVersion(version, mark);
        const after = bumpVersion(next, mark);
        expect([compareVersions(next, version), compareVersions(after, next)].map(Math.sign)).toEqual([1, 1]);
      }),
      { numRuns: 5000, seed: 20261121 },
    );
  });
  it('bumping again only counts on', () => {
    fc.assert(
      fc.property(texts, marks, (version, mark) => {
        const [, stem, number] = /^(.*?)([0-9]+)$/.exec(bumpVersion(version, mark))!;
        expect(bumpVersion(`${stem}${number}`, mark)).toBe(`${stem}${BigInt(number!) + 1n}`);
      }),
      { numRuns: 5000, seed: 20261121 },
    );
  });
  it('a legal tag stays one', () => {
    fc.assert(
      fc.property(texts, marks, (version, mark) => {
        fc.pre(tagFault(version) === undefined);
        expect(tagFault(bumpVersion(version, mark))).toBeUndefined();
      }),
      { numRuns: 2000, seed: 20261121 },
    );
  });
});
