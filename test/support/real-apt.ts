import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What apt says of a root. */
export type AptAnswer = {
  readonly upgradable: readonly AptUpgrade[];
  /** `URI SUITE/COMPONENT ARCH Packages`, and ` trusted`; `all` is an architecture of its own. */
  readonly sources: readonly string[];
  /** `name:arch` of what a dist-upgrade removes, and what it adds. */
  readonly removed: readonly string[];
  readonly added: readonly string[];
  /** `name arch version` of what would be installed then; an `all` has the native architecture. */
  readonly after: readonly string[];
  /** How many installed packages had unmet relations before. */
  readonly broken: number;
};

/** A line of `apt list --upgradable`, and what a dist-upgrade makes of it. */
export type AptUpgrade = {
  readonly package: string;
  readonly arch: string;
  readonly from: string;
  readonly to: string;
  /** Archives, as their Release files call them. */
  readonly suites: readonly string[];
  readonly kept: boolean;
  readonly removed: boolean;
};

/** Asks libapt of each root in turn: no network, nothing is changed. */
export async function askApt(roots: readonly string[]): Promise<readonly (AptAnswer | { readonly error: string })[]> {
  const child = spawn('/usr/bin/python3', [join(import.meta.dirname, 'apt-upgrades.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(roots.map((root) => `${root}\n`).join(''));
  const said: (AptAnswer | { readonly error: string })[] = [];
  for await (const line of createInterface(child.stdout)) said.push(JSON.parse(line) as AptAnswer | { readonly error: string });
  if (said.length !== roots.length) throw new Error(`apt answered for ${said.length} of ${roots.length} roots`);
  return said;
}
