import { execFile } from 'node:child_process';
import { relative, sep } from 'node:path';

/** A file as git has it; undefined: git has none of that name. */
export type Recorded = Uint8Array | undefined;

/** The git work tree that holds a folder, for who writes in it. */
export interface GitTree {
  /** Its folder, absolute. */
  readonly root: string;
  /** What HEAD has of some files; undefined: there is no git here to tell. */
  inHead(paths: readonly string[]): Promise<ReadonlyMap<string, Recorded> | undefined>;
  /** The same of what is staged. */
  inIndex(paths: readonly string[]): Promise<ReadonlyMap<string, Recorded> | undefined>;
  /** Which of some files are not as HEAD has them. */
  changed(paths: readonly string[]): Promise<ReadonlySet<string>>;
  /** Makes one commit of these files as they are on disk, whatever else is changed or staged, and resolves to its id. Throws an Error with git's words. */
  commit(paths: readonly string[], message: string): Promise<string>;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Standard output; rejects with git's own words. */
function git(args: readonly string[], cwd: string, env: Env, input = ''): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = execFile('git', args, { cwd, env, encoding: 'buffer', maxBuffer: 256 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(wordsOf(stderr, stdout) || error.message));
    });
    // A git that refuses at once does not read what it is told.
    child.stdin!.on('error', () => undefined);
    child.stdin!.end(input);
  });
}

/** Another user's checkout is the usual case on a builder (sudo), and what is asked so runs nothing of theirs. A commit, and a look at what changed, run their hooks and filters: git itself refuses those. */
const READING = ['-c', 'safe.directory=*'];

/** A setting of git that holds in a folder, in a work tree or not: `user.name`. */
export async function gitSetting(directory: string, key: string, env: Env): Promise<string | undefined> {
  const value = await git([...READING, 'config', '--get', key], directory, env).catch(() => undefined);
  return value?.toString().trim() || undefined;
}

/**
 * The work tree around a folder; undefined when it lies in none, or git is not to be had. Paths are absolute, links resolved.
 * @param env the environment, which may name git's own files and who commits
 */
export async function openGitTree(directory: string, env: Env): Promise<GitTree | undefined> {
  const ask = (args: readonly string[], cwd: string, input = ''): Promise<Buffer> => git([...READING, ...args], cwd, env, input);
  const top = await ask(['rev-parse', '--show-toplevel'], directory).catch(() => undefined);
  if (top === undefined) return undefined;
  const root = top.toString().replace(/\n$/, '');
  const inside = (path: string): string => relative(root, path).split(sep).join('/');
  const read = async (paths: readonly string[], where: string): Promise<ReadonlyMap<string, Recorded> | undefined> => {
    if (paths.length === 0) return new Map();
    const output = await ask(['cat-file', '--batch'], root, paths.map((path) => `${where}:${inside(path)}\n`).join('')).catch(() => undefined);
    return output === undefined ? undefined : new Map(readBatch(output, paths));
  };
  return {
    root,
    inHead: (paths) => read(paths, 'HEAD'),
    inIndex: (paths) => read(paths, ''),
    async changed(paths) {
      const output = (await git(['status', '--porcelain=v1', '-z', '--no-renames', '--untracked-files=all', '--', ...paths], root, env)).toString();
      // `XY path`, each ended by a NUL (git-status(1), "Porcelain Format Version 1").
      const names = new Set(output.split('\0').map((entry) => entry.slice(3)));
      return new Set(paths.filter((path) => names.has(inside(path))));
    },
    async commit(paths, message) {
      await git(['commit', '--quiet', '--file=-', '--', ...paths], root, env, message);
      return (await git(['rev-parse', 'HEAD'], root, env)).toString().trim();
    },
  };
}

function wordsOf(...outputs: readonly Buffer[]): string {
  return outputs.map((output) => output.toString().trim().split('\n').filter((line) => line !== '').slice(0, 5).join(' / ')).find((words) => words !== '') ?? '';
}

/** git-cat-file(1), "Batch output": `ID blob SIZE`, the bytes, a line break; or the name and ` missing`. */
function readBatch(output: Buffer, paths: readonly string[]): readonly (readonly [string, Recorded])[] {
  let at = 0;
  return paths.map((path) => {
    const end = output.indexOf('\n', at);
    const [, size] = / blob (\d+)$/.exec(output.subarray(at, end).toString()) ?? [];
    at = end + 1;
    if (size === undefined) return [path, undefined];
    const bytes = output.subarray(at, at + Number(size));
    at += bytes.length + 1;
    return [path, bytes];
  });
}
