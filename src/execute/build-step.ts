/**
 * The step that a line of an image's log begins: `[4/7] RUN make` of BuildKit's `#9 [build 4/7] RUN make`; of mmdebstrap, apt and
 * dpkg (`I: installing packages...`, `Unpacking tar (1.35)`) what they are at; undefined: the line begins none.
 */
export function buildStep(line: string): string | undefined {
  const vertex = /^#\d+ (?:\[(?:[^\]]*\s)?(\d+\/\d+)\] (.+)|(exporting to image)$)/.exec(line);
  if (vertex !== null) return vertex[3] ?? `[${vertex[1]}] ${vertex[2]}`;
  const mmdebstrap = /^I: (?!running |skipping )(.+)/.exec(line)?.[1];
  return mmdebstrap ?? /^(?:Get:\d+|Unpacking|Setting up|Processing triggers for) .+/.exec(line)?.[0];
}
