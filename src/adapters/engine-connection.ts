import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { EngineError } from '../shared/errors.js';

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
  readonly socketPath: string;
  /** The answer, parsed as JSON where it is JSON. */
  ask(request: EngineRequest): Promise<unknown>;
  /** The answer's body while it comes; it errors when the connection breaks. */
  open(request: EngineRequest): Promise<Readable>;
  /** The bare connection, once the engine has switched protocols. */
  upgrade(request: EngineRequest, protocol: string): Promise<Socket>;
  /** Whether the engine answers within some seconds; undefined when it does, else why not. */
  ping(): Promise<EngineError | undefined>;
  close(): void;
};

type Modem = { dial(options: object, done: (error: unknown, answer: unknown) => void): void };

/** Where Docker's packages put the socket. */
export const DEFAULT_SOCKET = '/var/run/docker.sock';

const PING_MILLISECONDS = 5_000;

/** A connection to the engine behind a Unix socket, through dockerode's modem, which is loaded at the first request. */
export function createEngineConnection(socketPath: string): EngineConnection {
  // Newer engines close the connection after a build: a pooled socket would then fail with EPIPE.
  const agent = new Agent({ keepAlive: false });
  // The modem describes every request for its debug log, wanted or not, down to the last open socket of its agent.
  Object.defineProperty(agent, inspect.custom, { value: () => 'Agent' });
  const closing = new AbortController();
  let modem: Promise<Modem> | undefined;

  const dial = async (request: EngineRequest, extra: object): Promise<unknown> => {
    const { signal } = request;
    signal.throwIfAborted();
    modem ??= loadModem(socketPath, agent);
    const { dial: send } = bound(await modem);
    signal.throwIfAborted();
    const either = AbortSignal.any([signal, closing.signal]);
    try {
      return await send({
        method: request.method,
        // The modem adds the query where it finds a question mark.
        path: request.query === undefined ? request.path : `${request.path}?`,
        ...(request.query === undefined ? {} : { options: { _query: request.query, _body: {} } }),
        headers: { ...request.headers },
        abortSignal: either,
        statusCodes: { 200: true, 201: true, 204: true },
        ...(request.body === undefined ? {} : { file: request.body }),
        ...extra,
      });
    } catch (error) {
      signal.throwIfAborted();
      throw asEngineFault(error, socketPath);
    }
  };

  return {
    socketPath,
    ask: (request) => dial(request, {}),
    open: async (request) => (await dial(request, { isStream: true })) as Readable,
    upgrade: async (request, protocol) =>
      // An empty body of known length: a chunked one would leave its end mark in front of the new protocol's bytes.
      (await dial({ ...request, headers: { ...request.headers, Upgrade: protocol } }, { hijack: true, file: Buffer.alloc(0) })) as Socket,
    ping: async () => {
      try {
        await dial({ method: 'GET', path: '/_ping', signal: AbortSignal.timeout(PING_MILLISECONDS) }, {});
        return undefined;
      } catch (error) {
        if (error instanceof EngineError) return error;
        return engineGone(socketPath, error instanceof EngineRefusal ? error.message : `no answer in ${PING_MILLISECONDS / 1000} s`);
      }
    },
    close: () => {
      closing.abort(new EngineError('the connection to the Docker engine was closed'));
      agent.destroy();
    },
  };
}

async function loadModem(socketPath: string, agent: Agent): Promise<Modem> {
  const { default: Docker } = await import('dockerode');
  // host and protocol are named because the modem would else take them from DOCKER_HOST, over our socket.
  return new Docker({ socketPath, agent, host: undefined, protocol: 'http' } as object).modem as Modem;
}

function bound(modem: Modem): { dial(options: object): Promise<unknown> } {
  return {
    dial: (options) =>
      new Promise((resolve, reject) => {
        modem.dial(options, (error, answer) => (error == null ? resolve(answer) : reject(error as Error)));
      }),
  };
}

/** What became of a request, in our words: the engine's refusal, or that it is not there. */
export function asEngineFault(error: unknown, socketPath: string): Error {
  if (error instanceof EngineError || error instanceof EngineRefusal) return error;
  const { statusCode, json, code, message } = error as { statusCode?: number; json?: { message?: string } | null; code?: string; message?: string };
  if (statusCode !== undefined) {
    const words = json?.message ?? (message ?? '').replace(/^\(HTTP code \d+\) .*? - /s, '');
    return new EngineRefusal(statusCode, oneLine(words) || `HTTP ${statusCode}`);
  }
  return engineGone(socketPath, code ?? oneLine(message ?? String(error)));
}

/** `the Docker engine at … does not answer (…)`, with what to try. `why`: an errno name or some words. */
export function engineGone(socketPath: string, why: string): EngineError {
  const name = `the Docker engine at ${socketPath}`;
  switch (why) {
    case 'ENOENT':
      return new EngineError(`${name} does not answer (no such socket)`, ['systemctl start docker   (if it is installed)', 'DOCKER_HOST=unix:///path   names another socket']);
    case 'ECONNREFUSED':
      return new EngineError(`${name} does not answer (connection refused)`, ['systemctl start docker']);
    case 'EACCES':
    case 'EPERM':
      return new EngineError(`${name} does not let us in (permission denied)`, ['run as root, or join the group "docker" and log in again']);
    case 'ECONNRESET':
    case 'EPIPE':
    case 'aborted':
      return new EngineError(`${name} does not answer (it closed the connection)`, ['journalctl -u docker   (it was stopped or has crashed)']);
    default:
      return new EngineError(`${name} does not answer (${why})`, ['docker info']);
  }
}

/** An engine's text without newlines and doubled spaces. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
