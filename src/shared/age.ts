const HOUR = 3_600_000;
const UNITS: Readonly<Record<string, number>> = { h: HOUR, d: 24 * HOUR, w: 7 * 24 * HOUR };

/** `30d`, `12h`, `4w` in milliseconds; undefined for any other text. */
export function parseAge(text: string): number | undefined {
  const [, number, unit] = /^(\d{1,5})([hdw])$/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * UNITS[unit!]!;
}

/** `12h`, `30d`: whole hours below two days, else whole days. */
export function formatAge(milliseconds: number): string {
  return milliseconds < 48 * HOUR ? `${Math.floor(milliseconds / HOUR)}h` : `${Math.floor(milliseconds / (24 * HOUR))}d`;
}
