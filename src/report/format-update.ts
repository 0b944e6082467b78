import type { UpdatePlan, UpdateStep } from '../plan/update.js';
import { explain, sayNames } from '../plan/reason.js';
import { formatTable } from './table.js';

/** How an update ended: only shown; written; written and committed under an id. */
export type UpdateEnd = { readonly written: boolean; /** The commit's id. */ readonly commit: string | undefined; /** Whether git can show what was written. */ readonly inGit: boolean };

const changelogs = (many: number): string => `${many} changelog${many === 1 ? '' : 's'}`;

/** An update as a table, with the entries when nothing is written yet. */
export function formatUpdate({ steps, rolling, unchanged }: UpdatePlan, end: UpdateEnd): readonly string[] {
  const say = sayNames([...steps.map(({ image }) => image), ...rolling, ...unchanged.map(({ image }) => image)]);
  const why = ({ reasons, from, to }: UpdateStep): string => `${reasons.map((reason) => explain(reason, say)).join('; ')}${from === to ? '; added to its entry that is not committed yet' : ''}`;
  const rows = [
    ...steps.map((step) => [`  ${say(step.image)}`, step.from, step.to, why(step)]),
    ...unchanged.map(({ image, version }) => [`  ${say(image)}`, version, version, 'its entry that is not committed yet says this already']),
    ...rolling.map((image) => [`  ${say(image)}`, 'rolling', '–', 'it has no changelog: a build makes it when a parent moved']),
  ];
  const entries = end.written ? [] : steps.flatMap(({ path, entry }) => ['', `${path}:`, ...entry.split('\n').map((line) => `  ${line}`.trimEnd())]);
  return [headOf(steps.length, end), '', ...formatTable([['  image', 'now', 'will be', 'why'], ...rows]), ...entries, '', endOf(steps.length, unchanged.length, end)];
}

function headOf(many: number, { written }: UpdateEnd): string {
  if (many === 0) return 'no changelog to write';
  return written ? `writing ${changelogs(many)}` : `would write ${changelogs(many)}`;
}

function endOf(many: number, open: number, { written, commit, inGit }: UpdateEnd): string {
  if (commit !== undefined) return `${many === 0 ? '' : `${changelogs(many)} written and `}committed as ${commit.slice(0, 12)}.   git show shows it; build-images builds what it says.`;
  if (many === 0) return open === 0 ? 'Nothing to do.' : `Nothing to write; ${changelogs(open)} not committed yet.   --commit does it.`;
  if (!written) return 'Nothing was written.   Run it without --dry-run to do it.';
  if (!inGit) return `${changelogs(many)} written.   build-images builds what they say.`;
  return `${changelogs(many)} written, nothing committed.   git diff shows them; build-images builds what they say.`;
}
