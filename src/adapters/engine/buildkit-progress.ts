import type { StatusResponse, Timestamp, Vertex } from './buildkit-messages.js';

/** A build's progress as lines, and which of its steps failed. */
export type BuildProgress = {
  /** Takes the next report of the engine. */
  add(report: StatusResponse): void;
  /** Prints what steps left without a newline. */
  end(): void;
  /** The name of the step that failed (`[2/3] RUN exit 7`), when one did. */
  failedStep(): string | undefined;
};

/** A line longer than this is cut in pieces, so that output without newlines stays in bounds. Characters. */
const LONGEST_LINE = 16_384;

/**
 * Turns a build's reports into lines. Every line begins with its step's number, since steps run at the same time:
 * `#2 [2/3] RUN make`, what it prints as `#2 cc -o a a.c`, then `#2 done in 1.2s`, `#2 cached` or `#2 failed`.
 * The engine's own steps (`[internal] …`) are silent unless they print or fail. Passwords inside URLs are taken out.
 */
export function createBuildProgress(print: (line: string) => void): BuildProgress {
  const onLine = (line: string): void => print(withoutUserinfo(line));
  const numbers = new Map<string, number>();
  const said = new Map<string, 'started' | 'ended'>();
  const unfinished = new Map<string, ReturnType<typeof createLineSplitter>>();
  let failed: string | undefined;

  const numberOf = (vertex: string): number => {
    const known = numbers.get(vertex) ?? numbers.size + 1;
    numbers.set(vertex, known);
    return known;
  };
  const finish = (vertex: string): void => {
    for (const stream of ['1', '2']) unfinished.get(`${vertex} ${stream}`)?.end();
  };
  const start = (vertex: Vertex): void => {
    if (said.has(vertex.digest) || (!vertex.started && !vertex.cached)) return;
    said.set(vertex.digest, 'started');
    if (!isInternal(vertex)) onLine(`#${numberOf(vertex.digest)} ${vertex.name}`);
  };
  const complete = (vertex: Vertex): void => {
    if (said.get(vertex.digest) === 'ended') return;
    // A step that was never tried because another failed is reported with that one's error, or as cancelled.
    if (vertex.error !== '' && failed === undefined && !/context canceled/.test(vertex.error)) failed = vertex.name;
    if (!vertex.completed || !said.has(vertex.digest)) return;
    finish(vertex.digest);
    said.set(vertex.digest, 'ended');
    if (vertex.error !== '') onLine(`#${numberOf(vertex.digest)} failed: ${vertex.error.replace(/\s+/g, ' ')}`);
    else if (!isInternal(vertex)) onLine(`#${numberOf(vertex.digest)} ${vertex.cached ? 'cached' : `done in ${seconds(vertex.started, vertex.completed)}`}`);
  };

  return {
    add(report) {
      report.vertexes.forEach(start);
      for (const { vertex, stream, msg } of report.logs) {
        const key = `${vertex} ${stream.toString()}`;
        let splitter = unfinished.get(key);
        if (splitter === undefined) unfinished.set(key, (splitter = createLineSplitter((line) => onLine(`#${numberOf(vertex)} ${line}`))));
        splitter.add(msg);
      }
      report.vertexes.forEach(complete);
    },
    end() {
      for (const splitter of unfinished.values()) splitter.end();
    },
    failedStep: () => failed,
  };
}

/** A proxy's or a mirror's password can stand in a build argument, and so in a step's name. */
export function withoutUserinfo(line: string): string {
  return line.replace(/(\w:\/\/)[^\s/@:]+:[^\s/@]+@/g, '$1***@');
}

function isInternal(vertex: Vertex): boolean {
  return vertex.name.startsWith('[internal] ');
}

function seconds(from: Timestamp | null, to: Timestamp): string {
  if (!from) return '0.0s';
  const spent = Number(to.seconds.toString()) - Number(from.seconds.toString()) + (to.nanos - from.nanos) / 1e9;
  return `${Math.max(0, spent).toFixed(1)}s`;
}

/** Bytes in, whole lines out: characters may be split between pieces, and of a line that overwrites itself (`\r`) the last state counts. */
export function createLineSplitter(onLine: (line: string) => void): { add(bytes: Uint8Array): void; end(): void } {
  let decoder = new TextDecoder();
  let pending = '';
  const print = (line: string): void => onLine(line.split('\r').filter((part) => part !== '').at(-1) ?? '');
  return {
    add(bytes) {
      const lines = (pending + decoder.decode(bytes, { stream: true })).split('\n');
      pending = lines.pop()!;
      lines.forEach(print);
      while (pending.length > LONGEST_LINE) {
        print(pending.slice(0, LONGEST_LINE));
        pending = pending.slice(LONGEST_LINE);
      }
    },
    end() {
      pending += decoder.decode();
      decoder = new TextDecoder();
      if (pending !== '') print(pending);
      pending = '';
    },
  };
}
