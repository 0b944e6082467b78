import { sayAdvisory, type Advisory } from '../packages/advisory.js';
import type { Unknown } from '../packages/package-archive.js';
import type { Upgrade } from '../packages/upgrade.js';
import type { Rebuilds } from '../plan/owners.js';
import { sayNames } from '../plan/reason.js';
import { upgradeLines } from '../plan/upgrade-lines.js';
import type { Digest } from '../shared/digest.js';
import type { ImageName } from '../shared/image-ref.js';
import type { OwnedUpgrade } from '../state/image-upgrades.js';
import { count } from './amounts.js';
import { formatTable } from './table.js';

/** One published image, and what is outdated in it. */
export type OutdatedImage = {
  readonly image: ImageName;
  readonly ref: string;
  readonly digest: Digest;
  readonly unknown: readonly Unknown[];
  readonly upgrades: readonly OwnedUpgrade[];
  /** Suites of its sources that are archived. */
  readonly archived: readonly string[];
  /** It has packages, and nothing tells what is newer. */
  readonly withoutSources: boolean;
};

/** What `outdated` found. */
export type OutdatedReport = {
  /** Each that is published, parents first. */
  readonly images: readonly OutdatedImage[];
  readonly notPublished: number;
  /** What rebuilds that were not made yet bring. */
  readonly rebuilds: Rebuilds;
  /** Upgrades that a rebuild of their owner was made for and did not bring, by owner. */
  readonly notBrought: ReadonlyMap<ImageName, readonly Upgrade[]>;
  /** Only security updates were asked for. */
  readonly security: boolean;
  /** Milliseconds since it was first offered, as far as that is known. */
  waiting(upgrade: Upgrade): number | undefined;
  /** What it is about, where its archive says so. */
  advisoryOf(upgrade: Upgrade): Advisory | undefined;
};

/** How many of something a line names; more are counted. */
const NAMED = 3;
/** How many sources are spoken of. */
const ADVISED = 8;

/** Who is outdated, whose rebuild brings what, and what to do, as a table with a last line. */
export function formatOutdated(report: OutdatedReport, verbose: boolean): readonly string[] {
  const say = sayNames(report.images.map(({ image }) => image));
  const byImage = new Map(report.images.map((one) => [one.image, one]));
  const rows = report.images.filter(({ upgrades, unknown }) => unknown.length > 0 || upgrades.some(isPending));
  const withAge = rows.some(({ upgrades }) => upgrades.some((upgrade) => isPending(upgrade) && report.waiting(upgrade) !== undefined));
  const cells = rows.map((row) => {
    const [first, ...rest] = rowOf(row, byImage, report, say, verbose);
    return [first!, ...rest].filter((_, column) => withAge || column !== 3);
  });
  const head = ['  image', 'packages', 'brought by', ...(withAge ? ['oldest fix waiting'] : []), 'what'];
  const table = rows.length === 0 ? [] : [...formatTable([head, ...cells]), ''];
  return [...table, ...formatAdvisories(report, verbose), ...formatHeld(report, say), ...formatOutside(report), ...formatNotBrought(report, say, verbose), ...formatArchived(report, say), ...formatGone(report), ...formatWithoutSources(report, say), formatEnd(report, say)];
}

function isPending({ heldBack }: Upgrade): boolean {
  return heldBack === undefined;
}

function rowOf({ image, upgrades, unknown }: OutdatedImage, byImage: ReadonlyMap<ImageName, OutdatedImage>, report: OutdatedReport, say: (image: ImageName) => string, verbose: boolean): readonly string[] {
  const pending = upgrades.filter(isPending);
  const why = unknown.map(({ says }) => says).join('; ');
  if (pending.length === 0) return [`  ${say(image)}`, 'unknown', '–', '–', why];
  const owners = [...new Set(pending.map(({ owner }) => ('image' in owner ? (owner.image === image ? 'itself' : say(owner.image)) : owner.outside)))];
  const ages = pending.flatMap((upgrade) => report.waiting(upgrade) ?? []);
  const what = isAs(image, pending, byImage) ? `as ${owners[0]!}` : sayUpgrades(pending, verbose);
  return [`  ${say(image)}`, `${pending.length}${why === '' ? '' : ' or more'}`, owners.join(', '), ages.length === 0 ? '–' : formatWaiting(Math.max(...ages)), why === '' ? what : `${what}; more is unknown: ${why}`];
}

/** Whether all that an image waits for is all that one other image, which is shown too, brings to itself. */
function isAs(image: ImageName, pending: readonly OwnedUpgrade[], byImage: ReadonlyMap<ImageName, OutdatedImage>): boolean {
  const [first] = pending;
  if (first === undefined || !('image' in first.owner) || first.owner.image === image) return false;
  const owner = first.owner.image;
  if (!pending.every((upgrade) => 'image' in upgrade.owner && upgrade.owner.image === owner)) return false;
  const key = ({ package: name, arch, from, to }: Upgrade): string => `${name}:${arch} ${from} ${to}`;
  const theirs = byImage.get(owner)?.upgrades.filter(isPending).map(key).sort();
  return theirs !== undefined && theirs.join('\n') === pending.map(key).sort().join('\n');
}

/** Security updates first. */
function sayUpgrades(upgrades: readonly Upgrade[], all: boolean): string {
  const inOrder = [...upgrades].sort((a, b) => Number(b.security) - Number(a.security));
  const lines = all ? inOrder.flatMap((upgrade) => upgradeLines([upgrade])) : upgradeLines(inOrder);
  const named = all ? lines : lines.slice(0, NAMED);
  const more = lines.length - named.length;
  return [...named, ...(more === 0 ? [] : [`and ${more} more (--verbose lists them)`])].join(', ');
}

const HOUR = 3_600_000;

/** `< 1 h`, `9 h`, `3 days`. */
function formatWaiting(milliseconds: number): string {
  if (milliseconds < HOUR) return '< 1 h';
  return milliseconds < 48 * HOUR ? `${Math.floor(milliseconds / HOUR)} h` : `${Math.floor(milliseconds / (24 * HOUR))} days`;
}

/** What security updates are about, each source once. */
function formatAdvisories({ images, advisoryOf }: OutdatedReport, all: boolean): readonly string[] {
  const about = new Map<string, string>();
  for (const { upgrades } of images) {
    for (const upgrade of upgrades) {
      const advisory = isPending(upgrade) ? advisoryOf(upgrade) : undefined;
      if (advisory !== undefined) about.set(`  ${advisory.source} ${upgrade.from} → ${upgrade.to}`, sayAdvisory(advisory, all ? Infinity : NAMED));
    }
  }
  if (about.size === 0) return [];
  const lines = [...about].map(([step, words]) => `${step}: ${words}`);
  const named = all ? lines : lines.slice(0, ADVISED);
  return ['what they mend:', ...named, ...(lines.length > named.length ? [`  and ${lines.length - named.length} more (--verbose lists them)`] : []), ''];
}

/** What no rebuild brings, each once, with the images that have it. */
function formatHeld({ images }: OutdatedReport, say: (image: ImageName) => string): readonly string[] {
  const held = new Map<string, ImageName[]>();
  for (const { image, upgrades } of images) {
    for (const { package: name, from, to, heldBack } of upgrades) {
      if (heldBack === undefined) continue;
      const line = `${name} ${from} → ${to}: ${heldBack}`;
      held.set(line, [...(held.get(line) ?? []), image]);
    }
  }
  if (held.size === 0) return [];
  return ['held back, as apt leaves them:', ...[...held].map(([line, having]) => `  ${line} (${sayImages(having, say)})`), ''];
}

function sayImages(images: readonly ImageName[], say: (image: ImageName) => string): string {
  const named = images.slice(0, NAMED).map(say).join(', ');
  return images.length <= NAMED ? named : `${named} and ${images.length - NAMED} more`;
}

/** What only a new outside image brings. */
function formatOutside({ images }: OutdatedReport): readonly string[] {
  const waiting = new Map<string, Set<ImageName>>();
  for (const { image, upgrades } of images) {
    for (const upgrade of upgrades.filter(isPending)) if ('outside' in upgrade.owner) waiting.set(upgrade.owner.outside, (waiting.get(upgrade.owner.outside) ?? new Set()).add(image));
  }
  return [...waiting].map(([ref, having]) => `${ref} is no image of this tree: what it brings to ${count(having.size, 'image')} is reported, nothing is rebuilt for it.`);
}

/** What no refresh builds for again until something newer comes. */
function formatNotBrought({ notBrought }: OutdatedReport, say: (image: ImageName) => string, all: boolean): readonly string[] {
  return [...notBrought].map(([image, upgrades]) => `${say(image)}: a rebuild did not bring ${sayUpgrades(upgrades, all)}`);
}

/** Suites to which nothing new comes: no failure, and no reason to call an image up to date either. */
function formatArchived({ images }: OutdatedReport, say: (image: ImageName) => string): readonly string[] {
  const having = new Map<string, ImageName[]>();
  for (const { image, archived } of images) for (const suite of archived) having.set(suite, [...(having.get(suite) ?? []), image]);
  return [...having].map(([suite, of]) => `${suite} is archived: nothing new comes to it (${sayImages(of, say)}).`);
}

/** Until somebody says that a suite will not come back, its archive may have lost it for an hour. */
function formatGone({ images }: OutdatedReport): readonly string[] {
  const isGone = images.some(({ unknown }) => unknown.some(({ why }) => why === 'gone'));
  return isGone ? ['A suite that has left its archive for good is named in archived_suites of the config: it is told then, and no failure.'] : [];
}

function formatWithoutSources({ images }: OutdatedReport, say: (image: ImageName) => string): readonly string[] {
  const those = images.filter(({ withoutSources }) => withoutSources).map(({ image }) => image);
  return those.length === 0 ? [] : [`${sayImages(those, say)}: packages, and no apt source that tells what is newer. Nobody can call that up to date.`];
}

function formatEnd({ images, notPublished, notBrought, rebuilds: { owners, descendants }, security }: OutdatedReport, say: (image: ImageName) => string): string {
  const unknown = images.filter((image) => image.unknown.length > 0).length;
  const looked = images.filter((image) => image.unknown.length === 0 && !image.withoutSources).length;
  const outdated = images.filter(({ upgrades }) => upgrades.some(isPending)).length;
  // Unless told otherwise, a refresh is for security updates.
  const which = security ? ' --security' : images.some(({ upgrades }) => upgrades.some((upgrade) => isPending(upgrade) && !upgrade.security && 'image' in upgrade.owner && owners.includes(upgrade.owner.image))) ? ' --all' : '';
  const parts: string[] = [];
  if (owners.length > 0) {
    const many = owners.length + descendants.length;
    const standing = descendants.length === 0 ? '' : `; ${descendants.length} ${descendants.length === 1 ? 'stands' : 'stand'} on ${owners.length === 1 ? 'it' : 'them'}`;
    parts.push(`${count(owners.length, 'rebuild')} ${owners.length === 1 ? 'mends' : 'mend'} ${count(many, 'image')} (${sayImages(owners, say)}${standing}).`);
  } else if (outdated > 0) parts.push(`No ${notBrought.size > 0 ? 'other ' : ''}rebuild in this tree mends any of it.`);
  else if (images.length === 0) parts.push('Nothing of it is published.');
  else if (looked > 0) parts.push(`${unknown === 0 ? 'Nothing' : 'Nothing else'} ${security ? 'waits for a security update' : 'is outdated'}: ${count(looked, 'image')} looked at.`);
  else if (unknown === 0) parts.push('Nobody can say what is outdated.');
  if (unknown > 0) parts.push(`${unknown} unknown.`);
  if (notPublished > 0 && images.length > 0) parts.push(`${notPublished} not published.`);
  if (owners.length > 0) parts.push(`build-images refresh${which} --build does it.`);
  return parts.join('   ');
}

/** The form that scripts rely on: one entry for each published image. */
export function outdatedToJson({ images, waiting, advisoryOf }: OutdatedReport): unknown {
  return images.map(({ image, ref, digest, unknown, archived, withoutSources, upgrades }) => ({
    image,
    ref,
    digest,
    unknown: unknown.length === 0 ? null : unknown.map(({ says }) => says).join('; '),
    archived,
    withoutSources,
    upgrades: upgrades.map((upgrade) => ({
      package: upgrade.package,
      arch: upgrade.arch,
      source: upgrade.source,
      from: upgrade.from,
      to: upgrade.to,
      suite: upgrade.suite,
      security: upgrade.security,
      owner: 'image' in upgrade.owner ? upgrade.owner.image : upgrade.owner.outside,
      heldBack: upgrade.heldBack ?? null,
      waiting: secondsOf(waiting(upgrade)),
      advisory: advisoryToJson(advisoryOf(upgrade)),
    })),
  }));
}

function advisoryToJson(advisory: Advisory | undefined): unknown {
  if (advisory === undefined) return null;
  const { urgency, cves, announcements, entries, since } = advisory;
  return { urgency, cves, announcements, entries, since: since === undefined ? null : new Date(since).toISOString() };
}

function secondsOf(milliseconds: number | undefined): number | null {
  return milliseconds === undefined ? null : Math.floor(milliseconds / 1000);
}
