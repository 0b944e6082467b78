import { joinPath } from '../definition/paths.js';
import type { Upgrade } from '../packages/upgrade.js';
import { digestOf, type Digest } from '../shared/digest.js';
import type { ImageName } from '../shared/image-ref.js';
import type { Planning } from './planning.js';
import type { Tree } from './tree.js';

type Upgrades = ReadonlyMap<ImageName, readonly Upgrade[]>;

/** What is tried of each image that a plan builds or tests. */
export function triesOf(tree: Tree, { plan, definitions }: Planning, upgrades: Upgrades): ReadonlyMap<ImageName, Digest> {
  const due = plan.steps.filter(({ action }) => action === 'build' || action === 'publish');
  return new Map(due.map(({ image, tag }) => [image, tryOf(tree, image, definitions.get(image)!, tree.graph.nodes.get(image)!.definition.tagSource.source === 'changelog' ? tag : '', upgrades)]));
}

/**
 * One digest over what may make a difference to whether an image can be made: its definition and version, its test, and the packages
 * that are newer. Not what it stands on: that is another image's success.
 * @param version empty of a rolling image
 */
export function tryOf(tree: Tree, image: ImageName, definition: Digest, version: string, upgrades: Upgrades): Digest {
  const test = tree.files.readBytes(joinPath(tree.graph.nodes.get(image)!.definition.directory, 'test.sh'));
  const packages = [...new Set((upgrades.get(image) ?? []).map(({ package: name, arch, to }) => `${name}:${arch}=${to}`))].sort();
  return digestOf(JSON.stringify([definition, version, test.ok ? digestOf(test.value) : '', packages]));
}
