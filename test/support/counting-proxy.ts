import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A proxy, and what it was asked for. */
export type CountingProxy = {
  readonly url: string;
  readonly hosts: ReadonlySet<string>;
  /** Requests, and bytes of their answers' bodies, since the last call. */
  taken(): { readonly requests: number; readonly bytes: number };
  close(): Promise<void>;
};

/** Starts a plain HTTP proxy on loopback. */
export async function startCountingProxy(): Promise<CountingProxy> {
  const hosts = new Set<string>();
  let [requests, bytes] = [0, 0];
  const server = createServer((asked, answer) => {
    hosts.add(new URL(asked.url!).host);
    requests++;
    const forward = request(asked.url!, { method: asked.method, headers: asked.headers }, (got: IncomingMessage) => {
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
    hosts,
    taken() {
      const before = { requests, bytes };
      [requests, bytes] = [0, 0];
      return before;
    },
    close() {
      server.closeAllConnections();
      return new Promise((done) => void server.close(() => done()));
    },
  };
}
