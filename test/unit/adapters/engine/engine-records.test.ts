import { describe, expect, it } from '@jest/globals';
import { errorOf, readRecords, type EngineRecord } from '../../../../src/adapters/engine/engine-records.js';

async function recordsOf(...pieces: (string | Uint8Array)[]): Promise<readonly EngineRecord[]> {
  const stream = (async function* () {
    for (const piece of pieces) yield Buffer.from(piece);
  })();
  const records: EngineRecord[] = [];
  for await (const record of readRecords(stream)) records.push(record);
  return records;
}

describe('readRecords', () => {
  const umlaut = Buffer.from('{"status":"ü"}\n');

  it.each<[string, readonly (string | Uint8Array)[], readonly EngineRecord[]]>([
    ['one document per line, whatever the line end', ['{"id":"a"}\r\n{"id":"b"}\n'], [{ id: 'a' }, { id: 'b' }]],
    ['a document in pieces', ['{"i', 'd":', '"a"}\n{"id"', ':"b"}\n'], [{ id: 'a' }, { id: 'b' }]],
    ['a character in pieces', [umlaut.subarray(0, 12), umlaut.subarray(12)], [{ status: 'ü' }]],
    ['the last one without a line end', ['{"id":"a"}\n{"id":"b"}'], [{ id: 'a' }, { id: 'b' }]],
    ['empty lines in between', ['\n\n{"id":"a"}\n\n'], [{ id: 'a' }]],
    ['nothing', [], []],
  ])('reads %s', async (_, pieces, records) => expect(await recordsOf(...pieces)).toEqual(records));

  it('fails on a document that breaks off', async () => {
    await expect(recordsOf('{"id":"a"}\n{"id"')).rejects.toThrow(SyntaxError);
  });
});

describe('errorOf', () => {
  it('prefers the detail, and is silent without one', () => {
    expect(errorOf({ error: 'short', errorDetail: { message: 'long' } })).toBe('long');
    expect(errorOf({ error: 'short' })).toBe('short');
    expect(errorOf({ status: 'fine' })).toBeUndefined();
  });
});
