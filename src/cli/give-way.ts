import { join } from 'node:path';
import type { Lock } from '../adapters/lock.js';
import type { RunPublishing } from '../plan/step.js';
import type { RunConfig } from '../shared/config.js';
import { EXIT, Fault } from '../shared/errors.js';
import { stateDirectory, type Environment } from './environment.js';
import { lockRun, locksOf } from './run.js';
import { NIGHT, takeLocks } from './take-locks.js';

/** How long a night waits for the run of who asked for way to begin, where the asking does not say: milliseconds. */
export const PATIENCE = 10 * 60_000;

/** Milliseconds between two looks at locks. */
const PAUSE = 300;

/** The locks of a night, which gives them up for a while when it is asked to. */
export type NightLocks = {
  /** Says to others who is at work. */
  readonly lock: Lock;
  /** Who asks for way, if anybody does. */
  asked(): string | undefined;
  /** Gives up the locks until the run of who asked has come and gone, or none came; false: it is `until` (milliseconds since 1970), and another run is still at work. */
  giveWay(until: number): Promise<boolean>;
  /** Takes the locks of all other writing runs of these trees, too; undefined: one is at work. */
  others(): Lock | undefined;
  release(): void;
};

/** The lock that is held by who asks for way; no night ever keeps it. */
function asking(name: string): string {
  return `yield-${name}`;
}

/** Takes the locks of a night, or says who has one. */
export async function lockNight(config: RunConfig, publishing: RunPublishing, environment: Environment): Promise<NightLocks> {
  const { heldBy, lastWord, tryLock } = await import('../adapters/lock.js');
  const directory = await lockDirectory(environment);
  const names = [...locksOf(config, publishing).keys()];
  const { clock, signal } = environment;
  let held: Lock | undefined = await lockRun(config, publishing, environment, NIGHT);
  let patience = PATIENCE;
  const givenUp = `${NIGHT}pid ${environment.pid}, ${GAVE_WAY}`;
  const asked = (): string | undefined => {
    for (const name of names) {
      const word = heldBy(directory, asking(name));
      if (word === undefined) continue;
      // `pid 123 (root), 600 s`; nothing yet when it has just begun.
      const [, who, seconds] = /^(.*), (\d+) s$/.exec(word) ?? [];
      patience = seconds === undefined ? PATIENCE : Number(seconds) * 1000;
      return who ?? 'somebody';
    }
    return undefined;
  };
  const release = (): void => {
    held?.release();
    held = undefined;
  };
  return {
    lock: { say: (text) => held?.say(`${NIGHT}${text}`), release },
    asked,
    release,
    others() {
      const all = new Map([...locksOf(config, true), ...locksOf(config, false)].filter(([name]) => !names.includes(name)));
      try {
        return takeLocks(all, (name) => tryLock(directory, name), (place, heldBy) => new Fault(EXIT.locked, `${place}: ${heldBy}`), `${NIGHT}pid ${environment.pid}, pruning`);
      } catch (error) {
        if (error instanceof Fault && error.exit === EXIT.locked) return undefined;
        throw error;
      }
    },
    async giveWay(until) {
      held?.say(givenUp);
      release();
      // Whoever takes a lock says so in it; looking at the word keeps it free for them.
      const hasBegun = (): boolean => names.some((name) => !['', givenUp].includes(lastWord(directory, name)));
      for (const end = Math.min(clock.now() + patience, until); !hasBegun() && clock.now() < end; ) await clock.sleep(PAUSE, signal);
      for (;;) {
        signal.throwIfAborted();
        try {
          held = await lockRun(config, publishing, environment, NIGHT);
          return true;
        } catch (error) {
          if (!(error instanceof Fault && error.exit === EXIT.locked)) throw error;
          if (clock.now() >= until) return false;
        }
        await clock.sleep(PAUSE, signal);
      }
    },
  };
}

/** What became of asking for way, of all places that a config names. `gone`: the night has ended meanwhile, by itself or not. */
export type Asked = { readonly way: 'free' } | { readonly way: 'given' | 'gone'; readonly by: string };

/** Ends what a night last says of itself before it pauses. */
const GAVE_WAY = 'which gave way';

/**
 * Asks the night that is at work for way, and waits until it has given it.
 * @param patience milliseconds that it shall wait for the run of who asks to begin
 * @param waits told once of who is at work, if it has to be waited for
 */
export async function askForWay(config: RunConfig, patience: number, who: string, waits: (heldBy: string) => void, environment: Environment): Promise<Asked> {
  const { heldBy, lastWord, tryLock } = await import('../adapters/lock.js');
  const directory = await lockDirectory(environment);
  const places = new Map([...locksOf(config, true), ...locksOf(config, false)]);
  const { clock, signal } = environment;
  const asks: Lock[] = [];
  try {
    for (const name of [...places.keys()].sort()) {
      // A night looks at it now and then, and another who asks has it only until way is given.
      let lock = tryLock(directory, asking(name));
      for (; 'heldBy' in lock; lock = tryLock(directory, asking(name))) await clock.sleep(PAUSE, signal);
      lock.say(`${who}, ${Math.round(patience / 1000)} s`);
      asks.push(lock);
    }
    let by: string | undefined;
    for (;;) {
      // Taking a lock to see whether it is free takes the word away.
      const gaveWay = [...places.keys()].some((name) => lastWord(directory, name).endsWith(GAVE_WAY));
      const holders = [...places].flatMap(([name, place]) => {
        const word = heldBy(directory, name);
        return word === undefined ? [] : [{ place, word }];
      });
      // Beside a night, a run that does not publish may be at work: it is in nobody's way.
      const [night] = holders.filter(({ word }) => word === '' || word.startsWith(NIGHT));
      if (night === undefined) {
        if (by !== undefined) return { way: gaveWay ? 'given' : 'gone', by };
        const [other] = holders;
        if (other === undefined) return { way: 'free' };
        throw new Fault(EXIT.locked, `another run is at work on ${other.place}, and it is none that gives way: ${other.word}`, ['wait for it, or end it with kill; its lock goes with it']);
      }
      const word = night.word.slice(NIGHT.length);
      if (by === undefined && word !== '') waits((by = word));
      await clock.sleep(PAUSE, signal);
    }
  } finally {
    for (const lock of asks) lock.release();
  }
}

async function lockDirectory(environment: Environment): Promise<string> {
  const { machineLockDirectory } = await import('../adapters/lock.js');
  return machineLockDirectory(join(stateDirectory(environment), 'locks'));
}
