import { warningAt, type Problem } from './problem.js';
import type { YamlFields } from './yaml-fields.js';

/** A proxy's URL as config.yaml and rootfs.yaml have it; credentials in it are left out, with a warning. undefined: none, or an empty one. */
export function readProxyUrl(fields: YamlFields, key: string, problems: Problem[]): string | undefined {
  const written = fields.checkedText(key, (text) => (/[\s"'\\;]/.test(text) ? 'must be a URL (no blanks, no quotes)' : undefined));
  if (!written) return undefined;
  const stripped = written.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/i, '$1');
  if (stripped !== written) problems.push(warningAt(fields.pathOf(key), fields.lineOf(key), `${key} holds credentials; they are left out, since templates, logs and images would show them`));
  return stripped;
}
