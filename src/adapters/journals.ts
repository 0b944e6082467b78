import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Event } from '../execute/event.js';

type Promoted = Extract<Event, { readonly type: 'promoted' }>;

/** What `:latest` was before a run of this state directory moved it, for each image the last time it did: digest → that run. */
export function lastPromotions(stateDirectory: string): ReadonlyMap<string, string> {
  const runs = join(stateDirectory, 'runs');
  const before = new Map<string, { readonly from: string | undefined; readonly run: string }>();
  for (const run of namesIn(runs).sort().reverse()) {
    // Of one image a run moves one tag once; what is told last is what counts.
    for (const event of promotionsIn(join(runs, run, 'journal.jsonl')).reverse()) {
      if (!before.has(event.image)) before.set(event.image, { from: event.from, run });
    }
  }
  return new Map([...before.values()].flatMap(({ from, run }) => (from === undefined ? [] : [[from, run] as const])));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // No run yet.
    return [];
  }
}

function promotionsIn(path: string): Promoted[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').filter((line) => line.includes('"type":"promoted"')).flatMap(parseLine);
}

function parseLine(line: string): Promoted[] {
  try {
    const event = JSON.parse(line) as Event;
    return event.type === 'promoted' ? [event] : [];
  } catch {
    // A line that a full disk cut off.
    return [];
  }
}
