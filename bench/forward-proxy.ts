import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A plain HTTP proxy on loopback that counts what it passes on. */
export type ForwardProxy = { readonly url: string; /** Requests, and bytes of the answers' bodies, since the last call. */ taken(): { readonly requests: number; readonly bytes: number }; close(): void };

/** Starts one at a free port. */
export async function startForwardProxy(): Promise<ForwardProxy> {
  let requests = 0;
  let bytes = 0;
  const server = createServer((asked, answer) => {
    requests++;
    const forward = request(asked.url!, { method: asked.method, headers: asked.headers }, (got) => {
      answer.writeHead(got.statusCode!, got.headers);
      got.on('data', (chunk: Buffer) => (bytes += chunk.length));
      got.pipe(answer);
    });
    forward.once('error', () => answer.writeHead(502).end());
    asked.pipe(forward);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken() {
      const before = { requests, bytes };
      requests = bytes = 0;
      return before;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
