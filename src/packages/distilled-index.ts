import type { PackageIndex } from './package-index.js';
import type { AvailablePackage } from './package-record.js';

/** What the packages of an index have in common. */
export type IndexPlace = Omit<PackageIndex, 'versionsOf' | 'providersOf'>;

/** An index over what a PackageDistiller made. Records are read when they are asked for. */
export function openDistilledIndex(bytes: Buffer, place: IndexPlace): PackageIndex {
  const [head, lines, length, names, provided] = [0, 4, 8, 12, 16].map((at) => bytes.readUInt32LE(at)) as [number, number, number, number, number];
  const records = bytes.subarray(head, head + length);
  const byName = bytes.subarray(head + length);
  const byProvided = byName.subarray(4 * names);
  return {
    ...place,
    versionsOf: (name) => found(records, name, names, (row) => byName.readUInt32LE(4 * row)).map((row) => readRecord(records, byName.readUInt32LE(4 * row), lines)),
    providersOf(name) {
      const rows = found(records, name, provided, (row) => byProvided.readUInt32LE(8 * row));
      const places = new Set(rows.map((row) => byProvided.readUInt32LE(8 * row + 4)));
      return [...places].map((at) => readRecord(records, at, lines)).filter((package_) => package_.name !== name);
    },
  };
}

/** The rows of a table, sorted by the names at their places, that are of one name. */
function found(records: Buffer, name: string, rows: number, placeOf: (row: number) => number): readonly number[] {
  const wanted = Buffer.from(name, 'latin1');
  let low = 0;
  for (let high = rows; low < high; ) {
    const middle = (low + high) >> 1;
    if (compareName(records, placeOf(middle), wanted) < 0) low = middle + 1;
    else high = middle;
  }
  const all: number[] = [];
  for (let row = low; row < rows && compareName(records, placeOf(row), wanted) === 0; row++) all.push(row);
  return all;
}

/** A name ends where no character of a name follows, and sorts before those that go on there. */
function compareName(records: Buffer, at: number, wanted: Buffer): number {
  for (let index = 0; ; index++) {
    const own = nameByte(records[at + index]);
    const other = wanted[index] ?? 0;
    if (own !== other || own === 0) return own - other;
  }
}

/** The byte if names may have it (Debian Policy 5.6.7; some archives have capitals and `_`), else 0. */
function nameByte(byte = 0): number {
  return NAME_BYTES[byte] === true ? byte : 0;
}

const NAME_BYTES: readonly boolean[] = Array.from({ length: 256 }, (_, byte) => /[A-Za-z0-9+.~_-]/.test(String.fromCharCode(byte)));

function readRecord(records: Buffer, at: number, lines: number): AvailablePackage {
  let end = at;
  for (let line = 0; line < lines; line++) end = records.indexOf(10, end) + 1;
  const [name, architecture, version, source, multiArch, preDepends, depends, conflicts, breaks, provides, filename, size, sha256] = records.toString('latin1', at, end).split('\n') as [string, string, string, string, string, string, string, string, string, string, string, string, string];
  return {
    name,
    architecture,
    version,
    ...sourceOf(source, name, version),
    multiArch: multiArch === '' || multiArch === 'no' ? undefined : multiArch,
    relations: { preDepends, depends, conflicts, breaks, provides },
    filename,
    size: Number(size),
    sha256: sha256.toLowerCase(),
  };
}

/** `Source: name (version)`, where they are not the package's own (Debian Policy 5.6.1). */
function sourceOf(written: string, name: string, version: string): { readonly source: string; readonly sourceVersion: string } {
  const [, source, own] = /^([^\s(]+)(?:\s*\(([^)]*)\))?/.exec(written) ?? [];
  return { source: source ?? name, sourceVersion: own ?? version.replace(/\+b\d+$/, '') };
}
