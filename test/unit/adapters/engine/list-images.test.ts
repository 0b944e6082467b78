import { describe, expect, it } from '@jest/globals';
import { EngineRefusal, type EngineConnection } from '../../../../src/adapters/engine/engine-connection.js';
import { listImages } from '../../../../src/adapters/engine/list-images.js';
import { EngineError } from '../../../../src/shared/errors.js';

const never = new AbortController().signal;
const IMAGE = { Id: 'sha256:1', RepoTags: ['h/a:1', 'h/a@sha256:2', '<none>:<none>'], RepoDigests: ['h/a@sha256:2'], Labels: null, Created: 7 };

/** An engine that refuses so often, in these words, before it lists. */
function engine(times: number, words: string): { connection: EngineConnection; asked: () => number } {
  let asked = 0;
  const ask = async (): Promise<unknown> => {
    if (asked++ < times) throw new EngineRefusal(500, words);
    return [IMAGE];
  };
  return { connection: { address: { via: 'unix', socketPath: '/x' }, ask } as unknown as EngineConnection, asked: () => asked };
}

describe('the images of an engine', () => {
  it('are told with their names; one with a digest is no tag', async () => {
    expect(await listImages(engine(0, '').connection, 5, never)).toEqual([{ id: 'sha256:1', tags: ['h/a:1'], repoDigests: ['h/a@sha256:2'], labels: {}, created: 7 }]);
  });
  it('are asked for again when one was taken away meanwhile', async () => {
    const { connection, asked } = engine(2, 'failed to read config content: content digest sha256:3: not found');
    expect(await listImages(connection, 5, never)).toHaveLength(1);
    expect(asked()).toBe(3);
  });
  it.each([
    [6, 'content digest sha256:3: not found', 6],
    [1, 'no space left', 1],
  ])('are not asked for without end: %i times "%s"', async (times, words, tries) => {
    const { connection, asked } = engine(times, words);
    await expect(listImages(connection, 5, never)).rejects.toBeInstanceOf(EngineError);
    expect(asked()).toBe(tries);
  });
});
