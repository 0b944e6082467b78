import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compileGlob } from '../../src/graph/glob.js';
import { writeDockerPkgTree, type GeneratedDefinition } from '../support/docker-pkg-tree.js';
import { pythonWithDockerPkg } from '../support/python-with-docker-pkg.js';
import { PROGRAM } from '../support/scenario.js';
import { seeded } from '../support/seeded.js';

type Listed = { readonly tree: string; readonly image: string; readonly ref: string; readonly path: string; readonly parents: readonly string[] };
type Read = { readonly images: Readonly<Record<string, { readonly text: string; readonly depends: readonly string[] }>>; readonly builds: readonly string[]; readonly selected: Readonly<Record<string, readonly string[]>> };

const folder = mkdtempSync(join(tmpdir(), 'build-images-docker-pkg-tree-'));
const golden = JSON.parse(readFileSync(new URL('../golden/cross-tree.json', import.meta.url), 'utf8')) as Readonly<Record<string, string>>;
let all: readonly GeneratedDefinition[];
beforeAll(() => {
  all = writeDockerPkgTree(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run<T>(...args: readonly string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...args], { cwd: folder, env: { PATH: process.env['PATH'], HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') }, maxBuffer: 1 << 26 });
  return JSON.parse(stdout) as T;
}

/** What docker-pkg makes of one tree; undefined: it cannot be had here. */
function ask(tree: string, globs: readonly string[], cwd = folder): Read | undefined {
  const python = pythonWithDockerPkg();
  if (python === undefined) return undefined;
  const script = fileURLToPath(new URL('../support/read-tree-with-docker-pkg.py', import.meta.url));
  return JSON.parse(execFileSync(python, [script, `${tree}/config.yaml`, `${tree}/images`], { cwd, env: { PATH: process.env['PATH'], HOME: cwd }, input: JSON.stringify(globs), encoding: 'utf8', maxBuffer: 1 << 26 })) as Read;
}

/** Globs as people write them, from the references of a tree. */
function globsOf(refs: readonly string[], many: number): readonly string[] {
  const chance = seeded(20261121);
  return Array.from({ length: many }, () => {
    const [name, tag] = chance.one(refs).split('/').at(-1)!.split(':') as [string, string];
    return chance.one([`*${name.slice(0, 4)}*`, `*/${name}:*`, name, `*:${tag}`, `*/${name.replace(/\d/g, '?')}:*`, `*[${name[0]!}-${String.fromCharCode(name.charCodeAt(0) + 2)}]*-[!0-4]?:*`, `registry*${tag}`, `*${name}`]);
  });
}

describe.each([['main', 150], ['apps', 38]] as const)('of a generated tree, %s, of %i definitions', (tree, many) => {
  it('names, tags, Dockerfiles, edges and selections are those of docker-pkg', async () => {
    const own = all.filter((definition) => definition.tree === tree);
    const [listed, rendered] = await Promise.all([
      run<readonly Listed[]>('list', '--json', '-c', `${tree}/config.yaml`, `${tree}/images`),
      run<Readonly<Record<string, string>>>('render', '--all', '--json', '-c', `${tree}/config.yaml`, `${tree}/images`),
    ]);
    expect(listed.map(({ ref, path }) => [ref, path]).sort()).toEqual(own.map(({ ref, path }) => [ref, path]).sort());
    expect(listed).toHaveLength(many);
    const globs = globsOf(own.map(({ ref }) => ref), 60);
    const theirs = ask(tree, globs);
    if (theirs === undefined) {
      console.warn('docker-pkg could not be installed: nobody could be asked');
      return;
    }
    expect(listed.map(({ ref }) => ref).sort()).toEqual(theirs.builds);
    expect(Object.fromEntries(listed.map(({ image, ref }) => [ref, rendered[image]]))).toEqual(Object.fromEntries(Object.entries(theirs.images).map(([ref, { text }]) => [ref, text])));
    // Its edges are what control names, and it takes a name with a version for another name.
    const byName = new Map(own.map(({ name, ref }) => [name, ref]));
    const edges = Object.entries(theirs.images).flatMap(([ref, { depends }]) => depends.flatMap((name) => (byName.has(name) ? [[ref, byName.get(name)!] as const] : [])));
    expect(edges.length).toBeGreaterThan(many / 10);
    for (const [ref, parent] of edges) expect([ref, listed.find((image) => image.ref === ref)!.parents]).toEqual([ref, expect.arrayContaining([parent])]);
    expect(Object.fromEntries(globs.map((glob) => [glob, own.map(({ ref }) => ref).filter(compileGlob(glob)).sort()]))).toEqual(theirs.selected);
    const chosen = globs.filter((glob) => theirs.selected[glob]!.length > 0);
    expect([chosen.length > 30, chosen.length < globs.length]).toEqual([true, true]);
  }, 280_000);
});

describe('of the three generated trees together', () => {
  let listed: readonly Listed[];
  beforeAll(async () => {
    listed = await run('list', '--json', '-c', 'trees.yaml');
  });

  it('all 200 are listed, each in its tree, no image before what it stands on', () => {
    expect(listed.map(({ tree, ref }) => [tree, ref]).sort()).toEqual(all.map(({ tree, ref }) => [tree, ref]).sort());
    expect(listed).toHaveLength(200);
    const at = new Map(listed.map(({ ref }, index) => [ref, index]));
    for (const [index, { parents }] of listed.entries()) for (const parent of parents) expect(at.get(parent) ?? -1).toBeLessThan(index);
  });

  it('what a template uses is a parent, in whichever tree it is', () => {
    const uses = all.flatMap(({ ref, uses: used }) => used.map((parent) => [ref, parent] as const));
    const parents = new Map(listed.map(({ ref, parents: above }) => [ref, above]));
    for (const [ref, parent] of uses) expect([ref, parents.get(ref)]).toEqual([ref, expect.arrayContaining([parent])]);
    const trees = new Map(all.map(({ ref, tree }) => [ref, tree]));
    expect(uses.filter(([ref, parent]) => trees.get(ref) !== trees.get(parent)).length).toBeGreaterThan(10);
  });

  it('what docker-pkg cannot render, names of other trees, is as it was, and all else as each tree renders alone', async () => {
    const together = await run<Readonly<Record<string, string>>>('render', '--all', '--json', '-c', 'trees.yaml');
    const cross = new Set(all.filter(({ tree }) => tree === 'cross').map(({ name }) => `cross/${name}`));
    expect(Object.fromEntries(Object.entries(together).filter(([image]) => cross.has(image)))).toEqual(golden);
    expect(Object.keys(golden)).toHaveLength(12);
    for (const tree of ['main', 'apps']) expect(together).toMatchObject(await run('render', '--all', '--json', '-c', `${tree}/config.yaml`, `${tree}/images`));
  });
});

describe('where control drifted from the template', () => {
  type Finding = { readonly path: string; readonly rule: string; readonly level: string; readonly message: string };
  const lint = async (cwd: string, ...args: readonly string[]): Promise<readonly Finding[]> => {
    const stdout = await new Promise<string>((done) => execFile(process.execPath, [PROGRAM, 'lint', '--json', ...args], { cwd, env: { PATH: process.env['PATH'], HOME: cwd, XDG_CACHE_HOME: join(cwd, 'cache'), XDG_STATE_HOME: join(cwd, 'state') }, maxBuffer: 1 << 26 }, (_, out) => done(out)));
    return (JSON.parse(stdout) as { findings: readonly Finding[] }).findings;
  };
  const names = (found: readonly Finding[], rule: string, path: string): readonly string[] => found.filter((finding) => finding.rule === rule && finding.path === path).map(({ message }) => /(?:uses|names) ([^ ,]+)/.exec(message)![1]!).sort();
  const directoryOf = ({ tree, path }: GeneratedDefinition): string => `${tree}/images/${path}`;
  /** Names of the images of its own tree that a template uses. */
  const usedBy = ({ tree, uses }: GeneratedDefinition): readonly string[] => all.filter((other) => other.tree === tree && uses.includes(other.ref)).map(({ name }) => name);
  const missing = (some: readonly string[], others: readonly string[]): readonly string[] => some.filter((name) => !others.includes(name)).sort();

  it('lint says every name that is missing and every one too many, and none else', async () => {
    const found = await lint(folder, '-c', 'trees.yaml');
    const unread = new Set(found.filter(({ rule, level }) => rule === 'definition' && level === 'error').map(({ path }) => path));
    const counts = { undeclared: 0, stale: 0 };
    for (const definition of all) {
      const at = directoryOf(definition);
      if (unread.has(`${at}/Dockerfile.template`)) continue;
      const declared = existsSync(join(folder, at, 'control')) ? definition.declares : [];
      const used = all.filter(({ ref }) => definition.uses.includes(ref)).map(({ name }) => name);
      const [undeclared, stale] = [names(found, 'undeclared-parent', `${at}/Dockerfile.template`), names(found, 'stale-parent', `${at}/control`)];
      expect([at, undeclared, stale]).toEqual([at, missing(usedBy(definition), declared), missing(declared, used)]);
      counts.undeclared += undeclared.length;
      counts.stale += stale.length;
    }
    expect(counts).toEqual({ undeclared: 50, stale: 16 });
  }, 60_000);

  it.each(['main', 'apps'])('lint --fix makes docker-pkg read in %s what the templates use', async (tree) => {
    const copy = mkdtempSync(join(tmpdir(), 'build-images-docker-pkg-tree-'));
    try {
      cpSync(folder, copy, { recursive: true, verbatimSymlinks: true });
      const left = await lint(copy, '--fix', '-c', `${tree}/config.yaml`, `${tree}/images`);
      const unread = new Set(left.filter(({ rule, level }) => rule === 'definition' && level === 'error').map(({ path }) => path));
      expect(left.filter(({ rule }) => rule === 'stale-parent')).toEqual([]);
      const theirs = ask(tree, [], copy);
      if (theirs === undefined) {
        console.warn('docker-pkg could not be installed: nobody could be asked');
        return;
      }
      let edges = 0;
      for (const definition of all.filter((one) => one.tree === tree)) {
        const at = directoryOf(definition);
        if (unread.has(`${at}/Dockerfile.template`) || !existsSync(join(copy, at, 'control'))) continue;
        const read = theirs.images[definition.ref]!.depends.map((name) => name.replace(/ \(.*/, '')).filter((name) => name !== 'no-such-image');
        expect([at, [...read].sort()]).toEqual([at, [...usedBy(definition)].sort()]);
        edges += read.length;
      }
      expect(edges).toBeGreaterThan(tree === 'main' ? 50 : 10);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  }, 280_000);
});
