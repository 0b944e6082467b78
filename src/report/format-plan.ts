import { formatNightly, formatPublishing } from '../plan/publishing.js';
import { explain, sayNames } from '../plan/reason.js';
import { isLeftOut, isPending, type Plan, type Step } from '../plan/step.js';
import { formatTable } from './table.js';

/** How a plan that was only shown is carried out, where the verb says itself that it shows. */
export const WITHOUT_DRY_RUN = 'Run it without --dry-run to do it.';

/** Reasons that a step which changes nothing is shown for all the same. */
const WORTH_SAYING: ReadonlySet<string> = new Set(['changed-without-changelog', 'latest-unknown', 'promotion-pending', 'withdrawn-latest']);

/** Whether a person wants to see a step that keeps its image. */
function isQuiet(step: Step): boolean {
  return step.action === 'keep' && !step.reasons.some(({ why }) => WORTH_SAYING.has(why));
}

/**
 * A plan as a table. What is up to date is counted, not shown, unless all is asked for.
 * @param next how it is carried out
 */
export function formatPlan(plan: Plan, all: boolean, next = `Run build-images${plan.nightly === undefined ? '' : ` --${plan.nightly.build}`} to do it.`): readonly string[] {
  const shown = plan.steps.filter((step) => all || !isQuiet(step));
  const stuck = plan.steps.filter(({ action, reasons }) => action === 'blocked' || reasons.some(({ why }) => why === 'latest-unknown' || why === 'older-checkout' || why === 'withdrawn-latest'));
  const [first, ...more] = formatPublishing(plan.publishing);
  const head = first + (stuck.length === 0 ? '' : `            not moving ${[...new Set(stuck.map(({ moving }) => `:${moving ?? 'latest'}`))].join(' and ')} of ${stuck.length} image${stuck.length === 1 ? '' : 's'} (see below)`);
  const say = sayNames(plan.steps.map(({ image }) => image));
  const rows = shown.map((step) => [
    `  ${say(step.image)}`,
    step.now ?? '–',
    step.action === 'blocked' ? '–' : step.tag,
    step.action,
    step.reasons.map((reason) => explain(reason, say)).join('; '),
  ]);
  const table = rows.length === 0 ? [] : ['', ...formatTable([['  image', 'now', 'will be', 'action', 'why'], ...rows])];
  return [head, ...more, ...formatNightly(plan.nightly), ...table, '', formatCounts(plan, plan.steps.length - shown.length, next), ...formatBehind(plan, all)];
}

/** A version does not change when what it stands on does. After the rebuild of a base that is so of most of a tree: a count, no row for each. */
function formatBehind(plan: Plan, all: boolean): readonly string[] {
  const has = ({ reasons }: Step, ...whys: readonly string[]): boolean => reasons.some(({ why }) => whys.includes(why));
  // A rolling image that is promoted or kept has an equal one that stands on what its parents are.
  const behind = plan.steps.filter((step) => (step.action === 'keep' || step.action === 'promote') && has(step, 'parent-moved', 'parent-builds') && !has(step, 'promoted')).length;
  if (behind === 0) return [];
  const [stand, them] = behind === 1 ? ['1 published version stands', 'it'] : [`${behind} published versions stand`, 'them'];
  return [`${stand} on what a parent was before${all ? '' : ' (plan --all says which)'}: a new changelog entry builds ${them} on what it is.`];
}

function formatCounts(plan: Plan, hidden: number, next: string): string {
  const number = (action: Step['action']): number => plan.steps.filter((step) => step.action === action).length;
  const parts = (['build', 'publish', 'promote', 'blocked'] as const).flatMap((action) => {
    const many = number(action);
    return many === 0 ? [] : [action === 'blocked' ? `${many} blocked` : `${many} to ${action}`];
  });
  const leftOut = plan.steps.filter(isLeftOut).length;
  const upToDate = number('keep') - leftOut;
  const rest = [...(upToDate > 0 || parts.length === 0 ? [`${upToDate} up to date`] : []), ...(leftOut > 0 ? [`${leftOut} not selected`] : [])];
  if (parts.length === 0) return `Nothing to do: ${rest.join(', ')}.`;
  if (rest.length > 0) parts.push(`${rest.join(', ')}${hidden > 0 ? ' (not shown; --all shows them)' : ''}`);
  const older = plan.steps.some(({ reasons }) => reasons.some(({ why }) => why === 'older-checkout'));
  const hints = [...(plan.steps.some(isPending) ? [next] : []), ...(older ? ['Update your checkout; promote IMAGE, or --rebuild of a rolling image, forces it.'] : [])];
  return [`${parts.join(', ')}.`, ...hints].join('   ');
}
