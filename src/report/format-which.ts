import { sayNames } from '../plan/reason.js';
import type { FoundImage } from '../state/find-packages.js';
import { count } from './amounts.js';
import { formatTable } from './table.js';

/** Which images have a package, as a table with a last line. `asked`: as it was typed. */
export function formatWhich(asked: string, found: readonly FoundImage[], notPublished: number): readonly string[] {
  const say = sayNames(found.map(({ image }) => image));
  const names = new Set<string>(found.map(({ image }) => image));
  const rows = found.flatMap(({ image, packages }) => packages.map(({ package: { name, architecture, version }, from }) => [`  ${say(image)}`, name, architecture, version, from === undefined ? 'itself' : names.has(from) ? say(from) : from]));
  const unknown = found.filter((one) => one.unknown !== undefined);
  const having = found.filter(({ packages }) => packages.length > 0).length;
  const known = found.length - unknown.length;
  const rest = [...(unknown.length === 0 ? [] : [`${unknown.length} unknown`]), ...(notPublished === 0 ? [] : [`${notPublished} not published`])];
  return [
    ...(rows.length === 0 ? [] : [...formatTable([['  image', 'package', 'arch', 'version', 'brought by'], ...rows]), '']),
    ...unknown.map((one) => `${say(one.image)} is unknown: ${one.unknown}`),
    `${having === 0 ? 'None' : having} of ${count(known, 'published image')} ${having === 1 || having === 0 ? 'has' : 'have'} ${asked}${rest.length === 0 ? '' : `; ${rest.join(', ')}`}.`,
  ];
}

/** The same for programs. */
export function whichToJson(found: readonly FoundImage[]): readonly object[] {
  return found.flatMap(({ image, ref, digest, unknown, packages }) => {
    if (unknown === undefined && packages.length === 0) return [];
    return [{ image, ref, digest, unknown: unknown ?? null, packages: packages.map(({ package: one, from }) => ({ package: one.name, arch: one.architecture, version: one.version, source: one.source, sourceVersion: one.sourceVersion, from: from ?? null })) }];
  });
}
