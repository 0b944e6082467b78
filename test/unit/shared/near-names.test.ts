import { describe, expect, it } from '@jest/globals';
import { nearHint, nearNames } from '../../../src/shared/near-names.js';

describe('nearNames', () => {
  it.each([
    ['two letters swapped are one edit', 'pyhton3', ['python3', 'pypy'], ['python3']],
    ['a letter too many or too few', 'pthon3', ['python3'], ['python3']],
    ['a letter that is another', 'pythom3', ['python3'], ['python3']],
    ['two swaps in a long word', 'pyhton3-treixie', ['python3-trixie'], ['python3-trixie']],
    ['one inside the other', 'python3', ['python3-trixie', 'java'], ['python3-trixie']],
    ['one inside the other, the other way', 'python3-trixie', ['python3'], ['python3']],
    ['capitals do not count', 'Web', ['web'], ['web']],
    ['the nearest first, then by name', 'webs', ['wibs', 'webs-tool', 'web', 'tebs'], ['tebs', 'web', 'wibs']],
    ['the name itself is no hint', 'web', ['web'], []],
    ['a short word is not looked for inside', 'web', ['webserver'], []],
    ['a short name is not looked for inside', 'webserver', ['web'], []],
    ['nothing near', 'python', ['java', 'ruby'], []],
    ['two edits in a short word are too many', 'wbe1', ['web', 'java'], []],
    ['no more than three', 'aaaa', ['aaab', 'aaac', 'aaad', 'aaae'], ['aaab', 'aaac', 'aaad']],
  ])('%s', (_, word, known, near) => expect(nearNames(word, known)).toEqual(near));

  it('is said in brackets, or not at all', () => {
    expect(nearHint('wep', ['web', 'wed'])).toBe(' (near: web, wed)');
    expect(nearHint('wep', ['java'])).toBe('');
  });
});
