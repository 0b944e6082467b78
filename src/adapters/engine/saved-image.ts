import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { EngineError } from '../../shared/errors.js';

/** The config of an image as engines save it (OCI image spec, "Image Configuration"). */
export type SavedConfig = {
  readonly os?: string;
  readonly architecture?: string;
  readonly config?: Readonly<Record<string, unknown>> & { readonly User?: string; readonly Env?: readonly string[] | null; readonly Labels?: Readonly<Record<string, string>> | null } | null;
  readonly rootfs?: { readonly diff_ids?: readonly string[] };
  readonly history?: readonly { readonly created_by?: string; readonly empty_layer?: boolean }[] | null;
};

type Manifest = readonly { readonly Config: string; readonly Layers: readonly string[] }[];

/** JSON parts of an archive are kept whole up to this many bytes. */
const MAX_JSON = 4 * 1024 * 1024;

/**
 * Reads the archive that an engine saves of one image (`GET /images/NAME/get`): docker-archive, or an OCI layout that has a
 * `manifest.json` beside it. Streams: layers are looked through, not kept. Lowest first is what `readLayer` made of each, which must
 * read its tar to the end.
 */
export async function readSavedImage<Layer>(archive: Readable, readLayer: (tar: ReadableStream<unknown>) => Promise<Layer>): Promise<{ readonly config: SavedConfig; readonly layers: readonly Layer[] }> {
  const { createTarDecoder } = await import('modern-tar');
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
      layers.set(header.name, await readLayer(tar.pipeThrough(createTarDecoder())));
    } else await drain(whole);
  }
  const manifest = JSON.parse(texts.get('manifest.json') ?? '[]') as Manifest;
  const config = JSON.parse(texts.get(manifest[0]?.Config ?? '') ?? 'null') as SavedConfig | null;
  if (config === null) throw new EngineError('the engine saved an image without its config');
  const named = manifest[0]!.Layers.map((name) => layers.get(name) ?? layers.get(links.get(name) ?? ''));
  if (named.some((layer) => layer === undefined)) throw new EngineError('the engine saved an image without one of its layers');
  return { config, layers: named as readonly Layer[] };
}

/** One entry of a tar; its body must be read to the end. */
export type Entry = { readonly header: { readonly name: string; readonly type?: string; readonly size: number; readonly linkname?: string; readonly uid?: number; readonly gid?: number; readonly mode?: number; readonly pax?: Readonly<Record<string, string>> }; readonly body: ReadableStream<Uint8Array> };

/** The entries of a decoded tar. */
export async function* entries(stream: ReadableStream<unknown>): AsyncGenerator<Entry> {
  for await (const entry of stream as unknown as AsyncIterable<Entry>) yield entry;
}

/** Reads to the end: cancelling one entry of an archive stalls those behind it. */
export async function drain(body: ReadableStream<Uint8Array>): Promise<void> {
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
