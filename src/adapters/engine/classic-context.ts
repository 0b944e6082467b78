import { Readable } from 'node:stream';
import type { ContextEntry } from '../../definition/build-context.js';
import { CONTEXT_TIME, contextListing, textEntry } from './context-listing.js';

/** A build's Dockerfile and context as the classic builder takes them: one tar stream. */
export type ClassicContext = {
  /** Where in the archive the Dockerfile is; no file of the context. */
  readonly dockerfilePath: string;
  /** It errors with what kept us from reading the context. */
  readonly archive: Readable;
};

const IGNORE = '.dockerignore';

/**
 * The tar stream of a build, read while it is sent. The engine reads the Dockerfile from it and then takes away what the
 * archive's .dockerignore names among `.dockerignore` and the Dockerfile, and nothing else: so `COPY .` does not find ours.
 */
export async function classicContext(dockerfile: string, context: readonly ContextEntry[]): Promise<ClassicContext> {
  const { createTarPacker } = await import('modern-tar');
  const paths = new Set(context.map(({ path }) => path));
  let dockerfilePath = '.build-images.Dockerfile';
  while (paths.has(dockerfilePath)) dockerfilePath += '_';
  const { readable, controller } = createTarPacker();

  const add = async (entry: ContextEntry): Promise<void> => {
    const directory = entry.type === 'directory';
    const body = controller
      .add({
        name: directory ? `${entry.path}/` : entry.path,
        type: entry.type,
        mode: directory ? 0o755 : entry.mode,
        size: directory ? 0 : entry.size,
        uid: 0,
        gid: 0,
        mtime: new Date(CONTEXT_TIME),
      })
      .getWriter();
    let sent = 0;
    const changed = (): Error => new Error(`${entry.path} changed while it was read: ${sent} bytes instead of ${directory ? 0 : entry.size}`);
    if (entry.type === 'file') {
      for await (const piece of entry.read()) {
        sent += piece.length;
        if (sent > entry.size) throw changed();
        await body.write(Buffer.from(piece));
      }
      if (sent !== entry.size) throw changed();
    }
    await body.close();
  };
  const pack = async (): Promise<void> => {
    await add(textEntry(dockerfilePath, dockerfile));
    if (!paths.has(IGNORE)) await add(textEntry(IGNORE, `${IGNORE}\n${dockerfilePath}\n`));
    // One that is kept in the context does not name itself; ours needs one more line in it.
    for (const entry of contextListing(context)) await add(entry.type === 'file' && entry.path === IGNORE ? textEntry(IGNORE, `${await textOf(entry)}\n${dockerfilePath}\n`) : entry);
    controller.finalize();
  };
  pack().catch((error: unknown) => controller.error(error));
  return { dockerfilePath, archive: Readable.fromWeb(readable as Parameters<typeof Readable.fromWeb>[0]) };
}

async function textOf(entry: Extract<ContextEntry, { type: 'file' }>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of entry.read()) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString();
}
