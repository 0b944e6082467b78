/** The settings of apt's files: full name in lower case (`apt::default-release`) → its values, the last the one that counts. */
export type AptConf = ReadonlyMap<string, readonly string[]>;

/**
 * Reads files in the syntax of apt.conf(5), in their order. Nothing that stands in them is run.
 * @returns no `settings` of a file that apt cannot read: `fault` says which
 */
export function parseAptConf(files: readonly { readonly path: string; readonly text: string }[]): { readonly settings: AptConf; readonly fault: string | undefined } {
  const settings = new Map<string, string[]>();
  let fault: string | undefined;
  for (const { path, text } of files) if (!readInto(settings, wordsOf(text))) fault ??= `${path} is no apt.conf(5)`;
  return { settings, fault };
}

type Word = { readonly text: string; readonly mark: boolean };

/** Words, values without their quotes, and the marks `{`, `}` and `;`. `#clear` is a word, other lines with `#` are comments. */
function wordsOf(text: string): readonly Word[] {
  const words: Word[] = [];
  for (const [, quoted, mark, bare] of text.matchAll(/\/\*[^]*?(?:\*\/|$)|\/\/[^\n]*|#(?!clear\b)[^\n]*|"([^"\n]*)(?:"|$|(?=\n))|([{};])|((?:(?!\/\/|\/\*)[^\s{};"])+)/g)) {
    if (quoted !== undefined) words.push({ text: quoted, mark: false });
    else if (mark !== undefined) words.push({ text: mark, mark: true });
    else if (bare !== undefined) words.push({ text: bare, mark: false });
  }
  return words;
}

/** False: it ends within a setting. Braces that do not match are nothing to apt. */
function readInto(settings: Map<string, string[]>, words: readonly Word[]): boolean {
  const scopes: string[] = [];
  let statement: string[] = [];
  const nameIn = (name: string): string => [...scopes, name].filter(Boolean).join('::').toLowerCase();
  const finish = (): void => {
    const [first, ...rest] = statement;
    statement = [];
    if (first === undefined) return;
    if (first.toLowerCase() === '#clear') return void rest.forEach((name) => clear(settings, nameIn(name)));
    // A value without a name is an item of the list it stands in.
    if (rest.length === 0) add(settings, `${nameIn('')}::`, first);
    else add(settings, nameIn(first), rest.join(' '));
  };
  for (const { text, mark } of words) {
    if (!mark) statement.push(text);
    else if (text === ';') finish();
    else if (text === '{') {
      const [scope = '', ...rest] = statement;
      statement = [];
      if (rest.length > 0) add(settings, nameIn(scope), rest.join(' '));
      scopes.push(scope);
    } else {
      finish();
      scopes.pop();
    }
  }
  return statement.length === 0;
}

/** A name that ends in `::` is an item more; any other takes the place of what was there. */
function add(settings: Map<string, string[]>, name: string, value: string): void {
  const list = name.endsWith('::') ? name.slice(0, -2) : undefined;
  if (list === undefined) settings.set(name, [value]);
  else settings.set(`${list}::`, [...(settings.get(`${list}::`) ?? []), value]);
}

function clear(settings: Map<string, string[]>, name: string): void {
  for (const each of [...settings.keys()]) if (each === name || each.startsWith(`${name}::`)) settings.delete(each);
}

/** The value of a setting; undefined: it has none, or an empty one. */
export function settingOf(conf: AptConf, name: string): string | undefined {
  return conf.get(name.toLowerCase())?.at(-1) || undefined;
}

/** The items of a setting that is a list: those in braces, else the one value, commas between. */
export function listOf(conf: AptConf, name: string): readonly string[] {
  const items = conf.get(`${name.toLowerCase()}::`);
  return (items ?? settingOf(conf, name)?.split(',') ?? []).map((item) => item.trim()).filter(Boolean);
}
