import type { Event } from '../execute/event.js';
import { createPlainView } from './plain-lines.js';

/** How much a line of a log matters, in Python's words. */
export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';

/** One line of a log, without its time. */
export type LogLine = { readonly level: LogLevel; readonly text: string };

/** The lines of a log that events make: those of the plain view, and what it is usually silent about. A fold of the events. */
export function createLogView(): (event: Event) => readonly LogLine[] {
  const [plain, verbose] = [createPlainView(false), createPlainView(true)];
  return (event) => {
    const isQuiet = plain.body(event).length === 0;
    const level = isQuiet ? 'DEBUG' : levelOf(event);
    const lines = verbose.body(event).map((text) => ({ level, text }));
    return event.type === 'run-finished' ? plain.summary().map((text) => ({ level: 'INFO', text })) : lines;
  };
}

function levelOf({ type }: Event): LogLevel {
  if (type === 'failed' || type === 'stopped') return 'ERROR';
  return type === 'blocked' || type === 'not-started' || type === 'put-back' || type === 'warning' ? 'WARNING' : 'INFO';
}
