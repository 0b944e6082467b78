import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createConnections, type Connections, type Peer } from '../../../../src/adapters/registry/registry-connection.js';

let silent: ReturnType<typeof createServer>;
let connected: Promise<Socket>;
let peer: Peer;
let connections: Connections;

beforeEach(async () => {
  silent = createServer();
  connected = new Promise((resolve) => silent.once('connection', resolve));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  peer = { scheme: 'http', hostname: '127.0.0.1', port: (silent.address() as AddressInfo).port };
  connections = createConnections({ ca: undefined, connect: 5, idle: 5, sockets: 2 });
});
afterEach(async () => {
  connections.close();
  (await connected).destroy();
  await new Promise((resolve) => silent.close(resolve));
});

it.each<[string, (signal: AbortSignal) => Promise<unknown>]>([
  ['a request', (signal) => connections.exchange(peer, { method: 'GET', path: '/', headers: {} }, undefined, signal)],
  ['a question for TLS', (signal) => connections.speaksTls(peer, undefined, signal)],
])('%s that is aborted under way rejects with the reason and closes its connection', async (_, ask) => {
  const stop = new AbortController();
  const reason = new Error('interrupted');
  const asked = ask(stop.signal);
  const closed = connected.then((socket) => new Promise((resolve) => socket.on('error', () => undefined).resume().once('close', resolve)));
  await connected;
  stop.abort(reason);
  await expect(asked).rejects.toBe(reason);
  await closed;
});

it('an answer that breaks off is a broken connection, not a short answer', async () => {
  const asked = connections.exchange(peer, { method: 'GET', path: '/', headers: {} }, undefined, new AbortController().signal);
  (await connected).end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
  await expect(asked).rejects.toMatchObject({ kind: 'broken', temporary: true });
});

it('an answer that is not HTTP is no answer', async () => {
  const asked = connections.exchange(peer, { method: 'GET', path: '/', headers: {} }, undefined, new AbortController().signal);
  (await connected).end('220 mail.example.org ESMTP\r\n');
  await expect(asked).rejects.toMatchObject({ kind: 'broken', message: 'what it answers is not HTTP' });
});
