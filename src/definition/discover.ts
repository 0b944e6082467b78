import { isWithin } from './paths.js';
import type { Folder, Walk } from './source-files.js';

/** A folder with a marker file: one definition. */
export type Found = {
  readonly folder: Folder;
  readonly marker: Marker;
  /** Definitions inside this folder, relative to it. */
  readonly nested: readonly string[];
};

/** The files that make a folder a definition, and tell its kind. */
export const MARKERS = ['rootfs.yaml', 'stack.yaml', 'Dockerfile.template'] as const;
/** The name of one of them. */
export type Marker = (typeof MARKERS)[number];

/** Every definition of a tree: the folders that hold a marker file, in the order of the walk. */
export function discover(walk: Walk): readonly Found[] {
  const marked: { folder: Folder; marker: Marker }[] = [];
  for (const folder of walk.folders) {
    const marker = MARKERS.find((name) => folder.files.has(name));
    if (marker !== undefined) marked.push({ folder, marker });
  }
  // A walk names a folder before what lies in it, so what is nested follows its holder.
  const holders: { path: string; nested: string[] }[] = [];
  return marked.map(({ folder, marker }) => {
    const nested: string[] = [];
    while (holders.length > 0 && !isWithin(folder.path, holders.at(-1)!.path)) holders.pop();
    for (const holder of holders) holder.nested.push(holder.path === '.' ? folder.path : folder.path.slice(holder.path.length + 1));
    holders.push({ path: folder.path, nested });
    return { folder, marker, nested };
  });
}
