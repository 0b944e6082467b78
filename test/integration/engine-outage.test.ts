import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_ADDRESS } from '../../src/adapters/engine/engine-address.js';
import { EngineError } from '../../src/shared/errors.js';
import { buildRequest, contextFile, engineAt, importBase, startEngine, type OwnEngine } from '../support/engine-fixture.js';

const never = new AbortController().signal;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'build-images-outage-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What each call says when the engine behind a socket is not one. */
async function faultsOf(socketPath: string): Promise<readonly string[]> {
  const engine = engineAt(socketPath);
  const calls = [
    engine.list(never),
    engine.inspect('a:1', never),
    engine.tag('a:1', 'b:1', never),
    engine.remove('a:1', never),
    engine.pull('a:1', never),
    engine.push('a:1', never),
    engine.load([Buffer.alloc(10)] as never, never),
    engine.build(buildRequest('a:1', 'FROM scratch\n'), never),
  ];
  const settled = await Promise.allSettled(calls);
  engine.close();
  return settled.map((call) => {
    const reason: unknown = call.status === 'rejected' ? call.reason : 'no fault';
    return reason instanceof EngineError ? reason.message : `not an EngineError: ${String(reason)}`;
  });
}

describe('an engine that is not there', () => {
  it('is named, with its socket and the reason, by every call', async () => {
    const socket = join(folder, 'none.sock');
    expect(await faultsOf(socket)).toEqual(Array.from({ length: 8 }, () => `the Docker engine at ${socket} does not answer (no such socket)`));
  });

  it('is told from one that has ended and left its socket', async () => {
    const socket = join(folder, 'left.sock');
    await writeFile(socket, '');
    expect(new Set(await faultsOf(socket))).toEqual(new Set([`the Docker engine at ${socket} does not answer (connection refused)`]));
  });

  it('is told from something that hangs up', async () => {
    const socket = join(folder, 'other.sock');
    const server = createServer((connection) => connection.destroy()).listen(socket);
    await new Promise((resolve) => server.once('listening', resolve));
    expect(new Set(await faultsOf(socket))).toEqual(new Set([`the Docker engine at ${socket} does not answer (it closed the connection)`]));
    server.close();
  });

  it('is told from something that speaks no HTTP', async () => {
    const socket = join(folder, 'smtp.sock');
    const server = createServer((connection) => {
      connection.on('error', () => {});
      connection.end('220 mail.example.org ESMTP\r\n');
    }).listen(socket);
    await new Promise((resolve) => server.once('listening', resolve));
    for (const fault of await faultsOf(socket)) expect(fault).toMatch(/^the Docker engine at \S+ does not answer \(/);
    server.close();
  });

  it('hangs no longer than the signal allows', async () => {
    const socket = join(folder, 'hangs.sock');
    const server = createServer((connection) => connection.on('error', () => {})).listen(socket);
    await new Promise((resolve) => server.once('listening', resolve));
    const engine = engineAt(socket);
    await expect(engine.list(AbortSignal.timeout(100))).rejects.toMatchObject({ name: 'TimeoutError' });
    await expect(engine.build(buildRequest('a:1', 'FROM scratch\n'), AbortSignal.timeout(100))).rejects.toMatchObject({ name: 'TimeoutError' });
    const waiting = engine.list(never);
    setTimeout(() => engine.close(), 50);
    await expect(waiting).rejects.toBeInstanceOf(EngineError);
    server.close();
  });

  it.each<[string, (engine: ReturnType<typeof engineAt>) => Promise<unknown>]>([
    ['list', (engine) => engine.list(never)],
    ['inspect', (engine) => engine.inspect('a:1', never)],
    ['tag', (engine) => engine.tag('a:1', 'b:1', never)],
    ['remove', (engine) => engine.remove('a:1', never)],
    ['build', (engine) => engine.build(buildRequest('a:1', 'FROM scratch\n'), never)],
  ])('%s does not wait for one that takes every question and answers none', async (call, ask) => {
    const socket = join(folder, `silent-${call}.sock`);
    const server = createServer((connection) => connection.on('error', () => {})).listen(socket);
    await new Promise((resolve) => server.once('listening', resolve));
    const engine = engineAt(socket, { patience: 0.1 });
    await expect(ask(engine)).rejects.toMatchObject({ name: 'EngineError', message: `the Docker engine at ${socket} does not answer (no answer in ${call === 'remove' ? 0.4 : 0.1} s)` });
    engine.close();
    server.close();
  });

  it('behind a prefix of a web server is asked below it', async () => {
    const asked: string[] = [];
    const server = createHttpServer((request, response) => {
      asked.push(request.url!);
      response.end('[]');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const engine = engineAt({ via: 'tcp', host: '127.0.0.1', port: (server.address() as AddressInfo).port, prefix: '/engines/2' });
    expect(await engine.list(never)).toEqual([]);
    expect(asked).toEqual(['/engines/2/images/json']);
    engine.close();
    server.close();
  });

  it('that lets nobody in says so', async () => {
    const { engineGone } = await import('../../src/adapters/engine/engine-gone.js');
    // Root is let in everywhere, so the kernel cannot be made to say it here.
    const fault = engineGone(DEFAULT_ADDRESS, 'EACCES');
    expect(fault.message).toBe('the Docker engine at /var/run/docker.sock does not let us in (permission denied)');
    expect(fault.hints.join()).toMatch(/group "docker"/);
  });
});

describe('an engine that goes away in the middle', () => {
  let own: OwnEngine;
  afterEach(() => own.stop(), 60_000);

  const buildUntil = async (event: (engine: OwnEngine) => Promise<void>): Promise<unknown> => {
    own = await startEngine();
    await importBase('base:1', own.socketPath);
    const engine = engineAt(own.socketPath);
    let happening: Promise<void> | undefined;
    const request = buildRequest('a:1', 'FROM base:1\nCOPY a /a\nRUN echo started; sleep 60\n', {
      context: [contextFile('a', 'a')],
      onLine: (line) => {
        if (line.endsWith(' started')) happening ??= event(own);
      },
    });
    const result = await engine.build(request, never).catch((error: unknown) => error);
    await happening;
    engine.close();
    return result;
  };

  it('is not blamed on the Dockerfile when it was killed', async () => {
    const error = await buildUntil((engine) => engine.kill());
    expect(error).toBeInstanceOf(EngineError);
    expect((error as EngineError).message).toBe(`the Docker engine at ${own.socketPath} does not answer (it closed the connection)`);
  }, 90_000);

  it('is not blamed on the Dockerfile when it was stopped', async () => {
    const error = await buildUntil(async (engine) => {
      process.kill(engine.pid, 'SIGTERM');
    });
    expect(error).toBeInstanceOf(EngineError);
  }, 90_000);
});
