import { Agent } from 'node:http';
import { connect as connectSocket, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { inspect } from 'node:util';
import type { EngineAddress } from './engine-address.js';
import { createSshStreams } from './ssh-streams.js';

/** What carries requests to one engine: an agent of Node's http that opens a connection of its own for each. */
export type EngineTransport = {
  readonly agent: Agent;
  close(): void;
};

/** A peer that is gone without a word is noticed after some of these. Milliseconds. */
const KEEP_ALIVE = 30_000;

/** Opens nothing before the first request. `controlDirectory`: where ssh may put the sockets of shared connections. */
export function createEngineTransport(address: EngineAddress, controlDirectory: string | undefined): EngineTransport {
  // Newer engines close the connection after a build: a pooled socket would then fail with EPIPE.
  const agent = new Agent({ keepAlive: false });
  // docker-modem describes every request for its debug log, wanted or not, down to the last open socket of its agent.
  Object.defineProperty(agent, inspect.custom, { value: () => 'Agent' });
  if (address.via === 'ssh') {
    const streams = createSshStreams(address, controlDirectory);
    agent.createConnection = (_, done) => {
      streams.open().then(
        (stream) => done!(null, stream),
        (error: unknown) => done!(error as Error, undefined as never),
      );
      return undefined;
    };
    return { agent, close: () => (agent.destroy(), streams.close()) };
  }
  agent.createConnection = () => openSocket(address);
  return { agent, close: () => agent.destroy() };
}

function openSocket(address: Exclude<EngineAddress, { readonly via: 'ssh' }>): Duplex {
  if (address.via === 'unix') return connectSocket(address.socketPath);
  const { host, port, tls } = address;
  const to = { host, port, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE };
  if (tls === undefined) return connectSocket(to);
  const { verify, ...files } = tls;
  return connectTls({ ...to, ...files, servername: isIP(host) === 0 ? host : '', rejectUnauthorized: verify });
}
