/** What a variable may be: its value, undefined when it was declared without one or not at all. */
export type Lookup = (name: string) => string | undefined;

/** A word with its variables replaced, or the first one that has no value. */
export type Expanded = { readonly value: string } | { readonly missing: string };

/**
 * Expands one word of a Dockerfile as the engine does (Dockerfile reference, "Environment replacement"): quotes are dropped,
 * `$X`, `${X}`, `${X:-y}`, `${X-y}`, `${X:+y}`, `${X+y}`; a variable without value is not taken for empty.
 */
export function expandWord(word: string, escape: string, lookup: Lookup): Expanded {
  let value = '';
  let quote = '';
  for (let at = 0; at < word.length; at++) {
    const char = word[at]!;
    if (quote === "'") {
      if (char === "'") quote = '';
      else value += char;
    } else if (char === escape && at + 1 < word.length) {
      value += word[++at]!;
    } else if (char === '"') quote = quote === '"' ? '' : '"';
    else if (char === "'" && quote === '') quote = "'";
    else if (char === '$') {
      const variable = variableAt(word, at);
      if (variable === undefined) value += char;
      else {
        const expanded = expandVariable(variable, escape, lookup);
        if ('missing' in expanded) return expanded;
        value += expanded.value;
        at = variable.end - 1;
      }
    } else value += char;
  }
  return { value };
}

type Variable = { readonly name: string; readonly modifier: string; readonly word: string; readonly end: number };

function variableAt(word: string, dollar: number): Variable | undefined {
  const plain = /^[A-Za-z_][A-Za-z0-9_]*/.exec(word.slice(dollar + 1));
  if (plain !== null) return { name: plain[0], modifier: '', word: '', end: dollar + 1 + plain[0].length };
  const braced = /^\{([A-Za-z_][A-Za-z0-9_]*)(:?[-+?])?/.exec(word.slice(dollar + 1));
  if (braced === null) return undefined;
  const start = dollar + 1 + braced[0].length;
  for (let at = start, depth = 1; at < word.length; at++) {
    if (word[at] === '{') depth++;
    else if (word[at] === '}' && --depth === 0) return { name: braced[1]!, modifier: braced[2] ?? '', word: word.slice(start, at), end: at + 1 };
  }
  return undefined;
}

function expandVariable({ name, modifier, word }: Variable, escape: string, lookup: Lookup): Expanded {
  const value = lookup(name);
  const isSet = value !== undefined && !(modifier.startsWith(':') && value === '');
  if (modifier.endsWith('-')) return isSet ? { value } : expandWord(word, escape, lookup);
  if (modifier.endsWith('+')) return isSet ? expandWord(word, escape, lookup) : { value: '' };
  return isSet ? { value } : { missing: name };
}
