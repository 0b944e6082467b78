import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LayerChange } from '../../packages/layer-record.js';
import type { PackageFiles } from '../../packages/package-files.js';
import { digestOf, isDigest, type Digest } from '../../shared/digest.js';
import type { PackageCache } from '../../state/image-layers.js';

/** How a content is written in the record of a layer. */
type Stored = readonly [path: string, change: LayerChange['change'], value?: string];

const DAY = 24 * 60 * 60 * 1000;
const UNUSED = 90 * DAY;

/** Raised when the same image would be read as something else. */
const FORMAT = 1;

/**
 * A cache in a folder, which is made when something is kept. Files lie once by the digest of their content; images and layers name
 * them. What is damaged is as if it were not there. `sweep` takes away what was not used for 90 days; it looks once a day.
 * @param now milliseconds since 1970
 */
export function createPackageCache(folder: string, now: () => number): PackageCache & { sweep(): void } {
  /** One object for what is equal, whichever image it is of: for a file, and for all files of an image. */
  const contents = new Map<string, Uint8Array>();
  const images = new Map<string, PackageFiles>();
  const placeOf = (kind: string, name: string): string => join(folder, kind, name.slice(0, 2), name);
  const hexOf = (digest: Digest): string => digest.slice('sha256:'.length);

  /** A file's bytes; that it was used is noted once a day. */
  function read(path: string): Buffer | undefined {
    try {
      const bytes = readFileSync(path);
      const used = statSync(path).mtimeMs;
      if (now() - used > DAY) utimesSync(path, now() / 1000, now() / 1000);
      return bytes;
    } catch {
      return undefined;
    }
  }

  function content(digest: string): Uint8Array | undefined {
    const known = contents.get(digest);
    if (known !== undefined || !isDigest(digest)) return known;
    const bytes = read(placeOf('contents', hexOf(digest)));
    if (bytes === undefined || digestOf(bytes) !== digest) return undefined;
    contents.set(digest, bytes);
    return bytes;
  }

  function write(path: string, bytes: string | Uint8Array): void {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      const temporary = `${path}.${Math.random().toString(36).slice(2)}`;
      writeFileSync(temporary, bytes, { mode: 0o600 });
      renameSync(temporary, path);
    } catch {
      // Read-only or full: the next run reads it again.
    }
  }

  function keepContent(bytes: Uint8Array): Digest {
    const digest = digestOf(bytes);
    const path = placeOf('contents', hexOf(digest));
    if (!contents.has(digest)) write(path, bytes);
    contents.set(digest, contents.get(digest) ?? bytes);
    return digest;
  }

  /** JSON with its own digest before it. */
  function readSealed(path: string): { readonly seal: string; readonly value: unknown } | undefined {
    const text = read(path)?.toString('utf8') ?? '';
    const end = text.indexOf('\n');
    const seal = text.slice(0, Math.max(end, 0));
    return digestOf(text.slice(end + 1)) === seal ? { seal, value: JSON.parse(text.slice(end + 1)) as unknown } : undefined;
  }

  function writeSealed(path: string, value: unknown): void {
    const text = JSON.stringify(value);
    write(path, `${digestOf(text)}\n${text}`);
  }

  const imagePath = (digest: Digest): string => placeOf('images', `${hexOf(digest)}-${FORMAT}`);
  const layerPath = (diffId: Digest, roots: readonly string[]): string => placeOf('layers', `${hexOf(diffId)}-${FORMAT}-${hexOf(digestOf(roots.join('\n'))).slice(0, 16)}`);

  return {
    image(digest) {
      const stored = readSealed(imagePath(digest));
      if (stored === undefined) return undefined;
      const known = images.get(stored.seal);
      if (known !== undefined) return known;
      const files = new Map<string, Uint8Array>();
      for (const [path, named] of stored.value as readonly (readonly [string, string])[]) {
        const bytes = content(named);
        if (bytes === undefined) return undefined;
        files.set(path, bytes);
      }
      images.set(stored.seal, files);
      return files;
    },

    keepImage: (digest, files) => writeSealed(imagePath(digest), [...files].map(([path, bytes]) => [path, keepContent(bytes)] as const).sort(([a], [b]) => (a < b ? -1 : 1))),

    layer(diffId, roots) {
      const stored = readSealed(layerPath(diffId, roots));
      if (stored === undefined) return undefined;
      const record: [string, LayerChange][] = [];
      for (const [path, change, value = ''] of stored.value as readonly Stored[]) {
        const made = changeOf(change, value, content);
        if (made === undefined) return undefined;
        record.push([path, made]);
      }
      return record;
    },

    keepLayer: (diffId, roots, record) => writeSealed(layerPath(diffId, roots), record.map(([path, change]): Stored => [path, change.change, valueOf(change, keepContent)])),

    sweep() {
      const mark = join(folder, 'swept');
      try {
        if (now() - statSync(mark).mtimeMs < DAY) return;
      } catch {
        // It was never looked at.
      }
      write(mark, '');
      removeUnused(folder, now() - UNUSED);
    },
  };
}

function valueOf(change: LayerChange, keep: (bytes: Uint8Array) => Digest): string {
  switch (change.change) {
    case 'file':
      return keep(change.content);
    case 'link':
      return change.to;
    case 'same':
      return change.as;
    default:
      return '';
  }
}

function changeOf(change: LayerChange['change'], value: string, content: (digest: string) => Uint8Array | undefined): LayerChange | undefined {
  switch (change) {
    case 'file': {
      const bytes = content(value);
      return bytes && { change, content: bytes };
    }
    case 'link':
      return { change, to: value };
    case 'same':
      return { change, as: value };
    default:
      return { change };
  }
}

/** Two runs may look at once: what is gone already is no fault. Nor is a folder that may not be read. */
function removeUnused(folder: string, before: number): void {
  for (const path of filesBelow(folder)) {
    try {
      if (statSync(path).mtimeMs < before) rmSync(path);
    } catch {
      continue;
    }
  }
}

function filesBelow(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: true }).flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
  } catch {
    return [];
  }
}
