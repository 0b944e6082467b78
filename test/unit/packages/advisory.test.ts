import { describe, expect, it } from '@jest/globals';
import { adviseAbove, sayAdvisory, type Advisory } from '../../../src/packages/advisory.js';

const entry = (version: string, urgency: string, text: string, day: number): string => `openssl (${version}) trixie-security; urgency=${urgency}\n\n${text}\n\n -- A Person <a@example.org>  Fri, ${String(day).padStart(2, '0')} Nov 2026 10:00:00 +0000\n\n`;

const CHANGELOG =
  entry('3.5.1-1+deb13u3', 'medium', '  * Fix CVE-2026-10000 and CVE-2026-9999 (Closes: #1)', 20) +
  entry('3.5.1-1+deb13u2', 'HIGH', '  * CVE-2026-9999, no CVE-2025-1\n  * DSA-6012-1\n  * high (1.0) trouble; urgency=critical', 13) +
  entry('3.5.1-1+deb13u1~rc1', 'low', '  * CVE-2020-1111', 6) +
  entry('3.5.1-1', 'critical', '  * CVE-2019-1111', 1);

describe('what a changelog says above a version', () => {
  it('is the most urgent of its entries, what they mend, each once, and since when', () => {
    expect(adviseAbove(CHANGELOG, '3.5.1-1+deb13u1')).toEqual({ source: 'openssl', urgency: 'high', cves: ['CVE-2026-9999', 'CVE-2026-10000'], announcements: ['DSA-6012-1'], entries: 2, since: Date.UTC(2026, 10, 13, 10) });
  });
  it.each([
    ['nothing at the newest', '3.5.1-1+deb13u3', undefined],
    ['nothing above it', '1:0', undefined],
    ['one entry', '3.5.1-1+deb13u2', 1],
    ['an entry before another release of it', '3.5.1-1', 3],
    ['all of it', '0', 4],
  ])('is %s', (_, above, entries) => {
    expect(adviseAbove(CHANGELOG, above)?.entries).toBe(entries);
  });
  it('is what stands in a beginning that ends in the middle', () => {
    expect(adviseAbove(CHANGELOG.slice(0, 100), '3.5.1-1')).toMatchObject({ entries: 1, since: undefined });
  });
  it.each(['', '<html>', '\u0000\u0001'])('of %j is nothing', (text) => {
    expect(adviseAbove(text, '0')).toBeUndefined();
  });
  it.each<[string, Partial<Advisory>, string]>([
    ['three names', { cves: ['CVE-1', 'CVE-2'], announcements: ['DSA-1-1'] }, 'high: DSA-1-1, CVE-1, CVE-2'],
    ['more than three', { cves: ['CVE-1', 'CVE-2', 'CVE-3', 'CVE-4'] }, 'high: CVE-1, CVE-2, CVE-3 and 1 more'],
    ['one entry that names none', { entries: 1 }, 'high: 1 entry'],
    ['entries that name none', {}, 'high: 2 entries'],
  ])('is said in a few words: %s', (_, advisory, said) => {
    expect(sayAdvisory({ source: 'a', urgency: 'high', cves: [], announcements: [], entries: 2, since: undefined, ...advisory })).toBe(said);
  });
});
