import { parseStanzas } from '../shared/stanzas.js';
import { isCostly } from './expression.js';

/** One stanza of apt_preferences(5). */
export type Preference = {
  /** Names, globs, `/regular expressions/`, each perhaps `src:…` and `…:arch`; empty: the general form, `*`. */
  readonly packages: readonly string[];
  readonly by: 'release' | 'origin' | 'version';
  /** What stands behind that word: `n=trixie-backports`, `"apt.example.org"`, `5.2*`. */
  readonly what: string;
  /** `never` is below all numbers. */
  readonly priority: number | 'never';
};

/** The preferences of some text, and why apt would refuse it: `stanza 2 has no priority`. */
export type Preferences = { readonly preferences: readonly Preference[]; readonly fault: string | undefined };

/** Reads one file of preferences. */
export function parsePreferences(text: string): Preferences {
  const preferences: Preference[] = [];
  for (const [index, fields] of parseStanzas(text).entries()) {
    const wrong = (what: string): Preferences => ({ preferences, fault: `stanza ${index + 1} ${what}` });
    const packages = (fields.get('package') ?? '').trim().split(/\s+/).filter(Boolean);
    if (packages.length === 0) return wrong('names no package');
    const pin = fields.get('pin');
    if (packages.some((word) => isCostly(word.replace(/^src:/, '').replace(/(?<=\/):[^:/]*$/, '')))) return wrong('has an expression that may take for ever');
    if (pin === undefined) continue;
    const [, by = '', what = ''] = /^(\S*)\s*([^]*)$/.exec(pin)!;
    const general = packages.length === 1 && packages[0] === '*';
    const kind = by.toLowerCase();
    // apt passes over a kind of pin that it does not know.
    if (kind !== 'release' && kind !== 'origin' && !(kind === 'version' && !general)) continue;
    const priority = priorityOf(fields.get('pin-priority') ?? '');
    if (priority === undefined) return wrong('has no priority from -32768 to 32767 other than 0');
    if (priority === 'never' && !general) return wrong('has the priority "never", which is for "Package: *" alone');
    if (isCostly(what.trim()) || what.split(',').some((part) => isCostly(part.trim().slice(2)))) return wrong('has an expression that may take for ever');
    preferences.push({ packages: general ? [] : packages, by: kind, what: what.trim(), priority });
  }
  return { preferences, fault: undefined };
}

function priorityOf(text: string): number | 'never' | undefined {
  if (text === 'never') return 'never';
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const priority = Number(text);
  return priority === 0 || priority < -32_768 || priority > 32_767 ? undefined : priority;
}
