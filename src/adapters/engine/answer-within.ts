import type { EngineAddress } from './engine-address.js';
import { engineGone } from './engine-gone.js';

/** Asks an engine something that it can answer at once. One that takes longer than `seconds` hangs: that is an EngineError, as if it were not there. */
export async function answerWithin<T>(address: EngineAddress, seconds: number, signal: AbortSignal, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), seconds * 1000);
  try {
    return await ask(AbortSignal.any([signal, limit.signal]));
  } catch (error) {
    throw limit.signal.aborted && !signal.aborted ? engineGone(address, `no answer in ${seconds} s`) : error;
  } finally {
    // Not a time-out signal, which would go off later: an upgraded connection outlives the question.
    clearTimeout(timer);
  }
}
