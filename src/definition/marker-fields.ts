import { basename } from 'node:path/posix';
import { nearHint } from '../shared/near-names.js';
import type { Problem } from '../shared/problem.js';
import { parseYaml } from '../shared/yaml-document.js';
import { yamlFields, type YamlFields } from '../shared/yaml-fields.js';

/** The fields of a marker file in YAML; a key that such a file does not have is a problem with its line. Undefined when it cannot be read at all; why, is in `problems`. */
export function markerFields(path: string, text: string, keys: readonly string[], problems: Problem[]): YamlFields | undefined {
  const parsed = parseYaml(path, text);
  if (!parsed.ok) {
    problems.push(...parsed.problems);
    return undefined;
  }
  const fields = yamlFields(path, parsed.value, problems);
  for (const key of fields?.keys ?? []) {
    if (!keys.includes(key)) fields!.problem(key, `is not a key of ${basename(path)}${nearHint(key, keys) || ` (there are: ${keys.join(', ')})`}`);
  }
  return fields;
}
