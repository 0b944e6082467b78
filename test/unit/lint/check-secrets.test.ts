import { describe, expect, it } from '@jest/globals';
import { secretsIn } from '../../../src/lint/check-secrets.js';

/** None is written out, so that nobody's scanner finds one here. */
const of = (...parts: readonly string[]): string => parts.join('');
const X = (many: number): string => 'X'.repeat(many);

describe('what a secret looks like', () => {
  it.each([
    [of('-----BEGIN RSA ', 'PRIVATE KEY-----'), ['a private key']],
    [of('-----BEGIN PGP ', 'PRIVATE KEY BLOCK-----'), ['a private key']],
    ['-----BEGIN PGP PUBLIC KEY BLOCK-----', []],
    ['-----BEGIN CERTIFICATE-----', []],
    [of('key=', 'AKIA', X(16)), ['an access key of AWS']],
    [of('AKIA', X(9), 'EXAMPLE'), []],
    [of('AKIA', X(17)), []],
    [of('ghp_', X(36)), ['a token of GitHub']],
    [of('github_pat_', X(60)), ['a token of GitHub']],
    [of('glpat-', X(20)), ['a token of GitLab']],
    [of('xoxb-', X(12)), ['a token of Slack']],
    ['https://u:hunter2@example.org/x', ['a URL with a password']],
    ['http://u:hunter2@[::1]/', ['a URL with a password']],
    ['"postgres://u:hunter2@db:5432/x"', ['a URL with a password']],
    ['https://u:xxxx@example.org https://u:PASSWORD@example.org https://u:*@example.org', []],
    ['https://u:${PW}@example.org https://u:{{ pw }}@example.org https://u:<pw>@example.org', []],
    ['https://example.org:443/a@b https://u@example.org ssh://git@example.org:22/x', []],
    ['mine is s3cr3t', ['the password of the config']],
    [of('https://u:s3cr3t@example.org ', 'AKIA', X(16)), ['an access key of AWS', 'the password of the config', 'a URL with a password']],
  ])('%s', (line, called) => expect(secretsIn(`x\n${line}\n`, 's3cr3t').map((found) => [found.line, found.called])).toEqual(called.map((one) => [2, one])));
  it('a password of the config that is too short to tell from a word is no secret', () => {
    expect([secretsIn('abc', 'abc'), secretsIn('abc', undefined)]).toEqual([[], []]);
  });
});
