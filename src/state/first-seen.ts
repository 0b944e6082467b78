import type { Upgrade } from '../packages/upgrade.js';

/** When upgrades were first seen to be offered, as data: by what is offered, when that was and when it was last so. Milliseconds since 1970. */
export type FirstSeenData = Readonly<Record<string, { readonly since: number; readonly last: number }>>;

/** Since when upgrades are offered, as far as runs on this host noticed. A cache: losing it costs the age of fixes in reports. */
export interface FirstSeen {
  /** How long it is offered, at least; undefined: nobody looked before now. Milliseconds. */
  waiting(upgrade: Upgrade): number | undefined;
  /** What was asked for, and what was in the last three months. */
  data(): FirstSeenData;
}

const KEPT = 90 * 24 * 3_600_000;

/** A memory over what a cache file held (or nothing). */
export function createFirstSeen(stored: FirstSeenData | undefined, now: number): FirstSeen {
  const seen = new Map(Object.entries(stored ?? {}).filter(([, { last }]) => now - last < KEPT));
  return {
    waiting({ package: name, arch, to, suite }) {
      const key = `${suite} ${name}:${arch} ${to}`;
      const since = seen.get(key)?.since;
      seen.set(key, { since: since ?? now, last: now });
      return since === undefined || since >= now ? undefined : now - since;
    },
    data: () => Object.fromEntries(seen),
  };
}
