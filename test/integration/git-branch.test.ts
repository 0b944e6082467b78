import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { openGitBranch, TO_BE_PUSHED, wordsOf, type GitBranch } from '../../src/adapters/git-branch.js';

jest.setTimeout(60_000);

let place: string;
let branch: GitBranch;
const env = { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', GIT_AUTHOR_NAME: 'Tester', GIT_AUTHOR_EMAIL: 't@example.org', GIT_COMMITTER_NAME: 'Tester', GIT_COMMITTER_EMAIL: 't@example.org' };
const git = (folder: string, ...args: readonly string[]): string => execFileSync('git', args, { cwd: join(place, folder), env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
const signal = (): AbortSignal => AbortSignal.timeout(20_000);
/** Writes a file and commits it; `folder`: which clone. */
function commit(folder: string, path: string, text: string, message = `write ${path}`): string {
  mkdirSync(join(place, folder, 'images'), { recursive: true });
  writeFileSync(join(place, folder, path), text);
  git(folder, 'add', '.');
  git(folder, 'commit', '-qm', message);
  return git(folder, 'rev-parse', 'HEAD');
}
const head = (folder: string): string => git(folder, 'rev-parse', 'main');
const hook = (folder: string, name: string, text: string): void => {
  writeFileSync(join(place, folder, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(place, folder, name), 0o755);
};
const said = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'nothing', (error: Error) => error.message);

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'build-images-branch-'));
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', join(place, 'upstream')], { env });
  for (const name of ['here', 'there']) {
    execFileSync('git', ['clone', '-q', join(place, 'upstream'), join(place, name)], { env, stdio: 'ignore' });
    git(name, 'checkout', '-q', '-B', 'main');
    if (name === 'here') {
      commit('here', 'images/a', 'a');
      git('here', 'push', '-q', '-u', 'origin', 'main');
    } else git('there', 'branch', '-q', '--set-upstream-to=origin/main');
  }
  branch = openGitBranch(join(place, 'here'), env);
});
afterEach(() => rmSync(place, { recursive: true }));

describe('what is changed', () => {
  const changed = () => branch.changed([join(place, 'here', 'images')]);
  it('is nothing in a clean work tree', async () => expect(await changed()).toEqual([]));
  it('is what git knows, wherever it is, and what it does not know only below the folders asked for', async () => {
    commit('here', 'config.yaml', 'a');
    for (const path of ['config.yaml', 'secret.yaml', 'images/new name', 'images/a']) writeFileSync(join(place, 'here', path), 'changed');
    expect((await changed()).toSorted()).toEqual(['config.yaml', 'images/a', 'images/new name']);
  });
  it('is staged and deleted files, too, but nothing that is ignored', async () => {
    commit('here', '.gitignore', '*.tar\n');
    writeFileSync(join(place, 'here', 'images/x.tar'), '');
    writeFileSync(join(place, 'here', 'staged'), '');
    git('here', 'add', 'staged');
    rmSync(join(place, 'here', 'images/a'));
    expect((await changed()).toSorted()).toEqual(['images/a', 'staged']);
  });
  it('is all that git does not know where the tree is the work tree itself', async () => {
    writeFileSync(join(place, 'here', 'new'), '');
    expect(await branch.changed([join(place, 'here')])).toEqual(['new']);
  });
});

describe('how a branch stands', () => {
  it('is level after a push', async () => expect(await branch.standing()).toEqual({ ahead: [], behind: 0 }));
  it('tells commits that only it has, newest first, and which of them are ours', async () => {
    const first = commit('here', 'images/b', 'b', `Refresh b\n\nSome words\n\n${TO_BE_PUSHED}`);
    const second = commit('here', 'images/c', 'c', 'Mine');
    expect((await branch.standing()).ahead).toEqual([{ id: second, subject: 'Mine', isOurs: false }, { id: first, subject: 'Refresh b', isOurs: true }]);
  });
  it('tells how far it is behind, once that was fetched', async () => {
    commit('there', 'images/b', 'b');
    git('there', 'push', '-q');
    expect((await branch.standing()).behind).toBe(0);
    await branch.fetch(signal());
    expect((await branch.standing()).behind).toBe(1);
  });
  it.each([
    ['a detached HEAD', ['checkout', '-q', '--detach'], 'HEAD is detached'],
    ['a branch of this clone alone', ['checkout', '-q', '-b', 'mine'], 'mine follows no branch of a remote'],
    ['nothing', ['status'], undefined],
  ])('%s keeps it from an upstream', async (_, args, why) => {
    git('here', ...args);
    expect(await branch.withoutUpstream()).toBe(why);
  });
});

describe('moving on', () => {
  it('takes what upstream has, and leaves other files as they are', async () => {
    commit('there', 'images/b', 'b');
    git('there', 'push', '-q');
    writeFileSync(join(place, 'here', 'images/mine'), 'mine');
    await branch.fetch(signal());
    await branch.forward();
    expect([head('here'), existsSync(join(place, 'here/images/b')), readFileSync(join(place, 'here/images/mine'), 'utf8')]).toEqual([head('there'), true, 'mine']);
  });
  it('is refused where something would have to be merged', async () => {
    commit('there', 'images/b', 'b');
    git('there', 'push', '-q');
    const mine = commit('here', 'images/c', 'c');
    await branch.fetch(signal());
    expect(await said(branch.forward())).toMatch(/^Not possible to fast-forward, aborting|^Diverging/i);
    expect(head('here')).toBe(mine);
  });
  it('is refused while another git writes', async () => {
    commit('there', 'images/b', 'b');
    git('there', 'push', '-q');
    await branch.fetch(signal());
    writeFileSync(join(place, 'here/.git/index.lock'), '');
    expect(await said(branch.forward())).toMatch(/index\.lock': File exists/);
  });
});

describe('a push', () => {
  it('gives upstream the commits of this branch, whatever the remote\'s branch is called and push.default says', async () => {
    git('here', 'push', '-q', 'origin', 'main:release');
    git('here', 'checkout', '-q', '-b', 'mine', '--track', 'origin/release');
    git('here', 'config', 'push.default', 'nothing');
    const mine = commit('here', 'images/b', 'b');
    await branch.push(signal());
    expect(git('upstream', 'rev-parse', 'release')).toBe(mine);
    expect(git('upstream', 'rev-parse', 'main')).not.toBe(mine);
  });
  it('that somebody else was faster than is refused, and changes nothing', async () => {
    commit('there', 'images/b', 'b');
    git('there', 'push', '-q');
    commit('here', 'images/c', 'c');
    expect(await said(branch.push(signal()))).toMatch(/rejected/);
    expect(head('upstream')).toBe(head('there'));
  });
  it.each([
    ['upstream', 'hooks/pre-receive', 'protected branch'],
    ['here', '.git/hooks/pre-push', 'not on a Friday'],
  ])('that a hook of %s declines says so in its words', async (folder, name, words) => {
    hook(folder, name, `echo '${words}' >&2; exit 1`);
    commit('here', 'images/c', 'c');
    expect(await said(branch.push(signal()))).toContain(words);
  });
  it('to a remote that is not there says so', async () => {
    git('here', 'remote', 'set-url', 'origin', '/nonexistent/place');
    expect(await said(branch.push(signal()))).toMatch(/nonexistent/);
  });
  it('that is not answered in time ends', async () => {
    hook('upstream', 'hooks/pre-receive', `touch ${join(place, 'begun')}; exec sleep 600`);
    commit('here', 'images/c', 'c');
    expect(await said(branch.push(AbortSignal.timeout(500)))).toBe('no answer in time');
  });
});

describe('a remote that asks for a login', () => {
  let server: Server;
  let asked: number;
  beforeEach(async () => {
    asked = 0;
    server = createServer((_, response) => {
      asked++;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterEach(() => new Promise((done) => void server.close(done)));
  const url = (user: string): string => `http://${user}127.0.0.1:${(server.address() as AddressInfo).port}/images`;

  it.each([['', /could not read Username.*terminal prompts disabled/], ['builder:s3cret@', /Authentication failed/]])('gets none but what its URL has (%s), and nobody is asked', async (user, words) => {
    git('here', 'remote', 'set-url', 'origin', url(user));
    const message = await said(branch.fetch(signal()));
    expect(message).toMatch(words);
    expect(message).not.toContain('s3cret');
    expect(asked).toBeGreaterThan(0);
  });
});

describe('going back', () => {
  it('takes back what commits did to files, and leaves other changes', async () => {
    commit('here', 'images/other', 'other');
    const before = head('here');
    commit('here', 'images/b', 'b');
    writeFileSync(join(place, 'here/images/other'), 'mine');
    await branch.backTo(before);
    expect([head('here'), existsSync(join(place, 'here/images/b')), readFileSync(join(place, 'here/images/other'), 'utf8')]).toEqual([before, false, 'mine']);
  });
  it('is refused where a change would be lost', async () => {
    const before = head('here');
    const after = commit('here', 'images/a', 'b');
    writeFileSync(join(place, 'here/images/a'), 'mine');
    expect(await said(branch.backTo(before))).not.toBe('nothing');
    expect([head('here'), readFileSync(join(place, 'here/images/a'), 'utf8')]).toEqual([after, 'mine']);
  });
});

describe('git\'s words', () => {
  it.each([
    ["fatal: unable to access 'https://me:se:cr@et@git.example.org/x/': timed out\n", "unable to access 'https://git.example.org/x/': timed out"],
    ["remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'https://git.example.org/x?private_token=abc&b=c'\n", "HTTP Basic: Access denied / Authentication failed for 'https://git.example.org/x?private_token=…&b=…'"],
    ['To /srv/x\n ! [rejected]        main -> main (fetch first)\nerror: failed to push some refs\nhint: Updates were rejected\nhint: more\n', '! [rejected]        main -> main (fetch first) / failed to push some refs'],
  ])('hold no password and no advice', (output, words) => expect(wordsOf(output)).toBe(words));
});
