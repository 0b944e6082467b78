import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startAptRepository, type AptRepository } from '../support/apt-repository.js';
import { statusOf } from '../support/packages-in-memory.js';
import { openScenario, type Ended, type Running, type Scenario } from '../support/scenario.js';
import { until } from '../support/until.js';

jest.setTimeout(180_000);

let s: Scenario;
let archive: AptRepository;
let released = 0;
const gitEnv = { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', GIT_AUTHOR_NAME: 'Tester', GIT_AUTHOR_EMAIL: 't@example.org', GIT_COMMITTER_NAME: 'Tester', GIT_COMMITTER_EMAIL: 't@example.org' };
const git = (folder: string, ...args: readonly string[]): string => execFileSync('git', args, { cwd: join(s.directory, folder), env: gitEnv, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
const night = (): Promise<Ended> => s.run(['nightly', '--quiet'], { env: gitEnv as Record<string, string> });
const path = (name: string): string => join(s.directory, name);
const hook = (name: string, text: string): void => {
  writeFileSync(path(name), `#!/bin/sh\n${text}\n`);
  chmodSync(path(name), 0o755);
};
const upstream = (format = '%s'): string => git('upstream.git', 'log', '-1', `--format=${format}`, 'main');
const newest = (): string => /\(([^)]+)\)/.exec(readFileSync(path('images/web/changelog'), 'utf8'))![1]!;
const config = (lines: string): void => {
  const text = readFileSync(path('config.yaml'), 'utf8').replace(/^git_.*\n/gm, '');
  writeFileSync(path('config.yaml'), `${text}${lines}`);
  if (git('.', 'status', '--porcelain', 'config.yaml') === '') return;
  git('.', 'commit', '-qm', 'Another config', 'config.yaml');
  git('.', 'push', '-q');
};
/** What somebody else pushes meanwhile. */
const theirs = (): string => {
  git('there', 'pull', '-q', '--ff-only');
  git('there', 'commit', '-q', '--allow-empty', '-m', 'Theirs');
  git('there', 'push', '-q');
  return git('there', 'rev-parse', 'HEAD');
};

/** An image that says it holds a package, and comes out another each time. */
function define(name: string, version: string | undefined): void {
  s.define(name, {
    ...(version === undefined ? {} : { versions: [version] }),
    lines: ['COPY status /var/lib/dpkg/status', 'COPY sources.list /etc/apt/sources.list', 'RUN cat /proc/sys/kernel/random/uuid > /id'],
    files: { status: statusOf('dpkg 1', 'php 8'), 'sources.list': `deb [trusted=yes] ${archive.uri} trixie-security main\n` },
  });
}

beforeAll(async () => {
  [s, archive] = await Promise.all([openScenario(), startAptRepository()]);
  await archive.addSuite('trixie-security', []);
  define('roll', undefined);
  define('web', '1.0-1');
  s.write('.gitignore', ['state', 'cache', 'home', 'docker', 'there', 'upstream.git', 'gate*', ''].join('\n'));
  git('.', 'init', '-q', '-b', 'main');
  git('.', 'add', '.');
  git('.', 'commit', '-qm', 'A tree');
  git('.', 'init', '-q', '--bare', '-b', 'main', 'upstream.git');
  git('.', 'remote', 'add', 'origin', path('upstream.git'));
  git('.', 'push', '-q', '-u', 'origin', 'main');
  git('.', 'clone', '-q', 'upstream.git', 'there');
  config('git_pull: true\ngit_push: true\n');
  const built = await s.run(['build']);
  if (built.code !== 0) throw new Error(built.stdout + built.stderr);
});
afterAll(async () => {
  await s.close();
  await archive.close();
});

/** Each night finds a newer package, a level checkout and no hooks. */
beforeEach(async () => {
  config('git_pull: true\ngit_push: true\n');
  await archive.release('trixie-security', [{ name: 'php', version: `8+deb13u${++released}` }]);
});
afterEach(() => {
  for (const name of ['.git/hooks/pre-push', '.git/hooks/pre-commit', 'upstream.git/hooks/pre-receive', 'gate', 'gate.pid']) rmSync(path(name), { force: true });
  git('.', 'fetch', '-q');
  git('.', 'reset', '-q', '--hard', 'origin/main');
  git('.', 'clean', '-qfd');
});

describe('a night that may push', () => {
  it('pushes the entries before it builds from them, and the next one has nothing to do', async () => {
    // What a build would find: the version in upstream, and not yet in the registry.
    s.write('images/web/test.sh', `#!/bin/bash\ngit --git-dir=${path('upstream.git')} show main:images/web/changelog | head -1 > ${path('gate')}\n`, 0o755);
    git('.', 'add', '.');
    git('.', 'commit', '-qm', 'A test');
    git('.', 'push', '-q');
    const { code, stdout, stderr } = await night();
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^build-images nightly on \S+: 0 refreshed, 2 built, 0 security fixes pending over 24 h\n\nnot brought {2}roll {2}php 8 → \S+ \(trixie-security\)\n {13}web {3}php 8 → \S+ \(trixie-security\)\nbuilt: roll, web\n/);
    expect(readFileSync(path('gate'), 'utf8')).toContain(`web (${newest()})`);
    expect(upstream('%B')).toMatch(/^Refresh .*\n[^]*\n\nBuild-images: pushed before the builds$/);
    expect([git('.', 'status', '--porcelain'), upstream('%H')]).toEqual(['', git('.', 'rev-parse', 'HEAD')]);
    expect(await s.digest('web', newest())).toBe(await s.digest('web', 'latest'));
    const before = [upstream('%H'), await s.digest('roll', 'latest'), await s.digest('web', 'latest')];
    const second = await night();
    expect([second.code, second.stdout]).toEqual([0, expect.stringMatching(/: 0 refreshed, 0 security fixes pending over 24 h\n/)]);
    expect([upstream('%H'), await s.digest('roll', 'latest'), await s.digest('web', 'latest')]).toEqual(before);
  });

  it('that somebody was faster than takes what they pushed, and plans again', async () => {
    hook('.git/hooks/pre-push', `[ -e ${path('gate')} ] && exit 0; touch ${path('gate')}; cd ${path('there')} && env -u GIT_DIR git pull -q --ff-only && env -u GIT_DIR git commit -q --allow-empty -m Theirs && env -u GIT_DIR git push -q`);
    const { code, stdout, stderr } = await night();
    expect([code, stderr, stdout]).toEqual([0, '', expect.stringContaining('0 refreshed, 2 built')]);
    expect(git('upstream.git', 'log', '-2', '--format=%s', 'main').split('\n')).toEqual([expect.stringMatching(/^Refresh/), 'Theirs']);
    expect(await s.digest('web', newest())).toBeDefined();
  });

  it('that somebody is always faster than refreshes rolling images, lists the others, and leaves no commit', async () => {
    hook('.git/hooks/pre-push', `cd ${path('there')} && env -u GIT_DIR git pull -q --ff-only && env -u GIT_DIR git commit -q --allow-empty -m Theirs && env -u GIT_DIR git push -q`);
    const before = newest();
    const { code, stdout } = await night();
    expect(code).toBe(10);
    expect(stdout).toMatch(/0 refreshed, 1 built/);
    expect(stdout).toMatch(/\ngit: somebody else pushed first, 3 times\ndue, without an entry: web\n/);
    expect([newest(), git('.', 'status', '--porcelain'), git('.', 'rev-parse', 'HEAD')]).toEqual([before, '', upstream('%H')]);
  });

  it.each([
    ['upstream.git/hooks/pre-receive', "echo 'this branch is protected' >&2; exit 1", 'this branch is protected'],
    ['.git/hooks/pre-push', "echo 'not tonight' >&2; exit 1", 'not tonight'],
    ['.git/hooks/pre-commit', "echo 'no entry without a ticket' >&2; exit 1", 'no entry without a ticket'],
  ])('that %s refuses says its words, and leaves no commit', async (name, text, words) => {
    hook(name, text);
    const before = [newest(), upstream('%H')];
    const { code, stdout } = await night();
    expect([code, stdout]).toEqual([10, expect.stringMatching(new RegExp(`0 refreshed, 1 built[^]*\\ngit: .*${words}.*\\ndue, without an entry: web\\n`))]);
    expect([newest(), git('.', 'rev-parse', 'HEAD'), git('.', 'status', '--porcelain')]).toEqual([...before, '']);
  });

  it.each([
    ['a detached HEAD', () => git('.', 'checkout', '-q', '--detach'), () => git('.', 'checkout', '-q', 'main'), 'HEAD is detached'],
    ['a commit of a person that is not upstream', () => git('.', 'commit', '-q', '--allow-empty', '-m', 'Mine'), () => '', '1 commit here that upstream has not ("Mine"); push or drop what is yours'],
    ['histories that went apart', () => git('.', 'commit', '-q', '--allow-empty', '-m', 'Mine') + theirs(), () => '', '1 commit here that upstream has not ("Mine"), and 1 there that are not here: they went apart'],
    ['a remote that is gone', () => git('.', 'remote', 'set-url', 'origin', '/nowhere'), () => git('.', 'remote', 'set-url', 'origin', path('upstream.git')), 'upstream cannot be asked: '],
  ])('that finds %s refreshes rolling images and lists the others', async (_, make, mend, words) => {
    make();
    const head = git('.', 'rev-parse', 'HEAD');
    const { code, stdout } = await night();
    mend();
    expect([code, stdout]).toEqual([10, expect.stringContaining(`git: ${words}`)]);
    expect(stdout).toMatch(/0 refreshed, 1 built[^]*due, without an entry: web\n/);
    expect(head).toBe(git('.', 'rev-parse', 'HEAD'));
  });

  it('that is killed before its push is pushed by the next one, which builds from it', async () => {
    hook('.git/hooks/pre-push', `echo $$ > ${path('gate.pid')}; exec sleep 600`);
    await killAt('gate.pid');
    expect(git('.', 'log', '-1', '--format=%s')).toMatch(/^Refresh/);
    expect(upstream()).not.toBe(git('.', 'log', '-1', '--format=%s%H'));
    rmSync(path('.git/hooks/pre-push'));
    const ours = git('.', 'rev-parse', 'HEAD');
    expect((await night()).code).toBe(0);
    expect(upstream('%H')).toBe(ours);
    expect(await s.digest('web', newest())).toBeDefined();
  });

  it('that is killed before its push, and then somebody pushed, begins anew', async () => {
    hook('.git/hooks/pre-push', `echo $$ > ${path('gate.pid')}; exec sleep 600`);
    await killAt('gate.pid');
    rmSync(path('.git/hooks/pre-push'));
    theirs();
    expect((await night()).code).toBe(0);
    expect(git('upstream.git', 'log', '-2', '--format=%s', 'main').split('\n')).toEqual([expect.stringMatching(/^Refresh/), 'Theirs']);
    expect(await s.digest('web', newest())).toBeDefined();
  });

  it('that is killed before its commit leaves an entry, which the next one commits', async () => {
    hook('.git/hooks/pre-commit', `echo $$ > ${path('gate.pid')}; exec sleep 600`);
    await killAt('gate.pid');
    expect(git('.', 'status', '--porcelain')).toBe('M images/web/changelog');
    rmSync(path('.git/hooks/pre-commit'));
    const { code, stdout } = await night();
    expect([code, stdout]).toEqual([0, expect.stringContaining('0 refreshed, 2 built')]);
    expect([git('.', 'status', '--porcelain'), upstream('%H')]).toEqual(['', git('.', 'rev-parse', 'HEAD')]);
  });

  it('writes no entries where no engine would build them', async () => {
    const before = upstream('%H');
    const { code, stderr } = await s.run(['nightly', '--quiet'], { env: { ...(gitEnv as Record<string, string>), DOCKER_HOST: 'unix:///nowhere.sock' } });
    expect([code, stderr]).toEqual([4, expect.stringMatching(/^the Docker engine at \/nowhere\.sock does not answer.*\. Nothing was built or changed\.\n/)]);
    expect([upstream('%H'), git('.', 'rev-parse', 'HEAD'), git('.', 'status', '--porcelain')]).toEqual([before, before, '']);
  });

  it('refuses what is not committed, and does nothing', async () => {
    for (const file of ['images/web/new', 'images/roll/control', 'elsewhere']) writeFileSync(path(file), 'Package: roll\nRolling: yes\nDescription: x\n');
    const before = [await s.digest('roll', 'latest'), upstream('%H')];
    expect(await night()).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^not committed: images\/roll\/control, images\/web\/new\. A night builds from what is committed\. Nothing was built or changed\.\n/) });
    expect([await s.digest('roll', 'latest'), upstream('%H')]).toEqual(before);
  });
});

describe('a night that follows upstream', () => {
  it('takes what is new there, writes no entries, and that is well', async () => {
    config('git_pull: true\n');
    const theirCommit = theirs();
    const { code, stdout, stderr } = await night();
    expect([code, stdout, stderr]).toEqual([0, expect.stringMatching(/0 refreshed, 1 built[^]*\ndue, without an entry: web\n/), '']);
    expect(git('.', 'rev-parse', 'HEAD')).toBe(theirCommit);
  });
});

describe('a night of trees in several work trees', () => {
  it('gives each its own commit, and those that one upstream refuses do not keep the other\'s back', async () => {
    for (const [tree, image] of [['left', 'one'], ['right', 'two']] as const) {
      define(image, '1.0-1');
      for (const file of ['Dockerfile.template', 'changelog', 'control', 'status', 'sources.list']) s.write(`${tree}/images/${image}/${file}`, readFileSync(path(`images/${image}/${file}`), 'utf8'));
      rmSync(path(`images/${image}`), { recursive: true });
      s.write(`${tree}/config.yaml`, readFileSync(path('config.yaml'), 'utf8'));
      git(tree, 'init', '-q', '-b', 'main');
      git(tree, 'add', '.');
      git(tree, 'commit', '-qm', 'A tree');
      git('.', 'init', '-q', '--bare', '-b', 'main', `${tree}.git`);
      git(tree, 'remote', 'add', 'origin', path(`${tree}.git`));
      git(tree, 'push', '-q', '-u', 'origin', 'main');
    }
    s.write('trees.yaml', 'trees:\n  - { name: left, directory: left/images, config: left/config.yaml }\n  - { name: right, directory: right/images, config: right/config.yaml }\n');
    expect(await s.run(['-c', 'trees.yaml'])).toMatchObject({ code: 0 });
    await archive.release('trixie-security', [{ name: 'php', version: `8+deb13u${++released}` }]);
    hook('right.git/hooks/pre-receive', "echo 'this branch is protected' >&2; exit 1");
    const { code, stdout } = await s.run(['nightly', '-c', 'trees.yaml', '--quiet'], { env: gitEnv as Record<string, string> });
    expect([code, stdout]).toEqual([10, expect.stringMatching(/not brought {2}one {2}php 8 → \S+ \(trixie-security\)\n(?: {13}.*\n)*built: one\ngit: .*this branch is protected.*\ndue, without an entry: two\n/)]);
    expect(['left.git', 'right.git', 'right'].map((folder) => git(folder, 'log', '-1', '--format=%s', 'main'))).toEqual([expect.stringMatching(/^Refresh.*one/), 'A tree', 'A tree']);
    expect(git('right', 'status', '--porcelain')).toBe('');
    expect([(await s.tags('one')).length, (await s.tags('two')).length]).toEqual([3, 2]);
  });
});

async function killAt(file: string): Promise<void> {
  const run: Running = s.start(['nightly'], gitEnv as Record<string, string>);
  await Promise.race([until(file, () => existsSync(path(file)) && readFileSync(path(file), 'utf8') !== ''), run.ended.then(({ stdout, stderr }) => Promise.reject(new Error(`ended before ${file}:\n${stdout}${stderr}`)))]);
  run.child.kill('SIGKILL');
  await run.ended;
  const pid = Number(readFileSync(path(file), 'utf8'));
  process.kill(pid);
  rmSync(path(file));
  await until('git has ended, too', () => !existsSync(path('.git/index.lock')) && !existsSync(`/proc/${pid}`));
}
