/** `0.4s`, `29s`, `4m 12s`, `1h 02m`. */
export function formatDuration(seconds: number): string {
  // Where rounding would make ten of it, the next unit's form says it.
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${String(whole % 60).padStart(2, '0')}s`;
  return `${Math.floor(whole / 3600)}h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')}m`;
}

/** `reading 412 of 1,000 images from registry.example.org`. */
export function formatReading(read: number, many: number, registry: string): string {
  const grouped = (number: number): string => String(number).replace(/\B(?=(\d{3})+$)/g, ',');
  return `reading ${grouped(read)} of ${grouped(many)} image${many === 1 ? '' : 's'} from ${registry}`;
}

/** `3 images`, `1 image`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
