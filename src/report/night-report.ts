import type { Event } from '../execute/event.js';
import type { Upgrade } from '../packages/upgrade.js';
import type { PendingFix } from '../plan/pending-fix.js';
import { nextTry, type Failing } from '../plan/retry.js';
import { isPending } from '../plan/step.js';
import { EXIT, type ExitCode } from '../shared/errors.js';
import type { ImageName } from '../shared/image-ref.js';

/** What a night knows beside what happened in its runs. */
export type NightFacts = {
  readonly host: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** How many images have newer packages, as they were found. */
  readonly outdated: number;
  /** Images whose archives cannot be read, each with why. */
  readonly unknown: ReadonlyMap<ImageName, string>;
  /** Packages that an image's own settings hold back, by image. */
  readonly heldBack: ReadonlyMap<ImageName, readonly string[]>;
  /** Upgrades that a rebuild did not bring, by image. */
  readonly notBrought: ReadonlyMap<ImageName, readonly Upgrade[]>;
  /** Upgrades that are not in what was published tonight, by image; an image that could not be read is not there. */
  readonly lacking: ReadonlyMap<ImageName, readonly Upgrade[]>;
  /** The security updates that were to be had when it began. */
  readonly fixes: readonly PendingFix[];
  /** What failed up to the night before, and is left alone or tried again. */
  readonly failing: ReadonlyMap<ImageName, Failing>;
  /** What is tried as something new tonight. */
  readonly fresh: ReadonlySet<ImageName>;
  /** Why git could not be given entries, where the config wants it to. */
  readonly git: readonly string[];
  /** Versioned images that are due, and that got no entry. */
  readonly listed: readonly ImageName[];
  /** Images that are due and were left for another night, and why. */
  readonly left: { readonly images: readonly ImageName[]; readonly because: string } | undefined;
  /** Things to know that happened beside the runs. */
  readonly notes: readonly string[];
  /** What ended the night before its time. */
  readonly fault: { readonly exit: ExitCode; readonly message: string } | undefined;
};

/** An image that failed, tonight or in a night before. */
export type FailedImage = {
  readonly image: ImageName;
  readonly message: string;
  /** In how many nights, one after the other. */
  readonly nights: number;
  /** The day of the next try, in milliseconds since 1970. */
  readonly next: number;
};

/** A night as a whole: what it did, what it left, and what somebody should look at. */
export type NightReport = Omit<NightFacts, 'failing' | 'fresh' | 'fixes' | 'lacking'> & {
  /** Names of its runs that did something, first to last. */
  readonly runs: readonly string[];
  /** Those that moved `:latest`: they can be rolled back. */
  readonly moved: readonly string[];
  /** Images that were made anew for their own packages. */
  readonly refreshed: ReadonlyMap<ImageName, readonly Upgrade[]>;
  /** Images that were made anew since what they stand on was. */
  readonly rebuilt: readonly ImageName[];
  /** Images that were made for another reason. */
  readonly built: readonly ImageName[];
  /** Images of which only `:latest` moved. */
  readonly promoted: readonly ImageName[];
  /** Images that a rebuild made as they were: nothing of them was published. */
  readonly unchanged: readonly ImageName[];
  readonly failed: readonly FailedImage[];
  readonly blocked: readonly ImageName[];
  /** Names that went from the engine. */
  readonly pruned: number;
  /** The security updates that are still to be had. */
  readonly pending: readonly PendingFix[];
  readonly exit: ExitCode;
};

/** What became of a night: a fold of the events of its runs, in their order. */
export function nightReport(events: readonly Event[], facts: NightFacts): NightReport {
  const { failing, fresh, fixes, lacking, ...rest } = facts;
  const runs: string[] = [];
  const exits: ExitCode[] = [];
  const reasons = new Map<ImageName, Extract<Event, { type: 'step-started' }>['reasons']>();
  const [made, unchanged, promoted, blocked] = [new Set<ImageName>(), new Set<ImageName>(), new Set<ImageName>(), new Set<ImageName>()];
  const failed = new Map<ImageName, string>();
  let left = new Map<ImageName, string>();
  let order: readonly ImageName[] = [];
  const moved = new Set<string>();
  let run = '';
  let pruned = 0;
  for (const event of events) {
    if (event.type === 'run-started') {
      run = event.run;
      // What an earlier run of the night left is planned again by the next one.
      left = new Map();
      blocked.clear();
      order = event.steps.map(({ image }) => image);
      for (const { image, action } of event.steps) if (action === 'blocked') blocked.add(image);
      if (event.steps.some(isPending)) runs.push(event.run);
    } else if (event.type === 'step-started') reasons.set(event.image, event.reasons);
    else if (event.type === 'published' || event.type === 'finished-locally') {
      made.add(event.image);
      failed.delete(event.image);
    } else if (event.type === 'unchanged') {
      if (event.built) unchanged.add(event.image);
      failed.delete(event.image);
    } else if (event.type === 'promoted') {
      promoted.add(event.image);
      moved.add(run);
    }
    else if (event.type === 'failed' && event.phase !== 'delete') failed.set(event.image, event.message);
    else if (event.type === 'blocked') blocked.add(event.image);
    else if (event.type === 'not-started') left.set(event.image, event.because);
    else if (event.type === 'deleted') pruned += event.refs.length;
    else if (event.type === 'run-finished') exits.push(event.exit);
  }
  // Which of two images was done first is chance.
  const done = [...order.filter((image) => made.has(image)), ...[...made].filter((image) => !order.includes(image))];
  const why = (image: ImageName, ...words: readonly string[]): boolean => reasons.get(image)?.some((reason) => words.includes(reason.why)) === true;
  const isIn = (all: readonly Upgrade[] | undefined, { package: name, arch }: Pick<Upgrade, 'package' | 'arch'>): boolean => all?.some((upgrade) => upgrade.package === name && upgrade.arch === arch) === true;
  const wanted = done.map((image) => [image, (reasons.get(image) ?? []).flatMap((reason) => (reason.why === 'packages-outdated' ? reason.upgrades : []))] as const);
  const refreshed = withAny(wanted.map(([image, upgrades]) => [image, upgrades.filter((upgrade) => !isIn(lacking.get(image), upgrade))]));
  const before = (image: ImageName): readonly Upgrade[] => (facts.notBrought.get(image) ?? []).filter((upgrade) => !lacking.has(image) || isIn(lacking.get(image), upgrade));
  const missed = new Map(wanted.map(([image, upgrades]) => [image, upgrades.filter((upgrade) => isIn(lacking.get(image), upgrade) && !isIn(facts.notBrought.get(image), upgrade))]));
  const notBrought = withAny([...new Set([...facts.notBrought.keys(), ...missed.keys()])].map((image) => [image, [...before(image), ...(missed.get(image) ?? [])]]));
  const rebuilt = done.filter((image) => !refreshed.has(image) && why(image, 'parent-refreshed', 'parent-moved', 'parent-builds', 'parent-bumped'));
  const stillFailing = [...failing].filter(([image]) => !failed.has(image) && !made.has(image) && !unchanged.has(image));
  const failedImages = [
    ...[...failed].map(([image, message]): FailedImage => {
      const nights = fresh.has(image) ? 1 : (failing.get(image)?.nights ?? 0) + 1;
      return { image, message, nights, next: nextTry({ nights, last: facts.startedAt }) };
    }),
    ...stillFailing.map(([image, one]): FailedImage => ({ image, message: one.message, nights: one.nights, next: nextTry(one) })),
  ];
  const allLeft = [...(rest.left?.images ?? []), ...left.keys()];
  const because = rest.left?.because ?? [...left.values()].at(-1);
  const report = {
    ...rest,
    runs,
    moved: [...moved],
    notBrought,
    refreshed,
    rebuilt,
    built: done.filter((image) => !refreshed.has(image) && !rebuilt.includes(image)),
    promoted: [...promoted].filter((image) => !made.has(image)),
    unchanged: order.filter((image) => unchanged.has(image)),
    failed: failedImages,
    blocked: [...blocked].filter((image) => !failedImages.some((one) => one.image === image)),
    left: allLeft.length === 0 || because === undefined ? undefined : { images: [...new Set(allLeft)], because },
    pruned,
    // Of what cannot be read: a rebuild takes what there is, but for what one did not bring before.
    pending: fixes.filter((fix) => !made.has(fix.image) || isIn(lacking.get(fix.image) ?? facts.notBrought.get(fix.image), fix)),
  };
  return { ...report, exit: exitOfNight(report, exits) };
}

function withAny(all: readonly (readonly [ImageName, readonly Upgrade[]])[]): ReadonlyMap<ImageName, readonly Upgrade[]> {
  return new Map(all.filter(([, upgrades]) => upgrades.length > 0));
}

const WORST_FIRST: readonly ExitCode[] = [EXIT.bug, EXIT.engine, EXIT.registry, EXIT.archive, EXIT.failed, EXIT.pending];

/** What a monitor is told: the worst of what came up. What still fails counts, though it was left alone tonight. */
function exitOfNight({ fault, failed, unknown, left, git }: Pick<NightReport, 'fault' | 'failed' | 'unknown' | 'left' | 'git'>, exits: readonly ExitCode[]): ExitCode {
  if (fault !== undefined) return fault.exit;
  const found: ExitCode[] = [...exits];
  // An interrupt is nobody's fault, and no other word for it would be right.
  const asked = found.find((exit) => exit === EXIT.interrupted || exit === EXIT.terminated || exit === EXIT.hangup);
  if (asked !== undefined) return asked;
  if (unknown.size > 0) found.push(EXIT.archive);
  if (failed.length > 0) found.push(EXIT.failed);
  if (left !== undefined || git.length > 0) found.push(EXIT.pending);
  return WORST_FIRST.find((exit) => found.includes(exit)) ?? EXIT.ok;
}
