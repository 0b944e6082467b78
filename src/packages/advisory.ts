import { compareVersions } from '../definition/version.js';

/** What a source package's changelog says above a version: evidence for people, nothing is decided by it. */
export type Advisory = {
  readonly source: string;
  /** The most urgent of its entries. */
  readonly urgency: string;
  /** `CVE-2026-1234`, each once, in their order. */
  readonly cves: readonly string[];
  /** `DSA-6012-1`, `DLA-…`. */
  readonly announcements: readonly string[];
  /** How many entries there are above that version. */
  readonly entries: number;
  /** When the first of them was written: milliseconds since 1970; undefined: it does not say. */
  readonly since: number | undefined;
};

const URGENCIES = ['unknown', 'low', 'medium', 'high', 'emergency', 'critical'];

/** deb-changelog(5). Entries are long and other lines begin with a blank: nothing but headings begins a line. */
const HEADING = /^(\S+) \(([^()\s]+)\)[^;\n]*;(?:.*?urgency=([a-z]+))?/i;
const TRAILER = /^ -- .*>\s+(.*)$/;

/** What the beginning of a changelog says above a version of its source; undefined: nothing. */
export function adviseAbove(changelog: string, above: string): Advisory | undefined {
  const found = { source: '', urgency: 0, cves: new Set<string>(), announcements: new Set<string>(), entries: 0, since: undefined as number | undefined };
  for (const line of changelog.split('\n')) {
    const heading = HEADING.exec(line);
    if (heading !== null) {
      const [, source, version, urgency = 'unknown'] = heading;
      if (compareVersions(version!, above) <= 0) break;
      if (found.source === '') found.source = source!;
      found.entries++;
      found.urgency = Math.max(found.urgency, URGENCIES.indexOf(urgency.toLowerCase()));
    } else if (found.entries > 0) {
      for (const [cve] of line.matchAll(/\bCVE-\d{4}-\d{4,}\b/g)) found.cves.add(cve);
      for (const [announcement] of line.matchAll(/\bD[SL]A-\d+(?:-\d+)?\b/g)) found.announcements.add(announcement);
      const date = Date.parse(TRAILER.exec(line)?.[1] ?? '');
      if (!Number.isNaN(date)) found.since = date;
    }
  }
  if (found.entries === 0) return undefined;
  const { source, urgency, cves, announcements, entries, since } = found;
  const number = (cve: string): readonly number[] => cve.split('-').slice(1).map(Number);
  const inOrder = (a: string, b: string): number => number(a)[0]! - number(b)[0]! || number(a)[1]! - number(b)[1]!;
  return { source, urgency: URGENCIES[urgency]!, cves: [...cves].sort(inOrder), announcements: [...announcements], entries, since };
}

/** `high: DSA-6012-1, CVE-2026-1, CVE-2026-2 and 10 more`. */
export function sayAdvisory({ urgency, cves, announcements, entries }: Advisory, named = 3): string {
  const all = [...announcements, ...cves];
  if (all.length === 0) return `${urgency}: ${entries} ${entries === 1 ? 'entry' : 'entries'}`;
  return `${urgency}: ${all.slice(0, named).join(', ')}${all.length > named ? ` and ${all.length - named} more` : ''}`;
}
