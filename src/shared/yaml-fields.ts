import { errorAt, type Problem } from './problem.js';
import { parseSize } from './size.js';
import { pointerStep, type YamlDocument } from './yaml-document.js';

/**
 * Reads the keys of one mapping, each as the type it should have; what is of another type is a problem with its line and reads as
 * unset, so that one run finds all of them. Of values, messages show items of lists only, and those
 * without `user:password@`.
 */
export type YamlFields = {
  /** The keys that are there, as written. */
  readonly keys: readonly string[];
  /** The line on which the mapping begins. */
  readonly line: number;
  lineOf(key: string | number, ...below: readonly (string | number)[]): number;
  /** The file that has a key. */
  pathOf(key: string): string;
  text(key: string): string | undefined;
  /** A text whose check returns what is wrong with it ("is no image reference"). */
  checkedText(key: string, fault: (text: string) => string | undefined): string | undefined;
  textOrNumber(key: string): string | number | undefined;
  texts(key: string, fault?: (text: string) => string | undefined): readonly string[] | undefined;
  flag(key: string): boolean | undefined;
  number(key: string, rule: { readonly whole: boolean; readonly min: number; readonly max?: number }): number | undefined;
  /** Bytes of a size with its unit (`20GB`); 0 needs none. */
  size(key: string): number | undefined;
  /** A text, number or true/false, or a list of these, each as it was written. */
  scalars(key: string): string | readonly string[] | undefined;
  /** The fields of a mapping below this one. */
  mapping(key: string): YamlFields | undefined;
  /** The fields of each mapping of a list; those that are none are problems. */
  mappings(key: string): readonly YamlFields[];
  problem(key: string, message: string): void;
};

/** The fields at a place of a document (default: its top); undefined, with a problem, when there is no mapping. */
export function yamlFields(path: string, document: YamlDocument, problems: Problem[], value: unknown = document.value, pointer = ''): YamlFields | undefined {
  if (!isMapping(value)) {
    problems.push(errorAt(path, document.lineOf(pointer), `${pointer === '' ? 'the file' : nameOf(pointer)} must be a mapping ("key: value"), not ${kindOf(value)}`));
    return undefined;
  }
  const lineOf = (...steps: readonly (string | number)[]): number => document.lineOf(pointer + steps.map(pointerStep).join(''));
  const label = (key: string): string => nameOf(pointer + pointerStep(key));
  const problem = (key: string, message: string): void => void problems.push(errorAt(path, lineOf(key), `${label(key)} ${message}`));
  const get = (key: string): unknown => (Object.hasOwn(value, key) ? value[key] : undefined);
  const text = (key: string): string | undefined => {
    const found = get(key);
    if (found === undefined || typeof found === 'string') return found;
    problem(key, `must be text, not ${kindOf(found)}${typeof found === 'number' || typeof found === 'boolean' ? ': put it in quotes' : ''}`);
    return undefined;
  };
  return {
    keys: Object.keys(value),
    line: document.lineOf(pointer),
    lineOf,
    pathOf: () => path,
    problem,
    text,
    checkedText(key, fault) {
      const found = text(key);
      const message = found === undefined ? undefined : fault(found);
      if (message !== undefined) problem(key, message);
      return message === undefined ? found : undefined;
    },
    textOrNumber(key) {
      const found = get(key);
      if (found === undefined || typeof found === 'string' || typeof found === 'number') return found;
      problem(key, `must be text or a number, not ${kindOf(found)}`);
      return undefined;
    },
    texts(key, fault = () => undefined) {
      const found = get(key);
      if (found === undefined) return undefined;
      if (!Array.isArray(found)) {
        problem(key, `must be a list, not ${kindOf(found)}`);
        return undefined;
      }
      const valid = found.filter((item, index): item is string => {
        const message = typeof item === 'string' ? fault(item) : `must be text, not ${kindOf(item)}`;
        if (message !== undefined) problems.push(errorAt(path, lineOf(key, index), `${label(key)}: ${typeof item === 'string' ? `"${withoutUserinfo(item)}"` : `item ${index + 1}`} ${message}`));
        return message === undefined;
      });
      return valid.length === found.length ? valid : undefined;
    },
    flag(key) {
      const found = get(key);
      if (found === undefined || typeof found === 'boolean') return found;
      problem(key, `must be true or false, not ${kindOf(found)}`);
      return undefined;
    },
    number(key, { whole, min, max = Number.MAX_SAFE_INTEGER }) {
      const found = get(key);
      if (found === undefined) return undefined;
      if (typeof found === 'number' && (whole ? Number.isInteger(found) : Number.isFinite(found)) && found >= min && found <= max) return found;
      const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
      problem(key, `must be a ${whole ? 'whole ' : ''}number ${range}${typeof found === 'number' ? '' : `, not ${kindOf(found)}`}`);
      return undefined;
    },
    size(key) {
      const found = get(key);
      if (found === undefined) return undefined;
      const size = typeof found === 'string' || typeof found === 'number' ? parseSize(String(found)) : { fault: `must be a size ("20GB"), not ${kindOf(found)}` };
      if ('bytes' in size) return size.bytes;
      problem(key, typeof found === 'string' || typeof found === 'number' ? `"${found}" ${size.fault}` : size.fault);
      return undefined;
    },
    scalars(key) {
      const found = get(key);
      const written = (item: unknown, ...steps: readonly (string | number)[]): string | undefined => {
        if (!['string', 'number', 'boolean'].includes(typeof item)) {
          problems.push(errorAt(path, lineOf(...steps), `${label(key)} must be text, a number or true/false, or a list of these, not ${kindOf(item)}`));
          return undefined;
        }
        return document.plainTextOf(pointer + steps.map(pointerStep).join('')) ?? String(item);
      };
      if (found === undefined) return undefined;
      if (!Array.isArray(found)) return written(found, key);
      const items = found.map((item, index) => written(item, key, index));
      return items.every((item) => item !== undefined) ? items : undefined;
    },
    mappings(key) {
      const found = get(key);
      if (found === undefined) return [];
      if (!Array.isArray(found)) {
        problem(key, `must be a list, not ${kindOf(found)}`);
        return [];
      }
      return found.flatMap((item, index) => yamlFields(path, document, problems, item, pointer + pointerStep(key) + pointerStep(index)) ?? []);
    },
    mapping: (key) => (get(key) === undefined ? undefined : yamlFields(path, document, problems, get(key), pointer + pointerStep(key))),
  };
}

/** A text as messages may show it: what stands before an `@` in a URL or a reference may be a secret. */
function withoutUserinfo(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@(?!sha256:)/i, '$1…@');
}

/** `a list`, `nothing`: a YAML value's kind as a person says it. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'boolean' ? 'true or false' : typeof value === 'number' ? 'a number' : 'text';
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `timeouts.test` for `/timeouts/test`; which item of a list it is, the line says. */
function nameOf(pointer: string): string {
  return pointer.slice(1).replace(/\/\d+(?=\/|$)/g, '').replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
}
