import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { compileGlob } from '../../src/graph/glob.js';
import { seeded, type Chance } from '../support/seeded.js';

const MANY = 20_000;

/** Characters that mean something in a glob, in a regular expression or to minimatch, and some that do not. */
const CHARACTERS = [...'abzAZ059/.-_:+@!#^$()[]{}*?|\\,~=<>&% \n\tü€'];

/** One glob, and a text that it may well match: the glob's own characters, with what stands for others filled in. */
function pair(chance: Chance): readonly [glob: string, text: string] {
  const glob: string[] = [];
  const text: string[] = [];
  const any = (): string => chance.one(CHARACTERS);
  for (let left = chance.below(7); left > 0; left--) {
    switch (chance.below(5)) {
      case 0:
        glob.push('*');
        for (let more = chance.below(3); more > 0; more--) text.push(any());
        break;
      case 1:
        glob.push('?');
        text.push(any());
        break;
      case 2: {
        const members = Array.from({ length: chance.below(4) }, any);
        const [low, high] = [any(), any()];
        const range = chance.is(0.5) ? [`${low}-${high}`] : [];
        glob.push(`[${chance.is(0.3) ? '!' : ''}${chance.is(0.5) ? [...range, ...members].join('') : [...members, ...range].join('')}${chance.is(0.9) ? ']' : ''}`);
        text.push(chance.one([...members, low, high, any()]));
        break;
      }
      default: {
        const character = any();
        glob.push(character);
        text.push(chance.is(0.9) ? character : any());
      }
    }
  }
  return [glob.join(''), text.join('')];
}

describe('globs, with Python as the judge', () => {
  it(`${MANY} pairs match as fnmatchcase says`, () => {
    const chance = seeded(20261121);
    const pairs = Array.from({ length: MANY }, () => pair(chance));
    const program = 'import fnmatch, json, sys\njson.dump([fnmatch.fnmatchcase(text, glob) for glob, text in json.load(sys.stdin)], sys.stdout)';
    const theirs = JSON.parse(execFileSync('/usr/bin/python3', ['-W', 'ignore', '-c', program], { input: JSON.stringify(pairs), encoding: 'utf8', maxBuffer: 1 << 26 })) as readonly boolean[];
    const wrong = pairs.flatMap(([glob, text], index) => (compileGlob(glob)(text) === theirs[index] ? [] : [{ glob, text, theirs: theirs[index] }]));
    expect(wrong.slice(0, 20)).toEqual([]);
    const matching = theirs.filter((matches) => matches).length;
    expect(Math.min(matching, MANY - matching)).toBeGreaterThan(MANY / 10);
  });
});
