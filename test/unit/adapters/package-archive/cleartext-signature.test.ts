import { describe, expect, it } from '@jest/globals';
import { splitCleartext } from '../../../../src/adapters/package-archive/cleartext-signature.js';

const SIGNATURE = '-----BEGIN PGP SIGNATURE-----\n\nabcd\n=efgh\n-----END PGP SIGNATURE-----\n';
const signed = (text: string, head = 'Hash: SHA512\n'): string => `-----BEGIN PGP SIGNED MESSAGE-----\n${head}\n${text}\n${SIGNATURE}`;
const split = (text: string): readonly (string | undefined)[] => {
  const found = splitCleartext(Buffer.from(text, 'latin1'));
  return [found?.text.toString('latin1'), found?.signature.toString('latin1')];
};

describe('a text that is signed in the clear', () => {
  it.each([
    ['is what was signed', signed('Origin: Test\nLabel: \u00e9'), 'Origin: Test\nLabel: \u00e9'],
    ['has its dashes back', signed('a\n- -----BEGIN\n- - b'), 'a\n-----BEGIN\n- b'],
    ['has no blanks at the ends of its lines', signed('a \t\nb\r'), 'a\nb'],
    ['may have lines that are empty', signed('\na\n\n'), '\na\n\n'],
    ['may say nothing of its digest', signed('a', ''), 'a'],
    ['may say it twice', signed('a', 'Hash: SHA256\nHash: SHA512\n'), 'a'],
    ['may have blank lines behind it', `${signed('a')}\n\n`, 'a'],
  ])('%s', (_, text, expected) => {
    expect(split(text)).toEqual([expected, SIGNATURE]);
  });
  it.each([
    ['with text before it', `Origin: x\n${signed('a')}`],
    ['with text behind it', `${signed('a')}Origin: x\n`],
    ['with another one behind it', signed('a') + signed('b')],
    ['with another header', signed('a', 'Comment: x\n')],
    ['without a blank line before the text', signed('a').replace('SHA512\n\n', 'SHA512\n')],
    ['with a line whose dash is not escaped', signed('-a')],
    ['without an end', signed('a').replace('-----END PGP SIGNATURE-----\n', '')],
    ['without a signature', '-----BEGIN PGP SIGNED MESSAGE-----\n\na\n'],
    ['that is empty', ''],
  ])('%s is none', (_, text) => {
    expect(split(text)).toEqual([undefined, undefined]);
  });
});
