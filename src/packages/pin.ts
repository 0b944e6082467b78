import { expression } from './expression.js';
import type { Preference } from './preferences.js';
import type { PackageIndex } from './package-index.js';

/** Where a version is from, as a pin sees it; a field that is not there is of no pin, not even of `*`. */
export type Place = {
  readonly archive?: string;
  readonly codename?: string;
  readonly origin?: string;
  readonly label?: string;
  readonly version?: string;
  readonly component?: string;
  readonly architecture?: string;
  readonly site?: string;
};

/** dpkg's own records, which apt has for an archive of this name. */
export const STATUS_PLACE: Place = { archive: 'now', component: 'now' };

/** The place that an index is. */
export function placeOf({ release, site, component, architecture }: PackageIndex): Place {
  const { suite: archive, codename, origin, label, version } = release;
  const fields = { archive, codename, origin, label, version, component, architecture };
  return { ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')), site };
}

/** Whether a pin is of a place. A pin by version is of none: it looks at the version alone. */
export function placePin({ by, what }: Pick<Preference, 'by' | 'what'>): (place: Place) => boolean {
  if (by === 'version') return () => false;
  if (by === 'origin') {
    const site = /^"(.*)"$/s.exec(what)?.[1] ?? what;
    const matches = expression(site);
    return (place) => matches(place.site);
  }
  return releasePin(what);
}

/** The fields of `Pin: release` by their letters. */
const FIELDS: Readonly<Record<string, Exclude<keyof Place, 'site'>>> = { v: 'version', o: 'origin', a: 'archive', n: 'codename', l: 'label', c: 'component', b: 'architecture' };

function releasePin(what: string): (place: Place) => boolean {
  if (what === '*') return () => true;
  if (!what.includes('=')) {
    const version = versionPin(what);
    const name = expression(what);
    return /^\d/.test(what) ? (place) => version(place.version) : (place) => name(place.archive) || name(place.codename);
  }
  const asked = new Map<keyof Place, (text: string | undefined) => boolean>();
  for (const part of what.split(',').map((each) => each.trim())) {
    const field = FIELDS[part[0]?.toLowerCase() ?? ''];
    if (field === undefined || part[1] !== '=' || part.length < 3 || part === 'v=*') continue;
    asked.set(field, field === 'version' ? versionPin(part.slice(2)) : expression(part.slice(2)));
  }
  // A pin that asks for nothing is, to apt, of what has no Release file.
  return (place) => (asked.size > 0 || place === STATUS_PLACE) && [...asked].every(([field, matches]) => matches(place[field]));
}

/** `Pin: version …`, and `v=`: a version, the beginning of one and `*`, or an expression. */
export function versionPin(what: string): (version: string | undefined) => boolean {
  const start = what.endsWith('*') ? what.slice(0, -1) : undefined;
  const matches = expression(start ?? what);
  return (version) => version !== undefined && ((start !== undefined && version.startsWith(start)) || matches(version));
}
