import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SHARED_SOCKET } from './engine-fixture.js';

/** An engine's socket with something of ours in front of it. */
export type EngineProxy = {
  readonly socketPath: string;
  /** `POST /build` of each request that came, without its query. */
  readonly requests: readonly string[];
  stop(): Promise<void>;
};

/** Answers what `instead` has (by `POST /session`), and lets the engine answer everything else. It passes no upgrade on. */
export async function startEngineProxy(instead: Readonly<Record<string, { readonly status: number; readonly body: object }>>): Promise<EngineProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'build-images-proxy-'));
  const socketPath = join(folder, 'engine.sock');
  const requests: string[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url: path = '', headers } = request;
    const name = `${method} ${path.split('?')[0]!}`;
    requests.push(name);
    const own = instead[name];
    if (own !== undefined) {
      request.resume();
      response.writeHead(own.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(own.body));
      return;
    }
    const onward = send({ socketPath: SHARED_SOCKET, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    socketPath,
    requests,
    async stop() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
