import { EventEmitter } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import { createScreen, type Screen } from '../../../src/adapters/terminal.js';
import { until } from '../../support/until.js';

/** An output that writes down what it is given: `isTTY` or not. */
function output(isTTY: boolean, written: string[] = []) {
  const stream = Object.assign(new EventEmitter(), { isTTY, columns: 40, rows: 10, write: (text: string) => written.push(text) > 0 });
  return { stream: stream as unknown as Parameters<typeof createScreen>[0] & EventEmitter, written };
}

/** A screen on one terminal, with its frame drawn. */
async function watched(frame: () => readonly string[]): Promise<Screen & { readonly written: string[]; readonly stop: () => void; readonly stream: EventEmitter }> {
  const written: string[] = [];
  const { stream } = output(true, written);
  const screen = createScreen(stream, output(true, written).stream, false);
  const stop = screen.terminal!.watch(frame, 0);
  await until('a frame is drawn', () => written.length > 0);
  return { ...screen, written, stop, stream };
}
/** What stands in one synchronized piece. */
const AT_ONCE = /^\u001B\[\?2026h([^]*)\u001B\[\?2026l$/;
const ERASE = '\u001B[2K\u001B[1A\u001B[2K\u001B[G';

describe('an output that nobody watches', () => {
  it.each([
    ['a pipe', false, false],
    ['a terminal that cannot move its cursor', true, true],
  ])('%s gets the lines and nothing else', (_, isTTY, dumb) => {
    const { stream, written } = output(isTTY);
    const errors = output(isTTY);
    const screen = createScreen(stream, errors.stream, dumb);
    screen.out('a');
    screen.err('b');
    screen.close();
    expect([screen.terminal, written, errors.written]).toEqual([undefined, ['a\n'], ['b\n']]);
  });
});

describe('a terminal', () => {
  it('without a frame gets the lines and nothing else', () => {
    const { stream, written } = output(true);
    const screen = createScreen(stream, stream, false);
    screen.out('a');
    screen.err('b');
    screen.close();
    expect(written).toEqual(['a\n', 'b\n']);
  });
  it('shows a frame below what is printed: line and frame in one piece', async () => {
    const { out, written, stop } = await watched(() => ['frame']);
    expect(written.splice(0)).toEqual(['\u001B[?2026hframe\n\u001B[?2026l']);
    out('line');
    expect(AT_ONCE.exec(written.join(''))![1]).toBe(`${ERASE}line\nframe\n`);
    stop();
  });
  it('gets what goes to the other output while the frame is away', async () => {
    const { err, written, stop } = await watched(() => ['frame']);
    written.length = 0;
    err('fault');
    expect(written.map((text) => AT_ONCE.exec(text)?.[1] ?? text)).toEqual([ERASE, 'fault\n', 'frame\n']);
    stop();
  });
  it('has no frame any more when it is not watched any more, and none comes back', async () => {
    const { out, written, stop, stream, close } = await watched(() => ['frame']);
    written.length = 0;
    stop();
    expect(AT_ONCE.exec(written.splice(0).join(''))![1]).toBe(ERASE);
    stream.emit('resize');
    out('line');
    close();
    expect(written).toEqual(['line\n']);
    expect(stream.listenerCount('resize')).toBe(0);
  });
  it('draws at once when its window changes', async () => {
    let text = 'one';
    const { written, stop, stream } = await watched(() => [text]);
    written.length = 0;
    text = 'two';
    stream.emit('resize');
    expect(written.join('')).toContain('two\n');
    stop();
  });
  it('draws a closed frame anew, below what a shell wrote meanwhile', async () => {
    const { written, stop, close, stream } = await watched(() => ['frame']);
    written.length = 0;
    close();
    stream.emit('resize');
    expect(written.map((text) => AT_ONCE.exec(text)![1])).toEqual([ERASE, 'frame\n']);
    stop();
  });
  it('shows the frame that was begun last; an earlier one neither comes back nor takes it away', async () => {
    const { stream, written } = output(true);
    const screen = createScreen(stream, stream, false);
    const stopFirst = screen.terminal!.watch(() => ['first'], 0);
    const stop = screen.terminal!.watch(() => ['second'], 0);
    await until('a frame is drawn', () => written.length > 0);
    stopFirst();
    stream.emit('resize');
    expect(written.map((text) => AT_ONCE.exec(text)![1])).toEqual(['second\n']);
    stop();
  });
  it.each([
    ['\u001B[31mred\u001B[0m', 'red'],
    ['a\u001B[2Jb\rc\u0007', 'abc'],
    ['tab\tand 日本 – stay', 'tab\tand 日本 – stay'],
  ])('%j cannot move its cursor: %s', (line, clean) => {
    const { stream } = output(true);
    expect(createScreen(stream, stream, false).terminal!.clean(line)).toBe(clean);
  });
  it('that is watched no longer wakes nobody, whether its frame was begun or not', () => {
    jest.useFakeTimers();
    try {
      const { stream } = output(true);
      const watch = (): (() => void) => createScreen(stream, stream, false).terminal!.watch(() => ['frame'], 500);
      const [early, late] = [watch(), watch()];
      early();
      jest.advanceTimersByTime(600);
      late();
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });
  it('that does not know its size is a usual one', async () => {
    const { stream, written } = output(true);
    Object.assign(stream, { columns: 0, rows: 0 });
    const stop = createScreen(stream, stream, false).terminal!.watch(({ columns, rows }) => [`${columns} ${rows}`], 0);
    await until('a frame is drawn', () => written.length > 0);
    expect(written.join('')).toContain('80 24');
    stop();
  });
});
