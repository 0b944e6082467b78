import { closeSync, constants, lstatSync, openSync, readdirSync, readFileSync, realpathSync, statSync, existsSync, type Dirent } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { joinPath } from '../definition/paths.js';
import type { Folder, SourceEntry, SourceFiles } from '../definition/source-files.js';
import { DOCKER_PKG_LOG_FILE } from '../shared/docker-pkg-log-file.js';
import { UsageError } from '../shared/errors.js';
import { bad, errorAt, good, type Checked, type Problem } from '../shared/problem.js';
import { createFileDigests, PIECE_BYTES } from './file-digest.js';

const digestFile = createFileDigests();

/** Keeps the entries that the text of a .dockerignore (at `path`) does not leave out. */
export type IgnoreFilter = (path: string, text: string, entries: readonly SourceEntry[]) => Checked<readonly SourceEntry[]>;

/** The git work tree that holds a path: the nearest folder upward with a `.git`; undefined outside of any. Absolute. */
export function workTreeOf(path: string): string | undefined {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/**
 * What imports and links may reach: the config file's git work tree when DIRECTORY lies in it, else DIRECTORY's own work
 * tree, else DIRECTORY. Absolute, links resolved.
 */
export function sourceRootOf(configPath: string, directory: string): string {
  const real = realpathSync(directory);
  for (const tree of [workTreeOf(dirname(resolve(configPath))), workTreeOf(real)]) {
    if (tree !== undefined && isInside(real, realpathSync(tree))) return realpathSync(tree);
  }
  return real;
}

function isInside(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

function reason(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'ENOENT':
      return 'there is no such file';
    case 'EISDIR':
      return 'is a folder, not a file';
    case 'ELOOP':
      return 'a link leads round in a circle';
    default:
      return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  }
}

/** The bytes of what is no link; ELOOP where it is one (open(2), O_NOFOLLOW), and no waiting for a pipe's other end: looking every path up first costs more than reading it. */
function readPlainFile(path: string): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

const byName = (a: Dirent, b: Dirent): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** Reads trees from this machine's disk. `root` is what imports and links may reach (absolute, links resolved). */
export function createSourceFiles(root: string, filter: IgnoreFilter): SourceFiles {
  return {
    walk(directory) {
      let known;
      try {
        known = statSync(directory);
      } catch (error) {
        throw new UsageError(`${directory}: ${reason(error)}`);
      }
      if (!known.isDirectory()) throw new UsageError(`${directory} is not a directory`);
      const folders: Folder[] = [];
      const problems: Problem[] = [];
      const visit = (path: string): void => {
        const shown = joinPath(directory, path);
        let entries;
        try {
          entries = readdirSync(shown, { withFileTypes: true }).sort(byName);
        } catch (error) {
          problems.push(errorAt(shown, undefined, `cannot read this folder: ${reason(error)}`));
          return;
        }
        folders.push({ path, files: new Set(entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name)) });
        for (const entry of entries) {
          if (entry.isDirectory() && !entry.name.startsWith('.')) visit(path === '.' ? entry.name : `${path}/${entry.name}`);
        }
      };
      visit('.');
      return { folders, problems };
    },

    readText(path) {
      try {
        return good(readPlainFile(path).toString('utf8'));
      } catch (plain) {
        if ((plain as NodeJS.ErrnoException).code !== 'ELOOP') return bad([errorAt(path, undefined, `cannot read this file: ${reason(plain)}`)]);
      }
      try {
        // What describes an image may be a link, as its context may, but no further than the tree.
        if (!isInside(realpathSync(path), root)) return bad([errorAt(path, undefined, 'this link leads out of the source tree')]);
        return good(readFileSync(path, 'utf8'));
      } catch (error) {
        return bad([errorAt(path, undefined, `cannot read this file: ${reason(error)}`)]);
      }
    },

    readBytes(path) {
      try {
        const real = realpathSync(path);
        if (!isInside(real, root)) return bad([errorAt(path, undefined, 'leads out of the source tree')]);
        return good(readPlainFile(real));
      } catch (error) {
        return bad([errorAt(path, undefined, reason(error))]);
      }
    },

    readImport(path) {
      let real;
      try {
        real = realpathSync(path);
      } catch {
        return isInside(resolve(path), root) ? 'absent' : 'outside';
      }
      if (!isInside(real, root)) return 'outside';
      try {
        return { text: readFileSync(real, 'utf8') };
      } catch {
        return 'absent';
      }
    },

    readContext(directory, except) {
      const problems: Problem[] = [];
      const entries = readEntries(directory, root, problems, except);
      if (problems.length > 0) return bad(problems);
      const ignore = join(directory, '.dockerignore');
      if (!existsSync(ignore)) return good(entries);
      return filter(joinPath(directory, '.dockerignore'), readFileSync(ignore, 'utf8'), entries);
    },
  };
}

/** Every file and folder below a directory, each link replaced by what it names inside the root. */
function readEntries(directory: string, root: string, problems: Problem[], except: string | undefined): readonly SourceEntry[] {
  const entries: SourceEntry[] = [];

  // `open` are the real folders that we are inside of: a link to one of them would never end.
  const visit = (real: string, path: string, open: readonly string[]): void => {
    let found;
    try {
      found = readdirSync(real, { withFileTypes: true }).sort(byName);
    } catch (error) {
      problems.push(errorAt(joinPath(directory, path), undefined, `cannot read this folder: ${reason(error)}`));
      return;
    }
    for (const entry of found) {
      if ((path === '' && entry.name === except) || entry.name === DOCKER_PKG_LOG_FILE) continue;
      const at = path === '' ? entry.name : `${path}/${entry.name}`;
      const full = join(real, entry.name);
      if (entry.isSymbolicLink()) follow(full, at, open);
      else add(full, at, open);
    }
  };

  const follow = (link: string, at: string, open: readonly string[]): void => {
    const shown = joinPath(directory, at);
    let target;
    try {
      target = realpathSync(link);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      problems.push(errorAt(shown, undefined, code === 'ENOENT' ? 'this link leads nowhere' : `cannot follow this link: ${reason(error)}`));
      return;
    }
    if (!isInside(target, root)) problems.push(errorAt(shown, undefined, 'this link leads out of the source tree'));
    else if (open.includes(target)) problems.push(errorAt(shown, undefined, 'this link leads to a folder that it lies in'));
    else add(target, at, open);
  };

  const add = (full: string, at: string, open: readonly string[]): void => {
    let known;
    try {
      known = lstatSync(full);
    } catch (error) {
      problems.push(errorAt(joinPath(directory, at), undefined, `cannot read this: ${reason(error)}`));
      return;
    }
    if (known.isDirectory()) {
      entries.push({ type: 'directory', path: at });
      visit(full, at, [...open, full]);
    } else if (known.isFile()) {
      entries.push({ type: 'file', path: at, mode: (known.mode & 0o111) === 0 ? 0o644 : 0o755, size: known.size, read: () => readExactly(full, known.size), digest: () => digestFile(full, known.size) });
    } else {
      problems.push(errorAt(joinPath(directory, at), undefined, 'neither a file nor a folder nor a link: it cannot be part of a build context'));
    }
  };

  let start;
  try {
    start = realpathSync(directory);
  } catch (error) {
    problems.push(errorAt(directory, undefined, `cannot read this folder: ${reason(error)}`));
    return entries;
  }
  visit(start, '', [start]);
  return entries;
}

async function* readExactly(path: string, size: number): AsyncIterable<Uint8Array> {
  const file = await open(path);
  try {
    // One more than there is, so that more is noticed.
    const piece = Buffer.allocUnsafe(Math.min(size + 1, PIECE_BYTES));
    let seen = 0;
    for (let length; (length = (await file.read(piece)).bytesRead) > 0; yield piece.subarray(0, length)) seen += length;
    if (seen !== size) throw new Error(`${path} changed while it was read`);
  } finally {
    await file.close();
  }
}
