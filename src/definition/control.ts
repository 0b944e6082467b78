import { bad, errorAt, good, type Checked, type Problem } from '../shared/problem.js';

/** One name out of Depends or Build-Depends. */
export type Dependency = {
  readonly name: string;
  readonly field: 'Depends' | 'Build-Depends';
  /** Line in the control file, from 1. */
  readonly line: number;
};

/** What a definition's control file says. */
export type Control = {
  /** The file as a person would type it. */
  readonly path: string;
  /** `Package:` of the first paragraph that has one. */
  readonly package: string | undefined;
  readonly dependencies: readonly Dependency[];
  /** `Rolling: yes`. */
  readonly rolling: boolean;
  readonly maintainer: string | undefined;
  /** `Homepage:` (Policy 5.6.23). */
  readonly homepage: string | undefined;
  readonly description: string | undefined;
  /** `X-Lint-Ignore:` the words of all such fields: rules of lint that are switched off for this image. */
  readonly lintIgnore: readonly { readonly rule: string; readonly line: number }[];
};

type Line = { readonly text: string; readonly line: number };
type Field = { readonly name: string; readonly line: number; readonly lines: Line[] };

/**
 * Reads a control file (deb822(5), Debian Policy 5.1): several paragraphs, comments, continuation lines, field names in any case.
 * Dependencies are those of all paragraphs in the file's order; of Debian's relation syntax (Policy 7.1) only the names are used.
 */
export function parseControl(path: string, text: string): Checked<Control> {
  const problems: Problem[] = [];
  const fields = parseFields(path, text, problems);
  const first = (name: string): Field | undefined => fields.find((field) => field.name === name);
  const dependencies = fields.flatMap((field) => {
    if (field.name === 'depends') return parseRelations(path, 'Depends', field.lines, problems);
    if (field.name === 'build-depends') return parseRelations(path, 'Build-Depends', field.lines, problems);
    return [];
  });
  const rolling = fields.filter(({ name }) => name === 'rolling');
  for (const field of rolling) {
    const value = textOf(field);
    if (value !== 'yes' && value !== 'no') problems.push(errorAt(path, field.line, `Rolling is "yes" or "no", not "${value}"`));
    else if (value !== textOf(rolling[0]!)) problems.push(errorAt(path, field.line, `Rolling says something else than on line ${rolling[0]!.line}`));
  }
  if (problems.length > 0) return bad(problems);
  const textOfFirst = (name: string): string | undefined => {
    const field = first(name);
    const value = field === undefined ? '' : textOf(field);
    return value === '' ? undefined : value;
  };
  return good({
    path,
    package: textOfFirst('package'),
    dependencies,
    rolling: rolling.length > 0 && textOf(rolling[0]!) === 'yes',
    maintainer: textOfFirst('maintainer'),
    homepage: textOfFirst('homepage'),
    description: textOfFirst('description'),
    lintIgnore: fields.filter(({ name }) => name === 'x-lint-ignore').flatMap(({ lines }) => lines.flatMap(({ text, line }) => text.split(/[\s,]+/).flatMap((rule) => (rule === '' ? [] : [{ rule, line }])))),
  });
}

/** The fields of all paragraphs, names in lower case. */
function parseFields(path: string, text: string, problems: Problem[]): readonly Field[] {
  const fields: Field[] = [];
  let inParagraph = new Map<string, Field>();
  let open: Field | undefined;
  // Real files separate paragraphs by lines of blanks too; the same line inside a field's value is no more than untidy.
  let blanksSeen = false;
  for (const [index, raw] of text.replace(/^\uFEFF/, '').split('\n').entries()) {
    const content = raw.replace(/\r$/, '');
    const line = index + 1;
    if (content.startsWith('#')) continue;
    if (content === '') {
      open = undefined;
      inParagraph = new Map();
    } else if (content.trim() === '') {
      blanksSeen = true;
      continue;
    } else if (/^[ \t]/.test(content)) {
      if (open === undefined) problems.push(errorAt(path, line, `a line that goes on (it begins with a blank), but there is no field before it`));
      else open.lines.push({ text: content.slice(1), line });
    } else {
      const match = /^([!-9;-~]+)[ \t]*:[ \t]*(.*)$/.exec(content);
      if (match === null || match[1]!.startsWith('-')) {
        problems.push(errorAt(path, line, `no field ("Name: value"): "${content.trim().slice(0, 60)}"`));
        open = undefined;
        continue;
      }
      if (blanksSeen) inParagraph = new Map();
      const name = match[1]!.toLowerCase();
      const before = inParagraph.get(name);
      if (before !== undefined) problems.push(errorAt(path, line, `field ${match[1]!} stands already on line ${before.line} of this paragraph`));
      open = { name, line, lines: [{ text: match[2]!, line }] };
      inParagraph.set(name, open);
      fields.push(open);
    }
    blanksSeen = false;
  }
  return fields;
}

/** A field's text; ` .` is an empty line (Policy 5.6.13). */
function textOf(field: Field): string {
  return field.lines.map(({ text }, index) => (index > 0 && text.trim() === '.' ? '' : text.trimEnd())).join('\n').trim();
}

/** What may stand behind a name: `:any`, `(>= 1)`, `[amd64]`, `<!nocheck>`. */
const RELATION = /^([A-Za-z0-9][A-Za-z0-9+._/-]*)(?::[a-z0-9-]+)?\s*(?:\(\s*(?:<<|<=|=|>=|>>|<|>)\s*[^\s()]+\s*\)\s*)?(?:\[[^[\]]*\]\s*)?(?:<[^<>]*>\s*)*$/;
const SUBSTVAR = /^\$\{[A-Za-z0-9][A-Za-z0-9:-]*\}$/;

/** The names of `a (>= 1) [amd64] <!nocheck> | b, c:any`, each with the line it stands on. */
function parseRelations(path: string, field: Dependency['field'], lines: readonly Line[], problems: Problem[]): readonly Dependency[] {
  const dependencies: Dependency[] = [];
  const joined = lines.map(({ text }) => text).join('\n');
  let offset = 0;
  for (const written of joined.split(/[,|]/)) {
    const begin = offset + (written.length - written.trimStart().length);
    offset += written.length + 1;
    const relation = written.trim();
    if (relation === '' || SUBSTVAR.test(relation)) continue;
    const line = lines[joined.slice(0, begin).split('\n').length - 1]!.line;
    const match = RELATION.exec(relation);
    if (match === null) problems.push(errorAt(path, line, `${field}: "${relation.replace(/\s+/g, ' ')}" is no dependency (a name, separated from the next by a comma)`));
    else dependencies.push({ name: match[1]!, field, line });
  }
  return dependencies;
}
