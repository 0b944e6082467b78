import type { WriteFile } from '../plan/write-file.js';
import { digestOf } from '../shared/digest.js';
import { EXIT, Fault } from '../shared/errors.js';

/** A file's new content, complete and on disk beside the old one, which nobody has touched yet. */
export interface StagedFile {
  /** Puts it in the place of the old one, in one step. Throws an Error whose message is the reason. */
  commit(): void;
  /** Takes it away again, unless it is in place already. Never throws. */
  discard(): void;
}

/** What writing files needs of a disk. All of it is done at once, without waiting, so that nothing comes in between. */
export interface FileWriting {
  /** The bytes of a file. Throws an Error whose message is the reason. */
  read(path: string): Uint8Array;
  /** Writes what shall stand in a file, which must be one that may be written to, beside it. Throws as above, and leaves nothing then. */
  stage(path: string, content: string | Uint8Array): StagedFile;
}

/** What puts the files back as they were before they were written; throws a Fault that names those that it could not. */
export type PutBack = () => void;

/**
 * Writes all the files or none. Throws a Fault when one cannot be written or is no longer what the plan was made from; then all
 * are as they were, or, should even that fail, the Fault names those that are not.
 */
export function writeFiles(steps: readonly WriteFile[], disk: FileWriting): PutBack {
  const staged: StagedFile[] = [];
  const old: Uint8Array[] = [];
  const written: number[] = [];
  const putBack: PutBack = () => {
    const lost = written.splice(0).flatMap((at) => {
      try {
        disk.stage(steps[at]!.path, old[at]!).commit();
        return [];
      } catch (error) {
        return [`${steps[at]!.path} (${messageOf(error)})`];
      }
    });
    if (lost.length > 0) throw new Fault(EXIT.failed, `cannot be put back, and hold what was to be written: ${lost.join(', ')}`, ['git diff, then git checkout -- FILE']);
  };
  let at = 0;
  try {
    for (at = 0; at < steps.length; at++) staged.push(disk.stage(steps[at]!.path, steps[at]!.text));
    for (at = 0; at < steps.length; at++) {
      const bytes = disk.read(steps[at]!.path);
      if (digestOf(bytes) !== steps[at]!.before) throw new Error('it changed while this was being planned; run it again');
      old.push(bytes);
    }
    for (at = 0; at < steps.length; at++) {
      staged[at]!.commit();
      written.push(at);
    }
  } catch (error) {
    for (const file of staged) file.discard();
    const message = `${steps[at]!.path} cannot be written: ${messageOf(error)}`;
    try {
      putBack();
    } catch (lost) {
      throw new Fault(EXIT.failed, `${message}. And some files ${messageOf(lost)}`, (lost as Fault).hints);
    }
    throw new Fault(EXIT.failed, `${message}. No file was changed.`);
  }
  return putBack;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
