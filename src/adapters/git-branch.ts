import { spawn } from 'node:child_process';
import { kill } from 'node:process';
import { relative, sep } from 'node:path';

/** A commit that the upstream does not have. */
export type UnpushedCommit = {
  readonly id: string;
  /** Its first line. */
  readonly subject: string;
  /** Whether it was made to be pushed before anything was built from it: nothing is lost with it. */
  readonly isOurs: boolean;
};

/** How a branch stands to the one that it follows, as far as the last fetch tells. */
export type BranchStanding = {
  /** Newest first. */
  readonly ahead: readonly UnpushedCommit[];
  /** Commits that only the upstream has. */
  readonly behind: number;
};

/** The branch that is checked out in a git work tree, for who follows its upstream. Nothing here ever asks a person. Every method throws an Error with git's words, no password in them. */
export interface GitBranch {
  /** Its folder, absolute. */
  readonly root: string;
  /** Why it has no upstream: `HEAD is detached`; undefined: it has one. */
  withoutUpstream(): Promise<string | undefined>;
  /** Files that differ from the last commit; of those that git does not know only what lies below these folders (absolute). Relative to the root. */
  changed(folders: readonly string[]): Promise<readonly string[]>;
  head(): Promise<string>;
  standing(): Promise<BranchStanding>;
  fetch(signal: AbortSignal): Promise<void>;
  /** Moves on to the upstream's newest commit, if nothing has to be merged. */
  forward(): Promise<void>;
  push(signal: AbortSignal): Promise<void>;
  /** Leaves out the commits behind another one, and takes back what they did to files. Changes to other files stay. */
  backTo(commit: string): Promise<void>;
}

/** A line at the end of the message of a commit that is made to be pushed before anything is built from it. */
export const TO_BE_PUSHED = 'Build-images: pushed before the builds';

type Env = Readonly<Record<string, string | undefined>>;

/** Nobody is there to answer: neither git, nor ssh, nor a program that they would start to ask. */
const UNATTENDED: Env = { GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: '', SSH_ASKPASS: '', SSH_ASKPASS_REQUIRE: 'never', GIT_MERGE_AUTOEDIT: 'no', GIT_EDITOR: 'false', LC_ALL: 'C' };

/** The branch of a work tree. `root`: its folder. */
export function openGitBranch(root: string, env: Env): GitBranch {
  const git = (args: readonly string[], signal?: AbortSignal): Promise<string> => unattended(args, root, { ...env, ...UNATTENDED }, signal);
  /** `origin`, and `refs/heads/main` there. */
  const followed = async (): Promise<{ readonly remote: string; readonly ref: string }> => {
    const branch = (await git(['symbolic-ref', '--quiet', '--short', 'HEAD'])).trim();
    const [remote, ref] = await Promise.all(['remote', 'merge'].map((key) => git(['config', '--get', `branch.${branch}.${key}`])));
    return { remote: remote!.trim(), ref: ref!.trim() };
  };
  return {
    root,
    async withoutUpstream() {
      const branch = await git(['symbolic-ref', '--quiet', '--short', 'HEAD']).catch(() => undefined);
      if (branch === undefined) return 'HEAD is detached';
      const upstream = await followed().catch(() => undefined);
      return upstream === undefined ? `${branch.trim()} follows no branch of a remote` : undefined;
    },
    async changed(folders) {
      const entries = (await git(['status', '--porcelain=v1', '-z', '--no-renames', '--untracked-files=all'])).split('\0');
      const below = folders.map((folder) => relative(root, folder).split(sep).join('/'));
      // `XY path`, each ended by a NUL; `??`: git does not know it (git-status(1), "Porcelain Format Version 1").
      return entries.flatMap((entry) => {
        const [state, path] = [entry.slice(0, 2), entry.slice(3)];
        return path === '' || (state === '??' && !below.some((folder) => folder === '' || path.startsWith(`${folder}/`))) ? [] : [path];
      });
    },
    head: async () => (await git(['rev-parse', 'HEAD'])).trim(),
    async standing() {
      const [ahead, behind] = await Promise.all([git(['log', '-z', '--format=%H%n%s%n%b', '@{upstream}..HEAD']), git(['rev-list', '--count', 'HEAD..@{upstream}'])]);
      const commits = ahead.split('\0').filter((text) => text !== '').map((text): UnpushedCommit => {
        const [id, subject, ...body] = text.split('\n');
        return { id: id!, subject: subject!, isOurs: body.includes(TO_BE_PUSHED) };
      });
      return { ahead: commits, behind: Number(behind) };
    },
    async fetch(signal) {
      const { remote } = await followed();
      await git(['fetch', '--quiet', '--', remote], signal);
    },
    async forward() {
      await git(['merge', '--quiet', '--ff-only', '@{upstream}']);
    },
    async push(signal) {
      const { remote, ref } = await followed();
      await git(['push', '--quiet', '--', remote, `HEAD:${ref}`], signal);
    },
    async backTo(commit) {
      await git(['reset', '--quiet', '--keep', commit]);
    },
  };
}

/** Standard output. In a session of its own, so that no program finds a terminal to ask at. */
function unattended(args: readonly string[], cwd: string, env: Env, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const end = (): void => {
      try {
        kill(-child.pid!, 'SIGTERM');
      } catch {
        // It has ended by itself.
      }
    };
    signal?.addEventListener('abort', end, { once: true });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (piece: Buffer) => out.push(piece));
    child.stderr.on('data', (piece: Buffer) => err.push(piece));
    child.on('error', (error) => reject(new Error(`git does not start (${(error as NodeJS.ErrnoException).code ?? error.message})`)));
    child.on('close', (code) => {
      signal?.removeEventListener('abort', end);
      if (code === 0) resolve(Buffer.concat(out).toString());
      else if (signal?.aborted === true) reject(signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError' ? new Error('no answer in time') : signal.reason);
      else reject(new Error(wordsOf(Buffer.concat(err).toString()) || `git ${args[0]} ended with ${code}`));
    });
    if (signal?.aborted === true) end();
  });
}

/** What git says of a failure: not what to type next, and nothing that may be a password. */
export function wordsOf(output: string): string {
  const lines = output.split('\n').map((line) => line.replace(/^(?:remote|fatal|error):\s*/, '').trim()).filter((line) => line !== '' && !/^(?:hint|To) ?:?/.test(line));
  return lines.slice(0, 3).join(' / ').replace(/([a-z][a-z0-9+.-]*:\/\/)[^/\s]*@/gi, '$1').replace(/([?&][^=\s&]*=)[^\s&']+/g, '$1…');
}
