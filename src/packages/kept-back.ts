import type { Offer, Offers } from './candidate.js';
import type { ImagePackages } from './image-packages.js';
import type { PackageIndex } from './package-index.js';
import type { InstalledPackage, PackageRecord } from './package-record.js';
import { createPackageSet, createRelationsOf, type RelationsOf } from './package-set.js';
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
  const read = createReading(relationsOf);
  const askers = askersIn(image.installed);

  // What one package cannot be had for may be what another one needs: so long as one goes, all are looked at again.
  for (;;) {
    const set = createPackageSet(image.architecture, relationsOf);
    const hitters = new Map<string, PackageRecord[]>();
    const put = (record: PackageRecord): void => {
      set.put(record);
      for (const { name } of read.conflicts(record)) {
        const known = hitters.get(name);
        if (known === undefined) hitters.set(name, [record]);
        else if (known.at(-1) !== record) known.push(record);
      }
    };
    for (const installed of image.installed) put(changed.get(installed) ?? installed);
    const added = new Set<PackageRecord>();

    const staysOrComes = (record: PackageRecord): string => `${record.name} ${record.version}, which ${'held' in record ? 'stays' : 'comes too'}`;

    /** Why a package cannot be beside what is in the set; undefined: it can. */
    const clash = (record: PackageRecord): string | undefined => {
      for (const related of read.conflicts(record)) {
        const [hit] = set.hitBy(related, record);
        if (hit !== undefined) return `breaks ${staysOrComes(hit)}`;
      }
      for (const name of read.names(record)) {
        for (const other of hitters.get(name) ?? []) {
          const isThere = other.name !== record.name && set.named(other.name).includes(other);
          if (isThere && read.conflicts(other).some((related) => related.name === name && set.hitBy(related, other).includes(record))) return `${staysOrComes(other)}, breaks it`;
        }
      }
      const sibling = set.named(record.name).find((other) => other !== record && (other.version !== record.version || other.multiArch !== 'same' || record.multiArch !== 'same'));
      return sibling === undefined ? undefined : `needs the same version as ${sibling.name}:${sibling.architecture}, which is ${sibling.version}`;
    };

    /** Makes the set meet a relation by adding packages; false: nothing can, and the set is as it was. */
    const bring = (relation: Relation, by: PackageRecord): boolean => relation.alternatives.some((related) => comers(related, by).some((record) => add(record)));
    const add = (record: PackageRecord): boolean => {
      if (set.named(record.name).some(({ architecture }) => architecture === record.architecture)) return false;
      const before = new Set(added);
      put(record);
      added.add(record);
      if (clash(record) === undefined && read.needs(record).every((relation) => set.meets(relation, record) || bring(relation, record))) return true;
      for (const each of [...added]) {
        if (before.has(each)) continue;
        added.delete(each);
        set.remove(each);
      }
      return false;
    };
    /** Packages that are not installed and would be what is asked for. */
    const comers = (related: Related, by: PackageRecord): readonly PackageRecord[] => {
      const names = new Set([related.name, ...indexes.flatMap((index) => index.providersOf(related.name).map(({ name }) => name))]);
      const architectures = new Set([by.architecture === 'all' ? image.architecture : by.architecture, image.architecture, ...image.foreignArchitectures]);
      return [...names].flatMap((name) => [...architectures].flatMap((architecture) => offers.candidateFor(name, architecture)?.record ?? [])).filter((record) => set.isFor(record, related, by));
    };

    /** What it asks for and cannot get. */
    const lacks = (_: InstalledPackage, record: PackageRecord): string | undefined => {
      const unmet = read.needs(record).find((relation) => !set.meets(relation, record) && !bring(relation, record));
      return unmet && `needs ${unmet.text}, ${whyUnmet(unmet)}`;
    };
    const whyUnmet = ({ alternatives }: Relation): string => {
      const stays = alternatives.flatMap(({ name }) => set.named(name))[0];
      if (stays !== undefined) return `but ${staysOrComes(stays)}`;
      return alternatives.some(({ name }) => indexes.some((index) => index.versionsOf(name).length > 0)) ? 'which cannot be installed' : 'which no source offers';
    };
    /** What stays as it is and asks for what would go. */
    const missed = (installed: InstalledPackage): string | undefined => {
      const gone = read.names(installed);
      for (const asker of new Set(gone.flatMap((name) => askers.get(name) ?? []))) {
        if (changed.has(asker)) continue;
        const unmet = read.needs(asker).find((relation) => relation.alternatives.some(({ name }) => gone.includes(name)) && !set.meets(relation, asker) && !bring(relation, asker));
        if (unmet !== undefined) return `${asker.name} ${asker.version}, which stays, needs ${unmet.text}`;
      }
      return undefined;
    };

    // What cannot be at all goes first: it is in nobody's way.
    const first = firstOf([lacks, missed, (_, record) => clash(record)], changed);
    if (first === undefined) return kept;
    kept.set(first.installed, first.why);
    changed.delete(first.installed);
  }
}

type Rule = (installed: InstalledPackage, record: PackageRecord) => string | undefined;

/** The first package that a rule keeps back; the second rule is asked once the first one keeps none. */
function firstOf(rules: readonly Rule[], changed: ReadonlyMap<InstalledPackage, PackageRecord>): { readonly installed: InstalledPackage; readonly why: string } | undefined {
  for (const rule of rules) {
    for (const [installed, record] of changed) {
      const why = rule(installed, record);
      if (why !== undefined) return { installed, why };
    }
  }
  return undefined;
}

/** What a package's relations say; `names`: its own and what it provides. */
type Reading = { needs(record: PackageRecord): readonly Relation[]; conflicts(record: PackageRecord): readonly Related[]; names(record: PackageRecord): readonly string[] };

/** Reads of each package what is asked for, once. */
function createReading(relationsOf: RelationsOf): Reading {
  const once = <T>(read: (record: PackageRecord) => T): ((record: PackageRecord) => T) => {
    const known = new Map<PackageRecord, T>();
    return (record) => {
      let value = known.get(record);
      if (value === undefined) known.set(record, (value = read(record)));
      return value;
    };
  };
  const related = (field: string): readonly Related[] => relationsOf(field).flatMap(({ alternatives }) => alternatives);
  return {
    needs: once(({ relations }) => [...relationsOf(relations.preDepends), ...relationsOf(relations.depends)]),
    conflicts: once(({ relations }) => [...related(relations.breaks), ...related(relations.conflicts)]),
    names: once(({ name, relations }) => [name, ...related(relations.provides).map((each) => each.name)]),
  };
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
