import { appendFileSync, closeSync, openSync } from 'node:fs';

/** A file that lines are appended to. */
export type LogFile = {
  /** In the file when it returns. */
  line(text: string): void;
  close(): void;
};

/**
 * Opens a log for appending, with the modes that the process's umask leaves.
 * @param complain told once, in words, when the file cannot be written; what would be logged is then left out
 */
export function openLogFile(path: string, complain: (because: string) => void): LogFile | undefined {
  let file: number | undefined;
  const guarded = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      complain(REASONS[code ?? ''] ?? code ?? message);
      file = undefined;
    }
  };
  guarded(() => void (file = openSync(path, 'a')));
  if (file === undefined) return undefined;
  return {
    line: (text) => {
      if (file !== undefined) guarded(() => appendFileSync(file!, `${text}\n`));
    },
    close: () => {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a directory',
  ENOENT: 'its directory is gone',
  ENOSPC: 'no space left on device',
  EDQUOT: 'the disk quota is used up',
};
