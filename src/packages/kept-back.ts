import type { Offer, Offers } from './candidate.js';
import type { ImagePackages } from './image-packages.js';
import type { PackageIndex } from './package-index.js';
import type { InstalledPackage, PackageRecord } from './package-record.js';
import { createPackageSet, createRelationsOf } from './package-set.js';
import type { Related, Relation } from './relations.js';

/**
 * Which of an image's newer versions cannot be had together with all that stays, and why, in one clause. What only a removal would
 * make room for is kept back; what has to come in addition may come.
 * @param changes what would take the place of what is installed
 */
export function findKeptBack(image: ImagePackages, offers: Offers, changes: ReadonlyMap<InstalledPackage, Offer>, indexes: readonly PackageIndex[]): ReadonlyMap<InstalledPackage, string> {
  const kept = new Map<InstalledPackage, string>();
  const changed = new Map<InstalledPackage, PackageRecord>();
  for (const [installed, { record }] of changes) {
    if (installed.held) kept.set(installed, 'held by dpkg');
    else changed.set(installed, record);
  }
  if (changed.size === 0) return kept;
  const relationsOf = createRelationsOf();
  const askers = askersIn(image.installed);

  // What one package cannot be had for may be what another one needs: so long as one goes, all are looked at again.
  for (let settled = false; !settled; ) {
    settled = true;
    const set = createPackageSet(image.architecture, relationsOf);
    for (const installed of image.installed) set.put(changed.get(installed) ?? installed);
    const added = new Set<PackageRecord>();

    const needsOf = ({ relations }: PackageRecord): readonly Relation[] => [...relationsOf(relations.preDepends), ...relationsOf(relations.depends)];
    const conflictsOf = ({ relations }: PackageRecord): readonly Related[] => [...relationsOf(relations.breaks), ...relationsOf(relations.conflicts)].flatMap(({ alternatives }) => alternatives);
    const staysOrComes = (record: PackageRecord): string => `${record.name} ${record.version}, which ${isInstalled(record) ? 'stays' : 'comes too'}`;
    const isInstalled = (record: PackageRecord): boolean => 'held' in record;

    /** Why a package cannot be beside what is in the set; undefined: it can. */
    const clash = (record: PackageRecord): string | undefined => {
      for (const related of conflictsOf(record)) {
        const [hit] = set.hitBy(related, record);
        if (hit !== undefined) return `breaks ${staysOrComes(hit)}`;
      }
      const names = [record.name, ...relationsOf(record.relations.provides).flatMap(({ alternatives }) => alternatives.map(({ name }) => name))];
      for (const name of names) {
        for (const other of [...(askers.get(name) ?? []).map((each) => changed.get(each) ?? each), ...[...changed.values()], ...added]) {
          if (other.name === record.name) continue;
          if (conflictsOf(other).some((related) => related.name === name && set.hitBy(related, other).includes(record))) return `${staysOrComes(other)}, breaks it`;
        }
      }
      const sibling = set.named(record.name).find((other) => other !== record && (other.version !== record.version || other.multiArch !== 'same' || record.multiArch !== 'same'));
      return sibling === undefined ? undefined : `needs the same version as ${sibling.name}:${sibling.architecture}, which is ${sibling.version}`;
    };

    /** Makes the set meet a relation by adding packages; false: nothing can, and the set is as it was. */
    const bring = (relation: Relation, by: PackageRecord): boolean =>
      relation.alternatives.some((related) => comers(related, by).some((record) => add(record)));
    const add = (record: PackageRecord): boolean => {
      if (set.named(record.name).some(({ architecture }) => architecture === record.architecture)) return false;
      const before = [...added];
      set.put(record);
      added.add(record);
      if (clash(record) === undefined && needsOf(record).every((relation) => set.meets(relation, record) || bring(relation, record))) return true;
      for (const each of [...added]) {
        if (before.includes(each)) continue;
        added.delete(each);
        set.remove(each);
      }
      return false;
    };
    /** Packages that are not installed and would be what is asked for. */
    const comers = (related: Related, by: PackageRecord): readonly PackageRecord[] => {
      const names = new Set([related.name, ...indexes.flatMap((index) => index.providersOf(related.name).map(({ name }) => name))]);
      const architectures = [by.architecture === 'all' ? image.architecture : by.architecture, ...[image.architecture, ...image.foreignArchitectures]];
      return [...names].flatMap((name) => [...new Set(architectures)].flatMap((architecture) => offers.candidateFor(name, architecture)?.record ?? [])).filter((record) => set.isFor(record, related, by));
    };

    /** What it asks for and cannot get. */
    const lacks = (record: PackageRecord): string | undefined => {
      const unmet = needsOf(record).find((relation) => !set.meets(relation, record) && !bring(relation, record));
      return unmet && `needs ${unmet.text}, ${whyUnmet(unmet)}`;
    };
    /** What stays as it is and asks for what would go. */
    const missed = (installed: InstalledPackage): string | undefined => {
      const gone = [installed.name, ...relationsOf(installed.relations.provides).flatMap(({ alternatives }) => alternatives.map(({ name }) => name))];
      for (const asker of new Set(gone.flatMap((name) => askers.get(name) ?? []))) {
        if (changed.has(asker)) continue;
        const unmet = needsOf(asker).find((relation) => relation.alternatives.some(({ name }) => gone.includes(name)) && !set.meets(relation, asker) && !bring(relation, asker));
        if (unmet !== undefined) return `${asker.name} ${asker.version}, which stays, needs ${unmet.text}`;
      }
      return undefined;
    };
    const whyUnmet = ({ alternatives }: Relation): string => {
      const stays = alternatives.flatMap(({ name }) => set.named(name))[0];
      if (stays !== undefined) return `but ${staysOrComes(stays)}`;
      return alternatives.some(({ name }) => indexes.some((index) => index.versionsOf(name).length > 0)) ? 'which cannot be installed' : 'which no source offers';
    };

    // What cannot be at all goes first: it is in nobody's way.
    for (const rule of [(_: InstalledPackage, record: PackageRecord) => lacks(record), missed, (_: InstalledPackage, record: PackageRecord) => clash(record)]) {
      const first = [...changed].map(([installed, record]) => ({ installed, why: rule(installed, record) })).find(({ why }) => why !== undefined);
      if (first === undefined) continue;
      kept.set(first.installed, first.why!);
      changed.delete(first.installed);
      settled = false;
      break;
    }
  }
  return kept;
}

/** Name → the installed packages whose relations speak of it. */
function askersIn(installed: readonly InstalledPackage[]): ReadonlyMap<string, readonly InstalledPackage[]> {
  const askers = new Map<string, InstalledPackage[]>();
  for (const each of installed) {
    const { preDepends, depends, breaks, conflicts } = each.relations;
    for (const [, name] of `${preDepends},${depends},${breaks},${conflicts}`.matchAll(/(?:^|[,|])\s*([^\s,:|(]+)/g)) {
      const known = askers.get(name!);
      if (known === undefined) askers.set(name!, [each]);
      else if (known.at(-1) !== each) known.push(each);
    }
  }
  return askers;
}
