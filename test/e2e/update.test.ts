import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { changelog, PROGRAM } from '../support/scenario.js';

const IMAGES = ['a', 'b', 'c', 'd'];

let top: string;
beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'build-images-update-')));
  write('config.yaml', 'registry: registry.invalid\nbase_images: [registry.invalid/debian:12]\n');
  for (const [at, name] of IMAGES.entries()) define(name, at === 0 ? 'debian' : IMAGES[at - 1]!);
});
afterEach(() => {
  for (const name of IMAGES) for (const path of [`images/${name}/changelog`, `images/${name}`]) spawnSync('umount', ['-l', join(top, path)], { stdio: 'ignore' });
  rmSync(top, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(top, path)), { recursive: true });
  writeFileSync(join(top, path), text);
}
function define(name: string, from: string): void {
  write(`images/${name}/Dockerfile.template`, `FROM {{ "${from}" | image_tag }}\n`);
  write(`images/${name}/changelog`, changelog(name, ['1.0']));
}
const logOf = (name: string): string => readFileSync(join(top, `images/${name}/changelog`), 'utf8');
const files = (): readonly string[] => readdirSync(join(top, 'images'), { recursive: true }).map(String).sort();

/** Runs the program; root gives up the right to write where it may not. */
function run(args: readonly string[], input = ''): Promise<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }> {
  const bounds = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : [];
  const [command, ...more] = [...bounds, process.execPath, PROGRAM, 'update', ...args];
  const env = { PATH: process.env['PATH'], HOME: top, XDG_STATE_HOME: join(top, 'state'), XDG_CACHE_HOME: join(top, 'cache'), GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
  return new Promise((resolve) => {
    const child = execFile(command!, more, { cwd: top, env }, (error, stdout, stderr) => resolve({ code: error === null ? 0 : error.code, stdout, stderr }));
    child.stdin!.end(input);
  });
}

describe('update, as a process', () => {
  it('reads names from standard input and finds the tree where it is', async () => {
    const { code, stdout, stderr } = await run(['--stdin'], 'c\nd\n');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect([stdout.split('\n')[0], IMAGES.map((name) => /\((.*)\)/.exec(logOf(name))![1])]).toEqual(['writing 2 changelogs', ['1.0', '1.0', '1.0-s1', '1.0-s1']]);
  });

  it.each<[string, () => void, string]>([
    ['may not be written', () => chmodSync(join(top, 'images/c/changelog'), 0o444), 'permission denied'],
    ['lies in a folder that may not be written', () => chmodSync(join(top, 'images/c'), 0o555), 'its folder may not be written to'],
    ['lies on a full disk', () => {
      const old = logOf('c');
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12k', 'tmpfs', join(top, 'images/c')]);
      define('c', 'b');
      write('images/c/changelog', old);
      expect(() => appendFileSync(join(top, 'images/c/filler'), Buffer.alloc(1 << 20))).toThrow('ENOSPC');
    }, 'no space left on device'],
    ['cannot be replaced, which shows when others have been', () => execFileSync('mount', ['--bind', join(top, 'images/c/changelog'), join(top, 'images/c/changelog')]), 'something is mounted there'],
  ])('all files are as they were when one %s: exit 1', async (_, prepare, reason) => {
    prepare();
    const before = [IMAGES.map(logOf), files()];
    const { code, stdout, stderr } = await run(['a']);
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: `images/c/changelog cannot be written: ${reason}. No file was changed.\n` });
    expect([IMAGES.map(logOf), files()]).toEqual(before);
  });

  it('two at once leave no tree that is half of one: what is refused changed nothing', async () => {
    spawnSync('git', ['init', '-q'], { cwd: top });
    const ended = await Promise.all(['One', 'Two', 'Three'].map((reason) => run(['a', '--reason', reason])));
    const done = ended.filter(({ code }) => code === 0).length;
    expect(done).toBeGreaterThan(0);
    for (const { code, stderr } of ended) if (code !== 0) expect([75, 1].includes(code as number) && /another run writes files|No file was changed/.test(stderr)).toBe(true);
    const said = IMAGES.map((name) => ['One', 'Two', 'Three'].filter((reason) => logOf(name).includes(`   ${reason}\n`)));
    expect(said).toEqual(IMAGES.map(() => said[0]));
    expect(said[0]).toHaveLength(done);
  });
  it('what a killed run left is done by the next', async () => {
    await run(['a', '--exclude', 'c']);
    write('images/c/.changelog.build-images-new', 'half');
    const first = IMAGES.slice(0, 2).map(logOf);
    spawnSync('git', ['init', '-q'], { cwd: top });
    const { code, stdout } = await run(['a']);
    expect([code, stdout.split('\n')[0], IMAGES.slice(0, 2).map(logOf)]).toEqual([0, 'writing 2 changelogs', first]);
    expect(files().filter((path) => path.includes('build-images-new'))).toEqual([]);
  });
});
