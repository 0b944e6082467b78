import { Minimatch } from 'minimatch';

/** minimatch has rules of its own for `/`, for a leading `.`, `!` and `#`, and for the empty text; none of them is Python's. */
const SLASH = '\u0001';
const HEAD = '\u0002';

/**
 * A pattern as Python's `fnmatch.fnmatchcase` reads it, which is what `--select` has always meant: `*` any text, slashes too,
 * `?` one character, `[a-z]` and `[!a-z]` one of a set; nothing else is special, the backslash neither. The whole text must match.
 */
export function compileGlob(pattern: string): (text: string) => boolean {
  const translated = translate(pattern);
  if (translated === undefined) return () => false;
  const matcher = new Minimatch(HEAD + translated, {
    dot: true,
    nobrace: true,
    noext: true,
    nonegate: true,
    nocomment: true,
    noglobstar: true,
    platform: 'linux',
  });
  return (text) => matcher.match(HEAD + text.replaceAll('/', SLASH));
}

/** The same pattern in minimatch's language; undefined when it can match nothing. */
function translate(pattern: string): string | undefined {
  let out = '';
  for (let at = 0; at < pattern.length; ) {
    const character = pattern[at]!;
    if (character === '*' || character === '?') {
      out += character;
      at++;
    } else {
      const end = character === '[' ? endOfSet(pattern, at) : -1;
      if (end < 0) {
        out += literal(character);
        at++;
      } else {
        const set = translateSet(pattern.slice(at + 1, end));
        if (set === undefined) return undefined;
        out += set;
        at = end + 1;
      }
    }
  }
  return out;
}

/** Where the set that begins at `open` closes; -1 when it does not, which makes its bracket an ordinary character. */
function endOfSet(pattern: string, open: number): number {
  let at = open + 1;
  if (pattern[at] === '!') at++;
  if (pattern[at] === ']') at++;
  return pattern.indexOf(']', at);
}

/** `[a-z]` from what stands between the brackets; undefined when no character is in it. */
function translateSet(content: string): string | undefined {
  const { negated, ranges: written } = readSet(content);
  const ranges = written.flatMap((range) => without(range, '/')).flatMap((range) => without(range, '^'));
  // minimatch hands a leading `^` to the regular expression as it is, where it would mean "not".
  const members = new Set(ranges.sort(([a], [b]) => Number(a === '^') - Number(b === '^')).map(([low, high]) => (low === high ? inSet(low) : `${inSet(low)}-${inSet(high)}`)));
  if (members.size === 0) return negated ? '?' : undefined;
  if (!negated && members.size === 1 && ranges[0]![0] === ranges[0]![1]) return literal(ranges[0]![0]);
  return `[${negated ? '!' : ''}${[...members].join('')}]`;
}

/** Python drops ranges without a character before it looks for the `!` that negates: what comes first then may be one. */
function readSet(content: string): { readonly negated: boolean; readonly ranges: readonly Range[] } {
  if (content.startsWith('!')) return { negated: true, ranges: rangesOf(content.slice(1)) };
  const [first, ...rest] = rangesOf(content);
  if (first?.[0] !== '!') return { negated: false, ranges: first === undefined ? [] : [first, ...rest] };
  const [, high] = first;
  return { negated: true, ranges: high === '!' ? rest : [['-', '-'], [high, high], ...rest] };
}

/** A range, with one character that needs care standing for itself. */
function without([low, high]: Range, character: string): readonly Range[] {
  if (low > character || high < character) return [[low, high]];
  const code = character.charCodeAt(0);
  const parts: Range[] = [[low, String.fromCharCode(code - 1)], [character, character], [String.fromCharCode(code + 1), high]];
  return parts.filter(([first, last]) => first <= last);
}

type Range = readonly [low: string, high: string];

/** A dash makes a range unless it is first, last, or directly behind a range's end. */
function rangesOf(content: string): readonly Range[] {
  const ranges: Range[] = [];
  for (let at = 0; at < content.length; ) {
    if (content[at + 1] === '-' && at + 2 < content.length) {
      ranges.push([content[at]!, content[at + 2]!]);
      at += 3;
    } else {
      ranges.push([content[at]!, content[at]!]);
      at++;
    }
  }
  return ranges.filter(([low, high]) => low <= high);
}

function inSet(character: string): string {
  if (character === '/') return SLASH;
  return /[\\\]\[^!:-]/.test(character) ? `\\${character}` : character;
}

function literal(character: string): string {
  if (character === '/') return SLASH;
  return /[\\*?[\](){}!+@]/.test(character) ? `\\${character}` : character;
}
