import { good, type Checked } from '../shared/problem.js';
import type { Definition } from './definition.js';
import { isWithin } from './paths.js';
import type { SourceEntry, SourceFiles } from './source-files.js';

/** What is no source file in the root of a tree, and changes all the time. */
const REPOSITORY = '.git';

/**
 * The files that a definition's build is given: its folder, or, where that is a folder which many share, what its Dockerfile
 * takes of it. So what is not part of the definition digest is not there in the build either.
 * @param copied paths of the context, with all below them; undefined: all of it
 */
export function contextFiles(files: SourceFiles, definition: Definition, copied: readonly string[] | undefined): Checked<readonly SourceEntry[]> {
  if (definition.context === undefined) return files.readContext(definition.directory);
  const context = files.readContext(definition.context, REPOSITORY);
  if (!context.ok || copied === undefined) return context;
  return good(context.value.filter(({ path }) => copied.some((taken) => isWithin(path, taken))), context.warnings);
}
