/** A glob(7), or a POSIX expression between slashes; capitals do not matter. Nothing matches what is no expression. */
export function expression(pattern: string): (text: string | undefined) => boolean {
  if (!/^\/.+\/$/s.test(pattern)) {
    const matches = glob(pattern);
    return (text) => text !== undefined && matches(text);
  }
  const regex = posixRegExp(pattern.slice(1, -1));
  return (text) => text !== undefined && text.length <= LONGEST && regex !== undefined && regex.test(text);
}

/** No name and no version is longer. It bounds what an expression may cost. */
const LONGEST = 256;

/** Whether trying an expression may take as good as for ever: a repetition in what is repeated, many in a row, or sheer length. */
export function isCostly(pattern: string): boolean {
  if (pattern.length > 4 * LONGEST) return true;
  const [, source] = /^\/(.+)\/$/s.exec(pattern) ?? [];
  if (source === undefined) return false;
  const plain = source.replace(/\\./gs, 'x').replace(/\[\^?\]?(?:\[:\w+:\]|[^\]])*\]/g, 'x');
  return /\)[*+{]/.test(plain) || (plain.match(/[*+{]/g)?.length ?? 0) > 3;
}

/** Undefined: it is no expression, and nothing matches it. */
function posixRegExp(source: string): RegExp | undefined {
  try {
    return new RegExp(source.replace(/\[:(\w+):\]/g, (all, name: string) => CLASSES[name] ?? all), 'is');
  } catch {
    return undefined;
  }
}

const CLASSES: Readonly<Record<string, string>> = { alnum: 'a-zA-Z0-9', alpha: 'a-zA-Z', digit: '0-9', lower: 'a-z', upper: 'A-Z', space: '\\s', punct: '!-\\/:-@\\[-`{-~', xdigit: '0-9a-fA-F' };

/** What each place of a glob takes; undefined: any number of anything. */
type Piece = ((character: string) => boolean) | undefined;

/** In as many steps as text and pattern are long together, or as their product at most. */
function glob(pattern: string): (text: string) => boolean {
  const pieces: Piece[] = [...pattern.matchAll(/\\(.)|\[([!^]?)(\]?(?:\[:\w+:\]|[^\]])*)\]|[^]/gs)].map(([all, escaped, not, set]) => {
    if (all === '*') return undefined;
    if (all === '?') return () => true;
    if (set === undefined || set === '') return is(escaped ?? all);
    const isIn = oneOf(set);
    return (character) => isIn(character) === (not === '');
  });
  return (text) => {
    let [at, piece, star, resume] = [0, 0, -1, 0];
    while (at < text.length) {
      if (piece < pieces.length && pieces[piece] === undefined) [star, resume] = [piece++, at];
      else if (piece < pieces.length && pieces[piece]!(text[at]!)) [at, piece] = [at + 1, piece + 1];
      else if (star >= 0) [at, piece] = [++resume, star + 1];
      else return false;
    }
    return pieces.slice(piece).every((each) => each === undefined);
  };
}

function is(wanted: string): (character: string) => boolean {
  return (character) => character.toLowerCase() === wanted.toLowerCase();
}

function oneOf(set: string): (character: string) => boolean {
  try {
    const regex = new RegExp(`[${set.replace(/\[:(\w+):\]/g, (all, name: string) => CLASSES[name] ?? all).replace(/[\\\]^]/g, '\\$&')}]`, 'is');
    return (character) => regex.test(character);
  } catch {
    return () => false;
  }
}
