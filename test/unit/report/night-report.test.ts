import { describe, expect, it } from '@jest/globals';
import type { Event, Happening } from '../../../src/execute/event.js';
import type { Upgrade } from '../../../src/packages/upgrade.js';
import type { Failing } from '../../../src/plan/retry.js';
import { formatNightly } from '../../../src/report/format-nightly.js';
import { formatNightMetrics } from '../../../src/report/night-metrics.js';
import { nightReport, type NightFacts } from '../../../src/report/night-report.js';
import { digestOf } from '../../../src/shared/digest.js';
import { parsePrometheus } from '../../support/prometheus-text.js';
import { manifest, planFor, tree } from '../../support/plan-tree.js';

const START = Date.UTC(2026, 10, 20, 2);
const END = START + 2467_000;
const DAY = 24 * 3_600_000;
const upgrade = (source: string, security = true): Upgrade => ({ package: `lib${source}`, arch: 'amd64', source, from: '1', to: '2', suite: 'trixie-security', security, heldBack: undefined });
const FACTS: NightFacts = { host: 'builder1', startedAt: START, endedAt: END, outdated: 0, unknown: new Map(), heldBack: new Map(), notBrought: new Map(), lacking: new Map(), fixes: [], failing: new Map(), fresh: new Set(), git: [], listed: [], left: undefined, notes: [], fault: undefined };
const events = (...happenings: readonly Happening[]): readonly Event[] => happenings.map((happening) => ({ at: START, ...happening }) as Event);
const PLAN = planFor(tree('base ← web ← api, base ← tool'), {});
const started = (run = '20261120-0200'): Happening => ({ type: 'run-started', run, publishing: PLAN.publishing, steps: PLAN.steps });
const begun = (image: string, ...reasons: Extract<Happening, { type: 'step-started' }>['reasons']): Happening => ({ type: 'step-started', image, action: 'build', reasons });
const published = (image: string): Happening => ({ type: 'published', image, tag: '1', digest: manifest(image) });
const failed = (image: string, exit: 0 | 1 | 4 | 5 = 1, phase: 'test' | 'delete' = 'test'): Happening => ({ type: 'failed', image, phase, message: 'its test failed: exit 3\nmore', detail: [], log: undefined, exit });
const finished = (exit: 0 | 1 | 4 | 5 | 143 = 0): Happening => ({ type: 'run-finished', run: '20261120-0200', seconds: 1, exit });
const refreshedFor = (...upgrades: readonly Upgrade[]) => ({ why: 'packages-outdated', upgrades, tried: [] }) as const;
const failing = (nights: number): Failing => ({ nights, last: START - DAY, tried: digestOf('a'), message: 'as before' });
const fix = (image: string, age: number) => ({ image, package: 'libssl3', arch: 'amd64', source: 'openssl', from: '1', to: '2', suite: 'trixie-security', since: END - age });

const WHOLE = events(started(), begun('base', refreshedFor(upgrade('openssl'), upgrade('libxml2'))), published('base'), begun('web', { why: 'parent-refreshed', parent: 'base', ifDiffers: false }), failed('web'), { type: 'blocked', image: 'api', by: 'web' }, begun('tool', { why: 'parent-refreshed', parent: 'base', ifDiffers: false }), published('tool'), { type: 'promoted', image: 'base', tag: '1', digest: manifest('base'), from: undefined, was: undefined }, finished(1));

describe('what a night came to', () => {
  it('is told of images by why they were made', () => {
    const report = nightReport(WHOLE, FACTS);
    expect([[...report.refreshed.keys()], report.rebuilt, report.built, report.blocked, report.promoted, report.runs]).toEqual([['base'], ['tool'], [], ['api'], [], ['20261120-0200']]);
    expect(report.failed).toEqual([{ image: 'web', message: 'its test failed: exit 3\nmore', nights: 1, next: START + DAY }]);
  });
  it.each([
    ['one more night than before', new Map([['web', failing(1)]]), new Set<string>(), 2],
    ['as the first one when something new was tried', new Map([['web', failing(3)]]), new Set(['web']), 1],
  ])('a failure counts %s', (_, before, fresh, nights) => expect(nightReport(WHOLE, { ...FACTS, failing: before, fresh }).failed[0]!.nights).toBe(nights));
  it('what is left alone tonight still fails, with its next try', () => {
    expect(nightReport([], { ...FACTS, failing: new Map([['web', failing(2)]]) })).toMatchObject({ exit: 1, failed: [{ image: 'web', message: 'as before', nights: 2, next: START + DAY }] });
  });
  it('what failed and was done in a later run of the night is done', () => {
    const report = nightReport([...events(started(), failed('web'), { type: 'blocked', image: 'api', by: 'web' }, finished(1)), ...events(started('20261120-0300'), begun('web'), published('web'), published('api'), finished())], FACTS);
    expect([report.failed, report.blocked, report.built, report.runs]).toEqual([[], [], ['web', 'api'], ['20261120-0200', '20261120-0300']]);
  });
  it('what came out as it was fails no more, and was not published', () => {
    const as = (image: string, built: boolean): Happening => ({ type: 'unchanged', image, tag: '1', digest: manifest(image), built });
    const report = nightReport(events(started(), begun('base', refreshedFor(upgrade('openssl'))), as('base', true), as('tool', false), finished()), { ...FACTS, failing: new Map([['base', failing(2)]]) });
    expect([report.unchanged, report.failed, report.refreshed.size, report.exit]).toEqual([['base'], [], 0, 0]);
  });
  it('what was left by one run counts only if no later one begins it', () => {
    const left: Happening = { type: 'not-started', image: 'web', because: 'the deadline has come' };
    expect(nightReport(events(started(), left, finished()), FACTS)).toMatchObject({ exit: 10, left: { images: ['web'], because: 'the deadline has come' } });
    expect(nightReport(events(started(), left, finished(), started(), published('web'), finished()), FACTS)).toMatchObject({ exit: 0, left: undefined });
  });
  it('a security update is no longer waited for by what was made', () => {
    expect(nightReport(WHOLE, { ...FACTS, fixes: [fix('base', DAY), fix('web', DAY)] }).pending.map(({ image }) => image)).toEqual(['web']);
  });
  it('but what a rebuild did not bring before is, though it was made again', () => {
    const report = nightReport(WHOLE, { ...FACTS, fixes: [fix('base', DAY), { ...fix('base', DAY), package: 'libxml2' }], notBrought: new Map([['base', [{ ...upgrade('openssl'), package: 'libssl3' }]]]) });
    expect(report.pending.map(({ package: name }) => name)).toEqual(['libssl3']);
  });
  it('what is not in the published image was not brought, and is waited for', () => {
    const fixes = [{ ...fix('base', DAY), package: 'libopenssl' }, { ...fix('base', DAY), package: 'liblibxml2' }, { ...fix('tool', DAY), package: 'libopenssl' }];
    const report = nightReport(WHOLE, { ...FACTS, fixes, lacking: new Map([['base', [upgrade('openssl')]], ['tool', [upgrade('openssl')]]]) });
    expect([[...report.refreshed], [...report.notBrought]]).toEqual([[['base', [upgrade('libxml2')]]], [['base', [upgrade('openssl')]]]]);
    expect(report.pending.map(({ image, package: name }) => [image, name])).toEqual([['base', 'libopenssl'], ['tool', 'libopenssl']]);
  });
  it('an image that lacks all it was made for was built, not refreshed', () => {
    const report = nightReport(WHOLE, { ...FACTS, lacking: new Map([['base', [upgrade('openssl'), upgrade('libxml2')]]]) });
    expect([report.refreshed.size, report.built]).toEqual([0, ['base']]);
  });
  it('what the published image has by now is waited for no more, though a rebuild did not bring it before', () => {
    const report = nightReport(WHOLE, { ...FACTS, fixes: [{ ...fix('base', DAY), package: 'libopenssl' }], notBrought: new Map([['base', [upgrade('openssl')]]]), lacking: new Map([['base', []]]) });
    expect([report.pending, report.notBrought.size]).toEqual([[], 0]);
  });
  it('what one rebuild did not bring is told beside what another did not', () => {
    const report = nightReport(WHOLE, { ...FACTS, notBrought: new Map([['base', [upgrade('zlib')]]]), lacking: new Map([['base', [upgrade('zlib'), upgrade('openssl')]]]) });
    expect([...report.notBrought]).toEqual([['base', [upgrade('zlib'), upgrade('openssl')]]]);
  });
  it('only what moved :latest is there to be undone', () => {
    const report = nightReport([...events(started(), failed('web'), finished(1)), ...WHOLE.map((event) => (event.type === 'run-started' ? { ...event, run: '20261120-0300' } : event))], FACTS);
    expect([report.runs, report.moved]).toEqual([['20261120-0200', '20261120-0300'], ['20261120-0300']]);
    expect(formatNightly(report).at(-1)).toMatch(/Undo: build-images rollback 20261120-0300$/);
    expect(formatNightly(nightReport(events(started(), failed('web'), finished(1)), FACTS)).join()).not.toContain('Undo');
  });
  it('a run that found nothing to do has no name to undo it by', () => {
    const kept = { ...PLAN.steps[0]!, action: 'keep' as const };
    expect(nightReport(events({ type: 'run-started', run: 'x', publishing: PLAN.publishing, steps: [kept] }, finished()), FACTS).runs).toEqual([]);
  });
});

describe('the exit code of a night', () => {
  it.each([
    ['all well', events(finished()), {}, 0],
    ['a failed image', WHOLE, {}, 1],
    ['a registry that went away, beside a failed image', events(failed('web'), finished(5)), {}, 5],
    ['an archive that cannot be read', [], { unknown: new Map([['web', 'expired']]) }, 6],
    ['an archive that cannot be read, beside a failed image', WHOLE, { unknown: new Map([['web', 'expired']]) }, 6],
    ['git that refuses', [], { git: ['HEAD is detached'] }, 10],
    ['git that refuses, beside a failed image', WHOLE, { git: ['HEAD is detached'] }, 1],
    ['images that were listed as they are for others to bump', [], { listed: ['web'] }, 0],
    ['a fault', WHOLE, { fault: { exit: 4 as const, message: 'gone' } }, 4],
    ['an interrupt', events(failed('web'), finished(143)), {}, 143],
    ['a name that could not be deleted', events(failed('web', 1, 'delete'), finished(1)), {}, 1],
  ])('%s', (_, happened, facts, exit) => expect(nightReport(happened, { ...FACTS, ...facts }).exit).toBe(exit));
});

describe('the summary', () => {
  const text = (happened: readonly Event[], facts: Partial<NightFacts> = {}): readonly string[] => formatNightly(nightReport(happened, { ...FACTS, ...facts }));

  it('is a mail', () => {
    expect(text(WHOLE, { failing: new Map([['web', failing(1)]]), unknown: new Map([['spark', 'InRelease expired 2026-11-01']]), heldBack: new Map([['tool', ['linux-libc-dev']]]), fixes: [fix('web', 3 * DAY), fix('api', DAY / 2)] })).toEqual([
      'build-images nightly on builder1: 1 refreshed, 1 rebuilt on them, 1 failed, 1 unknown, 1 security fix pending over 24 h',
      '',
      'refreshed  base   openssl, libxml2 (security)',
      'failed     web    its test failed: exit 3 (second night; next try 2026-11-22)',
      'unknown    spark  InRelease expired 2026-11-01',
      'held back  tool   linux-libc-dev',
      'rebuilt on them: tool',
      'blocked: api',
      '2 security fixes pending in 2 images; the oldest, openssl 1 → 2 (trixie-security) in web, for 3d',
      '',
      'Everything else is up to date.  41m 07s.  Exit 6.  Undo: build-images rollback 20261120-0200',
    ]);
  });
  it('says of a night with nothing to do only that', () => {
    expect(text([])).toEqual(['build-images nightly on builder1: 0 refreshed, 0 security fixes pending over 24 h', '', 'Everything is up to date.  41m 07s.']);
  });
  it('names twenty of a kind and counts the others', () => {
    const many = Array.from({ length: 300 }, (_, index) => `image-${index}`);
    const lines = text(events(started(), ...many.flatMap((image) => [begun(image, refreshedFor(upgrade('openssl'))), published(image)]), ...many.map((image) => failed(`bad-${image}`)), finished(1)), { listed: many, unknown: new Map(many.map((image) => [image, 'x'])) });
    expect(lines.length).toBeLessThan(80);
    expect(lines.filter((line) => /and 280 more/.test(line))).toHaveLength(4);
    expect(lines.at(-3)).toMatch(/^due, without an entry: image-0, .*, image-19 and 280 more$/);
  });
  it('says what git refused, what was left, and what ended it', () => {
    expect(text([], { git: ['HEAD is detached'], listed: ['web'], left: { images: ['api'], because: 'the deadline has come' }, fault: { exit: 5, message: 'the registry is gone' }, notes: ['A note.'] })).toEqual([
      'build-images nightly on builder1: 0 refreshed, 1 not begun, 0 security fixes pending over 24 h',
      '',
      'not begun (the deadline has come): api',
      'git: HEAD is detached',
      'due, without an entry: web',
      'A note.',
      'ended early: the registry is gone',
      '',
      'Everything else is up to date.  41m 07s.  Exit 5.',
    ]);
  });
});

describe('the metrics', () => {
  const samples = (happened: readonly Event[], facts: Partial<NightFacts> = {}) => {
    const report = nightReport(happened, { ...FACTS, ...facts });
    return parsePrometheus(formatNightMetrics({ startedAt: START, endedAt: END, exit: report.exit, report })).map(({ name, labels, value }) => [name.replace('build_images_nightly_', ''), ...Object.values(labels), value].join(' '));
  };

  it('are all there', () => {
    expect(samples(WHOLE, { outdated: 4, unknown: new Map([['a"b\\c\nd', 'x']]), fixes: [fix('web', 90_000), fix('base', DAY)], left: { images: ['z'], because: 'x' }, listed: ['y'] })).toEqual([
      `last_run_timestamp_seconds ${END / 1000}`,
      'last_run_exit_code 6',
      'last_run_duration_seconds 2467',
      'images_outdated 4',
      'images_built 2',
      'images_failed 1',
      'images_blocked 1',
      'images_left 2',
      'images_unknown 1',
      'security_fixes_pending 1',
      'oldest_pending_security_fix_age_seconds 90',
      'image_failed_nights web 1',
      'image_unknown a"b\\c\nd 1',
    ]);
  });
  it('of a night that could not begin are when, how long, and its exit code', () => {
    expect(parsePrometheus(formatNightMetrics({ startedAt: START, endedAt: END, exit: 5, report: undefined })).map(({ value }) => value)).toEqual([END / 1000, 5, 2467]);
  });
  it.each([
    ['x 1', 'the last line has no end'],
    ['x 1\n', 'no HELP'],
    ['# HELP x y\n# TYPE x gauge\nx{a=b} 1\n', 'no labels'],
    ['# HELP x y\n# TYPE x gauge\nx{a="\\x"} 1\n', 'no labels'],
    ['# HELP x y\n# TYPE x gauge\nx 1\nx 2\n', 'same sample twice'],
    ['# HELP x y\n# TYPE x gauge\nx 1\n# HELP z y\n# TYPE z gauge\nz 1\nx{a="b"} 2\n', 'two places'],
    ['# HELP x y\n# TYPE x number\nx 1\n', 'no type'],
    ['# HELP x y\n# TYPE x gauge\nx undefined\n', 'no line'],
  ])('are not %j', (text, fault) => expect(() => parsePrometheus(text)).toThrow(fault));
});
