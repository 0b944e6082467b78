import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { GRPC_STATUS, GrpcRefusal, serveGrpc, type GrpcCall, type GrpcMethod } from '../../src/adapters/engine/grpc-server.js';

jest.setTimeout(60_000);

let folder: string;
let server: Server;
let client: Client;
let sockets: Socket[];
const asIs = (bytes: Buffer): Buffer => bytes;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'grpc-'));
  sockets = [];
});
afterEach(async () => {
  client?.close();
  for (const socket of sockets) socket.destroy();
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true, force: true });
});

/** Serves methods at a socket, and opens gRPC's own client to it. */
async function serve(methods: Readonly<Record<string, GrpcMethod>>): Promise<void> {
  const path = join(folder, 'socket');
  server = createServer((socket) => {
    sockets.push(socket);
    void serveGrpc(socket, methods);
  });
  await new Promise<void>((done) => server.listen(path, done));
  client = new Client(`unix:${path}`, credentials.createInsecure());
}

/** One call with one answer; its status where it is refused. */
function ask(path: string, message: Uint8Array): Promise<Buffer | Pick<ServiceError, 'code' | 'details'>> {
  return new Promise((done) => {
    client.makeUnaryRequest(path, asIs, asIs, Buffer.from(message), (error, answer) => done(error === null ? answer! : { code: error.code, details: error.details }));
  });
}

describe('one answer to one message', () => {
  it.each([0, 1, 100_000, 3_000_000])('of %i bytes comes back as it was sent', async (size) => {
    await serve({ '/a/Echo': { answer: async (message) => message } });
    const message = Buffer.alloc(size, 'ä');
    expect(Buffer.compare((await ask('/a/Echo', message)) as Buffer, message)).toBe(0);
  });
  it('many at once keep apart', async () => {
    await serve({ '/a/Echo': { answer: async (message) => message } });
    const messages = Array.from({ length: 50 }, (_, at) => Buffer.from(`message ${at}`));
    expect((await Promise.all(messages.map((message) => ask('/a/Echo', message)))).map(String)).toEqual(messages.map(String));
  });
  it('a refusal has its code and words', async () => {
    await serve({ '/a/No': { answer: () => Promise.reject(new GrpcRefusal(GRPC_STATUS.notFound, 'secret größe%: not found')) } });
    expect(await ask('/a/No', Buffer.alloc(0))).toEqual({ code: status.NOT_FOUND, details: 'secret größe%: not found' });
  });
  it('a fault of ours does not tell its words', async () => {
    await serve({ '/a/No': { answer: () => Promise.reject(new Error('hush')) } });
    expect(await ask('/a/No', Buffer.alloc(0))).toEqual({ code: status.INTERNAL, details: 'failed' });
  });
  it('what is not served is unimplemented, whatever its name', async () => {
    await serve({});
    expect(await ask('/a/Nothing', Buffer.alloc(0))).toMatchObject({ code: status.UNIMPLEMENTED });
    expect(await ask('/constructor', Buffer.alloc(0))).toMatchObject({ code: status.UNIMPLEMENTED });
  });
  it('a message that announces more than 4 MB is not waited for', async () => {
    await serve({ '/a/Echo': { answer: async (message) => message } });
    expect(await ask('/a/Echo', Buffer.alloc(4 * 1024 * 1024 + 1))).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });
});

describe('a conversation', () => {
  it('goes both ways, no faster than the caller reads, and ends well', async () => {
    let waited = false;
    await serve({
      '/a/Talk': {
        converse: (call) =>
          call.onMessage((message) => {
            void (async () => {
              for (let sent = 0; sent < 40; sent++) {
                const written = call.write(Buffer.alloc(200_000, message));
                if ((await Promise.race([written, Promise.resolve('later')])) === 'later') waited = true;
                await written;
              }
              call.end();
            })();
          }),
      },
    });
    const talk = client.makeBidiStreamRequest('/a/Talk', asIs, asIs);
    talk.write(Buffer.from('x'));
    let bytes = 0;
    talk.on('data', (message: Buffer) => (bytes += message.length));
    const { code } = await new Promise<{ code: number }>((done) => talk.on('status', done));
    expect([code, bytes, waited]).toEqual([status.OK, 8_000_000, true]);
  });
  it('knows what its caller says of it', async () => {
    const { Metadata } = await import('@grpc/grpc-js');
    await serve({ '/a/Talk': { converse: (call) => void call.write(Buffer.from([call.metadata('path'), call.metadata('none')].join('|'))).then(call.end) } });
    const metadata = new Metadata();
    metadata.add('path', 'one');
    metadata.add('path', 'two');
    const talk = client.makeBidiStreamRequest('/a/Talk', asIs, asIs, metadata);
    const heard: string[] = [];
    talk.on('data', (message: Buffer) => heard.push(String(message)));
    await new Promise((done) => talk.on('status', done));
    expect(heard).toEqual(['one, two|']);
  });
  it.each(['cancels', 'goes away'])('is over when its caller %s, also for who waits to write', async (how) => {
    const met = new Promise<GrpcCall>((begun) => void serve({ '/a/Talk': { converse: begun } }).then(() => client.makeBidiStreamRequest('/a/Talk', asIs, asIs)).then((talk) => {
      talk.on('error', () => undefined);
      talk.write(Buffer.from('x'));
      void met.then(async () => {
        if (how === 'cancels') talk.cancel();
        else sockets.forEach((socket) => socket.destroy());
      });
    }));
    const call = await met;
    // Nobody reads: sooner or later a write has to wait.
    const writing = (async () => {
      for (;;) await call.write(Buffer.alloc(100_000));
    })();
    await expect(writing).rejects.toThrow();
    expect(call.gone.aborted).toBe(true);
  });
});

it('messages are put together however the connection cuts them', async () => {
  await serve({ '/a/Echo': { answer: async (message) => message } });
  const session = connectHttp2('http://localhost', { createConnection: () => createConnection(join(folder, 'socket')) });
  const stream = session.request({ ':method': 'POST', ':path': '/a/Echo', 'content-type': 'application/grpc', te: 'trailers' });
  for (const byte of [0, 0, 0, 0, 3, 1, 2, 3]) {
    stream.write(Buffer.from([byte]));
    await new Promise((done) => setImmediate(done));
  }
  stream.end();
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  session.destroy();
  expect([...Buffer.concat(pieces)]).toEqual([0, 0, 0, 0, 3, 1, 2, 3]);
});
