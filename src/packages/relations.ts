import { compareVersions } from '../definition/version.js';

/** One package that a relation names: `libfoo2:any (>= 2)` (Debian Policy §7.1). */
export type Related = {
  readonly name: string;
  /** `any` or a name; undefined: that of the package that asks. */
  readonly architecture: string | undefined;
  readonly version: { readonly is: '<<' | '<=' | '=' | '>=' | '>>'; readonly than: string } | undefined;
};

/** Packages of which one is enough, and the words that say so. */
export type Relation = { readonly alternatives: readonly Related[]; readonly text: string };

/** What a field such as `Depends` says; what is no relation is passed over. */
export function parseRelations(field: string): readonly Relation[] {
  if (field === '') return [];
  return field.split(',').flatMap((part) => {
    const alternatives = part.split('|').flatMap(parseRelated);
    return alternatives.length === 0 ? [] : [{ alternatives, text: part.trim().replace(/\s+/g, ' ') }];
  });
}

/** The old `<` and `>` are `<=` and `>=`. */
const OLD: Readonly<Record<string, '<=' | '>='>> = { '<': '<=', '>': '>=' };

function parseRelated(text: string): readonly Related[] {
  const [, name, architecture, is, than] = /^\s*([^\s:([<]+)(?::([^\s([<]+))?\s*(?:\(\s*(?:(<<|<=|=|>=|>>|<|>)\s*)?([^\s)<=>][^\s)]*)\s*\))?/.exec(text) ?? [];
  if (name === undefined) return [];
  return [{ name, architecture, version: than === undefined ? undefined : { is: OLD[is ?? ''] ?? ((is ?? '=') as '='), than } }];
}

/** Whether a version is one that a relation asks for. */
export function isVersionFor({ version: asked }: Related, version: string): boolean {
  if (asked === undefined) return true;
  const order = compareVersions(version, asked.than);
  switch (asked.is) {
    case '<<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '=':
      return order === 0;
    case '>=':
      return order >= 0;
    case '>>':
      return order > 0;
  }
}
