/**
 * The step that a line of an image's log begins: `[4/7] RUN make` of BuildKit's `#9 [build 4/7] RUN make`, `installing packages...`
 * of mmdebstrap's `I: installing packages...`; undefined: the line begins none.
 */
export function buildStep(line: string): string | undefined {
  const vertex = /^#\d+ (?:\[(?:[^\]]*\s)?(\d+\/\d+)\] (.+)|(exporting to image)$)/.exec(line);
  if (vertex !== null) return vertex[3] ?? `[${vertex[1]}] ${vertex[2]}`;
  return /^I: (.+)/.exec(line)?.[1];
}
