import { posix } from 'node:path';
import { Readable } from 'node:stream';
import type { FolderOwner, ImageContents, ImageReader } from '../../execute/image-contents.js';
import { EngineError } from '../../shared/errors.js';
import { asEngineFault, type EngineConnection } from './engine-connection.js';
import { refused } from './engine-faults.js';

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

type ImageConfig = {
  readonly os?: string;
  readonly architecture?: string;
  readonly config?: { readonly User?: string; readonly Env?: readonly string[] | null; readonly Labels?: Readonly<Record<string, string>> | null } | null;
  readonly rootfs?: { readonly diff_ids?: readonly string[] };
  readonly history?: readonly { readonly created_by?: string; readonly empty_layer?: boolean }[] | null;
};

type Manifest = readonly { readonly Config: string; readonly Layers: readonly string[] }[];

/** Reads images of the engine behind a connection: of the archive that it saves, nothing is kept but what was asked for. */
export function createImageReader(connection: EngineConnection): ImageReader {
  return {
    async contentsOf(ref, wanted, signal) {
      let archive: Readable | undefined;
      try {
        archive = await connection.open({ method: 'GET', path: `/images/${ref}/get`, signal });
        return await readImageArchive(archive, wanted);
      } catch (error) {
        signal.throwIfAborted();
        throw archive === undefined ? refused(error, `save ${ref}`) : asEngineFault(error, connection.address);
      } finally {
        archive?.destroy();
      }
    },
  };
}

/** JSON parts of an archive are kept whole up to this many bytes. */
const MAX_JSON = 4 * 1024 * 1024;

/** Files that are asked for are small; more than this many bytes of one are not kept. */
const MAX_FILE = 1024 * 1024;

/**
 * Reads the archive that an engine saves of one image (`GET /images/NAME/get`): docker-archive, or an OCI layout that has a
 * `manifest.json` beside it. Streams: layers are looked through, not kept.
 * @param wanted absolute paths of files
 */
export async function readImageArchive(archive: Readable, wanted: readonly string[]): Promise<ImageContents> {
  const { createTarDecoder } = await import('modern-tar');
  const names = new Set(wanted.map((path) => path.slice(1)));
  const texts = new Map<string, string>();
  const layers = new Map<string, Layer>();
  const links = new Map<string, string>();
  const web = Readable.toWeb(archive) as ReadableStream<Uint8Array>;
  for await (const { header, body } of entries(web.pipeThrough(createTarDecoder()))) {
    if (header.type === 'symlink') links.set(header.name, posix.join(posix.dirname(header.name), header.linkname ?? ''));
    if (header.type !== 'file') {
      await drain(body);
      continue;
    }
    const { first, whole } = await peek(body);
    const isJson = first[0] === 0x7b || first[0] === 0x5b;
    if (isJson && header.size <= MAX_JSON) texts.set(header.name, Buffer.from(await new Response(whole).arrayBuffer()).toString('utf8'));
    else if (first.length >= 2) {
      const gzip = first[0] === 0x1f && first[1] === 0x8b;
      const tar = gzip ? whole.pipeThrough(new DecompressionStream('gzip') as unknown as TransformStream<Uint8Array, Uint8Array>) : whole;
      layers.set(header.name, await readLayer(tar.pipeThrough(createTarDecoder()), names));
    } else await drain(whole);
  }
  const manifest = JSON.parse(texts.get('manifest.json') ?? '[]') as Manifest;
  const config = JSON.parse(texts.get(manifest[0]?.Config ?? '') ?? 'null') as ImageConfig | null;
  if (config === null) throw new EngineError('the engine saved an image without its config');
  const merged = mergeLayers(manifest[0]!.Layers.map((name) => layers.get(name) ?? layers.get(links.get(name) ?? '')));
  return { ...readConfig(config), files: findFiles(merged, wanted), folders: new Map([...merged.folders].map(([path, owner]) => [`/${path}`, owner])) };
}

type Entry = { readonly header: { readonly name: string; readonly type?: string; readonly size: number; readonly linkname?: string; readonly uid?: number; readonly gid?: number; readonly mode?: number }; readonly body: ReadableStream<Uint8Array> };

async function* entries(stream: ReadableStream<unknown>): AsyncGenerator<Entry> {
  for await (const entry of stream as unknown as AsyncIterable<Entry>) yield entry;
}

/** Reads to the end: cancelling one entry of an archive stalls those behind it. */
async function drain(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  while (!(await reader.read()).done);
}

/** The first bytes of a stream, and the stream with them still in it. */
async function peek(body: ReadableStream<Uint8Array>): Promise<{ first: Uint8Array; whole: ReadableStream<Uint8Array> }> {
  const reader = body.getReader();
  const { value, done } = await reader.read();
  const first = value ?? new Uint8Array();
  const whole = new ReadableStream<Uint8Array>({
    start(controller) {
      if (done) controller.close();
      else controller.enqueue(first);
    },
    async pull(controller) {
      const next = await reader.read();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return { first, whole };
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
function mergeLayers(layers: readonly (Layer | undefined)[]): Pick<Layer, 'folders' | 'files' | 'links'> {
  const seen = { folders: new Map<string, FolderOwner>(), files: new Map<string, string>(), links: new Map<string, string>() };
  for (const layer of layers) {
    if (layer === undefined) throw new EngineError('the engine saved an image without one of its layers');
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

function readConfig({ os, architecture, config, rootfs, history }: ImageConfig): Omit<ImageContents, 'files' | 'folders'> {
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
