import type { Terminal } from '../adapters/terminal.js';
import type { Event, Progress } from '../execute/event.js';
import { planToJson, type Plan } from '../plan/step.js';
import { formatPlan } from '../report/format-plan.js';
import { createPlainView } from '../report/plain-lines.js';
import type { ImageName } from '../shared/image-ref.js';
import type { Redactor } from '../shared/redact.js';
import type { Environment } from './environment.js';
import type { Options } from './verb.js';

/** What a person, or a program, sees of a run while it is at work. */
export type RunView = {
  tell(event: Event): void;
  show(progress: Progress): void;
  /** A line that the build or the test of an image printed. */
  output?(image: ImageName, line: string): void;
};

/** How a verb shows what it plans and does: as build-images does, or as docker-pkg did. */
export type Showing = {
  watch(options: Options, environment: Environment, redactor: Redactor): Promise<RunView>;
  /** A plan that is not run: nothing is to be done, or only the plan was asked for. */
  plan(plan: Plan, options: Options, environment: Environment): void;
};

/** As build-images does. */
export const OWN_SHOWING: Showing = {
  watch: watchRun,
  plan(plan, options, environment) {
    if (options.json) environment.out(JSON.stringify(planToJson(plan), null, options.dryRun ? 2 : 0));
    else for (const line of formatPlan(plan, options.all)) environment.out(line);
  },
};

/** What a terminal shows below the lines for as long as it is so, and needs no line of its own. */
const PASSING: ReadonlySet<Event['type']> = new Set(['step-started', 'built', 'tested']);

/** One JSON text or some plain lines for each event; on a terminal fewer lines, and below them what is at work now. */
export async function watchRun(options: Options, environment: Environment, redactor: Redactor): Promise<RunView> {
  // What a failed build or test printed is shown: it may print what the config says.
  const out = (line: string): void => environment.out(redactor.redact(line));
  if (options.json) return { tell: (event) => out(JSON.stringify(event)), show: () => undefined };
  const { terminal } = environment;
  const plain = createPlainView(options.verbose, terminal);
  const live = terminal === undefined ? undefined : await watchLive(terminal, environment, redactor.redact);
  return {
    tell(event) {
      live?.tell(event);
      const lines = plain.lines(event);
      if (live === undefined || options.verbose || !PASSING.has(event.type)) for (const line of lines) out(line);
      if (event.type === 'run-finished') for (const line of ['', ...plain.summary()]) out(line);
    },
    show: (progress) => live?.show(progress),
  };
}

/** What is at work, below the lines, until the run has ended. */
export async function watchLive(terminal: Terminal, { clock }: Environment, redact: Redactor['redact']): Promise<RunView> {
  const { afterEvent, afterProgress, drawLiveView, liveView } = await import('../report/live-view.js');
  let view = liveView(clock.now());
  const stop = terminal.watch((size) => drawLiveView(view, { ...size, now: clock.now() }), 0);
  return {
    tell(event) {
      view = afterEvent(view, event);
      if (event.type === 'run-finished') stop();
    },
    show(progress) {
      view = afterProgress(view, progress.step === undefined ? progress : { ...progress, step: redact(progress.step) }, clock.now());
    },
  };
}
