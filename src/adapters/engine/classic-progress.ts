import { createLineSplitter, withoutUserinfo } from './buildkit-progress.js';
import type { EngineRecord } from './engine-records.js';

/** A classic build's progress as lines, and the step that it is at. */
export type ClassicProgress = {
  /** Takes the next record of the engine. */
  add(record: EngineRecord): void;
  /** Ends the step that is under way: well, or with what the engine says of its failure. */
  end(failure?: string): void;
  /** Number of the step under way: the first instruction of the Dockerfile is 1. Undefined before it. */
  step(): number | undefined;
};

const STEP = /^step (\d+)\/(\d+) ?: (.*)$/is;

/** What the builder says of its own doings between steps: containers, layers, names. */
const CHATTER = /^(?: ---> (?:Running in )?[0-9a-f]{12}|Removing intermediate container [0-9a-f]{12}|Successfully (?:built|tagged) \S+)\n$/;

/** Engines print what came to standard error in red, one record at a time. */
const STDERR = /^\u001b\[91m(.*)\u001b\[0m$/s;

/**
 * Turns a classic build's records into the lines that a BuildKit build gives: `#2 [2/3] RUN make`, what it prints as `#2 cc -o a a.c`, then
 * `#2 done in 1.2s`, `#2 cached` or `#2 failed: …`. `now`: milliseconds.
 */
export function createClassicProgress(print: (line: string) => void, now: () => number): ClassicProgress {
  let at: { readonly number: number; readonly started: number; cached: boolean } | undefined;
  const say = (text: string): void => print(withoutUserinfo(at === undefined ? text : `#${at.number} ${text}`));
  const [output, errors] = [createLineSplitter(say), createLineSplitter(say)];

  const end = (failure?: string): void => {
    output.end();
    errors.end();
    if (at === undefined) return;
    say(failure !== undefined ? `failed: ${failure.replace(/\s+/g, ' ')}` : at.cached ? 'cached' : `done in ${((now() - at.started) / 1000).toFixed(1)}s`);
  };

  return {
    add({ stream }) {
      if (stream === undefined || CHATTER.test(stream)) return;
      const [, number, total, instruction] = STEP.exec(stream) ?? [];
      // A program that prints such a line is not at the next step.
      if (number !== undefined && Number(number) === (at?.number ?? 0) + 1) {
        end();
        at = { number: Number(number), started: now(), cached: false };
        say(`[${number}/${total}] ${instruction!.trim()}`);
      } else if (at !== undefined && stream === ' ---> Using cache\n') at.cached = true;
      else {
        const red = STDERR.exec(stream)?.[1];
        (red === undefined ? output : errors).add(Buffer.from(red ?? stream));
      }
    },
    end,
    step: () => at?.number,
  };
}
