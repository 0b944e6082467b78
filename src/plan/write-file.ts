import { digestOf, type Digest } from '../shared/digest.js';
import type { Reason } from './reason.js';

/** One file of a tree that gets other content. A plan of these is carried out as a whole or not at all. */
export type WriteFile = {
  readonly action: 'write-file';
  /** As a person would type it. */
  readonly path: string;
  /** What stands in it now: the step was made from these bytes, and is no good for others. */
  readonly before: Digest;
  /** What will stand in it; UTF-8. */
  readonly text: string;
  readonly reasons: readonly Reason[];
};

/** The step that gives a file a new text, from the bytes that were read of it. */
export function writeFile(path: string, old: string | Uint8Array, text: string, reasons: readonly Reason[]): WriteFile {
  return { action: 'write-file', path, before: digestOf(old), text, reasons };
}
