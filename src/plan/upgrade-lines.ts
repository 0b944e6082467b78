import type { Upgrade } from '../packages/upgrade.js';

/** So many binary packages of one source are named; more are counted. */
const NAMED = 3;

/**
 * Upgrades as people read them, a line for each source package and step of versions: `libssl3, openssl 3.0.15-1~deb12u1 →
 * 3.0.17-1~deb12u2 (bookworm-security)`. In the order in which the sources first come; no package twice.
 */
export function upgradeLines(upgrades: readonly Upgrade[]): readonly string[] {
  const groups = new Map<string, { readonly source: string; readonly names: Set<string>; readonly step: string }>();
  for (const { package: name, source, from, to, suite } of upgrades) {
    const step = `${from} → ${to} (${suite})`;
    const key = `${source} ${step}`;
    const group = groups.get(key) ?? { source, names: new Set<string>(), step };
    groups.set(key, group);
    group.names.add(name);
  }
  return [...groups.values()].map(({ source, names, step }) => `${names.size > NAMED ? `${source} (${names.size} packages)` : [...names].sort().join(', ')} ${step}`);
}

/** What a line of ours says is upgraded: the text before its versions; undefined: it is no such line. */
export function upgradedIn(line: string): string | undefined {
  return /^\s*(\S.*?) \S+ → \S+ \([^()]*\)$/.exec(line)?.[1];
}
