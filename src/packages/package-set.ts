import type { PackageRecord } from './package-record.js';
import { isVersionFor, parseRelations, type Related, type Relation } from './relations.js';

/** Packages as they would be installed together: at most one of a name and architecture. */
export type PackageSet = {
  /** Puts a package in the place of the one of its name and architecture. */
  put(record: PackageRecord): void;
  remove(record: PackageRecord): void;
  /** Those of a name, whatever their architecture. */
  named(name: string): readonly PackageRecord[];
  /** Whether one package of it is what another asks for. */
  meets(relation: Relation, by: PackageRecord): boolean;
  /** Those that a package's `Breaks` or `Conflicts` is of, itself and its siblings of other architectures not among them. */
  hitBy(related: Related, by: PackageRecord): readonly PackageRecord[];
  /** Whether a package is what another asks for. */
  isFor(record: PackageRecord, related: Related, by: PackageRecord): boolean;
};

/** A field's relations, each text parsed once. */
export type RelationsOf = (field: string) => readonly Relation[];

/** Remembers what was parsed. */
export function createRelationsOf(): RelationsOf {
  const known = new Map<string, readonly Relation[]>();
  return (field) => {
    let relations = known.get(field);
    if (relations === undefined) known.set(field, (relations = parseRelations(field)));
    return relations;
  };
}

/** An empty set, for an image of this architecture. */
export function createPackageSet(native: string, relationsOf: RelationsOf): PackageSet {
  const byName = new Map<string, PackageRecord[]>();
  const byProvided = new Map<string, PackageRecord[]>();
  const archOf = ({ architecture }: PackageRecord): string => (architecture === 'all' ? native : architecture);
  const providedBy = (record: PackageRecord): readonly Related[] => relationsOf(record.relations.provides).flatMap(({ alternatives }) => alternatives);
  const addTo = (map: Map<string, PackageRecord[]>, name: string, record: PackageRecord): void => {
    const known = map.get(name);
    if (known === undefined) map.set(name, [record]);
    else known.push(record);
  };
  const takeFrom = (map: Map<string, PackageRecord[]>, name: string, record: PackageRecord): void => {
    const known = map.get(name);
    if (known?.includes(record) === true) known.splice(known.indexOf(record), 1);
  };

  /** Debian's multiarch: a package says whether it will do for other architectures, always or where `:any` is asked for. */
  const isArchitectureFor = (record: PackageRecord, { architecture: asked }: Related, by: PackageRecord): boolean => {
    if (asked === 'any') return record.multiArch === 'allowed';
    return record.multiArch === 'foreign' || archOf(record) === (asked ?? archOf(by));
  };
  const hasVersion = (record: PackageRecord, related: Related): boolean =>
    record.name === related.name
      ? isVersionFor(related, record.version)
      : providedBy(record).some(({ name, version }) => name === related.name && (related.version === undefined || (version !== undefined && isVersionFor(related, version.than))));
  const candidatesFor = (name: string): readonly PackageRecord[] => {
    const real = byName.get(name) ?? [];
    const providers = byProvided.get(name);
    return providers === undefined ? real : [...real, ...providers];
  };
  const set: PackageSet = {
    put(record) {
      for (const former of byName.get(record.name) ?? []) if (archOf(former) === archOf(record)) set.remove(former);
      addTo(byName, record.name, record);
      for (const { name } of providedBy(record)) addTo(byProvided, name, record);
    },
    remove(record) {
      takeFrom(byName, record.name, record);
      for (const { name } of providedBy(record)) takeFrom(byProvided, name, record);
    },
    named: (name) => byName.get(name) ?? [],
    isFor: (record, related, by) => isArchitectureFor(record, related, by) && hasVersion(record, related),
    meets: (relation, by) => relation.alternatives.some((related) => candidatesFor(related.name).some((record) => set.isFor(record, related, by))),
    hitBy(related, by) {
      const { architecture: asked } = related;
      const isOf = (record: PackageRecord): boolean => {
        if (asked === undefined) return true;
        return asked === 'any' ? record.multiArch === 'allowed' : archOf(record) === asked;
      };
      return candidatesFor(related.name).filter((record) => record.name !== by.name && isOf(record) && hasVersion(record, related));
    },
  };
  return set;
}
