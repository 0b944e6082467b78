import { describe, expect, it } from '@jest/globals';
import { createRedactor } from '../../../src/shared/redact.js';

describe('a redactor', () => {
  const secret = 'p"ss wörd/1';
  it.each([
    ['as it is', secret],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['in a URL', encodeURIComponent(secret)],
    ['inside JSON', JSON.stringify(secret).slice(1, -1)],
  ])('takes a secret out %s, wherever it stands', (_, form) => {
    const redactor = createRedactor();
    redactor.hide(secret);
    expect(redactor.redact(`a ${form} b ${form}`)).toBe('a *** b ***');
  });
  it('takes a login out as docker\'s configuration and HTTP write it', () => {
    const redactor = createRedactor();
    redactor.hideLogin('builder', secret);
    const basic = Buffer.from(`builder:${secret}`).toString('base64');
    expect(redactor.redact(`"auth": "${basic}" ${secret} builder`)).toBe('"auth": "***" *** builder');
  });
  it('knows several secrets', () => {
    const redactor = createRedactor();
    redactor.hide('first');
    redactor.hide('second');
    expect(redactor.redact('second first third')).toBe('*** *** third');
  });
  it('takes what stands before the host out of a URL, and leaves JSON whole', () => {
    const { redact } = createRedactor();
    expect(redact('http_proxy: http://me:s3cret@proxy.example.org:3128')).toBe('http_proxy: http://***@proxy.example.org:3128');
    const json = JSON.stringify({ a: 'http://a.example.org', b: 'x:y@z', c: 'say "https://me:pw@h/"' });
    expect(JSON.parse(redact(json))).toEqual({ a: 'http://a.example.org', b: 'x:y@z', c: 'say "https://***@h/"' });
  });
  it('leaves texts alone before it knows a secret, and for one too short to be one', () => {
    const redactor = createRedactor();
    redactor.hide('abc');
    redactor.hide('');
    expect(redactor.redact('abc')).toBe('abc');
    redactor.hide('abcd');
    expect(redactor.redact('abcd')).toBe('***');
  });
});
