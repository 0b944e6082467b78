import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A plain HTTP proxy on loopback that keeps the hosts it was asked for. */
export async function startCountingProxy(): Promise<{ readonly url: string; readonly hosts: ReadonlySet<string>; close(): Promise<void> }> {
  const hosts = new Set<string>();
  const server = createServer((asked, answer) => {
    hosts.add(new URL(asked.url!).host);
    const forward = request(asked.url!, { method: asked.method, headers: asked.headers }, (got: IncomingMessage) => {
      answer.writeHead(got.statusCode!, got.headers);
      got.pipe(answer);
    });
    forward.once('error', () => answer.writeHead(502).end());
    asked.pipe(forward);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hosts,
    close() {
      server.closeAllConnections();
      return new Promise((done) => void server.close(() => done()));
    },
  };
}
