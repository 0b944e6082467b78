import { explain, sayNames } from '../plan/reason.js';
import type { SupposedPlan, Supposition } from '../plan/suppose.js';
import type { Unknown } from '../packages/package-archive.js';
import type { ImageName } from '../shared/image-ref.js';
import { count } from './amounts.js';
import { formatTable } from './table.js';

/** What a supposition would come to; nothing is done. */
export function formatSupposed({ steps, waiting }: SupposedPlan, { releases, images, outside }: Supposition, unknown: ReadonlyMap<ImageName, readonly Unknown[]>): readonly string[] {
  const say = sayNames(steps.map(({ image }) => image));
  const supposed = [...releases.map(({ package: name, version }) => (version === undefined ? `a new ${name}` : `${name} ${version}`)), ...[...images.map(say), ...outside].map((one) => `a rebuild of ${one}`)];
  const built = steps.filter(({ action }) => action === 'build');
  const rows = built.map(({ image, now, tag, reasons }) => [`  ${say(image)}`, now ?? '–', tag, reasons.map((reason) => explain(reason, say)).join('; ')]);
  return [
    `supposing ${supposed.join(' and ')}: nothing is built or written`,
    ...(rows.length === 0 ? [] : ['', ...formatTable([['  image', 'now', 'would be', 'why'], ...rows])]),
    '',
    ...[...waiting].map(([ref, having]) => `${ref} brings it to ${count(having.length, 'image')}, and is no image of this tree: nothing would be rebuilt for that.`),
    ...[...unknown].map(([image, whys]) => `${say(image)} is unknown: ${whys.map(({ says }) => says).join('; ')}`),
    `${rows.length === 0 ? 'Nothing would be rebuilt' : `${count(rows.length, 'image')} would be rebuilt`}; ${count(steps.length - rows.length, 'image')} would not.`,
  ];
}
