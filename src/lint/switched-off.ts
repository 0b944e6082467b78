import type { Definition } from '../definition/definition.js';
import type { Config } from '../shared/config.js';

/** The rules that config or control switch off for a definition. */
export function switchedOff({ control }: Definition, { lintIgnore }: Config): ReadonlySet<string> {
  return new Set([...lintIgnore, ...(control?.lintIgnore ?? [])].map(({ rule }) => rule));
}
