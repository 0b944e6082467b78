/** Bytes of each unit that a size may be written in: decimal ones as engines and registries count, binary ones by their own names (IEC 80000-13). */
const UNITS: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** `20GB`, `1.5 GiB`, `0` in bytes; what is wrong with any other text (`"20g" is no size …`), ready to stand behind a key. */
export function parseSize(text: string): { readonly bytes: number } | { readonly fault: string } {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text.trim()) ?? [];
  if (number === '') return { fault: 'is no size ("20GB", "500MB", 0)' };
  if (unit === '' && Number(number) === 0) return { bytes: 0 };
  const bytes = Math.round(Number(number) * (UNITS[unit] ?? Number.NaN));
  if (Number.isSafeInteger(bytes)) return { bytes };
  if (Object.hasOwn(UNITS, unit)) return { fault: 'is more than any disk holds' };
  return { fault: unit === '' ? `has no unit: "${number}GB"?` : `has an unknown unit: "${number}${unitNear(unit)}"?` };
}

/** What `g`, `Gb` or `mib` was meant to be. */
function unitNear(unit: string): string {
  const units = Object.keys(UNITS);
  const same = units.find((known) => known.toLowerCase() === unit.toLowerCase());
  return same ?? units.find((known) => /^.B$/.test(known) && known[0]!.toLowerCase() === unit[0]!.toLowerCase()) ?? 'GB';
}

/** `81 MB`: decimal units, as registries and engines count. */
export function formatSize(bytes: number): string {
  if (bytes < 999.5e3) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return bytes < 999.5e6 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
