import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { ask } from '../../../src/adapters/ask.js';

/** Asks; the answer and what was shown. */
async function asking(act: (input: PassThrough, ending: AbortController) => void): Promise<readonly [string, string]> {
  const [input, output, ending] = [new PassThrough(), new PassThrough(), new AbortController()];
  const answer = ask('Well? ', input, output, ending.signal);
  act(input, ending);
  return [await answer, String(output.read())];
}

describe('a question', () => {
  it('is answered by a line', async () => expect(await asking((input) => void input.write('yes\nmore\n'))).toEqual(['yes', 'Well? ']));
  it('is not answered where input ends', async () => expect(await asking((input) => void input.end())).toEqual(['', 'Well? ']));
  it('is not answered when the process is asked to end', async () => expect(await asking((_, ending) => ending.abort())).toEqual(['', 'Well? ']));
  it('is not waited for when it was asked to end before', async () => {
    expect(await ask('Well? ', new PassThrough(), new PassThrough(), AbortSignal.abort())).toBe('');
  });
});
