import type { Upgrade } from '../packages/upgrade.js';
import { digestOf, type Digest } from '../shared/digest.js';
import type { ImageName } from '../shared/image-ref.js';
import { joinPath } from '../definition/paths.js';
import type { Planning } from './planning.js';
import type { Tree } from './tree.js';

/**
 * Of each image that a plan builds or tests: one digest over what may make a difference to whether that succeeds: its definition and
 * version, its test, and the packages that are newer. Not what it stands on: that is another image's success.
 */
export function triesOf(tree: Tree, { plan, definitions }: Planning, upgrades: ReadonlyMap<ImageName, readonly Upgrade[]>): ReadonlyMap<ImageName, Digest> {
  const due = plan.steps.filter(({ action }) => action === 'build' || action === 'publish');
  return new Map(
    due.map(({ image, tag }) => {
      const { definition } = tree.graph.nodes.get(image)!;
      const test = tree.files.readBytes(joinPath(definition.directory, 'test.sh'));
      const packages = [...new Set((upgrades.get(image) ?? []).map(({ package: name, arch, to }) => `${name}:${arch}=${to}`))].sort();
      const version = definition.tagSource.source === 'changelog' ? tag : '';
      return [image, digestOf(JSON.stringify([definitions.get(image), version, test.ok ? digestOf(test.value) : '', packages]))];
    }),
  );
}
