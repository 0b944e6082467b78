import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from './source-tree.js';

/** The values of a setting of one of the units that are shipped, in their order (systemd.syntax(7)). */
export function unitSetting(unit: string, section: string, key: string): readonly string[] {
  const lines = readFileSync(join(PROJECT, 'contrib/systemd', unit), 'utf8').split('\n');
  const begin = lines.indexOf(`[${section}]`);
  const end = lines.findIndex((line, at) => at > begin && line.startsWith('['));
  return lines.slice(begin + 1, end < 0 ? undefined : end).flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
}

/** The words of the night's ExecStart, the variables of the unit's Environment filled in as systemd.service(5) does: `$X` is its words. */
export function nightCommand(): readonly string[] {
  const environment = new Map(unitSetting('build-images-nightly.service', 'Service', 'Environment').map((text) => {
    const [, name, value] = /^"?([A-Z]+)=(.*?)"?$/.exec(text)!;
    return [name!, value!];
  }));
  const [line] = unitSetting('build-images-nightly.service', 'Service', 'ExecStart');
  return line!.split(' ').flatMap((word) => (word.startsWith('$') ? environment.get(word.slice(1))!.split(' ') : [word]));
}
