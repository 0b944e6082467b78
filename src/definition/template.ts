import { Environment } from 'minijinja-js';
import { nearHint } from '../shared/near-names.js';
import { bad, distinctProblems, errorAt, good, warningAt, type Checked, type Problem } from '../shared/problem.js';
import { pythonStr } from './python-text.js';
import { PYTHON_FILTERS, PYTHON_TESTS } from './python-filters.js';
import { toDialect } from './rewrite-template.js';
import { isSorted, MAIN, NAME_END, PRINT_FILTER, TEST_PREFIX, type Dialect } from './template-dialect.js';
import { TEMPLATE_FILTERS } from './template-filters.js';
import type { TemplateSettings } from './template-settings.js';

/** A Dockerfile's text, and which images its template asked for by `image_tag`, in the order it did. */
export type Rendered = {
  readonly text: string;
  readonly imageTags: readonly { readonly name: string; readonly ref: string }[];
};

/** Renders templates as Jinja2 does in docker-pkg's environment. */
export type Renderer = {
  /** `path` is how problems call the template. Renders of one template in a row share its parsing. */
  render(path: string, source: string, settings: TemplateSettings): Checked<Rendered>;
};

type Engine = Environment;

/** What the filters of the render at hand write to. */
type Session = {
  readonly settings: TemplateSettings;
  /** How problems call each file: by the name it was imported under. */
  readonly paths: Map<string, string>;
  readonly problems: Problem[];
  readonly warnings: Problem[];
  readonly imageTags: { name: string; ref: string }[];
  /** Of all files of the template. */
  hasFloats: boolean;
  hasPairs: boolean;
};

/** Steps of the engine per render: a loop that needs more is taken for endless. */
const FUEL = 5_000_000;
/** Templates whose rewritten text is remembered. */
const REMEMBERED = 256;

/** Loads the template engine, once; afterwards rendering is synchronous. */
export async function createRenderer(): Promise<Renderer> {
  const dialects = new Map<string, Dialect>();
  let session: Session | undefined;
  /** By whether it trims blocks; each with what it has been given under each name. */
  const engines = new Map<boolean, { readonly env: Engine; readonly registered: Map<string, string> }>();

  const dialectOf = (name: string, source: string): Dialect => {
    const key = `${name}\n${source}`;
    const known = dialects.get(key);
    if (known !== undefined) return known;
    const dialect = toDialect(name, source);
    if (dialects.size >= REMEMBERED) dialects.delete(dialects.keys().next().value!);
    dialects.set(key, dialect);
    return dialect;
  };

  const openEngine = (trimBlocks: boolean): { readonly env: Engine; readonly registered: Map<string, string> } => {
    const known = engines.get(trimBlocks);
    if (known !== undefined) return known;
    const engine = new Environment();
    engine.trimBlocks = trimBlocks;
    engine.lstripBlocks = trimBlocks;
    engine.enablePyCompat();
    engine.undefinedBehavior = 'strict';
    // Debug would print the values of variables into error texts.
    engine.debug = false;
    engine.fuel = FUEL;
    engine.removeGlobal('debug');
    for (const name of Object.keys(TEMPLATE_FILTERS)) engine.addFilter(name, templateFilter(name, () => session!));
    for (const name of Object.keys(PYTHON_FILTERS)) engine.addFilter(name, pythonFilter(name, () => session!));
    for (const [name, test] of Object.entries(PYTHON_TESTS)) engine.addTest(TEST_PREFIX + name, test);
    engine.addFilter(PRINT_FILTER, guarded(() => session!, print));
    const opened = { env: engine, registered: new Map<string, string>() };
    engines.set(trimBlocks, opened);
    return opened;
  };

  const render = (path: string, source: string, settings: TemplateSettings): Checked<Rendered> => {
    const main = dialectOf(MAIN, source);
    const files = new Map([[MAIN, main]]);
    const current: Session = { settings, paths: new Map([[MAIN, path]]), problems: [], warnings: [], imageTags: [], hasFloats: false, hasPairs: false };
    const { env, registered } = openEngine(settings.trimBlocks);
    const register = (name: string, text: string): void => {
      if (registered.get(name) === text) return;
      env.addTemplate(name + NAME_END, text);
      registered.set(name, text);
    };
    const forget = (name: string): void => {
      if (registered.delete(name)) env.removeTemplate(name + NAME_END);
    };
    const place = (name: string): string => current.paths.get(name) ?? name;
    const load = (name: string, dialect: Dialect): void => {
      current.hasFloats ||= dialect.hasFloats;
      current.hasPairs ||= dialect.hasPairs;
      for (const { line, message } of dialect.problems) current.problems.push(errorAt(place(name), line, message));
      for (const { line, path: walked } of dialect.walked) {
        const value = walked.reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), settings.variables);
        if (!dialect.assigned.has(walked[0] ?? '') && isRecord(value) && !isSorted(Object.keys(value))) {
          current.problems.push(errorAt(place(name), line, `"${walked.join('.')}" is walked through: its keys must stand in sorted order in the config`));
        }
      }
      for (const use of dialect.imports) {
        if (files.has(use.name)) continue;
        const file = settings.readImport(use.name);
        if (file === undefined) {
          if (use.optional) forget(use.name);
          else current.problems.push(errorAt(place(name), use.line, `imports "${use.name}", which is not there`));
        } else if (file === 'outside') current.problems.push(errorAt(place(name), use.line, `imports "${use.name}", which lies outside the tree`));
        else {
          const imported = dialectOf(use.name, file.text);
          current.paths.set(use.name, file.path);
          files.set(use.name, imported);
          load(use.name, imported);
        }
      }
    };
    load(MAIN, main);
    current.problems.push(...withoutContext(files, current));
    if (current.problems.length > 0) return bad(distinctProblems(current.problems));

    const context: Record<string, unknown> = {};
    for (const dialect of files.values()) for (const word of dialect.words) if (Object.hasOwn(settings.variables, word)) context[word] = settings.variables[word];
    session = current;
    let text = '';
    try {
      for (const [name, dialect] of files) register(name, dialect.text);
      text = env.renderTemplate(MAIN + NAME_END, context);
    } catch (error) {
      if (!isTemplateError(error)) engines.delete(settings.trimBlocks);
      const inner = (name: string): unknown => failureOf(() => env.renderTemplate(name + NAME_END, context));
      current.problems.push(...explainFailure(error, path, files, current, inner));
    } finally {
      session = undefined;
    }
    if (current.problems.length > 0) return bad(distinctProblems([...current.problems, ...current.warnings]));
    return good({ text, imageTags: current.imageTags }, distinctProblems(current.warnings));
  };
  return { render };
}

/** Reads of the config's variables in files that do not see them, since they are imported without context: minijinja would let them. */
function withoutContext(files: ReadonlyMap<string, Dialect>, session: Session): readonly Problem[] {
  const seeing = new Set([MAIN]);
  for (const name of seeing) for (const use of files.get(name)?.imports ?? []) if (use.context) seeing.add(use.name);
  return [...files].flatMap(([name, { reads, assigned }]) => {
    if (seeing.has(name)) return [];
    const blind = reads.filter(({ root }) => Object.hasOwn(session.settings.variables, root) && !assigned.has(root) && !BUILT_IN.has(root));
    return blind.map(({ line, root }) => errorAt(session.paths.get(name) ?? name, line, `"${root}" of the config is not seen in a file that is imported without "with context"`));
  });
}

/** The engine's own errors are plain; anything else has left it broken. */
function isTemplateError(error: unknown): error is Error {
  return error instanceof Error && error.constructor === Error && /\(in .*#:\d+\)/.test(error.message);
}

function failureOf(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A throw inside a filter would tear down the engine: it is noted instead, and the render goes on with nothing. */
function guarded(current: () => Session, filter: (session: Session, ...args: readonly unknown[]) => unknown): (...args: readonly unknown[]) => unknown {
  return (...args) => {
    const session = current();
    try {
      return filter(session, ...args);
    } catch (error) {
      session.problems.push(errorAt(session.paths.values().next().value!, undefined, `a template filter failed: ${error instanceof Error ? error.message : String(error)}`));
      return '';
    }
  };
}

/** `place` is what the rewritten template says of itself: a line, or `name:line` in an imported file. */
function problemAt(session: Session, place: unknown, make: typeof errorAt, message: string): Problem {
  if (typeof place === 'number') return make(session.paths.get(MAIN)!, place, message);
  const text = String(place);
  const colon = text.lastIndexOf(':');
  const name = text.slice(0, colon);
  return make(session.paths.get(name) ?? name, Number(text.slice(colon + 1)), message);
}

function templateFilter(name: string, current: () => Session): (...args: readonly unknown[]) => unknown {
  const filter = TEMPLATE_FILTERS[name]!;
  return guarded(current, (session, value, place, read, ...extra) => {
    const refuse = (message: string): string => {
      session.problems.push(problemAt(session, place, errorAt, message));
      return '';
    };
    if (value === undefined || value === null) return refuse(read ? notDefined(String(read), session) : `${name} is given nothing`);
    if (typeof value !== 'string') return refuse(`${name} takes a string, not ${Array.isArray(value) ? 'a list' : `a ${typeof value}`}`);
    if (extra.length > 0) return refuse(`${name} takes no arguments`);
    const result = filter(value, session.settings);
    if ('error' in result) return refuse(result.error);
    if (result.warning !== undefined) session.warnings.push(problemAt(session, place, warningAt, result.warning));
    if (name === 'image_tag') session.imageTags.push({ name: value, ref: result.text });
    return result.text;
  });
}

/** A filter of Jinja2's, its arguments found by place or by name. */
function pythonFilter(name: string, current: () => Session): (...args: readonly unknown[]) => unknown {
  const { parameters, run } = PYTHON_FILTERS[name]!;
  return guarded(current, (session, value, place, read, ...given) => {
    const refuse = (message: string): string => {
      session.problems.push(problemAt(session, place, errorAt, message));
      return '';
    };
    if (value === undefined || value === null) return refuse(read ? notDefined(String(read), session) : `${name} is given nothing`);
    const named = given.at(-1) instanceof Map ? (given.at(-1) as ReadonlyMap<string, unknown>) : new Map<string, unknown>();
    const args = given.at(-1) instanceof Map ? given.slice(0, -1) : [...given];
    if (args.length > parameters.length) return refuse(parameters.length === 0 ? `${name} takes no arguments` : `${name} takes no more than ${parameters.join(', ')} here`);
    for (const [key, argument] of named) {
      if (!parameters.includes(key)) return refuse(`${name} has no argument "${key}" here`);
      args[parameters.indexOf(key)] = argument;
    }
    if ([...given.slice(0, args.length), ...named.values()].some((argument) => argument === undefined || argument === null)) return refuse(`${name} is given nothing for an argument`);
    const printed = name === 'int' ? [] : [...(name === 'join' && Array.isArray(value) ? value : [value]), ...args];
    const fault = printed.map((one) => printFault(one, session)).find((found) => found !== undefined);
    if (fault !== undefined) return refuse(fault);
    const answer = run(value, args, pythonStr);
    return typeof answer === 'object' && 'error' in answer ? refuse(`${name} ${answer.error}`) : answer;
  });
}

/** Why a value cannot be printed as Python prints it; undefined: it can. */
function printFault(value: unknown, session: Session): string | undefined {
  if (typeof value === 'number') {
    if (/e/.test(String(value))) return 'a number is too large or too small to be printed here';
    return session.hasFloats && Number.isInteger(value) ? 'a number that may be 2 or 2.0 is printed in a list, through a filter or beside "~": the two are the same there' : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) {
    if (session.hasPairs) return 'a list is printed where there are pairs: the two look the same here';
    return value.map((item) => printFault(item, session)).find((fault) => fault !== undefined);
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  if (entries.length > 1) return 'a mapping is printed: name what is wanted of it, its order is not kept here';
  return entries.flat().map((item) => printFault(item, session)).find((fault) => fault !== undefined);
}

function notDefined(read: string, session: Session): string {
  const known = Object.keys(session.settings.variables);
  return `"${read}" is not defined${known.includes(read) ? ' (its value is empty)' : nearHint(read, known)}`;
}

function print(session: Session, value: unknown, isNone: unknown, place: unknown, name: unknown): unknown {
  if (value === undefined && isNone !== true) {
    session.problems.push(problemAt(session, place, errorAt, name ? notDefined(String(name), session) : 'an undefined value or none is printed'));
    return '';
  }
  const fault = printFault(value, session);
  if (fault !== undefined) session.problems.push(problemAt(session, place, errorAt, fault));
  return fault === undefined ? pythonStr(value) : '';
}

/** Names that the language itself gives. */
const BUILT_IN = new Set(['loop', 'caller', 'varargs', 'kwargs', 'self', 'super', 'range', 'dict', 'namespace', 'joiner', 'cycler', 'true', 'false', 'none']);

/** The engine's error in our words, with the line of the file it arose in. */
function explainFailure(error: unknown, path: string, files: ReadonlyMap<string, Dialect>, session: Session, inner: (name: string) => unknown, seen: readonly string[] = []): readonly Problem[] {
  const message = error instanceof Error ? error.message : String(error);
  const parts = /^(.*?) \(in (.*?)#:(\d+)\)/s.exec(message);
  if (parts === null || !isTemplateError(error)) return [errorAt(path, undefined, 'the template is nested too deeply for the template engine')];
  const [, said, name, lineText] = parts as unknown as [string, string, string, string];
  const line = Number(lineText);
  const where = session.paths.get(name) ?? name;
  const included = /^could not render include: error in "(.*)#"$/.exec(said)?.[1];
  if (included !== undefined) {
    // The filters have noted their own faults; for the engine's own, the file alone tells the line.
    if (session.problems.length > 0) return [];
    const cause = seen.includes(included) ? undefined : inner(included);
    if (isTemplateError(cause)) return explainFailure(cause, path, files, session, inner, [...seen, included]);
    return [errorAt(where, line, `"${included}" cannot be rendered here`)];
  }
  if (said === 'undefined value' || said.includes('type undefined') || said.includes(' undefined and ') || said.includes(' and undefined')) {
    const message = undefinedOn(line, files.get(name), session);
    if (message !== undefined) return [errorAt(where, line, message)];
  }
  return [errorAt(where, line, inOurWords(said, session))];
}

/** Which variable of a line has no value, as far as the line tells. */
function undefinedOn(line: number, dialect: Dialect | undefined, session: Session): string | undefined {
  const told = new Set(session.problems.map((problem) => problem.message));
  const reads = dialect?.reads.filter((read) => read.line === line && !told.has(notDefined(read.text, session))) ?? [];
  const unknown = reads.filter(({ root }) => !dialect!.assigned.has(root) && !BUILT_IN.has(root) && !Object.hasOwn(session.settings.variables, root));
  const candidates = [...new Set((unknown.length > 0 ? unknown : reads).map(({ text }) => text))];
  if (candidates.length === 0) return undefined;
  if (candidates.length === 1) return notDefined(candidates[0]!, session);
  return `one of these is not defined: ${candidates.join(', ')}`;
}

function inOurWords(said: string, session: Session): string {
  const unknown = /^unknown (filter|test|function): (?:filter |test )?(\S+) is unknown$/.exec(said);
  if (unknown !== null) return unknown[1] === 'function' ? notDefined(unknown[2]!, session) : `"${unknown[2]}" is not a ${unknown[1]}`;
  const method = /^unknown method: (\S+) has no method named (\S+)$/.exec(said);
  if (method !== null) return `"${method[2]}" is a method that a ${method[1]} does not have here`;
  if (said.startsWith('engine ran out of fuel')) return 'the template does not come to an end';
  if (/invalid float literal|cannot parse float/.test(said)) return 'float is given what is no number';
  if (/cannot convert (map|kwargs) to/.test(said)) return 'an argument by name is not supported here: give it by its place';
  const added = /unsupported types sequence and (\w+)$/.exec(said);
  if (added !== null) return `a list is extended by, or added to, a list: not a ${added[1]}`;
  return said.replace(/^syntax error: /, 'template syntax: ').replace(/^invalid operation: /, '');
}
