import { posix } from 'node:path';
import { Readable } from 'node:stream';
import type { FolderOwner, ImageContents, ImageReader } from '../../execute/image-contents.js';
import { asEngineFault, type EngineConnection } from './engine-connection.js';
import { refused } from './engine-faults.js';
import { imageDigest } from './image-digest.js';
import { drain, entries, readSavedImage, type SavedConfig } from './saved-image.js';

/** A folder, file or link of one layer; paths without a slash in front. */
type Layer = {
  readonly folders: Map<string, FolderOwner>;
  readonly files: Map<string, string>;
  readonly links: Map<string, string>;
  /** Everything else that is there. */
  readonly others: Set<string>;
  /** Taken away from the layers below (OCI image spec, "Whiteouts"). */
  readonly removed: Set<string>;
  /** Folders whose content from below is gone ("Opaque Whiteout"). */
  readonly opaque: Set<string>;
};

/** Reads images of the engine behind a connection: of the archive that it saves, nothing is kept but what was asked for. */
export function createImageReader(connection: EngineConnection): ImageReader {
  const read = async <T>(ref: string, make: (archive: Readable) => Promise<T>, signal: AbortSignal): Promise<T> => {
    let archive: Readable | undefined;
    try {
      archive = await connection.open({ method: 'GET', path: `/images/${ref}/get`, signal });
      return await make(archive);
    } catch (error) {
      signal.throwIfAborted();
      throw archive === undefined ? refused(error, `save ${ref}`) : asEngineFault(error, connection.address);
    } finally {
      archive?.destroy();
    }
  };
  return {
    contentsOf: (ref, wanted, signal) => read(ref, (archive) => readImageArchive(archive, wanted), signal),
    digestOf: (ref, signal) => read(ref, imageDigest, signal),
  };
}

/** Files that are asked for are small; more than this many bytes of one are not kept. */
const MAX_FILE = 1024 * 1024;

/**
 * What an engine saves of one image.
 * @param wanted absolute paths of files
 */
export async function readImageArchive(archive: Readable, wanted: readonly string[]): Promise<ImageContents> {
  const names = new Set(wanted.map((path) => path.slice(1)));
  const { config, layers } = await readSavedImage(archive, (tar) => readLayer(tar, names));
  const merged = mergeLayers(layers);
  return { ...readConfig(config), files: findFiles(merged, wanted), folders: new Map([...merged.folders].map(([path, owner]) => [`/${path}`, owner])) };
}

async function readLayer(stream: ReadableStream<unknown>, names: ReadonlySet<string>): Promise<Layer> {
  const layer: Layer = { folders: new Map(), files: new Map(), links: new Map(), others: new Set(), removed: new Set(), opaque: new Set() };
  for await (const { header, body } of entries(stream)) {
    const path = header.name.replace(/^(?:\.?\/)+|\/+$/g, '');
    const name = posix.basename(path);
    if (name === '.wh..wh..opq') layer.opaque.add(posix.dirname(path));
    else if (name.startsWith('.wh.')) layer.removed.add(posix.join(posix.dirname(path), name.slice('.wh.'.length)));
    else if (header.type === 'directory') layer.folders.set(path, { uid: header.uid ?? 0, gid: header.gid ?? 0, mode: (header.mode ?? 0) & 0o7777 });
    else if (header.type === 'symlink') layer.links.set(path, posix.join('/', posix.isAbsolute(header.linkname ?? '') ? '' : posix.dirname(path), header.linkname ?? '').slice(1));
    else if (header.type === 'file' && names.has(path) && header.size <= MAX_FILE) {
      layer.files.set(path, await new Response(body).text());
      continue;
    } else if (names.has(path)) layer.others.add(path);
    await drain(body);
  }
  return layer;
}

/** What is seen when layers lie on each other, lowest first. */
function mergeLayers(layers: readonly Layer[]): Pick<Layer, 'folders' | 'files' | 'links'> {
  const seen = { folders: new Map<string, FolderOwner>(), files: new Map<string, string>(), links: new Map<string, string>() };
  for (const layer of layers) {
    const gone = (path: string): boolean => [...layer.removed].some((removed) => path === removed || path.startsWith(`${removed}/`)) || [...layer.opaque].some((folder) => path.startsWith(`${folder}/`));
    if (layer.removed.size + layer.opaque.size > 0) for (const below of Object.values(seen)) for (const path of below.keys()) if (gone(path)) below.delete(path);
    const replace = (path: string): void => {
      seen.files.delete(path);
      seen.links.delete(path);
    };
    for (const path of [...layer.files.keys(), ...layer.links.keys(), ...layer.others, ...layer.folders.keys()]) replace(path);
    for (const [path, owner] of layer.folders) seen.folders.set(path, owner);
    for (const [path, text] of layer.files) seen.files.set(path, text);
    for (const [path, target] of layer.links) seen.links.set(path, target);
  }
  return seen;
}

/** Links that go round in a circle end here. */
const MAX_LINKS = 10;

function findFiles({ files, links }: Pick<Layer, 'files' | 'links'>, wanted: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const path of wanted) {
    let at = path.slice(1);
    for (let step = 0; step < MAX_LINKS && links.has(at); step++) at = links.get(at)!;
    const text = files.get(at);
    if (text !== undefined) found.set(path, text);
  }
  return found;
}

function readConfig({ os, architecture, config, rootfs, history }: SavedConfig): Omit<ImageContents, 'files' | 'folders'> {
  const env = (config?.Env ?? []).map((line): readonly [string, string] => {
    const at = line.indexOf('=');
    return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
  });
  return {
    os: os ?? '',
    architecture: architecture ?? '',
    user: config?.User ?? '',
    env: Object.fromEntries(env),
    labels: config?.Labels ?? {},
    diffIds: rootfs?.diff_ids ?? [],
    history: (history ?? []).map(({ created_by, empty_layer }) => ({ createdBy: created_by ?? '', emptyLayer: empty_layer === true })),
  };
}
