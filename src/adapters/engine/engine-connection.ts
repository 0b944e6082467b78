import type { Agent } from 'node:http';
import { env } from 'node:process';
import type { Duplex, Readable } from 'node:stream';
import { EngineError } from '../../shared/errors.js';
import type { EngineAddress } from './engine-address.js';
import { engineGone } from './engine-gone.js';
import { createEngineTransport } from './engine-transport.js';

/** The engine's own refusal: an HTTP answer outside 2xx. */
export class EngineRefusal extends Error {
  constructor(
    readonly status: number,
    /** The engine's words. */
    message: string,
  ) {
    super(message);
    this.name = 'EngineRefusal';
  }
}

/** One request to the engine's HTTP API. */
export type EngineRequest = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Readable;
  readonly signal: AbortSignal;
};

/** Requests to one engine. All reject with the signal's reason when aborted, with EngineRefusal on its no, with EngineError when it is gone. */
export type EngineConnection = {
  readonly address: EngineAddress;
  /** The answer, parsed as JSON where it is JSON. */
  ask(request: EngineRequest): Promise<unknown>;
  /** The answer's body while it comes; it errors when the connection breaks. */
  open(request: EngineRequest): Promise<Readable>;
  /** The bare connection, once the engine has switched protocols. */
  upgrade(request: EngineRequest, protocol: string): Promise<Duplex>;
  /** Whether the engine answers within some seconds; undefined when it does, else why not. */
  ping(): Promise<EngineError | undefined>;
  close(): void;
};

type Modem = { dial(options: object, done: (error: unknown, answer: unknown) => void): void };

const PING_MILLISECONDS = 5_000;

/** A connection to the engine at an address, through docker-modem, which is loaded at the first request. `controlDirectory`: as engine-transport.ts wants it. */
export function createEngineConnection(address: EngineAddress, controlDirectory?: string): EngineConnection {
  const { agent, close } = createEngineTransport(address, controlDirectory);
  const prefix = address.via === 'tcp' ? address.prefix : '';
  const closing = new AbortController();
  let modem: Promise<Modem> | undefined;

  const dial = async (request: EngineRequest, extra: object): Promise<unknown> => {
    const { signal } = request;
    signal.throwIfAborted();
    modem ??= loadModem(agent);
    const loaded = await modem;
    signal.throwIfAborted();
    const either = AbortSignal.any([signal, closing.signal]);
    try {
      return await send(loaded, either, {
        method: request.method,
        // The modem adds the query where it finds a question mark.
        path: `${prefix}${request.path}${request.query === undefined ? '' : '?'}`,
        ...(request.query === undefined ? {} : { options: { _query: request.query, _body: {} } }),
        headers: { ...request.headers },
        statusCodes: { 200: true, 201: true, 204: true },
        ...(request.body === undefined ? {} : { file: request.body }),
        ...extra,
      });
    } catch (error) {
      signal.throwIfAborted();
      throw asEngineFault(error, address);
    }
  };

  return {
    address,
    ask: (request) => dial(request, {}),
    open: async (request) => (await dial(request, { isStream: true })) as Readable,
    async upgrade(request, protocol) {
      // An empty body of known length: a chunked one would leave its end mark in front of the new protocol's bytes.
      const stream = (await dial({ ...request, headers: { ...request.headers, Upgrade: protocol } }, { hijack: true, file: Buffer.alloc(0) })) as Duplex;
      // Node's HTTP/2 server turns a TLS socket away that has not agreed on h2 in its handshake; here it was agreed on afterwards.
      return Object.assign(stream, { alpnProtocol: undefined });
    },
    ping: async () => {
      try {
        await dial({ method: 'GET', path: '/_ping', signal: AbortSignal.timeout(PING_MILLISECONDS) }, {});
        return undefined;
      } catch (error) {
        if (error instanceof EngineError) return error;
        return engineGone(address, error instanceof EngineRefusal ? error.message : `no answer in ${PING_MILLISECONDS / 1000} s`);
      }
    },
    close: () => {
      closing.abort(new EngineError('the connection to the Docker engine was closed'));
      close();
    },
  };
}

async function loadModem(agent: Agent): Promise<Modem> {
  const { default: DockerModem } = await import('docker-modem');
  // The modem looks at DOCKER_HOST and DOCKER_CERT_PATH as well, and throws where it finds less than it knows what to do with.
  const host = env['DOCKER_HOST'];
  delete env['DOCKER_HOST'];
  try {
    // Where connections go is the agent's business; a path keeps the modem from asking for a host.
    return new DockerModem({ socketPath: 'docker', agent }) as unknown as Modem;
  } finally {
    if (host !== undefined) env['DOCKER_HOST'] = host;
  }
}

async function send(modem: Modem, signal: AbortSignal, options: object): Promise<unknown> {
  let abort!: () => void;
  try {
    return await new Promise((resolve, reject) => {
      // Node tells a request of its abort only once it has a connection, and an ssh may be long about that.
      abort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', abort);
      modem.dial({ ...options, abortSignal: signal }, (error, answer) => (error == null ? resolve(answer) : reject(error as Error)));
    });
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** What became of a request, in our words: the engine's refusal, or that it is not there. */
export function asEngineFault(error: unknown, address: EngineAddress): Error {
  if (error instanceof EngineError || error instanceof EngineRefusal) return error;
  const { statusCode, json, code, message } = error as { statusCode?: number; json?: { message?: string } | null; code?: string; message?: string };
  if (statusCode !== undefined) {
    const words = json?.message ?? (message ?? '').replace(/^\(HTTP code \d+\) .*? - /s, '');
    // Go's server tells a peer that speaks no TLS in plain words.
    if (statusCode === 400 && /HTTP request to an HTTPS server/.test(words)) return engineGone(address, 'WANTS_TLS');
    return new EngineRefusal(statusCode, oneLine(words) || `HTTP ${statusCode}`);
  }
  return engineGone(address, code ?? oneLine(message ?? String(error)), message);
}

/** An engine's text without newlines and doubled spaces. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
