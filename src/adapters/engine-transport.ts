import { Agent } from 'node:http';
import { connect as connectSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { inspect } from 'node:util';
import { EngineError } from '../shared/errors.js';
import { engineName, type EngineAddress } from './engine-address.js';

/** What carries requests to one engine: an agent of Node's http that opens a connection of its own for each. */
export type EngineTransport = {
  readonly agent: Agent;
  close(): void;
};

/** A peer that is gone without a word is noticed after some of these. Milliseconds. */
const KEEP_ALIVE = 30_000;

/** Opens nothing before the first request. */
export function createEngineTransport(address: EngineAddress): EngineTransport {
  // Newer engines close the connection after a build: a pooled socket would then fail with EPIPE.
  const agent = new Agent({ keepAlive: false });
  // docker-modem describes every request for its debug log, wanted or not, down to the last open socket of its agent.
  Object.defineProperty(agent, inspect.custom, { value: () => 'Agent' });
  agent.createConnection = () => openStream(address);
  return { agent, close: () => agent.destroy() };
}

function openStream(address: EngineAddress): Duplex {
  if (address.via === 'unix') return connectSocket(address.socketPath);
  if (address.via === 'ssh') throw new EngineError(`the Docker engine at ${engineName(address)} cannot be reached: ssh is not supported`);
  const { host, port, tls } = address;
  const to = { host, port, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE };
  if (tls === undefined) return connectSocket(to);
  const { verify, ...files } = tls;
  return connectTls({ ...to, ...files, servername: /^[\d.]+$|:/.test(host) ? '' : host, rejectUnauthorized: verify });
}
