/** One record of the engine's progress streams (build, pull, push, load). */
export type EngineRecord = {
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
  readonly aux?: unknown;
};

/** The records of a progress stream, one JSON document per line, as they come. Throws when the stream breaks or holds something else. */
export async function* readRecords(stream: AsyncIterable<Uint8Array>): AsyncGenerator<EngineRecord> {
  const decoder = new TextDecoder();
  // Pieces are kept apart until the line is whole: one record can hold megabytes.
  let pieces: string[] = [];
  for await (const chunk of stream) {
    const lines = decoder.decode(chunk, { stream: true }).split('\n');
    for (const piece of lines.splice(0, lines.length - 1)) {
      const line = pieces.join('') + piece;
      pieces = [];
      if (line.trim() !== '') yield JSON.parse(line) as EngineRecord;
    }
    pieces.push(lines[0]!);
  }
  const rest = pieces.join('') + decoder.decode();
  if (rest.trim() !== '') yield JSON.parse(rest) as EngineRecord;
}

/** The record's error text, if it tells of one. */
export function errorOf(record: EngineRecord): string | undefined {
  return record.errorDetail?.message ?? record.error;
}
