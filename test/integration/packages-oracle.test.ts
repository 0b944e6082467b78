import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AvailablePackage } from '../../src/packages/package-record.js';
import { indexOfPackages } from '../support/index-of-packages.js';

jest.setTimeout(60_000);

/** The same texts every time: a failure can be repeated. */
const SEED = 20261122;
const TEXTS = 400;
const one = (...texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);
const joined = (...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> => fc.tuple(...parts).map((all) => all.join(''));
const many = (part: fc.Arbitrary<string>, least: number, most: number, between: string): fc.Arbitrary<string> => fc.array(part, { minLength: least, maxLength: most }).map((all) => all.join(between));

const NAME = one('a', 'ab', 'a-b', 'a+', 'a.b', 'b', 'libssl3', 'libssl3t64', 'libssl-dev', 'zlib1g');
const VERSION = one('1', '1:2.0-1', '2.0~rc1-1+b2', '3.5.1-1+deb13u1+b10');
const RELATION = joined(NAME, one('', '', ' (= 1)', ' (>= 1:2)'));
const COMMA = one(', ', ',', ',\n ', ' ,\n\t');
const RELATIONS = fc.tuple(fc.array(RELATION, { minLength: 1, maxLength: 4 }), COMMA).map(([all, comma]) => all.join(comma));
const COLON = one(': ', ': ', ': ', ':', ':  ', ':\t');
const field = (name: fc.Arbitrary<string>, value: fc.Arbitrary<string>): fc.Arbitrary<string> => joined(name, COLON, value, one('', '', ' '), one('\n'));
const OPTIONAL = fc.oneof(
  field(one('Source'), one('a', 'openssl', 'openssl (3.5.1-1)', 'a (1:2)')),
  field(one('Multi-Arch', 'multi-arch'), one('same', 'foreign', 'no', 'allowed')),
  field(one('Depends', 'DEPENDS'), RELATIONS),
  field(one('Pre-Depends'), RELATIONS),
  field(one('Conflicts'), RELATIONS),
  field(one('Breaks'), RELATIONS),
  field(one('Provides'), RELATIONS),
  field(one('Description'), one('short\n Package: not this\n .\n more: of it', 'J\u00fcrgen\n\tVersion: 9')),
  field(one('Tag', 'X-Version', 'Pre-Architecture', 'Sizes'), one('role::program,\n use::x', '5')),
);
/** Each field once: of one that comes twice every reader makes something else. */
const STANZA = fc
  .tuple(NAME, one('amd64', 'all'), VERSION, fc.array(OPTIONAL, { maxLength: 6 }), fc.nat(99_999), fc.infiniteStream(fc.nat()))
  .map(([name, architecture, version, optional, size, order]) => {
    const once = [...new Map(optional.map((text) => [text.slice(0, text.indexOf(':')).toLowerCase(), text])).values()];
    const rest = [`Architecture: ${architecture}\n`, `Version: ${version}\n`, `Filename: pool/${name}_${size}.deb\n`, `Size: ${size}\n`, `SHA256: ${String(size).padStart(64, 'Ab')}\n`, ...once];
    const shuffled = rest.map((text) => [order.next().value!, text] as const).sort(([a], [b]) => a - b);
    return [`Package: ${name}\n`, ...shuffled.map(([, text]) => text)].join('');
  });
const PACKAGES = joined(many(STANZA, 0, 12, '\n'), one('', '\n', '\n\n'));

/** A record as apt's fields: what it says of architecture and source, and its relations. */
function told({ name, architecture, version, source, sourceVersion, multiArch, relations, filename, size, sha256 }: AvailablePackage): readonly string[] {
  return [name, architecture, version, source, sourceVersion, multiArch ?? '', relations.preDepends, relations.depends, relations.conflicts, relations.breaks, relations.provides, filename, String(size), sha256];
}

/** The same of what apt reads. */
function asTold([name, architecture, version, source, multiArch, preDepends, depends, conflicts, breaks, provides, filename, size, sha256]: readonly string[]): readonly string[] {
  const [, own = name!, ownVersion = version!.replace(/\+b\d+$/, '')] = /^(\S+)(?: \((.*)\))?$/.exec(source!) ?? [];
  return [name!, architecture!, version!, own, ownVersion, multiArch === 'no' ? '' : multiArch!, preDepends!, depends!, conflicts!, breaks!, provides!, filename!, size!, sha256!.toLowerCase()];
}

describe('indexes of packages', () => {
  it(`${TEXTS} random ones say what apt reads in them`, () => {
    const texts = fc.sample(PACKAGES, { seed: SEED, numRuns: TEXTS });
    const run = spawnSync('/usr/bin/python3', [fileURLToPath(new URL('../support/packages-oracle.py', import.meta.url))], { input: JSON.stringify(texts), encoding: 'utf8', maxBuffer: 64 << 20 });
    if (run.status !== 0) throw new Error(run.stderr);
    const answers = JSON.parse(run.stdout) as readonly (readonly (readonly string[])[])[];
    let records = 0;
    let providers = 0;
    for (const [at, text] of texts.entries()) {
      const index = indexOfPackages(Buffer.from(text, 'latin1'), { release: {} as never, site: '', uri: '', component: '', architecture: '' });
      const theirs = answers[at]!.filter(([name]) => name !== '').map(asTold);
      for (const name of new Set(theirs.map(([own]) => own!))) expect([text, index.versionsOf(name).map(told)]).toEqual([text, theirs.filter(([own]) => own === name)]);
      for (const name of ['a', 'ab', 'a-b', 'a+', 'a.b', 'b', 'libssl3', 'libssl3t64', 'nothing']) {
        const providing = theirs.filter(([own, , , , , , , , , , provides]) => own !== name && provides!.split(',').some((part) => part.trim().split(' ')[0] === name));
        expect([text, index.providersOf(name).map(told)]).toEqual([text, providing]);
        providers += providing.length;
      }
      records += theirs.length;
    }
    expect([records, providers]).toEqual([1961, 865]);
  });
});
