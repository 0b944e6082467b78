/** `YYYYMMDD` of an instant, in UTC. */
export function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10).replaceAll('-', '');
}

/** A rolling image's tag: its day, and which one of that day (`20260101` is the first, `20260101-2` the second). */
export function parseDatedTag(tag: string): { readonly day: string; readonly count: number } | undefined {
  const match = /^(\d{8})(?:-([2-9]|[1-9]\d+))?$/.exec(tag);
  return match === null ? undefined : { day: match[1]!, count: match[2] === undefined ? 1 : Number(match[2]) };
}

/** The dated tags among some tags, newest first; the suffix compares as a number. */
export function newestDatedFirst(tags: readonly string[]): readonly string[] {
  return tags
    .flatMap((tag) => {
      const dated = parseDatedTag(tag);
      return dated === undefined ? [] : [{ tag, ...dated }];
    })
    .sort((a, b) => (a.day === b.day ? b.count - a.count : a.day < b.day ? 1 : -1))
    .map(({ tag }) => tag);
}

/** The first tag of a day that is not taken: `20260101`, then `20260101-2`, `20260101-3`… after the highest. */
export function nextDatedTag(day: string, taken: readonly string[]): string {
  const counts = taken.map(parseDatedTag).flatMap((dated) => (dated?.day === day ? [dated.count] : []));
  return counts.length === 0 ? day : `${day}-${Math.max(...counts) + 1}`;
}
