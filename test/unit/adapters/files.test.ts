import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSourceFiles, sourceRootOf, workTreeOf } from '../../../src/adapters/files.js';
import { digestOf } from '../../../src/shared/digest.js';
import { good } from '../../../src/shared/problem.js';
import { said } from '../../support/tree-in-memory.js';

let top: string;
let root: string;
beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'build-images-files-')));
  root = join(top, 'root');
  mkdirSync(root);
});
afterEach(() => rmSync(top, { recursive: true }));

const put = (path: string, text = ''): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
const link = (target: string, path: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(target, join(root, path));
};
const files = () => createSourceFiles(root, (_, __, entries) => good(entries));
const context = (path = 'web') => files().readContext(join(root, path));
const problems = (path = 'web'): readonly string[] => said(context(path)).map((line) => line.replaceAll(`${root}/`, ''));

async function contents(path = 'web'): Promise<Readonly<Record<string, string>>> {
  const read = context(path);
  if (!read.ok) throw new Error(said(read).join('\n'));
  const texts: Record<string, string> = {};
  for (const entry of read.value) {
    if (entry.type === 'directory') continue;
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry.read()) chunks.push(Buffer.from(chunk));
    const text = Buffer.concat(chunks);
    expect([entry.size, entry.digest()]).toEqual([text.length, digestOf(text)]);
    texts[entry.path] = text.toString();
  }
  return texts;
}

describe('walking a tree', () => {
  it('finds every folder, parents first, in the order of names; links to files are files', () => {
    put('b/x');
    put('a/b/y');
    put('a/z');
    link('../b/x', 'a/link');
    const { folders } = files().walk(root);
    expect(folders.map(({ path, files: names }) => [path, [...names].sort()])).toEqual([['.', []], ['a', ['link', 'z']], ['a/b', ['y']], ['b', ['x']]]);
  });
  it('enters neither hidden folders nor links to folders', () => {
    put('.git/x');
    put('a/x');
    link('a', 'b');
    expect(files().walk(root).folders.map(({ path }) => path)).toEqual(['.', 'a']);
  });
  it.each([
    ['is not there', 'nowhere', 'nowhere: there is no such file'],
    ['is a file', 'file', 'file is not a directory'],
  ])('a DIRECTORY that %s is a mistake of the command line', (_, path, message) => {
    put('file');
    expect(() => files().walk(join(root, path))).toThrow(expect.objectContaining({ exit: 2, message: expect.stringContaining(message) }) as unknown as Error);
  });
});

describe('reading a file', () => {
  it('gives its text, or says what is wrong', () => {
    put('a', 'text');
    expect(files().readText(join(root, 'a'))).toMatchObject({ ok: true, value: 'text' });
    expect(said(files().readText(join(root, 'b')))).toEqual([`${root}/b: cannot read this file: there is no such file`]);
    expect(said(files().readText(root))).toEqual([`${root}: cannot read this file: is a folder, not a file`]);
  });
  it('follows a link inside the tree, and none that leads out of it', () => {
    writeFileSync(join(top, 'secret'), 'secret');
    put('a', 'text');
    link('a', 'inside');
    link('../../secret', 'web/Dockerfile.template');
    expect(files().readText(join(root, 'inside'))).toMatchObject({ ok: true, value: 'text' });
    expect(said(files().readText(join(root, 'web/Dockerfile.template')))).toEqual([`${root}/web/Dockerfile.template: this link leads out of the source tree`]);
  });
});

describe('a file that a definition names', () => {
  it('is its bytes, also through a link inside the tree', () => {
    writeFileSync(join(root, 'key'), Buffer.from([0x99, 0, 0xff]));
    link('key', 'inside');
    for (const name of ['key', 'inside']) expect(files().readBytes(join(root, name))).toMatchObject({ ok: true, value: Buffer.from([0x99, 0, 0xff]) });
  });
  it('that leads out of the tree, itself or by a folder on the way, that is none, or that is not there, is said to be so', () => {
    writeFileSync(join(top, 'secret'), 'secret');
    link('../secret', 'out');
    link('..', 'up');
    expect(said(files().readBytes(join(root, 'out')))).toEqual([`${root}/out: leads out of the source tree`]);
    expect(said(files().readBytes(join(root, 'up/secret')))).toEqual([`${root}/up/secret: leads out of the source tree`]);
    expect(said(files().readBytes(root))).toEqual([`${root}: is a folder, not a file`]);
    expect(said(files().readBytes(join(root, 'nowhere')))).toEqual([`${root}/nowhere: there is no such file`]);
  });
});

describe('a pipe where a file should be', () => {
  it('is read to its end and not waited for', () => {
    spawnSync('mkfifo', [join(root, 'pipe')]);
    expect(files().readText(join(root, 'pipe'))).toMatchObject({ ok: true, value: '' });
  });
});

describe('an import', () => {
  it.each([
    ['inside the tree', 'a/m.j2', { text: 'macro' }],
    ['by a link inside the tree', 'inside', { text: 'macro' }],
    ['that is not there', 'a/none', 'absent'],
    ['that is a folder', 'a', 'absent'],
    ['beyond the tree', '../secret', 'outside'],
    ['beyond the tree that is not there', '../none', 'outside'],
    ['by a link that leads out', 'out', 'outside'],
    ['in a folder that only begins like the tree', '../rooted/x', 'outside'],
  ])('%s', (_, path, expected) => {
    put('a/m.j2', 'macro');
    writeFileSync(join(top, 'secret'), 'secret');
    mkdirSync(join(top, 'rooted'));
    writeFileSync(join(top, 'rooted', 'x'), 'secret');
    link('a/m.j2', 'inside');
    link('../secret', 'out');
    expect(files().readImport(join(root, path))).toEqual(expected);
  });
});

describe('a build context', () => {
  it('may leave out one entry, and nothing of that name below it', () => {
    put('web/.git/x');
    put('web/sub/.git/y');
    const read = files().readContext(join(root, 'web'), '.git');
    expect(read.ok && read.value.map(({ path }) => path)).toEqual(['sub', 'sub/.git', 'sub/.git/y']);
  });
  it("has no log of docker-pkg's, in whose folder it may be started", async () => {
    put('web/docker-pkg-build.log', 'a line');
    put('web/bin/docker-pkg-build.log', 'a line');
    put('web/bin/x', 'x');
    expect(await contents()).toEqual({ 'bin/x': 'x' });
  });
  it('is the whole folder, hidden files too, with git\'s modes', async () => {
    put('web/a', '1');
    put('web/.hidden/b', '2');
    put('web/run.sh', '#!/bin/sh');
    chmodSync(join(root, 'web/run.sh'), 0o700);
    chmodSync(join(root, 'web/a'), 0o600);
    expect(await contents()).toEqual({ a: '1', '.hidden/b': '2', 'run.sh': '#!/bin/sh' });
    const read = context();
    expect(read.ok && read.value.map((entry) => [entry.path, entry.type === 'file' ? entry.mode.toString(8) : entry.type])).toEqual([['.hidden', 'directory'], ['.hidden/b', '644'], ['a', '644'], ['run.sh', '755']]);
  });
  it('has what links name in their place, files and folders, as often as they are named', async () => {
    put('common/x', 'shared');
    link('../common', 'web/one');
    link('../common', 'web/two');
    link('../common/x', 'web/file');
    expect(await contents()).toEqual({ 'one/x': 'shared', 'two/x': 'shared', file: 'shared' });
  });
  it.each([
    ['leads nowhere', 'nothing', 'web/link: this link leads nowhere'],
    ['leads out of the source tree', '../../secret', 'web/link: this link leads out of the source tree'],
    ['leads to a folder that it lies in', '.', 'web/link: this link leads to a folder that it lies in'],
    ['leads round in a circle', 'link', 'web/link: cannot follow this link: a link leads round in a circle'],
  ])('a link that %s is a fault', (_, target, message) => {
    writeFileSync(join(top, 'secret'), 'secret');
    put('web/a');
    link(target, 'web/link');
    expect(problems()).toEqual([message]);
  });
  it('two folders that link to each other are faults, and no endless walk', () => {
    put('web/a/x');
    put('web/b/x');
    link('../b', 'web/a/b');
    link('../a', 'web/b/a');
    expect(problems()).toEqual(['web/a/b/a: this link leads to a folder that it lies in', 'web/b/a/b: this link leads to a folder that it lies in']);
  });
  it('all faults are said at once, and what is no file', () => {
    link('nothing', 'web/one');
    link('nothing', 'web/two');
    expect(spawnSync('mkfifo', [join(root, 'web/pipe')]).status).toBe(0);
    expect(problems()).toEqual(['web/one: this link leads nowhere', 'web/pipe: neither a file nor a folder nor a link: it cannot be part of a build context', 'web/two: this link leads nowhere']);
  });
  it('of a folder that is not there is a fault', () => expect(problems('none')).toEqual(['none: cannot read this folder: there is no such file']));
  it('goes through .dockerignore where there is one', () => {
    put('web/a');
    put('web/.dockerignore', 'a\n');
    const asked: unknown[] = [];
    const filtered = createSourceFiles(root, (path, text, entries) => {
      asked.push(path, text);
      return good(entries.filter((entry) => entry.path !== 'a'));
    }).readContext(join(root, 'web'));
    expect(asked).toEqual([join(root, 'web/.dockerignore'), 'a\n']);
    expect(filtered.ok && filtered.value.map(({ path }) => path)).toEqual(['.dockerignore']);
  });
  it('a file that grows while it is read is noticed', async () => {
    put('web/a', '1');
    const read = context();
    put('web/a', '12');
    await expect((async () => { if (read.ok && read.value[0]?.type === 'file') for await (const _ of read.value[0].read()) void _; })()).rejects.toThrow('changed while it was read');
  });
});

describe('what imports and links may reach', () => {
  it('is the config\'s git work tree when the tree lies in it', () => {
    put('.git/HEAD');
    put('images/x');
    put('conf/config.yaml');
    expect(workTreeOf(join(root, 'images'))).toBe(root);
    expect(sourceRootOf(join(root, 'conf/config.yaml'), join(root, 'images'))).toBe(root);
  });
  it('is the tree\'s own work tree when the config lies elsewhere, or in another', () => {
    put('a/.git/HEAD');
    put('a/images/x');
    put('b/.git/HEAD');
    put('b/config.yaml');
    expect(sourceRootOf(join(root, 'b/config.yaml'), join(root, 'a/images'))).toBe(join(root, 'a'));
  });
  it('is the tree alone outside of git; a link to it is followed', () => {
    put('images/x');
    link('images', 'link');
    put('config.yaml');
    expect(sourceRootOf(join(root, 'config.yaml'), join(root, 'link'))).toBe(join(root, 'images'));
  });
});
