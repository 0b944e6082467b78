import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import type { Event, Progress } from '../execute/event.js';
import { sayNames } from '../plan/reason.js';
import { isPending } from '../plan/step.js';
import type { ImageName } from '../shared/image-ref.js';
import { formatDuration } from './amounts.js';

/** What a person who watches a run sees of it now: which images are at work, and how many are where. A fold of events and progress. */
export type LiveView = {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Where each image that the run works on is. */
  readonly images: ReadonlyMap<ImageName, 'waiting' | 'running' | 'done' | 'failed' | 'blocked' | 'not done'>;
  /** Those at work, the longest running first. */
  readonly running: ReadonlyMap<ImageName, Running>;
  /** What an image is called. */
  say(image: ImageName): string;
};

/** One image at work. */
export type Running = {
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly phase: Progress['phase'] | undefined;
  readonly step: string | undefined;
};

/** The window it is shown in, in characters, and the time, in milliseconds since 1970. */
export type Window = { readonly columns: number; readonly rows: number; readonly now: number };

/** A run of which nothing is known yet. */
export function liveView(startedAt: number): LiveView {
  return { startedAt, images: new Map(), running: new Map(), say: (image) => image };
}

/** The view after an event. */
export function afterEvent(view: LiveView, event: Event): LiveView {
  switch (event.type) {
    case 'run-started':
      return { ...view, images: new Map(event.steps.filter(isPending).map(({ image }) => [image, 'waiting'])), say: sayNames(event.steps.map(({ image }) => image)) };
    case 'step-started':
      return begin(view, event.image, event.at);
    case 'published':
    case 'unchanged':
    case 'finished-locally':
    case 'promoted':
      return end(view, event.image, 'done');
    case 'failed':
      return end(view, event.image, 'failed');
    case 'blocked':
      return end(view, event.image, 'blocked');
    case 'not-started':
      return end(view, event.image, 'not done');
    case 'night-started':
    case 'built':
    case 'tested':
    case 'untested':
    case 'promotion-intended':
    case 'withdrawn':
    case 'lifted':
    case 'put-back':
    case 'stopped':
    case 'cache-pruned':
    case 'prune-started':
    case 'deleted':
    case 'kept':
    case 'warning':
    case 'run-finished':
      return view;
  }
}

/** The view after a look at one image's work; `at`: milliseconds since 1970. */
export function afterProgress(view: LiveView, { image, phase, step }: Progress, at: number): LiveView {
  // Promotions come after all builds, and nothing else says that one begins.
  const begun = view.running.has(image) ? view : begin(view, image, at);
  return { ...begun, running: new Map(begun.running).set(image, { since: begun.running.get(image)!.since, phase, step }) };
}

function begin(view: LiveView, image: ImageName, since: number): LiveView {
  return { ...view, images: new Map(view.images).set(image, 'running'), running: new Map(view.running).set(image, { since, phase: undefined, step: undefined }) };
}

function end(view: LiveView, image: ImageName, result: 'done' | 'failed' | 'blocked' | 'not done'): LiveView {
  const running = new Map(view.running);
  running.delete(image);
  return { ...view, images: new Map(view.images).set(image, result), running };
}

/** The lines to show, none wider or more than the window has room for: one per image at work, and the counts. */
export function drawLiveView(view: LiveView, window: Window): readonly string[] {
  // The cursor stands on a line of its own below.
  const room = Math.max(1, window.rows - 1);
  const running = [...view.running];
  const shown = running.length + 1 <= room ? running : running.slice(0, Math.max(0, room - 2));
  const names = shown.map(([image]) => cliTruncate(view.say(image), Math.max(8, Math.floor(window.columns * 0.4)), { position: 'middle' }));
  const width = Math.max(0, ...names.map((name) => stringWidth(name)));
  const rows = shown.map(([, { since, phase, step }], at) => `${pad(names[at]!, width)}  ${(phase ?? '').padEnd(7)}  ${seconds(window.now - since).padStart(6)}  ${plain(step ?? '')}`.trimEnd());
  const more = running.length - shown.length;
  const lines = [...rows, ...(more > 0 && room > 1 ? [`+${more} more`] : []), formatCounts(view, window.now)];
  return lines.map((line) => cliTruncate(line, Math.max(1, window.columns - 1)));
}

function formatCounts(view: LiveView, now: number): string {
  const states = [...view.images.values()];
  const parts = (['running', 'waiting', 'done', 'failed', 'blocked', 'not done'] as const).flatMap((state) => {
    const many = states.filter((one) => one === state).length;
    return many === 0 ? [] : [`${many} ${state}`];
  });
  return [parts.join(', '), seconds(now - view.startedAt)].filter((part) => part !== '').join('   ');
}

/** Whole seconds: tenths would flicker. */
function seconds(milliseconds: number): string {
  const whole = Math.max(0, Math.floor(milliseconds / 1000));
  return whole < 60 ? `${whole}s` : formatDuration(whole);
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(width - stringWidth(text));
}

/** An instruction may hold what would move the cursor. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
}
