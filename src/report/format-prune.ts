import { isDeletion, sayPruned, type PrunePlan, type PruneStep } from '../plan/prune.js';
import { explain } from '../plan/reason.js';
import { shortDigest } from '../shared/digest.js';
import { count } from './amounts.js';
import { formatTable } from './table.js';

/** Reasons to stay that nobody has to be told of one by one. */
const QUIET: ReadonlySet<string> = new Set(['current', 'among-newest', 'too-young']);

/** Whether a step keeps what one might think would go. */
export function isNoted(step: PruneStep): boolean {
  return !isDeletion(step) && step.reasons.some(({ why }) => !QUIET.has(why));
}

/** The first line of what prune plans and does. */
export function formatPruning({ of, where }: PrunePlan): string {
  return where === 'engine' ? `pruning ${of}` : `pruning ${of}: what is deleted there cannot be brought back`;
}

/** `1.0, 1.0-20261120` of full references; an image that has no tag is called by its digest or id. */
export function formatNames(refs: readonly string[], id: string): string {
  const tags = refs.filter((ref) => !ref.includes('@')).map((ref) => ref.slice(ref.lastIndexOf(':') + 1));
  return tags.length === 0 ? shortDigest(id) : tags.join(', ');
}

/** What goes and what stays though one might wonder, as a table; and how much of it. `all`: what simply stays, too. */
export function formatPrunePlan(plan: PrunePlan, all: boolean): readonly string[] {
  const { steps } = plan;
  const say = sayPruned(steps);
  const shown = steps.filter((step) => all || isDeletion(step) || isNoted(step));
  const rows = shown.map((step) => [`  ${say(step.image)}`, formatNames(step.refs, step.id), dayOf(step), isDeletion(step) ? 'delete' : 'keep', step.reasons.map((reason) => explain(reason, say)).join('; ')]);
  const table = rows.length === 0 ? [] : ['', ...formatTable([['  image', 'tags', 'made', 'action', 'why'], ...rows])];
  const going = steps.filter(isDeletion);
  const kept = steps.length - going.length;
  const hidden = steps.length - shown.length;
  const rest = kept === 0 ? '' : `, ${kept} kept${hidden === 0 ? '' : ` (${hidden} not shown; --verbose shows them)`}`;
  const images = count(new Set(going.map(({ image }) => image)).size, 'image');
  const end = going.length === 0 ? `Nothing to delete: ${kept} kept.` : `${going.length} to delete, with ${count(going.flatMap(({ refs }) => refs).length, 'name')} of ${images}${rest}.`;
  return [formatPruning(plan), ...table, '', end];
}

function dayOf({ created }: PruneStep): string {
  return created === undefined ? '–' : new Date(created).toISOString().slice(0, 10);
}
