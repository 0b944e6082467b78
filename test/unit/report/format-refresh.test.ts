import { describe, expect, it } from '@jest/globals';
import type { Upgrade } from '../../../src/packages/upgrade.js';
import type { Reason } from '../../../src/plan/reason.js';
import type { Refresh } from '../../../src/plan/refresh.js';
import type { EntriesPlan } from '../../../src/plan/refresh-entries.js';
import { formatRefresh, refreshToJson, type RefreshReport } from '../../../src/report/format-refresh.js';
import { digestOf } from '../../../src/shared/digest.js';

const openssl: Upgrade = { package: 'openssl', arch: 'amd64', source: 'openssl', from: '1', to: '2', suite: 'trixie-security', security: true, heldBack: undefined };
const outdated: Reason = { why: 'packages-outdated', upgrades: [openssl], tried: [] };
const follows = (parent: string): Reason => ({ why: 'parent-refreshed', parent, ifDiffers: false });
const web = { action: 'write-file', image: 'ns/web', path: 'images/web/changelog', from: '1.0', to: '1.0-s1', before: digestOf('old'), text: 'new', reasons: [follows('ns/base')], entry: 'web (1.0-s1) x; urgency=high' } as const;

type Part = { readonly refresh?: Partial<Refresh>; readonly entries?: Partial<EntriesPlan> } & Partial<Omit<RefreshReport, 'refresh' | 'entries'>>;

/** A rolling base that is outdated, and a versioned image on it, before anything is written. */
function report({ refresh = {}, entries = {}, ...part }: Part = {}): RefreshReport {
  return {
    refresh: { due: new Map([['ns/base', [outdated]], ['ns/web', [follows('ns/base')]]]), left: new Map(), notBrought: new Map(), held: new Map(), unwritable: new Map(), needs: [], ...refresh },
    entries: { steps: [web], rolling: ['ns/base'], unchanged: [], waiting: [], ...entries },
    outside: new Map(),
    unknown: new Map(),
    end: { written: true, commit: undefined, inGit: true },
    plan: undefined,
    ...part,
  };
}
const NOTHING = { refresh: { due: new Map() }, entries: { steps: [], rolling: [] }, end: { written: false, commit: undefined, inGit: true } } as const;

describe('formatRefresh', () => {
  it('says what is due and why, and what to do next', () => {
    expect(formatRefresh(report())).toEqual([
      '1 image to refresh, 1 on it',
      '',
      '  image  now      will be     why',
      '  base   rolling  a new date  openssl 1 → 2 (trixie-security)',
      '  web    1.0      1.0-s1      base is refreshed',
      '',
      '1 changelog written, nothing committed. 1 rolling image to build.   build-images refresh --build builds what is due.',
    ]);
  });
  it('shows the entries that are not written', () => {
    const lines = formatRefresh(report({ end: { written: false, commit: undefined, inGit: true } }));
    expect(lines.slice(-5)).toEqual(['', 'images/web/changelog:', '  web (1.0-s1) x; urgency=high', '', '1 changelog to write. 1 rolling image to build. Nothing was written.   Run it without --dry-run to do it.']);
  });
  it.each<[string, Part, string]>([
    ['a commit', { end: { written: true, commit: 'c0ffee'.repeat(7), inGit: true } }, '1 changelog written and committed as c0ffeec0ffee. 1 rolling image to build.   build-images refresh --build builds what is due.'],
    ['entries that say it already', { entries: { steps: [], unchanged: [{ image: 'ns/web', path: 'x', version: '1.0-s1' }] }, end: { written: false, commit: undefined, inGit: true } }, '1 changelog not published yet says it already. 1 rolling image to build.   build-images refresh --build builds what is due.'],
    ['rolling images alone', { entries: { steps: [] }, end: { written: false, commit: undefined, inGit: true } }, 'No changelog to write. 1 rolling image to build.   build-images refresh --build builds what is due.'],
    ['nothing', NOTHING, 'Nothing to refresh.'],
  ])('ends in %s', (_, part, line) => {
    expect(formatRefresh(report(part)).at(-1)).toBe(line);
  });
  it.each<[string, Part, string]>([
    ['what is left for another time', { refresh: { left: new Map([['ns/web', [outdated]]]) } }, '1 image left for another time (--max-builds)'],
    ['what is held', { refresh: { held: new Map([['ns/web', { why: 'older-checkout', latest: '3.0' }]]) } }, 'web is left: your checkout is older than the registry (:latest is 3.0)'],
    ['what a rebuild did not bring', { refresh: { notBrought: new Map([['ns/web', [openssl]]]) } }, 'web: a rebuild did not bring openssl 1 → 2 (trixie-security)'],
    ['a version that is somebody\'s, and not published', { entries: { waiting: [{ image: 'ns/web', version: '2.0' }] } }, 'web: 2.0 is not published yet, and is built as it is'],
    ['what only an outside image brings', { outside: new Map([['docker.io/library/debian:13', ['a', 'b', 'c', 'd'].map((name) => ({ ...openssl, package: name, source: name }))]]) }, 'only a rebuild of docker.io/library/debian:13 brings a 1 → 2 (trixie-security), b 1 → 2 (trixie-security), c 1 → 2 (trixie-security) and 1 more'],
    ['what is unknown, each thing once', { unknown: new Map([['ns/web', [{ why: 'expired', says: 'InRelease of trixie expired' }, { why: 'expired', says: 'InRelease of trixie expired' }]]]) }, 'web is unknown: InRelease of trixie expired'],
  ])('names %s, also where nothing is due', (_, part, line) => {
    expect(formatRefresh(report(part))).toContain(line);
    expect(formatRefresh(report({ ...part, ...NOTHING, refresh: { ...part.refresh, due: new Map([]) }, entries: { ...part.entries, steps: [], rolling: [] } }))).toContain(line);
  });
});

describe('refreshToJson', () => {
  it('has the entries as steps, before those of a build', () => {
    const plan = { publishing: { publish: true, to: 'r', as: undefined }, needs: [], steps: [{ image: 'ns/base', ref: 'r/ns/base:20260101', tag: '20260101', kind: 'production', action: 'build', parents: [], reasons: [outdated], now: undefined, publishes: true, promotes: true, latestBefore: undefined, digest: undefined, localId: undefined }] } as const;
    const { text, ...step } = web;
    expect(text).toBe('new');
    expect(refreshToJson(report({ plan, end: { written: false, commit: undefined, inGit: true } }))).toEqual({
      publishing: plan.publishing,
      written: false,
      commit: null,
      steps: [step, { image: 'ns/base', ref: 'r/ns/base:20260101', tag: '20260101', kind: 'production', action: 'build', parents: [], reasons: [outdated] }],
      rolling: [{ image: 'ns/base', reasons: [outdated] }],
      unchanged: [],
      waiting: [],
      left: [],
      unwritable: [],
      held: [],
      notBrought: [],
      outside: [],
      unknown: [],
    });
  });
});
