/** Number of single-character edits (a swap of neighbours counts as one) between two words; gives up above `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, beforeLast[j - 2]! + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/** Up to three known words that a person may have meant: a few letters off, or one inside the other. Nearest first. */
export function nearNames(word: string, known: Iterable<string>): readonly string[] {
  const limit = Math.max(1, Math.floor(word.length / 4));
  const scored: { name: string; score: number }[] = [];
  for (const name of known) {
    if (name === word) continue;
    const distance = editDistance(word.toLowerCase(), name.toLowerCase(), limit);
    if (distance <= limit) scored.push({ name, score: distance });
    else if (word.length >= 4 && (name.includes(word) || (name.length >= 4 && word.includes(name)))) scored.push({ name, score: limit + 1 });
  }
  scored.sort((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1));
  return scored.slice(0, 3).map(({ name }) => name);
}

/** ` (near: a, b)`, or nothing when no known word is near. */
export function nearHint(word: string, known: Iterable<string>): string {
  const names = nearNames(word, known);
  return names.length === 0 ? '' : ` (near: ${names.join(', ')})`;
}
