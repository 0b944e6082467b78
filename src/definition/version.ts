const DIGIT = /[0-9]/;

/** Where a non-digit sorts: `~` before the end, the end before letters, letters before everything else (Debian Policy 5.6.12). */
function orderOf(character: string | undefined): number {
  if (character === undefined || DIGIT.test(character)) return 0;
  if (character === '~') return -1;
  const code = character.codePointAt(0)!;
  return /[A-Za-z]/.test(character) ? code : code + 0x10000;
}

function compareNumbers(a: string, b: string): number {
  const left = a.replace(/^0+/, '');
  const right = b.replace(/^0+/, '');
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** One part (upstream version or revision): runs of non-digits and of digits in turn. */
function comparePart(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !DIGIT.test(a[i]!)) || (j < b.length && !DIGIT.test(b[j]!))) {
      const difference = orderOf(a[i]) - orderOf(b[j]);
      if (difference !== 0) return difference;
      i++;
      j++;
    }
    const leftStart = i;
    const rightStart = j;
    while (i < a.length && DIGIT.test(a[i]!)) i++;
    while (j < b.length && DIGIT.test(b[j]!)) j++;
    const difference = compareNumbers(a.slice(leftStart, i), b.slice(rightStart, j));
    if (difference !== 0) return difference;
  }
  return 0;
}

function split(version: string): { readonly epoch: string; readonly upstream: string; readonly revision: string } {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  return {
    epoch: colon < 0 ? '' : version.slice(0, colon),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  };
}

/** Debian's order of versions (Policy 5.6.12): negative when `a` is older, positive when it is newer; no revision equals revision 0. */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const left = split(a);
  const right = split(b);
  return compareNumbers(left.epoch, right.epoch) || comparePart(left.upstream, right.upstream) || comparePart(left.revision, right.revision);
}

/** A version without its epoch and its Debian revision: `1:1.2.3~rc1-1` is `1.2.3~rc1` (Policy 5.6.12). */
export function upstreamVersion(version: string): string {
  return split(version).upstream;
}
