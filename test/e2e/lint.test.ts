import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { changelog, PROGRAM } from '../support/scenario.js';
import { PROJECT } from '../support/source-tree.js';

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** No registry answers at registry.example.org, and no engine at this socket: neither may be asked. */
const HOST = 'registry.example.org';
const OUTSIDE = `FROM ${HOST}/debian:12`;
const NO_GIT = 'changed-without-changelog was not looked for: images lies in no git work tree with a commit (or there is no git)\n';

let folder: string;
const run = (command: string, args: readonly string[], below = ''): Promise<Ended> =>
  new Promise((done) =>
    execFile(command, args, { cwd: join(folder, below), env: { PATH: process.env['PATH'], HOME: folder, XDG_CACHE_HOME: join(folder, '.cache'), XDG_STATE_HOME: join(folder, '.state'), DOCKER_HOST: 'unix:///nowhere.sock' } }, (error, stdout, stderr) => done({ code: error === null ? 0 : Number(error.code), stdout, stderr })),
  );
const lint = (...args: readonly string[]): Promise<Ended> => run(process.execPath, [PROGRAM, 'lint', ...args]);
const git = async (...args: readonly string[]): Promise<void> => {
  const ended = await run('git', ['-c', 'user.name=Tester', '-c', 'user.email=tester@example.org', '-c', 'init.defaultBranch=main', ...args]);
  if (ended.code !== 0) throw new Error(ended.stderr);
};
const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
};
const define = (name: string, template: string, control: string, ...versions: readonly string[]): void => {
  write(`images/${name}/Dockerfile.template`, `${template}\n`);
  write(`images/${name}/changelog`, changelog(name, versions.length === 0 ? ['1'] : versions));
  write(`images/${name}/control`, `Package: ${name}\n${control}Description: ${name}\n`);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lint-'));
  write('config.yaml', `registry: ${HOST}\n`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('lint', () => {
  it('finds nothing in the tree that is shipped', async () => {
    cpSync(join(PROJECT, 'images'), join(folder, 'images'), { recursive: true, verbatimSymlinks: true });
    cpSync(join(PROJECT, 'config.yaml'), join(folder, 'config.yaml'));
    expect(await lint('--strict')).toEqual({ code: 0, stdout: expect.stringMatching(/^nothing found in \d\d definitions\.\n$/), stderr: NO_GIT });
  }, 60_000);

  it('says what it finds, counts it, and ends with 3 for errors alone, with --strict for warnings too', async () => {
    define('a', OUTSIDE, '');
    define('b', 'FROM {{ "a" | image_tag }}\nUSER web', '');
    const said = ['images/b/Dockerfile.template:1: warning: uses a, which images/b/control does not name (Depends) [undeclared-parent]', 'images/b/Dockerfile.template:2: note: USER web is not numeric: Kubernetes cannot tell whether it is root [non-numeric-user]', '', '1 warning, 1 note in 2 definitions.   build-images lint --fix mends one of them.', ''].join('\n');
    expect(await lint()).toEqual({ code: 0, stdout: said, stderr: NO_GIT });
    expect(await lint('--strict')).toEqual({ code: 3, stdout: said, stderr: NO_GIT });
    define('b', `FROM ${HOST}/a:7`, 'Depends: a\n');
    expect(await lint()).toMatchObject({ code: 3, stdout: `images/b/Dockerfile.template:1: error: FROM ${HOST}/a:7: the changelog of a has no version 7 (its newest is 1) [unknown-tag]\n\n1 error in 2 definitions.\n` });
  }, 60_000);

  it('looks into build contexts', async () => {
    define('a', OUTSIDE, '');
    symlinkSync('nowhere', join(folder, 'images/a/link'));
    expect(await lint()).toMatchObject({ code: 3, stdout: 'images/a/link: error: this link leads nowhere [definition]\n\n1 error in 1 definition.\n' });
  }, 60_000);

  it('reads several trees, each with its own config, and says what one finds in the other', async () => {
    define('a', OUTSIDE, '');
    write('more/b/Dockerfile.template', `FROM ${HOST}/a:7\nUSER web\n`);
    write('more/b/changelog', changelog('b', ['1']));
    write('more.yaml', `registry: other.example.org\nallowed_sources: ["${HOST}/*"]\nlint: { ignore: [non-numeric-user] }\n`);
    write('both.yaml', 'trees:\n  - { name: one, directory: images, config: config.yaml }\n  - { name: two, directory: more, config: more.yaml }\n');
    const both = await lint('-c', 'both.yaml');
    expect(both.stderr).toBe('changed-without-changelog was not looked for: images, more lie in no git work tree with a commit (or there is no git)\n');
    expect(both.stdout).toBe(`more/b/Dockerfile.template:1: error: FROM ${HOST}/a:7: the changelog of a has no version 7 (its newest is 1) [unknown-tag]\n\n1 error in 2 definitions.\n`);
  }, 60_000);

  it('looks at what is selected, and refuses a glob without a match', async () => {
    define('a', `${OUTSIDE}\nRUM a`, '');
    define('b', `${OUTSIDE}\nRUM b`, '');
    expect(await lint('--select', '*/b:*')).toMatchObject({ code: 0, stdout: 'images/b/Dockerfile.template:2: warning: Unknown instruction: RUM [dockerfile-mistake]\n\n1 warning in 1 definition.\n' });
    expect(await lint('--select', 'c')).toMatchObject({ code: 2, stdout: '' });
    define('b', 'FROM {{ nope }}', '');
    expect(await lint('--select', '*/a:*')).toMatchObject({ code: 0, stdout: 'images/a/Dockerfile.template:2: warning: Unknown instruction: RUM [dockerfile-mistake]\n\n1 warning in 1 definition.\n' });
  }, 60_000);

  it('--verbose names what looks like a definition and is none', async () => {
    define('a', OUTSIDE, '');
    write('images/b/Dockerfile.template', OUTSIDE);
    expect((await lint('--verbose')).stderr).toContain('images/b: skipped, it has no changelog');
    expect(await lint()).toMatchObject({ stdout: 'nothing found in 1 definition.\n', stderr: NO_GIT });
  }, 60_000);

  it('tells programs in JSON', async () => {
    define('a', OUTSIDE, 'Depends: a\n');
    expect(JSON.parse((await lint('--json')).stdout)).toEqual({
      findings: [{ path: 'images/a/control', line: 2, image: 'a', rule: 'stale-parent', level: 'warning', message: 'Depends names the image itself', mends: true }],
      unable: [{ rule: 'changed-without-changelog', why: 'images lies in no git work tree with a commit (or there is no git)' }],
      definitions: 1,
      counts: { error: 0, warning: 1, note: 0 },
    });
    expect(await lint('--json', '--sarif')).toMatchObject({ code: 2, stderr: expect.stringContaining('--json and --sarif') });
  }, 60_000);

  it('shows a secret to nobody', async () => {
    write('config.yaml', `registry: ${HOST}\nusername: u\npassword: s3cr3tword\n`);
    define('a', `${OUTSIDE}\nENV API_TOKEN=abcdefgh\nRUN curl https://x:hunter2@example.org -u u:s3cr3tword`, '');
    for (const form of [[], ['--json'], ['--sarif']]) {
      const { code, stdout, stderr } = await lint(...form);
      expect(code).toBe(3);
      expect(stdout.match(/secret-in-(?:file|variable)/g)!.length).toBeGreaterThanOrEqual(3);
      expect(stdout + stderr).not.toMatch(/s3cr3tword|hunter2|abcdefgh/);
    }
  }, 60_000);
});

describe('lint --fix', () => {
  beforeEach(() => {
    define('a', OUTSIDE, '');
    define('b', 'FROM {{ "a" | image_tag }}', '');
    define('c', 'FROM {{ "b" | image_tag }}', 'Depends: a,\n# that one\n b\n');
  });
  const control = (name: string): string => readFileSync(join(folder, `images/${name}/control`), 'utf8');

  it('mends every control, says what, and finds nothing more', async () => {
    expect(await lint('--fix')).toEqual({ code: 0, stdout: 'images/b/control  names a\nimages/c/control  no longer a\n\n2 files written.\n\nnothing found in 3 definitions.\n', stderr: NO_GIT });
    expect([control('b'), control('c')]).toEqual(['Package: b\nDepends: a\nDescription: b\n', 'Package: c\nDepends:\n# that one\n b\nDescription: c\n']);
    expect((await lint('--fix')).stdout).toBe('nothing to mend.\nnothing found in 3 definitions.\n');
  }, 60_000);
  it('with --dry-run changes nothing', async () => {
    const before = [control('b'), control('c')];
    expect(await lint('--fix', '--dry-run')).toMatchObject({ code: 0, stdout: 'images/b/control  names a\nimages/c/control  no longer a\n\n2 files would be written; nothing was changed.\n' });
    const { steps } = JSON.parse((await lint('--fix', '--dry-run', '--json')).stdout) as { steps: { action: string; path: string; text: string }[] };
    expect(steps.map(({ action, path }) => [action, path])).toEqual([['write-file', 'images/b/control'], ['write-file', 'images/c/control']]);
    expect([control('b'), control('c')]).toEqual(before);
  }, 60_000);
  it('mends what is selected', async () => {
    await lint('--fix', '--select', '*/b:*');
    expect([control('b'), control('c')]).toEqual(['Package: b\nDepends: a\nDescription: b\n', 'Package: c\nDepends: a,\n# that one\n b\nDescription: c\n']);
  }, 60_000);
});

describe('what git knows', () => {
  const changed = async (): Promise<readonly string[]> => (await lint()).stdout.split('\n').filter((line) => line.includes('changed-without-changelog'));
  const commit = async (): Promise<void> => {
    await git('add', '-A');
    await git('commit', '-q', '-m', 'x');
  };
  beforeEach(async () => {
    define('a', OUTSIDE, '');
    define('b', OUTSIDE, '');
    write('images/a/.dockerignore', 'README\n');
    await git('init', '-q');
    await git('config', 'log.showRoot', 'false');
    await commit();
  }, 60_000);

  it('a commit without an entry is found until there is one', async () => {
    expect(await lint()).toMatchObject({ stdout: 'nothing found in 2 definitions.\n', stderr: '' });
    write('images/a/x y\n"z', 'x');
    write('images/a/README', 'x');
    write('images/a/control', 'Package: a\n');
    await commit();
    write('images/b/README', 'x');
    expect(await changed()).toEqual([
      expect.stringMatching(/^images\/a\/changelog:1: warning: no entry tells of what changed since: images\/a\/x y "z \(commit [0-9a-f]{12}\) \[changed-without-changelog\]$/),
      'images/b/changelog:1: warning: no entry tells of what changed since: images/b/README (not committed) [changed-without-changelog]',
    ]);
    expect((await lint('--json')).stdout).toContain('images/a/x y\\n\\"z (commit ');
    write('images/a/changelog', changelog('a', ['2', '1']));
    write('images/b/changelog', changelog('b', ['2', '1']));
    expect(await changed()).toEqual([]);
    await commit();
    expect(await changed()).toEqual([]);
  }, 60_000);
  it('what .dockerignore leaves out is no change', async () => {
    write('images/a/README', 'x');
    await commit();
    expect(await changed()).toEqual([]);
  }, 60_000);
  it('a file that moves from one image to another changes both', async () => {
    write('images/a/x', 'x\n'.repeat(9));
    write('images/a/changelog', changelog('a', ['2', '1']));
    await commit();
    await git('mv', 'images/a/x', 'images/b/x');
    await git('commit', '-q', '-m', 'x');
    expect(await changed()).toEqual([expect.stringContaining('images/a/x (commit '), expect.stringContaining('images/b/x (commit ')]);
  }, 60_000);
  it('a folder that moved is as it was', async () => {
    await git('mv', 'images/a', 'images/c');
    await git('commit', '-q', '-m', 'x');
    expect(await changed()).toEqual([]);
  }, 60_000);
  it('a tree in the middle of a repository, seen from inside', async () => {
    write('images/a/x', 'x');
    await commit();
    expect((await run(process.execPath, [PROGRAM, 'lint', '-c', '../config.yaml', '.'], 'images')).stdout).toMatch(/^a\/changelog:1: warning: no entry tells of what changed since: a\/x \(commit /);
  }, 60_000);
});
