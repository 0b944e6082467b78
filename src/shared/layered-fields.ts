import type { Problem } from './problem.js';
import type { YamlDocument } from './yaml-document.js';
import { yamlFields, type YamlFields } from './yaml-fields.js';

/** A file of keys, as it was read. */
export type Layer = { readonly path: string; readonly document: YamlDocument };

/**
 * The keys of several files as if they were one: each key is that of the first file that has it, whole, even if it says "nothing"
 * there (docker-pkg's rule). Undefined, with a problem each, where a file is no mapping.
 * @param nullable keys that are as good as absent where they are null
 */
export function layeredFields(layers: readonly Layer[], nullable: readonly string[], problems: Problem[]): (YamlFields & { readonly owners: readonly YamlFields[] }) | undefined {
  const taken = new Set<string>();
  const owners = layers.map(({ path, document }) => {
    const { value } = document;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return yamlFields(path, document, problems);
    const own = Object.entries(value).filter(([key]) => !taken.has(key));
    for (const [key] of own) taken.add(key);
    return yamlFields(path, { ...document, value: Object.fromEntries(own.filter(([key, item]) => item !== null || !nullable.includes(key))) }, problems);
  });
  if (!owners.every((owner) => owner !== undefined)) return undefined;
  const owner = (key: string): YamlFields => owners.find(({ keys }) => keys.includes(key)) ?? owners[0]!;
  return {
    owners,
    keys: owners.flatMap(({ keys }) => keys),
    line: owners[0]!.line,
    lineOf: (key, ...below) => owner(String(key)).lineOf(key, ...below),
    pathOf: (key) => owner(key).pathOf(key),
    text: (key) => owner(key).text(key),
    checkedText: (key, fault) => owner(key).checkedText(key, fault),
    textOrNumber: (key) => owner(key).textOrNumber(key),
    texts: (key, fault) => owner(key).texts(key, fault),
    flag: (key) => owner(key).flag(key),
    number: (key, rule) => owner(key).number(key, rule),
    size: (key) => owner(key).size(key),
    scalars: (key) => owner(key).scalars(key),
    mapping: (key) => owner(key).mapping(key),
    mappings: (key) => owner(key).mappings(key),
    problem: (key, message) => owner(key).problem(key, message),
  };
}
