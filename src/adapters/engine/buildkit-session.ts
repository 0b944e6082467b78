import { randomUUID } from 'node:crypto';
import { BuildFailure } from '../../execute/build-engine.js';
import type { ContextEntry } from '../../definition/build-context.js';
import type { SecretAnswer } from './build-secrets.js';
import { loadBuildkitMessages, PACKET, type Codec, type FileStat, type Packet } from './buildkit-messages.js';
import { CONTEXT_TIME, contextListing, textEntry, wantedEntries } from './context-listing.js';
import type { EngineConnection } from './engine-connection.js';
import { GRPC_STATUS, GrpcRefusal, serveGrpc, type GrpcCall } from './grpc-server.js';

/** A login for one registry, as docker's configuration has it. */
export type RegistryLogin = { readonly username: string; readonly password: string } | { readonly identitytoken: string };

/** What a session serves to the engine. */
export type SessionContent = {
  /** What builds of the same image have in common. */
  readonly key: string;
  readonly dockerfile: string;
  readonly context: readonly ContextEntry[];
  /** The login for a registry that the build reads from; docker's name for Docker Hub is `https://index.docker.io/v1/`. */
  credentialsFor(registryHost: string): Promise<RegistryLogin | undefined>;
  secretOf(id: string): Promise<SecretAnswer>;
};

/** A session that the engine knows and asks. */
export type BuildSession = {
  readonly id: string;
  /** Rejects with our own fault when we could not serve what was asked; never resolves. */
  readonly fault: Promise<never>;
  /** The secrets that were asked for and are not there: id → why. */
  readonly missingSecrets: ReadonlyMap<string, string>;
  close(): void;
};

/** Nanoseconds; a text because a number would round it. */
const MODIFIED = `${CONTEXT_TIME}000000`;

/**
 * A device number that no kept file has. The engine asks only for files whose metadata differ from those it kept, and ours have one
 * date: without this, another build's files of equal size get into this one. Only device nodes are written with their number.
 */
const NEVER_KEPT = 1;

/** Go's FileMode bit of a directory. */
const DIRECTORY = 0x80000000;
const PACKET_BYTES = 256 * 1024;
const SERVING = 1;
const DOCKER_HUB = 'https://index.docker.io/v1/';

const METHOD = {
  diffCopy: '/moby.filesync.v1.FileSync/DiffCopy',
  credentials: '/moby.filesync.v1.Auth/Credentials',
  secret: '/moby.buildkit.secrets.v1.Secrets/GetSecret',
  health: '/grpc.health.v1.Health/Check',
} as const;

/** Opens a session in which the engine can ask for a build's Dockerfile, context, logins and secrets (moby/buildkit, session/). */
export async function openBuildSession(connection: EngineConnection, content: SessionContent, signal: AbortSignal): Promise<BuildSession> {
  const messages = await loadBuildkitMessages();
  const id = randomUUID();
  const socket = await connection.upgrade(
    {
      method: 'POST',
      path: '/session',
      headers: {
        'X-Docker-Expose-Session-Uuid': id,
        'X-Docker-Expose-Session-Name': 'build-images',
        // The engine keeps the files it got under this key, and has to write down fewer things where it finds them.
        'X-Docker-Expose-Session-Sharedkey': `build-images ${content.key}`,
        'X-Docker-Expose-Session-Grpc-Method': Object.values(METHOD),
      },
      signal,
    },
    'h2c',
  );
  // A broken session shows as a failed build; here it must only not crash the process.
  socket.on('error', () => {});

  let fail!: (error: unknown) => void;
  const fault = new Promise<never>((_, reject) => (fail = reject));
  fault.catch(() => {});

  const missingSecrets = new Map<string, string>();
  /** What we cannot serve ends the build with our own fault; the engine is told less. */
  const failed = (error: unknown, told: string): never => {
    fail(error);
    throw new GrpcRefusal(GRPC_STATUS.unavailable, told);
  };
  const close = await serveGrpc(socket, {
    [METHOD.diffCopy]: { converse: (call) => sendEntries(call, messages.packet, askedEntries(content, call), fail) },
    [METHOD.credentials]: {
      async answer(bytes) {
        const { host } = messages.credentialsRequest.decode(bytes);
        const login = await content.credentialsFor(credentialsKey(host)).catch((error: unknown) => failed(error, 'no credentials'));
        return messages.credentialsResponse.encode(login === undefined ? {} : 'identitytoken' in login ? { secret: login.identitytoken } : { username: login.username, secret: login.password });
      },
    },
    [METHOD.secret]: {
      async answer(bytes) {
        const { ID: name } = messages.secretRequest.decode(bytes);
        const answer = await content.secretOf(name).catch((error: unknown) => failed(error, 'no secret'));
        if ('value' in answer) return messages.secretResponse.encode({ data: answer.value });
        if (!('absent' in answer)) return failed(new BuildFailure(`secret "${name}": ${answer.unusable}`, undefined), 'no secret');
        // BuildKit goes on without it where the mount is not `required`.
        missingSecrets.set(name, answer.absent);
        throw new GrpcRefusal(GRPC_STATUS.notFound, `secret ${name}: not found`);
      },
    },
    // Asked every few seconds: an engine that gets no answer closes the session, and the build ends in the middle.
    [METHOD.health]: { answer: async () => messages.healthResponse.encode({ status: SERVING }) },
  });

  return {
    id,
    fault,
    missingSecrets,
    close: () => {
      close();
      socket.destroy();
    },
  };
}

/** The name under which docker's configuration keeps a registry's login. */
export function credentialsKey(registryHost: string): string {
  return ['', 'docker.io', 'index.docker.io', 'registry-1.docker.io'].includes(registryHost) ? DOCKER_HUB : registryHost;
}

/** The engine says in the call's metadata which folder it means, and which paths of it it needs. */
function askedEntries(content: SessionContent, call: GrpcCall): readonly ContextEntry[] {
  const { metadata } = call;
  // With an ignore file beside the Dockerfile, newer engines do not ask for one in the context, which is a question with a copy of its own.
  if (metadata('dir-name') === 'dockerfile') return [textEntry('Dockerfile', content.dockerfile), textEntry('Dockerfile.dockerignore', '# applied by the sender\n')];
  const wanted = metadata('followpaths');
  // The caller has applied .dockerignore: the engine must not do it a second time with other rules.
  if (wanted === '.dockerignore') return [];
  const listing = contextListing(content.context);
  // Several values arrive joined by a comma, newer engines encode odd ones, and older ones send them raw: then everything is sent, which is right too.
  if (wanted === '' || /[^ -~]/.test(wanted) || metadata('followpaths-encoded') !== '' || content.context.some(({ path }) => path.includes(','))) return listing;
  return wantedEntries(listing, wanted.split(', '));
}

function statOf(entry: ContextEntry): FileStat {
  const mode = entry.type === 'directory' ? DIRECTORY + 0o755 : entry.mode;
  return { path: entry.path, mode, uid: 0, gid: 0, size: entry.type === 'directory' ? 0 : entry.size, modTime: MODIFIED, devmajor: NEVER_KEPT };
}

/** fsutil's sender: all stats, then the bytes of each file that is asked for, one file after the other, no faster than the engine reads. */
function sendEntries(call: GrpcCall, { encode, decode }: Codec<Packet>, entries: readonly ContextEntry[], onFault: (error: unknown) => void): void {
  let isOver = false;
  const write = (packet: Packet): Promise<void> => {
    if (isOver) throw new Error('over');
    // Made into bytes here and now: the piece of a file in it is another one soon.
    return call.write(encode(packet));
  };
  const sendFile = async (id: number): Promise<void> => {
    const entry = entries[id];
    if (entry?.type !== 'file') throw new Error(`the engine asked for entry ${id} of ${entries.length}`);
    let sent = 0;
    for await (const piece of entry.read()) {
      for (let start = 0; start < piece.length; start += PACKET_BYTES) await write({ type: PACKET.data, id, data: piece.subarray(start, start + PACKET_BYTES) });
      sent += piece.length;
    }
    if (sent !== entry.size) throw new Error(`${entry.path} changed while it was read: ${sent} bytes instead of ${entry.size}`);
    await write({ type: PACKET.data, id });
  };
  const finish = (last: Packet): void => {
    isOver = true;
    call.write(encode(last)).catch(() => undefined);
    call.end();
  };
  const fault = (error: unknown): void => {
    if (isOver || call.gone.aborted) return;
    onFault(error);
    finish({ type: PACKET.error, data: Buffer.from('the build context could not be read') });
  };

  let sending = (async () => {
    for (const entry of entries) await write({ type: PACKET.stat, stat: statOf(entry) });
    await write({ type: PACKET.stat });
  })();
  sending.catch(fault);
  call.onMessage((bytes) => {
    const packet = decode(bytes);
    if (packet.type === PACKET.request) {
      sending = sending.then(() => sendFile(packet.id ?? 0));
      sending.catch(fault);
    } else if (packet.type === PACKET.fin && !isOver && !call.gone.aborted) finish({ type: PACKET.fin });
  });
}
