import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { FolderRevision } from '../execute/ports.js';

const execute = promisify(execFile);

/** What we ask git. Without git, or outside a work tree, every answer is "unknown". */
export interface Git {
  /** The commit that last touched a folder, and where the tree came from. */
  revisionOf(directory: string): Promise<FolderRevision>;
  /** Whether a commit is HEAD or an ancestor of it; undefined: not a git tree. */
  isAncestor(revision: string): Promise<boolean | undefined>;
}

/** A remote as an image may name it: its URL without userinfo, which may be a password; undefined for a path of this machine. */
export function publicSource(remote: string): string | undefined {
  // Up to the last @ before the path, since a password may hold one; a query may hold a token.
  const url = /^([a-z][a-z0-9+.-]*):\/\/(?:[^/]*@)?([^?#]+)/i.exec(remote);
  if (url !== null) return url[1]!.toLowerCase() === 'file' ? undefined : `${url[1]!}://${url[2]!}`;
  // `host:path`, as scp writes it.
  const scp = /^(?:[^/@:]*@)?([^/@:]+:.+)$/.exec(remote);
  return scp === null ? undefined : scp[1]!;
}

/** Asks git about the work tree that holds a folder. */
export function createGit(directory: string): Git {
  const ask = async (args: readonly string[], cwd: string): Promise<string | undefined> => {
    try {
      // Another user's checkout is the usual case on a builder (sudo); we only read, and run no hooks.
      const { stdout } = await execute('git', ['-c', 'safe.directory=*', '-c', 'core.fsmonitor=false', ...args], { cwd, maxBuffer: 16 * 1024 * 1024 });
      return stdout.trim();
    } catch {
      return undefined;
    }
  };
  let source: Promise<string | undefined> | undefined;
  let head: Promise<string | undefined> | undefined;
  const headNow = (): Promise<string | undefined> => (head ??= ask(['rev-parse', '--verify', '-q', 'HEAD'], directory));
  return {
    async revisionOf(folder) {
      source ??= ask(['config', '--get', 'remote.origin.url'], directory);
      // Without a commit there is none to look for, image by image.
      const revision = (await headNow()) === undefined ? undefined : await ask(['log', '-1', '--format=%H', '--', '.'], folder);
      const url = await source;
      return { revision: revision === '' ? undefined : revision, source: url === undefined ? undefined : publicSource(url) };
    },
    async isAncestor(revision) {
      if (!/^[0-9a-f]{7,64}$/.test(revision)) return undefined;
      const newest = await headNow();
      if (newest === undefined) return undefined;
      if (newest === revision) return true;
      return (await ask(['merge-base', '--is-ancestor', revision, 'HEAD'], directory)) !== undefined;
    },
  };
}
