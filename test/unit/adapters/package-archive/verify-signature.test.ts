import { describe, expect, it } from '@jest/globals';
import { verdictOfGpgv, verdictOfSqv } from '../../../../src/adapters/package-archive/verify-signature.js';

const KEY = 'A'.repeat(40);
const MAIN = 'B'.repeat(40);
const OTHER = 'C'.repeat(40);
const signature = (...lines: readonly string[]): string => ['NEWSIG', ...lines].map((line) => `[GNUPG:] ${line}\n`).join('');
const valid = (digest = 8): string => `VALIDSIG ${KEY} 2026-11-20 1795125600 0 4 0 22 ${digest} 01 ${MAIN}`;
const GOOD = signature('KEY_CONSIDERED x 0', 'GOODSIG AAAAAAAAAAAAAAAA Debian', valid());
const UNKNOWN = signature('ERRSIG DDDDDDDDDDDDDDDD 1 8 01 1795125600 9 x', 'NO_PUBKEY DDDDDDDDDDDDDDDD');

describe('what gpgv says of signatures', () => {
  it.each<[string, string, readonly string[] | undefined, true | string]>([
    ['a good one', GOOD, undefined, true],
    ['a good one beside one of an unknown key', UNKNOWN + GOOD + UNKNOWN, undefined, true],
    ['a good one beside one of another text', GOOD + signature('BADSIG AAAAAAAAAAAAAAAA Debian'), undefined, 'does not fit its signature'],
    ['one of another text', signature('BADSIG AAAAAAAAAAAAAAAA Debian'), undefined, 'does not fit its signature'],
    ['of unknown keys', UNKNOWN + UNKNOWN, undefined, "is signed by none of the image's keys (DDDDDDDDDDDDDDDD, DDDDDDDDDDDDDDDD)"],
    ['of an expired key', signature('EXPKEYSIG AAAAAAAAAAAAAAAA Debian', valid()), undefined, 'is signed by a key that has expired (AAAAAAAAAAAAAAAA)'],
    ['of a revoked key', signature('REVKEYSIG AAAAAAAAAAAAAAAA Debian', valid()), undefined, 'is signed by a key that was revoked (AAAAAAAAAAAAAAAA)'],
    ['that has expired', signature('EXPSIG AAAAAAAAAAAAAAAA Debian', valid()), undefined, 'has a signature that has expired'],
    ['of an expired key beside a good one', signature('EXPKEYSIG DDDDDDDDDDDDDDDD Debian', valid()) + GOOD, undefined, true],
    ['with SHA-1', signature('GOODSIG AAAAAAAAAAAAAAAA Debian', valid(2)), undefined, 'is signed with a digest that proves nothing'],
    ['with MD5', signature('GOODSIG AAAAAAAAAAAAAAAA Debian', valid(1)), undefined, 'is signed with a digest that proves nothing'],
    ['none', '[GNUPG:] NODATA 4\n', undefined, 'has no signature that can be read'],
    ['nothing', '', undefined, 'has no signature that can be read'],
    ['a good one of a key that is named', GOOD, [OTHER, KEY.toLowerCase()], true],
    ['a good one of a key whose main key is named', GOOD, [MAIN.replace(/(.{4})/g, '$1 ')], true],
    ['a good one of a key that is named alone', GOOD, [`${KEY}!`], true],
    ['a good one of a key whose main key is named alone', GOOD, [`${MAIN}!`], `is signed by a key that its Signed-By does not name (${MAIN})`],
    ['a good one of a key that is not named', GOOD, [OTHER], `is signed by a key that its Signed-By does not name (${MAIN})`],
    ['a good one where no key is named', GOOD, [], `is signed by a key that its Signed-By does not name (${MAIN})`],
    ['words of a text that look like it', 'GOODSIG x\n[GNUPG:] GOODSIG x\n', undefined, 'has no signature that can be read'],
  ])('%s', (_, status, fingerprints, verdict) => {
    expect(verdictOfGpgv(status, fingerprints)).toEqual(verdict === true ? { good: true } : { good: false, says: verdict });
  });
});

describe('what sqv says of signatures', () => {
  it.each<[string, number, string, string, true | string]>([
    ['good ones', 0, `${KEY}\n${MAIN}\n`, '', true],
    ['one of another text', 1, '', 'Verifying signature:\n           Message has been manipulated\n', 'does not fit its signature'],
    ['of an unknown key', 1, '', `Missing key ${KEY}, which is needed to verify signature.\n`, `is signed by none of the image's keys (${KEY.slice(-16)})`],
    ['of an expired key', 1, '', 'Bad signature:\n  because: The primary key is not live: expired\n', 'has no good signature (because: The primary key is not live: expired)'],
    ['nothing at all', 0, '', '', 'has no good signature'],
    ['a key, and failure', 1, `${KEY}\n`, '', 'has no good signature'],
  ])('%s', (_, code, output, errors, verdict) => {
    expect(verdictOfSqv({ code, output, errors }, undefined)).toEqual(verdict === true ? { good: true } : { good: false, says: verdict });
  });
  it('a key that Signed-By does not name', () => {
    expect(verdictOfSqv({ code: 0, output: `${KEY}\n`, errors: '' }, [OTHER])).toEqual({ good: false, says: `is signed by a key that its Signed-By does not name (${KEY})` });
  });
});
