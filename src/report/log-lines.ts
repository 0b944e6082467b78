import type { Event } from '../execute/event.js';
import type { Plan, Step } from '../plan/step.js';
import { explain, sayNames } from '../plan/reason.js';
import { formatPlan } from './format-plan.js';
import { createPlainView } from './plain-lines.js';

/** How much a line of a log matters, in Python's words. */
export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';

/** One line of a log, without its time. */
export type LogLine = { readonly level: LogLevel; readonly text: string };

/** What a log is told of a run: the lines of the plain view, and what that is usually silent about. */
export type LogView = {
  lines(event: Event): readonly LogLine[];
  /** Of a plan with nothing to do. */
  plan(plan: Plan): readonly LogLine[];
};

/** A fold of the events. */
export function createLogView(): LogView {
  const [plain, verbose] = [createPlainView(false), createPlainView(true)];
  return {
    lines(event) {
      const isQuiet = plain.body(event).length === 0;
      const all = verbose.body(event);
      if (event.type === 'run-finished') return plain.summary().map((text) => ({ level: 'INFO', text }));
      // What is blocked, or used, from the start is said below the rest.
      const kept = event.type === 'run-started' ? event.steps.filter(isBlocked).length : event.type === 'prune-started' ? all.length - 1 : 0;
      return all.map((text, at) => ({ level: at >= all.length - kept ? 'WARNING' : isQuiet ? 'DEBUG' : levelOf(event), text }));
    },
    plan(plan) {
      const say = sayNames(plan.steps.map(({ image }) => image));
      const blocked = plan.steps.filter(isBlocked).map(({ image, reasons }): LogLine => ({ level: 'WARNING', text: `${say(image)} blocked   ${reasons.map((reason) => explain(reason, say)).join('; ')}` }));
      return [...formatPlan({ ...plan, steps: plan.steps.filter((step) => !isBlocked(step)) }, false).filter((text) => text !== '').map((text): LogLine => ({ level: 'INFO', text })), ...blocked];
    },
  };
}

function isBlocked({ action }: Step): boolean {
  return action === 'blocked';
}

function levelOf({ type }: Event): LogLevel {
  if (type === 'failed' || type === 'stopped') return 'ERROR';
  return type === 'blocked' || type === 'not-started' || type === 'put-back' || type === 'kept' || type === 'warning' ? 'WARNING' : 'INFO';
}
