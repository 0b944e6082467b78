import type { Event } from '../execute/event.js';
import { explain, sayNames, type Reason } from '../plan/reason.js';
import { formatNightly, formatPublishing } from '../plan/publishing.js';
import { isDeletion, sayPruned } from '../plan/prune.js';
import { isLeftOut, isPending, isWithheld } from '../plan/step.js';
import { formatSize } from '../shared/size.js';
import { count, formatDuration } from './amounts.js';
import { formatNames, formatPruning, isNoted } from './format-prune.js';

/** How a run's events are shown as plain lines. */
export type PlainView = {
  /** The lines that one event makes; verbose says the quiet ones too. */
  lines(event: Event): readonly string[];
  /** The same lines before they get their time. */
  body(event: Event): readonly string[];
  /** What changed, what did not, and what to do next. */
  summary(): readonly string[];
};

/** How lines look where they are shown. */
export type Look = {
  paint(colour: 'red' | 'yellow', text: string): string;
  /** What a program printed, without what would move the cursor of a terminal. */
  clean(line: string): string;
};

const AS_IT_IS: Look = { paint: (_, text) => text, clean: (line) => line };

/** What a person should not overlook. */
const COLOURS: Readonly<Record<string, 'red' | 'yellow'>> = { FAILED: 'red', blocked: 'yellow', 'not done': 'yellow', note: 'yellow' };

type Tally = { published: string[]; same: string[]; local: string[]; failed: string[]; blocked: string[]; notStarted: string[]; promoted: string[]; undoable: boolean; moving: Set<string>; deleted: number; spared: number; kept: number; leftOut: number };

/** One line per event, each with its time (UTC) and its image's name; a fold of the events and nothing else. */
export function createPlainView(verbose: boolean, { paint, clean }: Look = AS_IT_IS): PlainView {
  const tally: Tally = { published: [], same: [], local: [], failed: [], blocked: [], notStarted: [], promoted: [], undoable: false, moving: new Set(), deleted: 0, spared: 0, kept: 0, leftOut: 0 };
  let width = 0;
  let say = (image: string): string => image;
  let run = '';
  let seconds = 0;
  let exit: number = 0;

  const painted = (word: string): string => (COLOURS[word] === undefined ? word : paint(COLOURS[word], word)) + ' '.repeat(Math.max(0, 9 - word.length));
  const why = (reasons: readonly Reason[]): string => reasons.map((reason) => explain(reason, say)).join('; ');
  const body = (event: Event): readonly string[] => {
    const says = (image: string, word: string, rest: string): string => `${say(image).padEnd(width)} ${painted(word)} ${rest}`.trimEnd();
    switch (event.type) {
      case 'run-started':
        say = sayNames(event.steps.map(({ image }) => image));
        width = Math.max(0, ...event.steps.filter((step) => isPending(step) || step.action === 'blocked' || isWithheld(step)).map(({ image }) => say(image).length));
        tally.leftOut = event.steps.filter(isLeftOut).length;
        tally.kept = event.steps.filter(({ action }) => action === 'keep').length - tally.leftOut;
        return [
          ...formatPublishing(event.publishing),
          ...formatNightly(event.nightly),
          ...event.steps.filter(({ action }) => action === 'blocked').map((step) => says(step.image, 'blocked', why(step.reasons))),
          ...event.steps.filter(isWithheld).map((step) => says(step.image, 'kept', why(step.reasons))),
        ];
      case 'night-started':
        return [];
      case 'step-started':
        return [says(event.image, event.action, why(event.reasons))];
      case 'built':
        return [says(event.image, 'built', `${formatDuration(event.seconds)}, ${formatSize(event.size)}`)];
      case 'tested':
        return [says(event.image, 'tested', formatDuration(event.seconds))];
      case 'untested':
        return verbose ? [says(event.image, 'untested', event.because)] : [];
      case 'published':
        tally.published.push(event.image);
        return [says(event.image, 'published', `${event.tag} (${event.digest.slice(0, 19)}…)`)];
      case 'unchanged':
        tally.same.push(event.image);
        return [says(event.image, 'unchanged', event.built ? `same packages and files as ${event.tag}` : 'what it stands on came out the same: not built')];
      case 'finished-locally':
        tally.local.push(event.image);
        return [says(event.image, 'kept here', `as ${event.tag} (${event.because})`)];
      case 'failed':
        tally.failed.push(event.image);
        return [
          says(event.image, 'FAILED', `${clean(event.message)}${event.log === undefined ? '' : `   log: ${event.log}`}`),
          ...event.detail.map((line) => `  ${''.padEnd(width)}${clean(line)}`),
        ];
      case 'blocked':
        tally.blocked.push(event.image);
        return [says(event.image, 'blocked', `by ${say(event.by)}`)];
      case 'not-started':
        tally.notStarted.push(event.image);
        return [says(event.image, 'not done', event.because)];
      case 'stopped':
        return [`${paint('red', 'stopped')}: ${event.message}; no more builds are started`, ...event.detail];
      case 'cache-pruned':
        return [`${formatSize(event.freed)} of the engine's build cache removed (engine_cache: ${formatSize(event.keep)})`];
      case 'promotion-intended':
        return [];
      case 'withdrawn':
        return [says(event.image, 'withdrawn', `as ${event.tag}`)];
      case 'lifted':
        return [says(event.image, 'lifted', event.tag)];
      case 'promoted':
        tally.promoted.push(event.image);
        tally.undoable ||= event.from !== undefined;
        tally.moving.add(event.moving ?? 'latest');
        return [says(event.image, `:${event.moving ?? 'latest'}`, `→ ${event.tag}${event.was === undefined ? '' : ` (was ${event.was})`}`)];
      case 'put-back':
        return [says(event.image, `:${event.moving ?? 'latest'}`, `put back to ${event.was ?? event.digest.slice(0, 19) + '…'}, since that of ${say(event.because)} could not be moved`)];
      case 'prune-started':
        say = sayPruned(event.plan.steps);
        width = Math.max(0, ...event.plan.steps.filter((step) => isDeletion(step) || isNoted(step)).map(({ image }) => say(image).length));
        // Of a registry all of that was shown before anybody was asked.
        if (event.plan.where === 'registry') return [formatPruning(event.plan)];
        return [formatPruning(event.plan), ...event.plan.steps.filter(isNoted).map((step) => says(step.image, 'kept', `${formatNames(step.refs, step.id)}: ${why(step.reasons)}`))];
      case 'deleted':
        tally.deleted += event.refs.length;
        return [says(event.image, 'deleted', formatNames(event.refs, event.id))];
      case 'kept':
        tally.spared += event.refs.length;
        return [says(event.image, 'kept', `${formatNames(event.refs, event.id)}: ${event.because}`)];
      case 'warning':
        return [event.image === undefined ? event.message : says(event.image, 'note', event.message)];
      case 'run-finished':
        // A run that ended before its plan was begun has told its name nowhere else.
        run = event.run;
        seconds = event.seconds;
        exit = event.exit;
        return [];
    }
  };

  return {
    body,
    lines(event) {
      const [first, ...rest] = body(event);
      if (first === undefined) return [];
      const time = new Date(event.at).toISOString().slice(11, 19);
      const firstWithTime = `${time} ${first}`;
      return [firstWithTime, ...rest.map((line) => (event.type === 'run-started' || event.type === 'prune-started' ? `${time} ${line}` : `         ${line}`))];
    },
    summary() {
      const parts: string[] = [];
      const add = (images: readonly string[], word: string): void => void (images.length > 0 && parts.push(`${images.length} ${word}`));
      add(tally.published, 'published');
      add(tally.same, 'came out the same');
      add(tally.local, 'built and kept here');
      add(tally.failed, 'failed');
      if (tally.deleted > 0) parts.push(`${count(tally.deleted, 'name')} deleted`);
      if (tally.spared > 0) parts.push(`${count(tally.spared, 'name')} left`);
      add(tally.blocked, 'blocked');
      add(tally.notStarted, 'not done');
      if (parts.length === 0) add(tally.promoted, 'promoted');
      if (parts.length === 0 && exit !== 0) return [`Nothing was built or changed.   run ${run}`];
      if (tally.kept > 0) parts.push(`${tally.kept} kept`);
      if (tally.leftOut > 0) parts.push(`${tally.leftOut} not selected`);
      const moved = tally.promoted.length === 0 ? '' : `   ${[...tally.moving].map((tag) => `:${tag}`).join(' and ')} moved for ${count(tally.promoted.length, 'image')}.`;
      return [`${parts.length === 0 ? 'nothing to do' : parts.join(', ')} in ${formatDuration(seconds)}.${moved}   ${tally.undoable ? `To undo: build-images rollback ${run}` : `run ${run}`}`];
    },
  };
}
