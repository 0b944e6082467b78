/** How often one request is tried in all. */
export const TRIES = 4;

/** Milliseconds that one request may wait because the registry asked it to. */
export const RETRY_AFTER_LIMIT = 60_000;

/** What is known when a try has failed for a reason that may pass. Times in milliseconds. */
export type FailedTry = {
  /** This one included. */
  readonly tries: number;
  /** What the registry asked to wait; undefined when it did not say. */
  readonly retryAfter: number | undefined;
  /** What this request has already waited because the registry asked. */
  readonly waited: number;
  /** What is left of the time to get a first answer; undefined once there was one. */
  readonly left: number | undefined;
  /** 0 ≤ random < 1. */
  readonly random: number;
};

/** Whether an HTTP answer is about the registry's present state, so that asking again may help. */
export function isTemporary(status: number): boolean {
  return status === 429 || status === 500 || status === 502 || status === 503 || status === 504;
}

/** Milliseconds to wait before the next try; undefined: give up. Doubles from 1 s, with jitter, unless the registry said how long. */
export function retryDelay({ tries, retryAfter, waited, left, random }: FailedTry): number | undefined {
  if (tries >= TRIES) return undefined;
  if (retryAfter !== undefined && waited + retryAfter > RETRY_AFTER_LIMIT) return undefined;
  const delay = retryAfter ?? 1000 * 2 ** (tries - 1) * (0.5 + random / 2);
  return left !== undefined && delay >= left ? undefined : delay;
}

/** `Retry-After` as milliseconds from now: seconds or an HTTP date (RFC 9110 §10.2.3); undefined when it is neither. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
