import type { Upgrade } from '../packages/upgrade.js';
import { isPending, type Plan } from '../plan/step.js';
import { formatPlan, WITHOUT_DRY_RUN } from '../report/format-plan.js';
import { formatRefresh, formatRefreshNotes, refreshToJson, type RefreshReport } from '../report/format-refresh.js';
import type { UpdateEnd } from '../report/format-update.js';
import { EXIT, Fault, PartlyDone, UsageError, type ExitCode } from '../shared/errors.js';
import type { Environment } from './environment.js';
import { openGitOfTrees, type GitOfTrees } from './git-of-trees.js';
import { connect } from './outside.js';
import { publishingOf } from './planning.js';
import { findRefresh, planRefreshed, planUnwritten, type FoundRefresh } from './refreshing.js';
import { execute, lockRun } from './run.js';
import { readConfig } from './tree.js';
import { committing, refuseForeignChanges, writeEntries } from './update.js';
import type { Options, Verb } from './verb.js';

const NOTHING_WRITTEN = { written: false, commit: undefined } as const;

/** Gives images new content for newer packages: entries for versioned ones, and with --build the images. */
export const refresh: Verb = async (options, environment) => {
  if (options.security && options.everyUpgrade) throw new UsageError('--security is for security updates alone, and --all for all: ask for one of them');
  const config = await readConfig(options, environment);
  const connections = await connect(config, environment);
  try {
    const publishing = await publishingOf(config, connections, options);
    const lock = options.build && !options.dryRun ? await lockRun(config, publishing, environment) : undefined;
    try {
      const gits = await openGitOfTrees(config.trees, environment);
      const without = config.trees.find(({ name }) => gits.of(name) === undefined);
      if (options.commit && without !== undefined) throw new UsageError(`--commit: ${without.directory} lies in no git work tree`, ['leave out --commit']);
      const found = await findRefresh(config, connections, options, environment);
      if (options.commit) await refuseForeignChanges(found.entries, found.changelogs, gits.all!, environment);
      const report = (end: Omit<UpdateEnd, 'inGit'>, plan?: Plan): RefreshReport => ({ refresh: found.refresh, entries: found.entries, outside: outsideIn(found, options), unknown: found.unknown, end: { ...end, inGit: without === undefined }, plan });
      if (lock === undefined) {
        const plan = options.build ? (await planUnwritten(found, publishing, connections, options, environment)).plan : undefined;
        show(report(options.dryRun ? NOTHING_WRITTEN : await write(found, gits, options, environment), plan), options, environment);
        return exitOf(found, EXIT.ok);
      }
      // Entries are for builds: without an engine none is written.
      if (found.entries.steps.length > 0) await connections.localImages(environment.signal);
      const end = await write(found, gits, options, environment);
      const built = planRefreshed(found, config, publishing, connections, options, environment).then(async ({ tree, planned }) => {
        if (planned.plan.steps.some(isPending)) {
          // With --json there are only events on standard output.
          for (const line of [...entryLines(found, end), ...formatRefreshNotes(report(end))]) (options.json ? environment.err : environment.out)(line);
          return execute(tree, planned, lock, connections, options, environment);
        }
        show(report(end, planned.plan), options, environment);
        return EXIT.ok;
      });
      return exitOf(found, await built.catch((error: unknown) => failed(error, found, end)));
    } finally {
      lock?.release();
    }
  } finally {
    await connections.close();
  }
};

async function write({ entries, tree, message }: FoundRefresh, { all: git }: GitOfTrees, options: Options, environment: Environment): Promise<Omit<UpdateEnd, 'inGit'>> {
  if (!options.commit) return writeEntries(entries, undefined, tree.config, environment);
  // Most entries that are not published yet were committed by whoever wrote them.
  const { realPath } = await import('../adapters/file-writing.js');
  const realOf = ({ path }: { readonly path: string }): string => realPath(environment.cwd, path);
  const open = await git!.changed(entries.unchanged.map(realOf));
  return writeEntries({ steps: entries.steps, unchanged: entries.unchanged.filter((file) => open.has(realOf(file))) }, committing(git!, message), tree.config, environment);
}

/** What nobody can say goes before what is well, and behind what failed. */
function exitOf({ unknown }: FoundRefresh, exit: ExitCode): ExitCode {
  return exit === EXIT.ok && unknown.size > 0 ? EXIT.archive : exit;
}

/** What only outside images bring, of what is asked for; each once. */
function outsideIn({ upgrades }: FoundRefresh, { everyUpgrade }: Options): ReadonlyMap<string, readonly Upgrade[]> {
  const outside = new Map<string, Map<string, Upgrade>>();
  for (const { owner, ...upgrade } of [...upgrades.values()].flat()) {
    if (!('outside' in owner) || upgrade.heldBack !== undefined || !(upgrade.security || everyUpgrade)) continue;
    const known = outside.get(owner.outside) ?? new Map<string, Upgrade>();
    outside.set(owner.outside, known.set(`${upgrade.package}:${upgrade.arch}=${upgrade.to}`, upgrade));
  }
  return new Map([...outside].map(([ref, known]) => [ref, [...known.values()]]));
}

/** What comes before the first build, and behind the entries. */
function failed(error: unknown, { entries: { steps } }: FoundRefresh, { written, commit }: Omit<UpdateEnd, 'inGit'>): never {
  if (!(error instanceof Fault) || !written) throw error;
  throw new PartlyDone(error, `Nothing was built; ${steps.length === 1 ? '1 changelog is' : `${steps.length} changelogs are`} ${commit === undefined ? 'written' : `committed as ${commit.slice(0, 12)}`}, and the same command goes on.`);
}

function entryLines({ entries: { steps } }: FoundRefresh, { commit }: Omit<UpdateEnd, 'inGit'>): readonly string[] {
  if (steps.length === 0) return [];
  return [`${steps.length === 1 ? '1 changelog' : `${steps.length} changelogs`} written${commit === undefined ? '' : ` and committed as ${commit.slice(0, 12)}`}: ${steps.map(({ image, to }) => `${image} ${to}`).join(', ')}`];
}

function show(report: RefreshReport, options: Options, environment: Environment): void {
  if (options.json) environment.out(JSON.stringify(refreshToJson(report), null, 2));
  else for (const line of [...formatRefresh(report), ...(report.plan === undefined || report.refresh.due.size === 0 ? [] : ['', ...formatPlan(report.plan, false, WITHOUT_DRY_RUN)])]) environment.out(line);
}
