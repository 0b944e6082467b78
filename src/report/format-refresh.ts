import type { Unknown } from '../packages/package-archive.js';
import type { Upgrade } from '../packages/upgrade.js';
import { explain, sayNames, type Reason } from '../plan/reason.js';
import type { Refresh } from '../plan/refresh.js';
import type { EntriesPlan } from '../plan/refresh-entries.js';
import { planToJson, type Plan } from '../plan/step.js';
import { upgradeLines } from '../plan/upgrade-lines.js';
import type { ImageName } from '../shared/image-ref.js';
import type { UpdateEnd } from './format-update.js';
import { count } from './amounts.js';
import { formatTable } from './table.js';

/** All that a refresh has to say beside what it builds. */
export type RefreshReport = {
  readonly refresh: Refresh;
  readonly entries: EntriesPlan;
  /** By the reference of an outside image: upgrades that only its own rebuild brings. */
  readonly outside: ReadonlyMap<string, readonly Upgrade[]>;
  readonly unknown: ReadonlyMap<ImageName, readonly Unknown[]>;
  readonly end: UpdateEnd;
  /** What would be built; undefined: nothing is to be built in this run. */
  readonly plan: Plan | undefined;
};

/** What is due, in a table; what is left, held or unknown; and what to do next. */
export function formatRefresh(report: RefreshReport): readonly string[] {
  const { refresh, entries, end } = report;
  const say = sayNames([...refresh.due.keys(), ...refresh.left.keys(), ...refresh.unwritable.keys()]);
  const why = (reasons: readonly Reason[]): string => reasons.map((reason) => explain(reason, say)).join('; ');
  const versions = new Map<ImageName, readonly [string, string]>([
    ...entries.rolling.map((image) => [image, ['rolling', 'a new date']] as const),
    ...entries.steps.map(({ image, from, to }) => [image, [from, to]] as const),
    ...[...entries.unchanged, ...entries.waiting].map(({ image, version }) => [image, [version, version]] as const),
  ]);
  const rows = [
    ...[...refresh.due].map(([image, reasons]) => [`  ${say(image)}`, ...(versions.get(image) ?? ['–', '–']), why(reasons)]),
    ...[...refresh.left].map(([image, reasons]) => [`  ${say(image)}`, '–', 'left', why(reasons)]),
    ...[...refresh.unwritable].map(([image, reasons]) => [`  ${say(image)}`, '–', 'no entry', why(reasons)]),
  ];
  const table = rows.length === 0 ? [] : ['', ...formatTable([['  image', 'now', 'will be', 'why'], ...rows])];
  const texts = end.written ? [] : entries.steps.flatMap(({ path, entry }) => ['', `${path}:`, ...entry.split('\n').map((line) => `  ${line}`.trimEnd())]);
  const notes = formatRefreshNotes(report);
  return [headOf(refresh), ...table, ...texts, ...(notes.length === 0 ? [] : ['', ...notes]), ...(refresh.due.size === 0 ? [] : ['', endOf(report)])];
}

/** What a person should know that is not in the plan: what no rebuild brings, what is held, what is unknown. A line each. */
export function formatRefreshNotes({ refresh, entries, outside, unknown }: Omit<RefreshReport, 'end' | 'plan'>): readonly string[] {
  const say = sayNames([...refresh.due.keys(), ...refresh.held.keys(), ...refresh.notBrought.keys(), ...entries.waiting.map(({ image }) => image), ...unknown.keys()]);
  const few = (upgrades: readonly Upgrade[]): string => {
    const lines = upgradeLines(upgrades);
    return `${lines.slice(0, 3).join(', ')}${lines.length > 3 ? ` and ${lines.length - 3} more` : ''}`;
  };
  return [
    ...entries.waiting.map(({ image, version }) => `${say(image)}: ${version} is not published yet, and is built as it is`),
    ...(refresh.left.size === 0 ? [] : [`${count(refresh.left.size, 'image')} left for another time (--max-builds)`]),
    ...[...refresh.held].map(([image, reason]) => `${say(image)} is left: ${explain(reason, say)}`),
    ...[...refresh.notBrought].map(([image, upgrades]) => `${say(image)}: a rebuild did not bring ${few(upgrades)}`),
    ...[...outside].map(([ref, upgrades]) => `only a rebuild of ${ref} brings ${few(upgrades)}`),
    ...[...unknown].map(([image, why]) => `${say(image)} is unknown: ${[...new Set(why.map(({ says }) => says))].join('; ')}`),
  ];
}

function headOf({ due }: Refresh): string {
  if (due.size === 0) return 'Nothing to refresh.';
  const owners = [...due.values()].filter((reasons) => reasons.some(({ why }) => why !== 'parent-refreshed')).length;
  const others = due.size - owners;
  return `${count(owners, 'image')} to refresh${others === 0 ? '' : `, ${others} on ${owners === 1 ? 'it' : 'them'}`}`;
}

function endOf({ entries: { steps, unchanged, rolling }, end }: RefreshReport): string {
  const many = count(steps.length, 'changelog');
  const builds = rolling.length === 0 ? '' : ` ${count(rolling.length, 'rolling image')} to build.`;
  if (end.commit !== undefined) return `${steps.length === 0 ? '' : `${many} written and `}committed as ${end.commit.slice(0, 12)}.${builds}   build-images refresh --build builds what is due.`;
  if (end.written) return `${many} written, nothing committed.${builds}   build-images refresh --build builds what is due.`;
  if (steps.length === 0) return `${unchanged.length === 0 ? 'No changelog to write.' : `${count(unchanged.length, 'changelog')} not published yet say${unchanged.length === 1 ? 's' : ''} it already.`}${builds}   build-images refresh --build builds what is due.`;
  return `${many} to write.${builds} Nothing was written.   Run it without --dry-run to do it.`;
}

/** The form that scripts rely on. */
export function refreshToJson({ refresh, entries, outside, unknown, end, plan }: RefreshReport): unknown {
  const { publishing, steps = [] } = plan === undefined ? {} : (planToJson(plan) as { publishing: unknown; steps: readonly unknown[] });
  const reasonsOf = (map: ReadonlyMap<ImageName, readonly Reason[]>): readonly unknown[] => [...map].map(([image, reasons]) => ({ image, reasons }));
  const upgradesOf = (map: ReadonlyMap<string, readonly Upgrade[]>, key: string): readonly unknown[] => [...map].map(([name, upgrades]) => ({ [key]: name, upgrades }));
  return {
    ...(plan === undefined ? {} : { publishing }),
    written: end.written,
    commit: end.commit ?? null,
    steps: [...entries.steps.map(({ action, image, path, from, to, before, reasons, entry }) => ({ action, image, path, from, to, before, reasons, entry })), ...steps],
    rolling: entries.rolling.map((image) => ({ image, reasons: refresh.due.get(image)! })),
    unchanged: entries.unchanged,
    waiting: entries.waiting,
    left: reasonsOf(refresh.left),
    unwritable: reasonsOf(refresh.unwritable),
    held: [...refresh.held].map(([image, reason]) => ({ image, reasons: [reason] })),
    notBrought: upgradesOf(refresh.notBrought, 'image'),
    outside: upgradesOf(outside, 'ref'),
    unknown: [...unknown].map(([image, why]) => ({ image, unknown: why })),
  };
}
