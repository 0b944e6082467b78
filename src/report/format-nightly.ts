import type { Upgrade } from '../packages/upgrade.js';
import { sayNames } from '../plan/reason.js';
import { upgradeLines } from '../plan/upgrade-lines.js';
import { formatAge } from '../shared/age.js';
import type { ImageName } from '../shared/image-ref.js';
import { count, formatDuration } from './amounts.js';
import type { NightReport } from './night-report.js';

/** How many of a kind are named: all of this fits in a mail. */
const NAMED = 20;

const DAY = 24 * 3_600_000;

/** The end of a night for whoever reads the mail or the journal: first what it comes to, then what somebody may have to do. */
export function formatNightly(night: NightReport): readonly string[] {
  const say = sayNames([...new Set([...night.refreshed.keys(), ...night.rebuilt, ...night.built, ...night.unchanged, ...night.promoted, ...night.failed.map(({ image }) => image), ...night.blocked, ...night.unknown.keys(), ...night.heldBack.keys(), ...night.notBrought.keys(), ...night.listed, ...(night.left?.images ?? []), ...night.pending.map(({ image }) => image)])]);
  const rows = (word: string, images: readonly (readonly [ImageName, string])[]): readonly Row[] => {
    const shown = images.slice(0, NAMED).map(([image, rest], index): Row => [index === 0 ? word : '', say(image), rest]);
    return images.length > NAMED ? [...shown, ['', `and ${images.length - NAMED} more`, '']] : shown;
  };
  const table: readonly Row[] = [
    ...rows('refreshed', [...night.refreshed].map(([image, upgrades]) => [image, formatUpgrades(upgrades)])),
    ...rows('failed', night.failed.map(({ image, message, nights, next }) => [image, `${oneLine(message)} (${ordinal(nights)} night; next try ${dayOf(next)})`])),
    ...rows('unknown', [...night.unknown].map(([image, why]) => [image, why])),
    ...rows('held back', [...night.heldBack].map(([image, packages]) => [image, listed(packages)])),
    ...rows('not brought', [...night.notBrought].map(([image, upgrades]) => [image, listed(upgradeLines(upgrades))])),
  ];
  const lines = [
    ...formatTable(table),
    ...named('rebuilt on them', night.rebuilt, say),
    ...named('built', night.built, say),
    ...named('built, and as they were', night.unchanged, say),
    ...named(':latest moved', night.promoted, say),
    ...named('blocked', night.blocked, say),
    ...(night.left === undefined ? [] : named(`not begun (${night.left.because})`, night.left.images, say)),
    ...night.git.map((why) => `git: ${why}`),
    ...named('due, without an entry', night.listed, say),
    ...pendingLines(night, say),
    ...night.notes,
    ...(night.fault === undefined ? [] : [`ended early: ${night.fault.message}`]),
  ];
  return [`build-images nightly on ${night.host}: ${headline(night)}`, '', ...lines, ...(lines.length === 0 ? [] : ['']), ending(night)];
}

/** word, image, what is said of it */
type Row = readonly [string, string, string];

function headline(night: NightReport): string {
  const { refreshed, rebuilt, built, failed, unknown, left, pending, endedAt } = night;
  const late = pending.filter(({ since }) => endedAt - since > DAY).length;
  const parts = [
    `${refreshed.size} refreshed`,
    ...(rebuilt.length > 0 ? [`${rebuilt.length} rebuilt on them`] : []),
    ...(built.length > 0 ? [`${built.length} built`] : []),
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
    ...(unknown.size > 0 ? [`${unknown.size} unknown`] : []),
    ...(left === undefined ? [] : [`${left.images.length} not begun`]),
    `${count(late, 'security fix').replace(/fixs$/, 'fixes')} pending over 24 h`,
  ];
  return parts.join(', ');
}

function pendingLines({ pending, endedAt }: NightReport, say: (image: ImageName) => string): readonly string[] {
  if (pending.length === 0) return [];
  const oldest = [...pending].sort((a, b) => a.since - b.since)[0]!;
  return [`${count(pending.length, 'security fix').replace(/fixs$/, 'fixes')} pending in ${count(new Set(pending.map(({ image }) => image)).size, 'image')}; the oldest, ${oldest.source} ${oldest.from} → ${oldest.to} (${oldest.suite}) in ${say(oldest.image)}, for ${formatAge(endedAt - oldest.since)}`];
}

function ending({ moved, pruned, startedAt, endedAt, exit, failed, unknown, left, git, fault, pending }: NightReport): string {
  const well = failed.length === 0 && unknown.size === 0 && left === undefined && git.length === 0 && fault === undefined && pending.length === 0;
  return [
    well ? 'Everything is up to date.' : 'Everything else is up to date.',
    `${formatDuration((endedAt - startedAt) / 1000)}.`,
    ...(pruned === 0 ? [] : [`${count(pruned, 'name')} pruned.`]),
    ...(exit === 0 ? [] : [`Exit ${exit}.`]),
    ...(moved.length === 0 ? [] : [`Undo: ${[...moved].reverse().map((run) => `build-images rollback ${run}`).join(', then ')}`]),
  ].join('  ');
}

/** Packages by their source, as archives tell of fixes. */
function formatUpgrades(upgrades: readonly Upgrade[]): string {
  const sources = [...new Set(upgrades.map(({ source }) => source))];
  return `${listed(sources)}${upgrades.some(({ security }) => security) ? ' (security)' : ''}`;
}

function listed(words: readonly string[]): string {
  return words.length <= 6 ? words.join(', ') : `${words.slice(0, 5).join(', ')} and ${words.length - 5} more`;
}

function named(word: string, images: readonly ImageName[], say: (image: ImageName) => string): readonly string[] {
  if (images.length === 0) return [];
  const rest = images.length - NAMED;
  return [`${word}: ${images.slice(0, NAMED).map(say).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`];
}

function formatTable(rows: readonly Row[]): readonly string[] {
  const [first, second] = [0, 1].map((column) => Math.max(0, ...rows.map((row) => row[column]!.length)));
  return rows.map(([word, image, rest]) => `${word.padEnd(first!)}  ${image.padEnd(second!)}  ${rest}`.trimEnd());
}

function oneLine(message: string): string {
  const line = message.split('\n')[0]!;
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
}

function ordinal(number: number): string {
  return ['first', 'second', 'third', 'fourth', 'fifth'][number - 1] ?? `${number}th`;
}

function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}
