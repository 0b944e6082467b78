/**
 * The lines of a build's log that tell why it failed: what the failed step itself printed, without the step's number; the
 * last lines of all when no step failed.
 * @param lines as the engine's adapter prints them: `#3 [2/2] RUN make`, `#3 cc: error`, `#3 failed: exit code: 1`
 * @param most how many are wanted
 */
export function failureLines(lines: readonly string[], most: number): readonly string[] {
  const step = lines.map((line) => /^(#\d+ )failed: /.exec(line)?.[1]).findLast((prefix) => prefix !== undefined);
  if (step === undefined) return lines.slice(-most);
  const own = lines.filter((line) => line.startsWith(step)).map((line) => line.slice(step.length));
  return own.filter((line) => !line.startsWith('failed: ') && !/^\[[^\]]*\d+\/\d+\] /.test(line)).slice(-most);
}
