import { describe, expect, it } from '@jest/globals';
import { withoutLogins } from '../../../src/packages/without-logins.js';

const clean = (text: string): string => Buffer.from(withoutLogins(Buffer.from(text))).toString();

describe('a file without logins', () => {
  it.each([
    ['URIs: https://me:hush@a.example.org/debian', 'URIs: https://a.example.org/debian'],
    ['URIs: https://me@a.example.org/ http://u:p@b.example.org', 'URIs: https://a.example.org/ http://b.example.org'],
    ['deb tor+http://me:hu@sh@a.example.org/ x', 'deb tor+http://a.example.org/ x'],
    ['Acquire::http::Proxy "http://me:hush@proxy:3128/";', 'Acquire::http::Proxy "http://proxy:3128/";'],
    ['# mail me@example.org about http://a.example.org/~me@home', '# mail me@example.org about http://a.example.org/~me@home'],
    ['ü http://me:hush@a', 'ü http://a'],
  ])('%s', (text, expected) => expect(clean(text)).toBe(expected));
  it('is the same bytes where there are none, and where it is a key', () => {
    for (const bytes of [Buffer.from('deb http://a.example.org x'), Buffer.concat([Buffer.from([0x99, 0]), Buffer.from('http://me:x@y')])]) expect(withoutLogins(bytes)).toBe(bytes);
  });
});
