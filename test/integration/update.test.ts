import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Interruption } from '../../src/cli/interruption.js';
import { EXIT } from '../../src/shared/errors.js';
import { tryLock } from '../../src/adapters/lock.js';
import { digestOf } from '../../src/shared/digest.js';
import { runHere, type EndedHere, type Here } from '../support/run-in-process.js';
import { changelogOf } from '../support/tree-in-memory.js';

const PERSON = { GIT_CONFIG_COUNT: '2', GIT_CONFIG_KEY_0: 'user.name', GIT_CONFIG_VALUE_0: 'Git Person', GIT_CONFIG_KEY_1: 'user.email', GIT_CONFIG_VALUE_1: 'git@example.org' };
const NOBODY = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.useConfigOnly', GIT_CONFIG_VALUE_0: 'true' };
const IMAGES = ['base', 'web', 'api', 'tool'];

let top: string;
beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'build-images-update-')));
  write('config.yaml', 'registry: registry.invalid\nnamespace: team\nbase_images: [registry.invalid/debian:12]\nfallback_author: Fall Back\nfallback_email: fall@back\n');
  write('.gitignore', '.state\n.cache\n');
  define('base', '{{ "debian" | image_tag }}');
  define('web', '{{ "base" | image_tag }}');
  define('api', '{{ "web" | image_tag }}');
  define('tool', '{{ "debian" | image_tag }}');
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(top, path)), { recursive: true });
  writeFileSync(join(top, path), text);
}
const read = (path: string): string => readFileSync(join(top, path), 'utf8');
const logOf = (name: string): string => read(`images/${name}/changelog`);
function define(name: string, from: string): void {
  write(`images/${name}/Dockerfile.template`, `FROM ${from}\n`);
  write(`images/${name}/changelog`, changelogOf(name, '1.0', '0.9'));
}
const run = (line: string, here: Partial<Here> = {}): Promise<EndedHere> => runHere(['update', ...line.split(' '), '--dir', join(top, 'images'), '-c', join(top, 'config.yaml')], { cwd: top, ...here });
const git = (...args: readonly string[]): string => execFileSync('git', args, { cwd: top, encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: top, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', ...PERSON } }).trim();
function commitAll(): void {
  git('init', '-q');
  git('add', '.');
  git('commit', '-q', '-m', 'all');
}
/** The newest entry's version of each image. */
const versions = (): string => IMAGES.map((name) => /\((.*)\)/.exec(logOf(name))![1]).join(' ');
/** The changes of an image's newest entry, our mark left out. */
const changes = (name: string): readonly string[] => logOf(name).split('\n -- ')[0]!.split('\n').slice(2, -2).map((line) => line.trim());
const author = (name: string): string => /^ -- (.*)$/m.exec(logOf(name))![1]!;
const NOTHING = '1.0 1.0 1.0 1.0';

describe('update', () => {
  it('gives an image and all that stands on it an entry, whatever control says, and nothing else a byte', async () => {
    const { exit, out, err } = await run('base --reason Fixes');
    expect({ exit, err, versions: versions() }).toEqual({ exit: 0, err: '', versions: '1.0-s1 1.0-s1 1.0-s1 1.0' });
    expect(logOf('api')).toBe(`api (1.0-s1) wikimedia; urgency=high\n\n   Refresh for update in parent image base:\n   Fixes\n   (build-images update)\n\n -- Fall Back <fall@back>  Fri, 20 Nov 2026 09:00:00 +0000\n\n${changelogOf('api', '1.0', '0.9')}`);
    expect(out.split('\n')).toEqual([
      'writing 3 changelogs',
      '',
      '  image  now  will be  why',
      '  base   1.0  1.0-s1   it was named',
      '  web    1.0  1.0-s1   base is updated',
      '  api    1.0  1.0-s1   base is updated',
      '',
      '3 changelogs written.   build-images builds what they say.',
    ]);
  });
  it.each([
    ['a name', 'web'],
    ['namespace/name', 'team/web'],
    ['a full reference', 'registry.invalid/team/web:1.0'],
    ['one without its tag', 'registry.invalid/team/web'],
    ['the same twice', 'web team/web'],
  ])('an image is named by %s', async (_, names) => {
    expect([(await run(names)).exit, versions(), changes('web'), changes('api')]).toEqual([0, '1.0 1.0-s1 1.0-s1 1.0', ['Security update'], ['Refresh for update in parent image web:', 'Security update']]);
  });
  it('reads names from standard input', async () => {
    expect([(await run('--stdin', { input: 'api\n\n  tool \n' })).exit, versions()]).toEqual([0, '1.0 1.0 1.0-s1 1.0-s1']);
  });
  it.each(['*eb', 'team/web', 'registry.invalid/team/web:*'])('leaves out what is excluded, and what stands on it: %s', async (glob) => {
    expect([(await run(`base tool --exclude ${glob}`)).exit, versions()]).toEqual([0, '1.0-s1 1.0 1.0 1.0-s1']);
  });
  it('says in a git work tree how to look at what was written', async () => {
    commitAll();
    expect((await run('base')).out.split('\n').at(-1)).toBe('3 changelogs written, nothing committed.   git diff shows them; build-images builds what they say.');
  });
  it('warns of a parent that is named by hand under its old version, and only then', async () => {
    define('web', 'registry.invalid/team/base:1.0');
    define('api', 'registry.invalid/team/web');
    define('tool', '{{ "web" | image_tag }}');
    expect(await run('base')).toMatchObject({ exit: 0, err: `${join(top, 'images/web/Dockerfile.template')}:1: names registry.invalid/team/base:1.0 by hand, and will stand on that and not on the update: {{ "base" | image_tag }} keeps its tag current  [warning]` });
    commitAll();
    expect((await run('web')).err).toBe('');
    define('web', 'registry.invalid/team/base:1.0-s1');
    expect((await run('web')).err).toBe('');
    expect((await run('web --reason Other --strict')).exit).toBe(0);
    expect((await run('base --strict')).exit).toBe(3);
    await run('base');
    define('web', 'registry.invalid/team/base:1.0-s2');
    expect(await run('base --reason More')).toMatchObject({ exit: 0, err: '' });
    expect(versions()).toMatch(/^1\.0-s2 /);
  });
  it('writes through a link', async () => {
    renameSync(join(top, 'images/base/changelog'), join(top, 'real'));
    write('.git/HEAD', '');
    symlinkSync('../../real', join(top, 'images/base/changelog'));
    expect([(await run('base')).exit, read('real').split('\n')[0]]).toEqual([0, 'base (1.0-s1) wikimedia; urgency=high']);
  });
  it('says of rolling images that they have nothing to write, and goes on to what stands on them', async () => {
    rmSync(join(top, 'images/web/changelog'));
    write('images/web/control', 'Package: web\nRolling: yes\n');
    const { exit, out } = await run('base');
    expect(exit).toBe(0);
    expect(out).toContain('  api    1.0      1.0-s1   base is updated\n  web    rolling  –        it has no changelog: a build makes it when a parent moved');
    rmSync(join(top, 'images/api'), { recursive: true });
    expect((await run('web')).out.split('\n').filter((line) => !line.startsWith('  '))).toEqual(['no changelog to write', '', '', 'Nothing to do.']);
  });

  it('--dry-run shows versions and entries and writes nothing', async () => {
    const { exit, out } = await run('api --dry-run');
    expect([exit, versions()]).toEqual([0, NOTHING]);
    expect(out).toMatch(/^would write 1 changelog\n\n.*\n {2}api .* 1\.0-s1 .*\n\n\S*images\/api\/changelog:\n {2}api \(1\.0-s1\) wikimedia; urgency=high\n\n {5}Security update\n(?:.*\n)*Nothing was written\. {3}Run it without --dry-run to do it\.$/);
  });
  it.each([true, false])('--json is the steps, and JSON alone (dry run: %s)', async (dryRun) => {
    const before = logOf('base');
    const { out } = await run(`base --exclude web --json${dryRun ? ' --dry-run' : ''}`);
    expect(JSON.parse(out)).toEqual({
      written: !dryRun,
      commit: null,
      steps: [{ action: 'write-file', image: 'team/base', path: join(top, 'images/base/changelog'), from: '1.0', to: '1.0-s1', before: digestOf(before), reasons: [{ why: 'update-asked' }], entry: expect.stringMatching(/^base \(1\.0-s1\) .*\n[^]* -- Fall Back <fall@back> {2}Fri, 20 Nov 2026 09:00:00 \+0000$/) }],
      rolling: [],
      unchanged: [],
    });
  });

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['Debian\'s variables come first', { ...PERSON, DEBFULLNAME: 'Deb', DEBEMAIL: 'deb@x' }, 'Deb <deb@x>'],
    ['then git\'s settings, each half by itself', { ...PERSON, DEBEMAIL: 'deb@x' }, 'Git Person <deb@x>'],
    ['outside a work tree too', PERSON, 'Git Person <git@example.org>'],
    ['then the config', { DEBFULLNAME: 'Deb' }, 'Deb <fall@back>'],
    ['and the config alone where there is no git', { PATH: '/nowhere' }, 'Fall Back <fall@back>'],
  ])('the author: %s', async (_, env, expected) => {
    await run('tool', { env });
    expect(author('tool')).toBe(`${expected}  Fri, 20 Nov 2026 09:00:00 +0000`);
  });
});

describe('a command line that update refuses changes nothing', () => {
  it.each<[string, Partial<Here>, number, string]>([
    ['bse', {}, 2, 'there is no image "bse" (near: base) in the tree. No file was changed.'],
    ['base apii nowhere', {}, 2, 'there is no image "apii" (near: api), "nowhere" in the tree. No file was changed.'],
    ['as', {}, 2, 'there is no image "as"'],
    ['base --exclude x*', {}, 2, "--exclude 'x*' matches no image"],
    ['base --exclude web --exclude b*', {}, 2, 'team/base is named, and left out by --exclude'],
    ['base web -v 2.0', {}, 2, '--version is for one image: its children get the next of their own'],
    ['base -v 2.0+b1', {}, 2, '--version: "2.0+b1" cannot be an image tag: "+" is not allowed'],
    ['base -v 0.9', {}, 3, 'changelog:7: has an entry for 0.9 already: --version needs another'],
    ['base --reason=', {}, 2, '--reason needs some text'],
    ['--stdin', { input: '\n' }, 2, 'standard input names no image'],
    ['base --commit', {}, 2, 'lies in no git work tree'],
    ['base', { env: { DEBFULLNAME: 'A <b>' } }, 2, '"A <b>" cannot stand in a changelog\'s last line'],
  ])('%s', async (line, here, exit, message) => {
    const ended = await run(line, here);
    expect([ended.exit, ended.out, versions()]).toEqual([exit, '', NOTHING]);
    expect(ended.err).toContain(message);
  });
  it('a version for an image that has none', async () => {
    rmSync(join(top, 'images/tool/changelog'));
    write('images/tool/control', 'Package: tool\nRolling: yes\n');
    expect(await run('tool -v 2.0')).toEqual({ exit: 2, out: '', err: '--version: team/tool has no changelog, and so no version of its own' });
  });
  it('a tree with faults', async () => {
    write('images/tool/Dockerfile.template', 'FROM {{ nothing }}\n');
    const { exit, err } = await run('base');
    expect([exit, versions()]).toEqual([3, NOTHING]);
    expect(err).toMatch(/tool\/Dockerfile\.template:1: [^]*\n1 problem in 1 definition; no file was changed\.$/);
  });
  it('when it is asked to end before it writes, and lint --fix too', async () => {
    write('images/web/control', 'Package: web\n');
    write('images/api/control', 'Package: api\nDepends: web\n');
    const signal = AbortSignal.abort(new Interruption(EXIT.terminated));
    expect(await run('base', { signal })).toEqual({ exit: 143, out: '', err: 'terminated: nothing was changed' });
    const lint = (...words: readonly string[]) => runHere(['lint', join(top, 'images'), '-c', join(top, 'config.yaml'), ...words], { cwd: top, signal });
    expect(await lint('--fix')).toEqual({ exit: 143, out: '', err: 'terminated: nothing was changed' });
    expect([versions(), read('images/web/control')]).toEqual([NOTHING, 'Package: web\n']);
    expect((await lint()).exit).toBe(0);
  });
  it('while another run writes files of the tree', async () => {
    const name = `files-${digestOf(join(top, 'images')).slice('sha256:'.length, 'sha256:'.length + 16)}`;
    const { machineLockDirectory } = await import('../../src/adapters/lock.js');
    const lock = tryLock(machineLockDirectory(join(top, '.state/build-images/locks')), name);
    if ('heldBy' in lock) throw new Error('held');
    lock.say('pid 1');
    const { exit, err } = await run('base');
    lock.release();
    expect([exit, err, versions()]).toEqual([75, `another run writes files of ${join(top, 'images')}: pid 1\n  try: run it again; it takes seconds`, NOTHING]);
    expect((await run('base')).exit).toBe(0);
  });
  it('a version that sorts below the newest is written, and said', async () => {
    const { exit, err } = await run('tool -v 0.8');
    expect([exit, err, versions()]).toEqual([0, `${join(top, 'images/tool/changelog')}:1: 0.8 does not sort above 1.0  [warning]`, '1.0 1.0 1.0 0.8']);
  });
});

describe('update in git', () => {
  it('twice before a commit leaves one entry with both reasons, and once more nothing new', async () => {
    commitAll();
    await run('web --reason One');
    await run('base --reason Two');
    expect(versions()).toBe('1.0-s1 1.0-s1 1.0-s1 1.0');
    expect([changes('web'), changes('api')]).toEqual([
      ['One', 'Refresh for update in parent image base:', 'Two'],
      ['Refresh for update in parent image web:', 'One', 'Refresh for update in parent image base:', 'Two'],
    ]);
    const before = IMAGES.map(logOf);
    const { exit, out } = await run('base --reason Two', { now: Date.UTC(2027, 0, 1) });
    expect([exit, out.split('\n')[0], out.split('\n').at(-1), IMAGES.map(logOf)]).toEqual([0, 'no changelog to write', 'Nothing to write; 3 changelogs not committed yet.   --commit does it.', before]);
  });
  it('after a commit makes a new entry', async () => {
    commitAll();
    await run('tool');
    git('commit', '-qam', 'update');
    await run('tool');
    expect(versions()).toBe('1.0 1.0 1.0 1.0-s2');
  });
  it('a person\'s entry that is not committed stays as it is', async () => {
    commitAll();
    write('images/tool/changelog', changelogOf('tool', '1.1', '1.0'));
    await run('tool');
    expect(logOf('tool').endsWith(changelogOf('tool', '1.1', '1.0'))).toBe(true);
    expect(versions()).toBe('1.0 1.0 1.0 1.1-s1');
  });
  it('in another user\'s checkout is known to git too, but nothing is committed there', async () => {
    commitAll();
    await run('tool --reason One');
    execFileSync('chown', ['-R', '65534', top]);
    await run('tool --reason Two');
    expect([versions(), changes('tool'), statSync(join(top, 'images/tool/changelog')).uid]).toEqual(['1.0 1.0 1.0 1.0-s1', ['One', 'Two'], 65534]);
    const { exit, err } = await run('tool --commit');
    expect([exit, versions()]).toEqual([1, '1.0 1.0 1.0 1.0-s1']);
    expect(err).toMatch(/^git does not commit: .*dubious ownership.*No file was changed\.$/);
  });
  it('before the first commit, and of a file that git does not have, an entry of ours is added to', async () => {
    git('init', '-q');
    await run('tool --reason One');
    await run('tool --reason Two');
    expect([versions(), changes('tool')]).toEqual(['1.0 1.0 1.0 1.0-s1', ['One', 'Two']]);
  });
  it('outside git there is always a new one', async () => {
    await run('tool');
    await run('tool');
    expect(versions()).toBe('1.0 1.0 1.0 1.0-s2');
  });
});

describe('--commit', () => {
  const env = PERSON;
  beforeEach(commitAll);

  it('makes one commit of the files it wrote, whatever else is changed or staged', async () => {
    write('config.yaml', `${read('config.yaml')}jobs: 1\n`);
    write('staged', 'x');
    git('add', 'staged');
    const { exit, out, err } = await run('base --reason Fixes --commit', { env });
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(git('log', '--format=%an <%ae> %s%n%b', '-1').split('\n')).toEqual([
      'Git Person <git@example.org> Update base and 2 images that stand on it',
      'Fixes',
      '',
      'team/base 1.0 → 1.0-s1',
      'team/web 1.0 → 1.0-s1',
      'team/api 1.0 → 1.0-s1',
    ]);
    expect(git('show', '--name-only', '--format=').split('\n')).toEqual(['api', 'base', 'web'].map((name) => `images/${name}/changelog`));
    expect(git('status', '--porcelain').split('\n')).toEqual(['M config.yaml', 'A  staged']);
    expect(git('rev-list', '--count', 'HEAD')).toBe('2');
    expect(out).toContain(`3 changelogs written and committed as ${git('rev-parse', 'HEAD').slice(0, 12)}.`);
  });
  it('takes entries of ours along that are not committed yet', async () => {
    await run('base --reason One', { env });
    git('add', 'images/web/changelog');
    expect((await run('base --reason Two --commit', { env })).exit).toBe(0);
    expect([git('status', '--porcelain'), versions()]).toEqual(['', '1.0-s1 1.0-s1 1.0-s1 1.0']);
  });
  it('commits what an earlier run has written, when there is nothing to add', async () => {
    await run('web --reason One', { env });
    const { exit, out } = await run('web --reason One --commit --json', { env });
    expect([exit, git('status', '--porcelain')]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ written: false, commit: git('rev-parse', 'HEAD'), steps: [], unchanged: [{ image: 'team/web', version: '1.0-s1' }, { image: 'team/api', version: '1.0-s1' }] });
    expect(git('log', '-1', '--format=%s')).toBe('Update web and 1 image that stands on it');
  });
  it('takes a path for what it is, though git has a meaning for its first letter', async () => {
    renameSync(join(top, 'images'), join(top, ':'));
    git('add', '.');
    git('commit', '-q', '-m', 'moved');
    const { exit, err } = await runHere(['update', 'tool', '--commit', '--dir', join(top, ':'), '-c', join(top, 'config.yaml')], { cwd: top, env });
    expect([exit, err, git('show', '--name-only', '--format=')]).toEqual([0, '', ':/tool/changelog']);
  });
  it('with --dry-run commits nothing', async () => {
    expect([(await run('base --commit --dry-run', { env })).exit, git('status', '--porcelain'), git('rev-list', '--count', 'HEAD')]).toEqual([0, '', '1']);
  });
  it.each<[string, () => void]>([
    ['a person changed', () => write('images/web/changelog', `${logOf('web')}# note\n`)],
    ['a person staged', () => {
      const old = logOf('web');
      write('images/web/changelog', `${old}# note\n`);
      git('add', '.');
      write('images/web/changelog', old);
    }],
    ['git has no more', () => git('rm', '-q', '--cached', 'images/web/changelog')],
    ['git does not have yet', () => {
      git('rm', '-q', '--cached', 'images/web/changelog');
      git('commit', '-q', '-m', 'without');
    }],
  ])('a changelog that %s is refused', async (_, prepare) => {
    prepare();
    const before = [IMAGES.map(logOf), git('status', '--porcelain')];
    const { exit, err } = await run('base --commit', { env });
    expect([exit, err]).toEqual([2, `--commit: ${join(top, 'images/web/changelog')} has changes that are not committed, and they would go along. No file was changed\n  try: commit or stash them first, or leave out --commit`]);
    expect([IMAGES.map(logOf), git('status', '--porcelain')]).toEqual(before);
    expect((await run('tool --commit', { env })).exit).toBe(0);
  });
  it.each<[string, () => Readonly<Record<string, string>>, RegExp]>([
    ['a hook refuses', () => {
      write('.git/hooks/pre-commit', '#!/bin/sh\necho not today >&2\nexit 1\n');
      chmodSync(join(top, '.git/hooks/pre-commit'), 0o755);
      return PERSON;
    }, /^git does not commit: not today\. No file was changed\.$/],
    ['git knows no author', () => NOBODY, /^git does not commit: .*No file was changed\.$/],
    ['a merge is under way', () => {
      git('checkout', '-qb', 'side');
      write('side', '');
      git('add', '.');
      git('commit', '-qm', 'side');
      git('checkout', '-q', '-');
      git('merge', '-q', '--no-ff', '--no-commit', 'side');
      return PERSON;
    }, /^git does not commit: .*merge[^.]*\. No file was changed\.$/],
  ])('when %s, the files are put back: exit 1', async (_, prepare, message) => {
    const person = prepare();
    const before = git('status', '--porcelain');
    const { exit, out, err } = await run('base --commit', { env: person });
    expect([exit, out, versions(), git('status', '--porcelain')]).toEqual([1, '', NOTHING, before]);
    expect(err).toMatch(message);
  });
});
