import { describe, expect, it } from '@jest/globals';
import { lineSplitter } from '../../../src/adapters/test-runner.js';

function split(...chunks: readonly (string | Buffer)[]): readonly string[] {
  const lines: string[] = [];
  const splitter = lineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.write(Buffer.from(chunk));
  splitter.end();
  return lines;
}

describe('lineSplitter', () => {
  it.each<[string, readonly (string | Buffer)[], readonly string[]]>([
    ['gives each line once, wherever the pieces end', ['on', 'e\ntw', 'o\n', 'three'], ['one', 'two', 'three']],
    ['gives a last line without newline', ['one'], ['one']],
    ['gives no line after the last newline', ['one\n'], ['one']],
    ['keeps empty lines', ['\n\none\n'], ['', '', 'one']],
    ['takes the carriage return of a terminal off', ['one\r\ntwo\r\n'], ['one', 'two']],
    ['puts a letter together that two pieces share', [Buffer.from('wörd\n').subarray(0, 2), Buffer.from('wörd\n').subarray(2)], ['wörd']],
    ['gives nothing for nothing', [], []],
  ])('%s', (_, chunks, lines) => expect(split(...chunks)).toEqual(lines));
});
