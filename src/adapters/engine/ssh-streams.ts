import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { isatty } from 'node:tty';
import { promisify } from 'node:util';
import { EngineError } from '../../shared/errors.js';
import type { SshAddress } from './engine-address.js';
import { sshFault } from './ssh-fault.js';

/** Streams to one engine over ssh. */
export type SshStreams = {
  /** A new stream; rejects with EngineError, and errors with one, when ssh or docker over there fail. */
  open(): Promise<Duplex>;
  close(): void;
};

/** A connection that others share: a handshake costs some ten times what one more stream on it costs. */
type Lane = { readonly path: string; readonly child: ChildProcess; streams: number };

/** sshd's MaxSessions is 10, and the lane itself has one. Beyond it ssh would connect anew each time, and MaxStartups drops some of many at once. */
const STREAMS_PER_LANE = 9;
/** sun_path has 108 bytes, and ssh binds to a temporary name that is 17 longer. */
const LONGEST_PATH = 90;
const PING = 'GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n';

/** Starts nothing before the first stream. `controlDirectory`: where connections can be shared; without it each stream has its own. */
export function createSshStreams(address: SshAddress, controlDirectory: string | undefined): SshStreams {
  const children = new Set<ChildProcess>();
  const lanes = new Set<Lane>();
  let opening: Promise<unknown> = Promise.resolve();
  let sharing: Promise<boolean> | undefined;

  const start = (options: readonly string[]): ChildProcess => {
    // A session of its own: Ctrl-C at the terminal is for us, who still have to tidy up over these streams.
    const child = spawn('ssh', [...options, ...sshArguments(address)], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    children.add(child);
    child.once('close', () => children.delete(child));
    child.once('error', () => children.delete(child));
    // What a child that has ended did not read; why it ended is told at its end.
    child.stdin!.on('error', () => undefined);
    return child;
  };

  /** Its own stream says that all is well over there, and then stays open and idle: the lane ends when we do, however we end. */
  const openLane = async (): Promise<Lane> => {
    const path = join(controlDirectory!, randomBytes(6).toString('hex'));
    const child = start(['-o', 'ControlMaster=yes', '-o', 'ControlPersist=no', '-S', path]);
    const ended = endOf(child, address);
    child.stdin!.write(PING);
    const lane: Lane = { path, child, streams: 0 };
    await Promise.race([once(child.stdout!, 'data'), ended.then((fault) => Promise.reject(fault))]);
    child.stdout!.resume();
    lanes.add(lane);
    void ended.then(() => lanes.delete(lane));
    return lane;
  };

  /** One after the other, so that many streams at once share what the first of them opens. */
  const laneWithRoom = (): Promise<Lane> => {
    const next = opening.then(async () => {
      const lane = [...lanes].find(({ streams }) => streams < STREAMS_PER_LANE) ?? (await openLane());
      lane.streams++;
      return lane;
    });
    opening = next.catch(() => undefined);
    return next;
  };

  return {
    async open() {
      const lane = (await (sharing ??= canShare(address, controlDirectory))) ? await laneWithRoom() : undefined;
      const child = start(lane === undefined ? [] : ['-o', 'ControlMaster=no', '-S', lane.path]);
      const stream = streamOf(child, address);
      if (lane !== undefined) stream.once('close', () => lane.streams--);
      return stream;
    },
    close: () => children.forEach((child) => child.kill()),
  };
}

/** docker/cli, cli/connhelper: the same words, and nothing of a person's own configuration that would be in the way. */
function sshArguments(address: SshAddress): readonly string[] {
  const option = (text: string): readonly string[] => ['-o', text];
  return [
    ...['ConnectTimeout=30', 'ServerAliveInterval=15', 'RemoteCommand=none', 'ClearAllForwardings=yes', ...(isatty(2) ? [] : ['BatchMode=yes'])].flatMap(option),
    '-T',
    ...(address.user === undefined ? [] : ['-l', address.user]),
    ...(address.port === undefined ? [] : ['-p', String(address.port)]),
    '--',
    address.host,
    'docker',
    ...(address.socketPath === undefined ? [] : ['--host', quoted(`unix://${address.socketPath}`)]),
    'system',
    'dial-stdio',
  ];
}

/** For the shell over there. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Whether connections are shared our way: not where the person's own ssh configuration does it already. */
async function canShare(address: SshAddress, directory: string | undefined): Promise<boolean> {
  if (directory === undefined || join(directory, '0'.repeat(12)).length > LONGEST_PATH) return false;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const { stdout } = await promisify(execFile)('ssh', ['-G', ...sshArguments(address)]);
    return !/^controlpath (?!none$)/im.test(stdout);
  } catch {
    return false;
  }
}

/** Resolves with the fault that the end of an ssh means. */
function endOf(child: ChildProcess, address: SshAddress): Promise<EngineError> {
  let words = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-8192)));
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(sshFault(address, error.code ?? error.message, '')));
    child.once('close', (code) => resolve(sshFault(address, code, words)));
  });
}

/** A process as a stream. Its end is told only when it is known what it was: an end without a word would be taken for the engine's. */
function streamOf(child: ChildProcess, address: SshAddress): Duplex {
  const { stdin, stdout } = child;
  const stream = new Duplex({
    read: () => void stdout!.resume(),
    write: (chunk: Buffer, _, done) => void stdin!.write(chunk, () => done()),
    final: (done) => void stdin!.end(() => done()),
    destroy: (error, done) => {
      child.kill();
      done(error);
    },
  });
  stdout!.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) stdout!.pause();
  });
  void endOf(child, address).then((fault) => {
    if (child.exitCode === 0) stream.push(null);
    else stream.destroy(fault);
  });
  return stream;
}
