import { describe, expect, it } from '@jest/globals';
import { loadBuildkitMessages, type Vertex } from '../../../../src/adapters/engine/buildkit-messages.js';
import { createBuildProgress, createLineSplitter } from '../../../../src/adapters/engine/buildkit-progress.js';

const at = (seconds: number) => ({ seconds, nanos: 500_000_000 });
const vertex = (digest: string, name: string, rest: Partial<Vertex> = {}): Vertex => ({ digest, name, cached: false, started: at(10), completed: null, error: '', ...rest });
const log = (digest: string, text: string | Uint8Array, stream = 1) => ({ vertex: digest, stream, msg: Buffer.from(text) });

function progress() {
  const lines: string[] = [];
  return { lines, ...createBuildProgress((line) => lines.push(line)) };
}

describe('createBuildProgress', () => {
  it('numbers steps as they start and says how each ended', () => {
    const { add, lines } = progress();
    add({ vertexes: [vertex('x', '[1/2] FROM a', { started: null }), vertex('y', '[2/2] RUN b')], logs: [] });
    add({ vertexes: [vertex('x', '[1/2] FROM a', { cached: true, completed: at(10) })], logs: [log('y', 'out\n')] });
    add({ vertexes: [vertex('y', '[2/2] RUN b', { completed: at(13) })], logs: [] });
    expect(lines).toEqual(['#1 [2/2] RUN b', '#2 [1/2] FROM a', '#1 out', '#2 cached', '#1 done in 3.0s']);
  });

  it('says nothing twice, however often the engine repeats itself', () => {
    const { add, lines } = progress();
    const done = vertex('x', 'RUN a', { completed: at(10) });
    add({ vertexes: [vertex('x', 'RUN a')], logs: [] });
    add({ vertexes: [done, done], logs: [] });
    add({ vertexes: [done], logs: [] });
    expect(lines).toEqual(['#1 RUN a', '#1 done in 0.0s']);
  });

  it('keeps lines whole that come in pieces, for each step and each stream', () => {
    const { add, end, lines } = progress();
    const euro = Buffer.from('€\n');
    add({ vertexes: [vertex('x', 'X'), vertex('y', 'Y')], logs: [log('x', 'one '), log('y', euro.subarray(0, 1)), log('x', 'err', 2), log('x', 'line\nrest')] });
    add({ vertexes: [], logs: [log('y', euro.subarray(1)), log('x', 'or\n', 2)] });
    expect(lines).toEqual(['#1 X', '#2 Y', '#1 one line', '#2 €', '#1 error']);
    add({ vertexes: [vertex('x', 'X', { completed: at(11) })], logs: [] });
    expect(lines.slice(5)).toEqual(['#1 rest', '#1 done in 1.0s']);
    add({ vertexes: [], logs: [log('y', 'left over')] });
    end();
    expect(lines.slice(7)).toEqual(['#2 left over']);
  });

  it("keeps silent about the engine's own steps until they fail", () => {
    const { add, lines, failedStep } = progress();
    add({ vertexes: [vertex('x', '[internal] load a', { completed: at(11) }), vertex('y', '[internal] load b')], logs: [] });
    expect(lines).toEqual([]);
    add({ vertexes: [vertex('y', '[internal] load b', { completed: at(11), error: 'no\nsuch' })], logs: [] });
    expect(lines).toEqual(['#1 failed: no such']);
    expect(failedStep()).toBe('[internal] load b');
  });

  it('knows the step that failed, not those that were cancelled with it', () => {
    const { add, failedStep } = progress();
    expect(failedStep()).toBeUndefined();
    add({ vertexes: [vertex('x', 'X', { completed: at(11), error: 'context canceled' })], logs: [] });
    add({ vertexes: [vertex('y', 'Y', { completed: at(11), error: 'exit code: 1' })], logs: [] });
    add({ vertexes: [vertex('z', 'Z', { completed: at(11), error: 'exit code: 1' })], logs: [] });
    expect(failedStep()).toBe('Y');
  });

  it('takes passwords in URLs out of names and output', () => {
    const { add, lines } = progress();
    add({ vertexes: [vertex('x', 'RUN curl https://u:p4ss@host/x')], logs: [log('x', 'via http://u:p4ss@proxy:1/ and user@host:path\n')] });
    expect(lines).toEqual(['#1 RUN curl https://***@host/x', '#1 via http://***@proxy:1/ and user@host:path']);
  });

  it('reads what the engine writes', async () => {
    const { statusResponse } = await loadBuildkitMessages();
    const { add, lines } = progress();
    const bytes = statusResponse.encode({ vertexes: [vertex('sha256:1', '[1/1] RUN x', { completed: at(12) })], logs: [log('sha256:1', 'ä\n', 2)] });
    add(statusResponse.decode(bytes));
    expect(lines).toEqual(['#1 [1/1] RUN x', '#1 ä', '#1 done in 2.0s']);
  });
});

describe('createLineSplitter', () => {
  const split = (...pieces: string[]): readonly string[] => {
    const lines: string[] = [];
    const splitter = createLineSplitter((line) => lines.push(line));
    for (const piece of pieces) splitter.add(Buffer.from(piece));
    splitter.end();
    return lines;
  };

  it.each<[string, readonly string[], readonly string[]]>([
    ['empty lines stay', ['a\n\nb\n'], ['a', '', 'b']],
    ['Windows line ends go', ['a\r', '\nb\r\n'], ['a', 'b']],
    ['of a line that overwrites itself the last state counts', ['10%\r50%\r', '100%\r\n'], ['100%']],
    ['what has no newline comes at the end', ['a\nb'], ['a', 'b']],
  ])('%s', (_, pieces, lines) => expect(split(...pieces)).toEqual(lines));

  it('cuts output without any newline in pieces', () => {
    const lines = split('x'.repeat(40_000));
    expect(lines.map(({ length }) => length)).toEqual([16_384, 16_384, 7_232]);
  });
});
