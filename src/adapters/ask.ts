import { createInterface } from 'node:readline';

/** Asks a question on a terminal; resolves to the line that is typed, and to nothing when input ends or the signal is aborted before. */
export async function ask(question: string, input: NodeJS.ReadableStream, output: NodeJS.WritableStream, signal: AbortSignal): Promise<string> {
  // Not as a terminal of its own: Ctrl-C shall reach the process.
  const lines = createInterface({ input, terminal: false });
  const abort = (): void => lines.close();
  signal.addEventListener('abort', abort);
  output.write(question);
  try {
    return await new Promise((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(''));
      if (signal.aborted) lines.close();
    });
  } finally {
    signal.removeEventListener('abort', abort);
    lines.close();
  }
}
