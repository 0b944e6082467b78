import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { readJson, writeJson } from '../json-file.js';
import { makePrivate } from '../run-directory.js';
import type { ReceivedRelease } from './fetch-release.js';

/** What is remembered of a suite between runs: the newest Release that was found good. */
export type KnownSuite = {
  readonly release: ReceivedRelease;
  /** Its Date, in milliseconds since 1970; undefined: nobody proved it. */
  readonly date: number | undefined;
  /** What names a set of keys → until when it is taken as proved that one of them signed it, in milliseconds since 1970. */
  readonly proved: ReadonlyMap<string, number>;
  /** SHA-256 of the indexes that are in use. */
  readonly indexes: ReadonlySet<string>;
};

/** What was fetched before, in a folder. Losing any of it costs time. */
export interface ArchiveCache {
  suite(key: string): KnownSuite | undefined;
  keepSuite(key: string, known: KnownSuite): void;
  /** What a PackageDistiller made of the index with this SHA-256; undefined when it is not there, or damaged. */
  index(sha256: string): Buffer | undefined;
  keepIndex(sha256: string, distilled: Buffer): void;
  /** That in the package with this SHA-256; empty: it has none; undefined: nobody has looked. */
  changelog(sha256: string): string | undefined;
  keepChangelog(sha256: string, text: string): void;
  /** Removes what no suite uses any more, if anything new was kept. */
  tidy(now: number): void;
}

const DAY = 86_400_000;
/** A suite that no image has asked for in so long. */
const FORGOTTEN = 30 * DAY;
/** Another process may have written it, and not yet the suite that uses it. */
const YOUNG = 3_600_000;

/** The form of what lies there; another one is not read. */
const FORMAT = 1;

/** Makes nothing before something is kept. */
export function createArchiveCache(folder: string): ArchiveCache {
  const suites = join(folder, 'suites');
  const indexes = join(folder, 'indexes');
  const suitePath = (key: string): string => join(suites, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`);
  const indexPath = (sha256: string): string => join(indexes, sha256);
  const changelogPath = (sha256: string): string => join(folder, 'changelogs', `${sha256}.json`);
  let grown = false;
  return {
    suite(key) {
      const path = suitePath(key);
      const stored = readJson(path, isStored);
      if (stored === undefined || stored.key !== key) return undefined;
      touch(path);
      const { release, date, proved, indexes: used } = stored;
      const bytes = (text: string | undefined): Buffer | undefined => (text === undefined ? undefined : Buffer.from(text, 'base64'));
      return {
        release: { form: release.form, bytes: bytes(release.bytes)!, signature: bytes(release.signature), etag: release.etag, lastModified: release.lastModified },
        date,
        proved: new Map(Object.entries(proved)),
        indexes: new Set(used),
      };
    },
    keepSuite(key, { release, date, proved, indexes: used }) {
      const { form, bytes, signature, etag, lastModified } = release;
      const base64 = (buffer: Buffer | undefined): string | undefined => buffer?.toString('base64');
      const stored: Stored = { format: FORMAT, key, release: { form, bytes: base64(bytes)!, signature: base64(signature), etag, lastModified }, date, proved: Object.fromEntries(proved), indexes: [...used] };
      writeJson(suitePath(key), stored);
      grown = true;
    },
    index(sha256) {
      try {
        const stored = readFileSync(indexPath(sha256));
        const distilled = stored.subarray(HEAD);
        if (stored.length < HEAD || stored.readUInt32LE(0) !== FORMAT || stored.readUInt32LE(4) !== crc32(distilled)) return undefined;
        touch(indexPath(sha256));
        return distilled;
      } catch {
        return undefined;
      }
    },
    keepIndex(sha256, distilled) {
      const head = Buffer.alloc(HEAD);
      head.writeUInt32LE(FORMAT, 0);
      head.writeUInt32LE(crc32(distilled), 4);
      writeWhole(indexPath(sha256), [head, distilled]);
      grown = true;
    },
    changelog: (sha256) => readJson(changelogPath(sha256), isText)?.text,
    keepChangelog: (sha256, text) => writeJson(changelogPath(sha256), { text }),
    tidy(now) {
      if (!grown) return;
      const used = new Set<string>();
      for (const { path, age } of filesIn(suites, now)) {
        if (age > FORGOTTEN) rmSync(path, { force: true });
        else for (const sha256 of readJson(path, isStored)?.indexes ?? []) used.add(sha256);
      }
      for (const { path, name, age } of filesIn(indexes, now)) if (!used.has(name) && age > YOUNG) rmSync(path, { force: true });
    },
  };
}

/** Bytes before what was distilled: the format and a check sum. */
const HEAD = 8;

type Stored = {
  readonly format: number;
  readonly key: string;
  readonly release: { readonly form: ReceivedRelease['form']; readonly bytes: string; readonly signature: string | undefined; readonly etag: string | undefined; readonly lastModified: string | undefined };
  readonly date: number | undefined;
  readonly proved: Readonly<Record<string, number>>;
  readonly indexes: readonly string[];
};

function isStored(value: unknown): value is Stored {
  const { format, key, release, proved, indexes } = (value ?? {}) as Partial<Record<keyof Stored, unknown>>;
  const { form, bytes } = (release ?? {}) as Partial<Stored['release']>;
  return format === FORMAT && typeof key === 'string' && (form === 'InRelease' || form === 'Release') && typeof bytes === 'string' && typeof proved === 'object' && proved !== null && Array.isArray(indexes);
}

function isText(value: unknown): value is { readonly text: string } {
  return typeof (value as { readonly text?: unknown } | null)?.text === 'string';
}

function filesIn(folder: string, now: number): readonly { readonly path: string; readonly name: string; readonly age: number }[] {
  try {
    return readdirSync(folder).map((name) => ({ path: join(folder, name), name, age: now - statSync(join(folder, name)).mtimeMs }));
  } catch {
    // Nothing there yet, or another process tidies up as well.
    return [];
  }
}

/** Tells that a file is in use; once a day is enough. */
function touch(path: string): void {
  try {
    const now = new Date();
    if (now.getTime() - statSync(path).mtimeMs > DAY) utimesSync(path, now, now);
  } catch {
    // A folder that may only be read: nothing there grows old by itself.
  }
}

/** A cache that cannot be written is done without. */
function writeWhole(path: string, parts: readonly Buffer[]): void {
  const temporary = `${path}.${Math.random().toString(36).slice(2)}`;
  try {
    makePrivate(dirname(path));
    const file = openSync(temporary, 'wx', 0o600);
    try {
      // One after the other: joined they would take their room twice.
      for (const part of parts) writeFileSync(file, part);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // Nothing can be written there at all.
    }
  }
}
