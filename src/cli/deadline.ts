import { UsageError } from '../shared/errors.js';

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000 };

/**
 * When nothing new is begun any more, in milliseconds since 1970: the next `06:00` of this machine's time zone, as timers mean it;
 * `06:00Z`, of UTC; or `+4h`, `+90m` from now.
 */
export function parseDeadline(text: string, now: number): number {
  const [, number, unit] = /^\+(\d{1,4})([mh])$/.exec(text) ?? [];
  if (number !== undefined) return now + Number(number) * UNITS[unit!]!;
  const [, hour, minute, utc] = /^([01]\d|2[0-3]):([0-5]\d)(Z?)$/.exec(text) ?? [];
  if (hour === undefined) throw new UsageError(`--deadline takes a time of day (06:00, 06:00Z) or a while (+4h, +90m), not "${text}"`);
  // Tomorrow's by the calendar: a day of a clock change has 23 or 25 hours.
  const on = (days: number): number => {
    const day = new Date(now);
    if (utc === 'Z') return Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate() + days, Number(hour), Number(minute));
    return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days, Number(hour), Number(minute)).getTime();
  };
  return on(0) > now ? on(0) : on(1);
}
