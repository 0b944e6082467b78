import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';

/** Status codes of gRPC that we answer with. */
export const GRPC_STATUS = { ok: 0, notFound: 5, resourceExhausted: 8, unimplemented: 12, internal: 13, unavailable: 14 } as const;

/** Why a call cannot be answered. */
export class GrpcRefusal extends Error {
  constructor(
    /** One of GRPC_STATUS. */
    readonly code: number,
    message: string,
  ) {
    super(message);
    this.name = 'GrpcRefusal';
  }
}

/** A call in which both sides send as they like. */
export type GrpcCall = {
  /** Metadata of the caller; empty where it sent none. Several values are joined by `, `. */
  metadata(key: string): string;
  /** Aborted when the caller is gone, or its call is over. */
  readonly gone: AbortSignal;
  onMessage(listener: (message: Buffer) => void): void;
  /** Resolves when the caller takes more; rejects with `gone`'s reason. The bytes are no longer needed when it returns its promise. */
  write(message: Uint8Array): Promise<void>;
  /** Ends the call well. */
  end(): void;
};

/** What is served at one path: one answer to one message, or a conversation. */
export type GrpcMethod = { readonly answer: (message: Buffer) => Promise<Uint8Array> } | { readonly converse: (call: GrpcCall) => void };

/** A message announces its length, which is believed up to here: bytes, as other gRPC servers do. */
const MAX_MESSAGE = 4 * 1024 * 1024;

const PREFIX_BYTES = 5;

/**
 * Serves gRPC to the one peer at the other end of a connection (grpc/grpc, doc/PROTOCOL-HTTP2.md): the few methods of a build session,
 * uncompressed. A library for all of gRPC takes longer to load than an engine to build a small image. Closes with the function returned.
 */
export async function serveGrpc(socket: Duplex, methods: Readonly<Record<string, GrpcMethod>>): Promise<() => void> {
  const { performServerHandshake } = await import('node:http2');
  const session = performServerHandshake(socket);
  // A broken connection shows as a failed build; here it must only not crash the process.
  session.on('error', () => undefined);
  session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => undefined);
    const method = methods[headers[':path'] ?? ''];
    if (method === undefined) refuse(stream, new GrpcRefusal(GRPC_STATUS.unimplemented, 'not served here'));
    else if ('answer' in method) answerOnce(stream, method.answer);
    else method.converse(converse(stream, headers));
  });
  return () => session.destroy();
}

function answerOnce(stream: ServerHttp2Stream, answer: (message: Buffer) => Promise<Uint8Array>): void {
  let isAsked = false;
  readMessages(stream, (message) => {
    if (isAsked) return;
    isAsked = true;
    answer(message).then(
      (reply) => {
        if (stream.destroyed) return;
        begin(stream);
        stream.end(Buffer.concat([prefixOf(reply), reply]));
      },
      (error: unknown) => refuse(stream, error),
    );
  });
}

function converse(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): GrpcCall {
  const gone = new AbortController();
  for (const event of ['aborted', 'close', 'error']) stream.on(event, () => gone.abort('gone'));
  begin(stream);
  return {
    metadata: (key) => [headers[key] ?? ''].flat().join(', '),
    gone: gone.signal,
    onMessage: (listener) => readMessages(stream, listener),
    async write(message) {
      gone.signal.throwIfAborted();
      stream.cork();
      stream.write(prefixOf(message));
      const takesMore = stream.write(message);
      stream.uncork();
      if (!takesMore) await once(stream, 'drain', { signal: gone.signal });
    },
    end: () => void stream.end(),
  };
}

/** Whatever comes next ends well. */
function begin(stream: ServerHttp2Stream): void {
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(GRPC_STATUS.ok) }));
  stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
}

function refuse(stream: ServerHttp2Stream, error: unknown): void {
  if (stream.destroyed) return;
  if (stream.headersSent) return stream.close();
  const [code, message] = error instanceof GrpcRefusal ? [error.code, error.message] : [GRPC_STATUS.internal, 'failed'];
  stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto', 'grpc-status': String(code), 'grpc-message': percentEncoded(message) }, { endStream: true });
}

/** The protocol's own: all but printable ASCII, and the sign itself. */
function percentEncoded(text: string): string {
  return [...Buffer.from(text)].map((byte) => (byte < 0x20 || byte > 0x7e || byte === 0x25 ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}` : String.fromCharCode(byte))).join('');
}

function prefixOf(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return prefix;
}

/** Splits what comes into messages, however it is cut. */
function readMessages(stream: ServerHttp2Stream, listener: (message: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  let isOver = false;
  stream.on('data', (piece: Buffer) => {
    if (isOver) return;
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    while (rest.length >= PREFIX_BYTES) {
      const length = rest.readUInt32BE(1);
      // We offered no compression, and ask for nothing long.
      if (rest[0] !== 0 || length > MAX_MESSAGE) {
        isOver = true;
        rest = Buffer.alloc(0);
        return refuse(stream, new GrpcRefusal(GRPC_STATUS.resourceExhausted, 'the message is too long, or compressed'));
      }
      if (rest.length < PREFIX_BYTES + length) return;
      const message = rest.subarray(PREFIX_BYTES, PREFIX_BYTES + length);
      rest = rest.subarray(PREFIX_BYTES + length);
      listener(message);
    }
  });
}
