import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import type { Change, ChangeHistory } from '../lint/changed-files.js';

const execute = promisify(execFile);

/** Another user's checkout is the usual case on a builder (sudo); we only read, run no hooks, and want the same answer whatever people set. */
const READING = ['--no-optional-locks', '-c', 'safe.directory=*', '-c', 'core.fsmonitor=false', '-c', 'log.showRoot=true', '-c', 'log.showSignature=false', '-c', 'color.ui=false'];

/** Begins the line of a commit: no path does. */
const COMMIT = '\x01';

/** Asks git what changed, in three questions however many files there are; the last one is read as far as it is wanted. */
export function createChangeHistory(): ChangeHistory {
  return {
    async changes(directory) {
      const names = async (...args: readonly string[]): Promise<readonly string[]> => {
        const { stdout } = await execute('git', [...READING, ...args], { cwd: directory, maxBuffer: 256 * 1024 * 1024 });
        return stdout.split('\0').filter((path) => path !== '');
      };
      try {
        const [tracked, fresh] = await Promise.all([names('diff', '-z', '--name-only', '--no-renames', '--relative', 'HEAD', '--', '.'), names('ls-files', '-z', '--others', '--exclude-standard', '--', '.')]);
        return history(directory, [...tracked, ...fresh]);
      } catch {
        return undefined;
      }
    },
  };
}

async function* history(directory: string, uncommitted: readonly string[]): AsyncIterable<Change> {
  yield { commit: undefined, paths: uncommitted };
  const log = spawn('git', [...READING, 'log', '-z', '--name-only', '--no-renames', '--relative', `--format=${COMMIT}%H`, '--', '.'], { cwd: directory, stdio: ['ignore', 'pipe', 'ignore'] });
  const closed = new Promise<void>((done) => log.once('close', () => done()).once('error', () => done()));
  try {
    let rest = '';
    let commit: string | undefined;
    let paths: string[] = [];
    for await (const piece of log.stdout.setEncoding('utf8') as AsyncIterable<string>) {
      const words = (rest + piece).split('\0');
      rest = words.pop()!;
      for (const word of words) {
        if (word.startsWith(COMMIT)) {
          if (commit !== undefined) yield { commit, paths };
          commit = word.slice(1);
          paths = [];
        } else if (word !== '' && word !== '\n') paths.push(word.replace(/^\n/, ''));
      }
    }
    if (commit !== undefined) yield { commit, paths };
  } finally {
    log.kill();
    await closed;
  }
}
