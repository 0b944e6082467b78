import { isWithin } from '../definition/paths.js';
import type { SourceFiles } from '../definition/source-files.js';

/** The disk as one tree may see it. */
export type TreeFiles = { readonly directory: string; readonly files: SourceFiles };

/** The files of several trees as if they were one tree's: each path is of the tree whose folder holds it, and goes no further than that tree may. */
export function joinFiles(trees: readonly TreeFiles[]): SourceFiles {
  const of = (path: string): SourceFiles => (trees.find(({ directory }) => isWithin(path, directory)) ?? trees[0]!).files;
  return {
    walk: (directory) => of(directory).walk(directory),
    readText: (path) => of(path).readText(path),
    readBytes: (path) => of(path).readBytes(path),
    readImport: (path) => of(path).readImport(path),
    readContext: (directory) => of(directory).readContext(directory),
  };
}
