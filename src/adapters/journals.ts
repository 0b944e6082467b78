import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Event } from '../execute/event.js';
import { parseImageRef, repositoryOf, type ImageName } from '../shared/image-ref.js';
import type { PastMove, PastRun } from '../state/past-moves.js';

/** What `:latest` was before a run of this state directory moved it, for each image the last time it did: digest → that run. */
export function lastPromotions(stateDirectory: string): ReadonlyMap<string, string> {
  const before = new Map<ImageName, { readonly from: string | undefined; readonly run: string }>();
  for (const { run, moves } of pastRuns(stateDirectory)) {
    for (const { image, from, isTold } of moves) if (isTold && !before.has(image)) before.set(image, { from, run });
  }
  return new Map([...before.values()].flatMap(({ from, run }) => (from === undefined ? [] : [[from, run] as const])));
}

/** The runs of this state directory that have a journal, the newest first, each with what it moved. */
export function* pastRuns(stateDirectory: string): Generator<PastRun> {
  const runs = join(stateDirectory, 'runs');
  for (const run of namesIn(runs).sort().reverse()) {
    const events = eventsIn(join(runs, run, 'journal.jsonl'), TELLING);
    if (events !== undefined) yield { run, moves: movesIn(events) };
  }
}

/** Events of some types of every run of this state directory, oldest run first. Runs whose journals cannot be read are passed over. */
export function* eventsOfRuns<Type extends Event['type']>(stateDirectory: string, types: readonly Type[]): Generator<readonly OfType<Type>[]> {
  const runs = join(stateDirectory, 'runs');
  for (const run of namesIn(runs).sort()) yield eventsIn(join(runs, run, 'journal.jsonl'), types) ?? [];
}

type OfType<Type extends Event['type']> = Extract<Event, { readonly type: Type }>;

const TELLING = ['run-started', 'promotion-intended', 'promoted', 'put-back', 'withdrawn'] as const;

/** Of one image a run moves one tag once; what is told last is what counts. */
function movesIn(events: readonly Event[]): readonly PastMove[] {
  const repositories = new Map<ImageName, string>();
  const withdrew = new Map<ImageName, string>();
  const moves = new Map<ImageName, Omit<PastMove, 'withdrew' | 'repository'>>();
  for (const event of events) {
    switch (event.type) {
      case 'run-started':
        for (const { image, ref } of event.steps) repositories.set(image, repositoryOf(parseImageRef(ref)!));
        break;
      case 'withdrawn':
        withdrew.set(event.image, event.tag);
        break;
      case 'promotion-intended':
      case 'promoted':
        moves.delete(event.image);
        moves.set(event.image, { image: event.image, tag: event.tag, digest: event.digest, from: event.from, was: event.type === 'promoted' ? event.was : undefined, moving: event.moving, isTold: event.type === 'promoted' });
        break;
      case 'put-back':
        moves.delete(event.image);
    }
  }
  return [...moves.values()].map((move) => ({ ...move, repository: repositories.get(move.image), withdrew: withdrew.get(move.image) }));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // No run yet.
    return [];
  }
}

function eventsIn<Type extends Event['type']>(path: string, types: readonly Type[]): readonly OfType<Type>[] | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const marks = types.map((type) => `"type":"${type}"`);
  return text.split('\n').filter((line) => marks.some((mark) => line.includes(mark))).flatMap((line) => parseLine(line, types));
}

function parseLine<Type extends Event['type']>(line: string, types: readonly Type[]): readonly OfType<Type>[] {
  try {
    const event = JSON.parse(line) as Event;
    // Those words may stand in another one's text.
    return types.some((type) => type === event.type) ? [event as OfType<Type>] : [];
  } catch {
    // A line that a full disk cut off.
    return [];
  }
}
