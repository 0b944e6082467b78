import type { TemplateCase } from './template-cases.js';

/** A source of choices that is the same for the same seed (mulberry32). */
type Chance = {
  below(limit: number): number;
  /** True once in so many times. */
  once(many: number): boolean;
  of<T>(choices: readonly T[]): T;
};

function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return { below, once: (many) => below(many) === 0, of: (choices) => choices[below(choices.length)]! };
}

/** What an expression may name: names by the kind of what they stand for. `growing` are lists that are added to, where that can be done. */
type Scope = { readonly texts: readonly string[]; readonly numbers: readonly string[]; readonly lists: readonly string[]; readonly flags: readonly string[]; readonly macros: readonly string[]; readonly growing?: readonly string[] | undefined };

const GLOBAL: Scope = {
  texts: ['word', 'empty', 'spaced', 'unicode', 'maintainer', 'nested.a.b', "nested['a']['b']", 'versions.node', "versions['node']", 'seed_image', 'registry'],
  numbers: ['number', 'ratio', 'list|length'],
  lists: ['list', 'mixed'],
  flags: ['flag', 'off'],
  macros: [],
  growing: [],
};
const WORDS = ['curl', 'wget', 'a b', 'x-y', 'Lib_1', '', ' pad ', 'ß', 'two  blanks', 'a,b,c', '10', "it's", 'say "hi"', '{{ no }}', '%}', '#}'];
/** Names that nothing defines, and parts that nothing has. */
const NOWHERE = ['nope', 'word.nope', 'nested.nope', "nested['nope']", 'nested.a.nope', 'list[99]', 'nope.nope'];

/** docker-pkg's own filters, and what to give them. */
const OWN = ["'curl wget' | apt_install", "'a\n  b' | apt_install", "word | apt_install", "'gcc' | apt_remove", "'www-data' | uid", "'nobody' | uid", "'nobody' | add_user", "'base' | image_tag", "'base-extra' | image_tag", "'python3' | image_tag", "'n:1.2.3-1' | upstream_version", "list | join(' ') | apt_install", "'nowhere' | image_tag", "number | uid", "('cu' ~ 'rl') | apt_install | replace('curl', 'wget')"];
/** What is refused here, though Jinja2 knows it: now and then. */
const REFUSED = ['e', 'escape', 'safe', 'striptags', 'wordcount', 'center(9)', 'round', 'format(1)', 'urlencode', 'tojson', 'reverse'];

/**
 * Grows one template, and the file it imports, out of the constructs that templates of Dockerfiles are made of, and some that
 * they could be made of.
 * @param own docker-pkg's own filters, too
 */
export function growTemplate(seed: number, own = false): TemplateCase {
  const chance = chanceOf(seed);
  const { below, once, of } = chance;
  let names = 0;
  /** Once in a while a template has a fault. */
  const faulty = once(4);

  const quoted = (text: string): string => {
    const quote = text.includes("'") ? '"' : text.includes('"') ? "'" : of(["'", '"']);
    const body = once(12) ? `${text}\\n${text}` : once(15) ? `${text} \\\n  ${text}` : once(15) ? `${text}\n${text}` : once(30) ? `${text}\\t\\x41\\u00e9` : text;
    return quote + body + quote;
  };
  const literalText = (): string => (once(10) ? `${quoted(of(WORDS))} ${quoted(of(WORDS))}` : quoted(of(WORDS)));
  const many = (limit: number, make: () => string, between: string): string => Array.from({ length: below(limit + 1) }, make).join(between);

  const text = (scope: Scope, depth: number): string => {
    if (faulty && once(40)) return of(NOWHERE);
    if (depth <= 0) return once(2) ? literalText() : of(scope.texts);
    const inner = (): string => text(scope, depth - 1);
    switch (below(14)) {
      case 0:
      case 1:
        return literalText();
      case 2:
        return of(scope.texts);
      case 3:
        return `${inner()} ~ ${once(3) ? any(scope, depth - 1) : inner()}`;
      case 4:
        return `${inner()} + ${inner()}`;
      case 5:
      case 6:
      case 7:
        return `${operand(inner())} | ${textFilter(scope, depth - 1)}`;
      case 8:
        return `${operand(inner())}.${once(40) ? of(['title()', 'capitalize()', 'format(1)', 'encode()']) : of(['upper()', 'lower()', 'strip()', "replace('a', 'b')", "lstrip()", "rstrip()", "split(',')[0]", "strip('a')"])}`;
      case 9:
        return `${list(scope, depth - 1)} | join(${of(["''", "' '", "', '", ''])})`;
      case 10:
        return `(${inner()} if ${condition(scope, depth - 1)} else ${inner()})`;
      case 11:
        return `(${inner()})`;
      case 12:
        return scope.macros.length > 0 ? call(scope, depth - 1) : inner();
      default:
        return `${operand(inner())}${of(['[0]', '[1:]', '[:2]', '[-1]', '[1:3]'])}`;
    }
  };
  const operand = (source: string): string => (/^[A-Za-z_'"][^\s]*$/.test(source) && !/[+~|]/.test(source) ? source : `(${source})`);
  const textFilter = (scope: Scope, depth: number): string => {
    const inner = (): string => text(scope, depth - 1);
    if (once(30)) return of(REFUSED);
    return of([
      'upper', 'lower', 'trim', 'title', 'capitalize', 'string', 'reverse | list | join', 'first', 'last', 'default("x")', "default('x', true)", 'indent', 'indent(2)', 'indent(4, true)', 'indent(width=2, first=true)', 'truncate(5)', "replace('a', 'b')", "replace(' ', '-')", "replace('\\n', ' ')",
      `replace(${literalText()}, ${inner()})`, `default(${inner()})`, 'list | join', 'length | string', "trim('a')", 'int', "replace('a', 'b', 1)", "truncate(9, true, '.')", "truncate(length=6, leeway=0)", 'title', 'upper | lower',
    ]);
  };
  const number = (scope: Scope, depth: number): string => {
    if (depth <= 0) return once(2) ? String(below(20)) : of(scope.numbers);
    const inner = (): string => number(scope, depth - 1);
    switch (below(9)) {
      case 0:
        return of(['0', '1', '-3', '1.5', '2.0', '1e3', '0x1f', '1_000', '10 ** 2']);
      case 1:
        return of(scope.numbers);
      case 2:
      case 3:
        return `${inner()} ${of(['+', '-', '*'])} ${inner()}`;
      case 4:
        return `${inner()} ${once(4) ? of(['//', '%']) : '/'} ${of(['2', '3', '-2', '7'])}`;
      case 5:
        return `(${inner()}) | ${of(['abs', 'int', 'abs', 'int'])}`;
      case 6:
        return `${list(scope, depth - 1)} | ${of(['length', 'count'])}`;
      case 7:
        return `(${inner()})`;
      default:
        return `${text(scope, depth - 1)} | length`;
    }
  };
  const list = (scope: Scope, depth: number): string => {
    const inner = (): string => list(scope, depth - 1);
    if (depth <= 0) return once(2) ? of(scope.lists) : `[${many(3, literalText, ', ')}]`;
    switch (below(9)) {
      case 0:
        return of(scope.lists);
      case 1:
      case 2:
        return `[${many(3, () => any(scope, depth - 1), ',\n   ')}${once(4) ? '' : ''}]`;
      case 3:
        return `(${inner()}) | ${of(['reverse | list', 'unique | list', "map('upper') | list", "select | list", "reject('none') | list", 'list', "map('length') | list", "select('string') | list", "select('string') | sort", "select('string') | sort(reverse=true)"])}`;
      case 4:
        return `${operand(text(scope, depth - 1))}.split(${of(["','", '', "' '"])})`;
      case 5:
        return `range(${below(4)}) | list`;
      case 6:
        return `(${inner()} + ${inner()})`;
      case 7:
        return `(${inner()})[${of(['1:', ':1', ':'])}]`;
      default:
        return `(${inner()} if ${condition(scope, depth - 1)} else ${inner()})`;
    }
  };
  const condition = (scope: Scope, depth: number): string => {
    if (faulty && once(40)) return of(NOWHERE);
    if (depth <= 0) return of([...scope.flags, ...scope.texts, ...scope.lists, 'true', 'false', 'none']);
    const inner = (): string => condition(scope, depth - 1);
    switch (below(10)) {
      case 0:
        return of(scope.flags);
      case 1:
        return `${operand(text(scope, depth - 1))} ${of(['==', '!='])} ${operand(text(scope, depth - 1))}`;
      case 2:
        return `${number(scope, depth - 1)} ${of(['<', '>', '<=', '>=', '=='])} ${number(scope, depth - 1)}`;
      case 3:
        return `${operand(text(scope, 0))} ${of(['in', 'not in'])} ${operand(list(scope, depth - 1))}`;
      case 4:
        return `not ${inner()}`;
      case 5:
        return `${inner()} ${of(['and', 'or'])} ${inner()}`;
      case 6:
        return `${of([...scope.texts, ...scope.lists, ...(faulty ? [] : ['nope', 'nested.nope'])])} is ${of(['', 'not '])}defined`;
      case 7:
        return `${operand(any(scope, depth - 1))} is ${of(['', 'not '])}${of(['string', 'number', 'none', 'mapping', 'sequence', 'iterable', 'true', 'false', 'boolean', 'integer', 'float', "sameas true"])}`;
      case 8:
        return `(${inner()})`;
      default:
        return `${operand(text(scope, 0))}.startswith(${literalText()})`;
    }
  };
  const any = (scope: Scope, depth: number): string => {
    switch (below(7)) {
      case 0:
        return number(scope, depth);
      case 1:
        return list(scope, depth);
      case 2:
        return condition(scope, depth);
      case 3:
        return once(3) ? `{${literalText()}: ${text(scope, 0)}}` : once(8) ? of(['()', '(1,)', 'nested', 'range(3)']) : of(['none', 'true', 'false', 'None', 'True', '{}', '[]', 'one']);
      default:
        return text(scope, depth);
    }
  };
  const call = (scope: Scope, depth: number): string => {
    const inner = (): string => text(scope, depth - 1);
    return `${of(scope.macros)}(${of([() => '', inner, () => `${inner()}, ${inner()}`, () => `a=${inner()}`, () => `${inner()}, b=${any(scope, depth - 1)}`, () => `b=${inner()}, a=${inner()}`])()})`;
  };

  const space = (): string => (once(6) ? '' : once(8) ? '\n' : ' ');
  const statement = (inner: string): string => `{%${of(['', '', '', '', '-', '-', '+'])}${space()}${inner}${space()}${of(['', '', '', '', '-', '-', '+'])}%}`;
  const output = (inner: string): string => `{{${of(['', '', '', '', '', '-'])}${once(8) ? '' : ' '}${inner}${once(8) ? '' : ' '}${of(['', '', '', '', '', '-'])}}}`;
  const plain = (): string => of(['RUN true', '\n', ' \n', '\n\n', '  ', '\t', ' && \\\n    ', 'x', 'COPY a /b\n', '# a comment\n', '$X ${Y:-z}', '{ }', '"', '\n    ', 'é']);
  const comment = (): string => `{#${of(['', '-', ''])} ${of(['said', "it's", 'two\nlines', '{{ no }}'])} ${of(['', '-', ''])}#}`;

  /** Some pieces, and the scope behind them. */
  const body = (scope: Scope, length: number, depth: number): { readonly source: string; readonly scope: Scope } => {
    let source = '';
    let inScope = scope;
    for (let i = 0; i < length; i++) {
      const piece = onePiece(inScope, depth);
      source += piece.source;
      inScope = piece.scope ?? inScope;
    }
    return { source, scope: inScope };
  };
  const branch = (scope: Scope, depth: number): string => body(scope, 1 + below(3), depth - 1).source;
  const block = (scope: Scope, depth: number): string => branch({ ...scope, growing: undefined }, depth);
  /** Something that is done with a list that grows; now and then what would give it a second name. */
  const grown = (scope: Scope, name: string): string => {
    if (once(25)) return statement(`set ${name}_too = ${name}`) + output(`${name}_too | length`);
    return of([
      () => statement(`do ${name}.append(${of([text(scope, 0), `${text(scope, 0)} ~ ${text(scope, 1)}`, `${text(scope, 0)} | upper`, `${name} | length`, `[${literalText()}]`])})`),
      () => statement(`do ${name}.append(${text(scope, 0)})`),
      () => statement(`do ${name}.extend(${of([`[${text(scope, 0)}, ${literalText()}]`, 'list', `${text(scope, 0)}.split(' ')`])})`),
      () => output(`${name} | join(${literalText()})`),
      () => output(of([name, `${name} | length`, `${text(scope, 0)} in ${name}`, `${name} | sort | join(',')`, `${name} == ['a']`, `${name}[0] if ${name} else 'none'`])),
      () => statement(`if ${text(scope, 0)} ${of(['in', 'not in'])} ${name}`) + statement(`do ${name}.append(${text(scope, 0)})`) + statement('endif'),
      () => statement(`for x in ${name}`) + output('x') + statement('endfor'),
      () => statement(`set ${name}_text = ${name} | join(' ')`) + output(`${name}_text`),
    ])();
  };
  const onePiece = (scope: Scope, depth: number): { readonly source: string; readonly scope?: Scope } => {
    const fresh = (): string => `v${names++}`;
    const kind = below(depth <= 0 ? 9 : 26);
    switch (kind) {
      case 0:
      case 1:
      case 2:
        return { source: plain() };
      case 3:
      case 4:
      case 5:
        return { source: output(text(scope, 2)) };
      case 6:
        return { source: output(own && once(2) ? of(OWN) : any(scope, 2)) };
      case 7:
        return { source: comment() };
      case 8:
        return { source: statement('raw') + of(['{{ x }}', '{% if %}', "'", ' a ']) + statement('endraw') };
      case 9: {
        const name = fresh();
        return once(3)
          ? { source: statement(`set ${name} = ${list(scope, 2)}`), scope: { ...scope, lists: [...scope.lists, name] } }
          : { source: statement(`set ${name} = ${text(scope, 2)}`), scope: { ...scope, texts: [...scope.texts, name, name] } };
      }
      case 10: {
        const name = fresh();
        const filter = of(['', '', ' | upper', ' | trim', " | replace('\\n', ' ')", ' | indent(2)']);
        return { source: statement(`set ${name}${filter}`) + block(scope, depth) + statement('endset'), scope: { ...scope, texts: [...scope.texts, name, name] } };
      }
      case 11:
      case 12: {
        const parts = [statement(`if ${condition(scope, 2)}`), branch(scope, depth)];
        if (once(3)) parts.push(statement(`elif ${condition(scope, 1)}`), branch(scope, depth));
        if (once(2)) parts.push(statement('else'), branch(scope, depth));
        return { source: parts.join('') + statement('endif') };
      }
      case 13:
      case 14: {
        const name = fresh();
        const within: Scope = { ...scope, texts: [...scope.texts, name, name, name], numbers: [...scope.numbers, 'loop.index', 'loop.index0', 'loop.length'], flags: [...scope.flags, 'loop.first', 'loop.last'] };
        const filter = once(5) ? ` if ${condition({ ...scope, texts: [...scope.texts, name] }, 1)}` : '';
        return { source: statement(`for ${name} in ${list(scope, 1)}${filter}`) + block(within, depth) + (once(4) ? statement('else') + block(scope, depth) : '') + statement('endfor') };
      }
      case 15: {
        const name = fresh();
        const parameters = of(['', 'a', 'a, b', "a, b='x'", "a='', b=none"]);
        const within: Scope = { ...scope, texts: [...scope.texts, ...(parameters.includes('a') ? ['a', 'a'] : []), ...(parameters.includes('b') ? ['b'] : [])], macros: [] };
        return { source: statement(`macro ${name}(${parameters})`) + block(within, depth) + statement('endmacro'), scope: { ...scope, macros: [...scope.macros, name, name] } };
      }
      case 16:
        return { source: statement(`filter ${of(['upper', 'trim', "replace('a', 'b')", 'indent(2)', 'lower | trim', "indent(2, true)"])}`) + block(scope, depth) + statement('endfilter') };
      case 17: {
        const name = fresh();
        return { source: statement(`with ${name} = ${text(scope, 1)}`) + block({ ...scope, texts: [...scope.texts, name] }, depth) + statement('endwith') };
      }
      case 18: {
        const name = fresh();
        const called = `${statement(`macro ${name}(a, b='y')`)}<{{ a }}{{ caller() }}{{ b }}>${statement('endmacro')}`;
        return { source: called + statement(`call ${name}(${text(scope, 1)})`) + block(scope, depth) + statement('endcall') };
      }
      case 19: {
        const [key, value] = [fresh(), fresh()];
        const pairs = of([`[(${literalText()}, ${text(scope, 1)}), ('k', 'v')]`, 'versions.items()', 'versions | dictsort', 'one.items()']);
        return { source: statement(`for ${key}, ${value} in ${pairs}`) + block({ ...scope, texts: [...scope.texts, key, value, value] }, depth) + statement('endfor') };
      }
      case 20: {
        const name = fresh();
        const loop = `${statement(`for x in ${list(scope, 1)}`)}${statement(`set ${name}.a = ${name}.a ~ ${of(['x', 'loop.index', "loop.cycle('o', 'e')", 'word'])}`)}${statement('endfor')}`;
        return { source: statement(`set ${name} = namespace(a=${text(scope, 1)})`) + loop + output(`${name}.a`) };
      }
      case 21: {
        if (scope.growing === undefined) return { source: plain() };
        const name = fresh();
        const inLoop = [statement(`do ${name}.a.append(${of(['x', 'loop.index', 'word', literalText()])})`), statement(`do ${name}.a.extend([x, loop.index])`)];
        const conditional = once(2) ? [statement(`if x ${of(['!=', '=='])} ${literalText()}`), statement('endif')] : ['', ''];
        const loop = `${statement(`for x in ${list({ ...scope, growing: undefined }, 1)}`)}${conditional[0]!}${of(inLoop)}${conditional[1]!}${statement('endfor')}`;
        return { source: statement(`set ${name} = namespace(a=${of(['[]', `[${text(scope, 0)}]`, 'list | list'])}, b=1)`) + loop + output(`${name}.a | join(${literalText()})`) + output(of([`${name}.a`, `${name}.a | length`])) };
      }
      case 22:
      case 23:
      case 24: {
        if (scope.growing === undefined) return { source: plain() };
        if (scope.growing.length > 0 && !once(3)) return { source: grown(scope, of(scope.growing)) };
        const name = fresh();
        const start = statement(`set ${name} = ${of(['[]', '[]', `[${literalText()}, ${text(scope, 0)}]`, 'list | list', "'a b'.split(' ')", "['a'] + ['b']"])}`);
        const inScope = { ...scope, growing: [...scope.growing, name] };
        return { source: start + many(3, () => grown(inScope, name), plain()), scope: inScope };
      }
      default:
        return { source: statement(`do ${of([text(scope, 1), list(scope, 1)])}`) };
    }
  };

  const imported = body({ ...GLOBAL, texts: GLOBAL.texts.filter((name) => !name.includes('versions')) }, 0, 0).source +
    `${of(['', '{# head #}\n'])}{% set top = ${literalText()} %}\n{% macro mac(a, b='y') ${of(['-', ''])}%}${block({ ...GLOBAL, texts: ['a', 'b'], numbers: ['3'], lists: ["['q']"], flags: ['true'], macros: [] }, 1)}{%${of(['-', ''])} endmacro %}\n${of(['', '{# foot #}\n', 'x'])}`;
  const head = of<() => { readonly source: string; readonly scope: Scope }>([
    () => ({ source: '', scope: GLOBAL }),
    () => ({ source: '', scope: GLOBAL }),
    () => ({ source: `${statement("import 'm.j2' as m")}\n`, scope: { ...GLOBAL, texts: [...GLOBAL.texts, 'm.top'], macros: ['m.mac'] } }),
    () => ({ source: `${statement("import 'm.j2' as m with context")}\n`, scope: { ...GLOBAL, texts: [...GLOBAL.texts, 'm.top'], macros: ['m.mac'] } }),
    () => ({ source: `${statement("from 'm.j2' import mac, top as t")}\n`, scope: { ...GLOBAL, texts: [...GLOBAL.texts, 't'], macros: ['mac'] } }),
    () => ({ source: `${statement("include 'm.j2'")}\n`, scope: GLOBAL }),
  ])();
  const main = body(head.scope, 1 + below(5), 2).source;
  return { 'Dockerfile.template': head.source + main + of(['\n', '', '\n\n', ' \n']), ...(head.source === '' ? {} : { 'm.j2': imported }) };
}
