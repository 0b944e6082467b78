import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { digestOf, type Digest } from '../../shared/digest.js';
import { LABEL } from '../../state/labels.js';
import { drain, entries, readSavedImage, type Entry, type SavedConfig } from './saved-image.js';

/** Files that differ from build to build though nothing changed: logs, caches, what was there before the last change, lists of archives. */
const VOLATILE: readonly RegExp[] = [
  /^var\/log\/(?:apt\/|dpkg\.log|alternatives\.log|bootstrap\.log|fontconfig\.log)/,
  /^var\/cache\/(?:apt\/|ldconfig\/aux-cache$|debconf\/.*-old$|fontconfig\/|man\/)/,
  /^var\/lib\/apt\/(?:lists|periodic)\//,
  /^var\/lib\/dpkg\/[a-z]+-old$/,
  /^(?:tmp|run|proc|sys|dev)\//,
  // What engines mount while they build.
  /^(?:etc\/(?:hosts|hostname|resolv\.conf)|\.dockerenv)$/,
];

/** What of an image's config is the image: the rest is of the container that made it. */
const CONFIG_KEYS = ['User', 'ExposedPorts', 'Env', 'Entrypoint', 'Cmd', 'Volumes', 'WorkingDir', 'StopSignal', 'Healthcheck', 'Shell', 'OnBuild', 'ArgsEscaped'];

const OWN_LABELS: ReadonlySet<string> = new Set(Object.values(LABEL));

/** Labels of a stack image that say when it was made. */
const RELEASED = /^io\.buildpacks\.(?:stack|base)\.released$/;

/** One layer: what each path is, undefined where it says nothing of it; and what it takes away of those below (OCI image spec, "Whiteouts"). */
type Layer = { readonly paths: ReadonlyMap<string, string | undefined>; readonly removed: ReadonlySet<string>; readonly opaque: ReadonlySet<string> };

/** What ImageReader.digestOf promises, of an image that an engine saves. */
export async function imageDigest(archive: Readable): Promise<Digest> {
  const { config, layers } = await readSavedImage(archive, readLayer);
  const hash = createHash('sha256').update(describeConfig(config));
  for (const [path, what] of [...mergeLayers(layers)].sort(([a], [b]) => (a < b ? -1 : 1))) if (what !== undefined) hash.update(`\n${JSON.stringify(path)} ${what}`);
  return `sha256:${hash.digest('hex')}`;
}

function describeConfig({ os, architecture, config }: SavedConfig): string {
  const labels = Object.entries(config?.Labels ?? {}).filter(([key]) => !OWN_LABELS.has(key) && !RELEASED.test(key));
  return JSON.stringify([os, architecture, ...CONFIG_KEYS.map((key) => config?.[key] ?? null), labels.sort(([a], [b]) => (a < b ? -1 : 1))]);
}

async function readLayer(tar: ReadableStream<unknown>): Promise<Layer> {
  const [paths, removed, opaque] = [new Map<string, string | undefined>(), new Set<string>(), new Set<string>()];
  for await (const entry of entries(tar)) {
    const path = entry.header.name.replace(/^(?:\.?\/)+|\/+$/g, '');
    const name = posix.basename(path);
    if (name === '.wh..wh..opq') opaque.add(posix.dirname(path));
    else if (name.startsWith('.wh.')) removed.add(posix.join(posix.dirname(path), name.slice('.wh.'.length)));
    else if (path !== '') {
      paths.set(path, VOLATILE.some((pattern) => pattern.test(path)) ? undefined : await describe(path, entry));
    }
    await drain(entry.body);
  }
  return { paths, removed, opaque };
}

/** Type, owner, mode, extended attributes, and the content or where a link leads. */
async function describe(path: string, { header, body }: Entry): Promise<string> {
  const attributes = Object.entries(header.pax ?? {}).filter(([key]) => key.startsWith('SCHILY.xattr.')).sort(([a], [b]) => (a < b ? -1 : 1));
  const head = [header.type, header.uid ?? 0, header.gid ?? 0, (header.mode ?? 0) & 0o7777, header.linkname ?? '', ...attributes.flat()];
  return JSON.stringify(header.type === 'file' ? [...head, await contentOf(path, body)] : head);
}

async function contentOf(path: string, body: ReadableStream<Uint8Array>): Promise<string> {
  if (path.endsWith('.pyc')) return digestOf(withoutSourceTime(await bytesOf(body)));
  if (/^etc\/shadow-?$/.test(path)) return digestOf(withoutChangeDays(Buffer.from(await bytesOf(body)).toString('latin1')));
  const hash = createHash('sha256');
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) hash.update(chunk);
  return hash.digest('hex');
}

async function bytesOf(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A compiled Python file without the time of its source, which it holds unless it says that it goes by hash (PEP 552). */
function withoutSourceTime(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 16 || bytes[4] !== 0) return bytes;
  return bytes.map((byte, at) => (at >= 8 && at < 12 ? 0 : byte));
}

/** shadow(5): the third field is the day on which the password was changed, that of the build where an account is made. */
function withoutChangeDays(text: string): string {
  return text.replace(/^([^:\n]*:[^:\n]*:)\d+:/gm, '$1:');
}

/** What is seen when layers lie on each other, lowest first. */
function mergeLayers(layers: readonly Layer[]): ReadonlyMap<string, string | undefined> {
  const seen = new Map<string, string | undefined>();
  for (const { paths, removed, opaque } of layers) {
    if (removed.size + opaque.size > 0) for (const path of seen.keys()) if (isGone(path, removed, opaque)) seen.delete(path);
    for (const [path, what] of paths) {
      // A file in the place of a folder takes all that was in it away.
      if (seen.get(path)?.startsWith('["directory"') === true && what?.startsWith('["directory"') !== true) for (const below of seen.keys()) if (below.startsWith(`${path}/`)) seen.delete(below);
      seen.set(path, what);
    }
  }
  return seen;
}

/** Whether a path, or a folder that it is in, is taken away. */
function isGone(path: string, removed: ReadonlySet<string>, opaque: ReadonlySet<string>): boolean {
  if (removed.has(path)) return true;
  for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) if (removed.has(folder) || opaque.has(folder)) return true;
  return false;
}
