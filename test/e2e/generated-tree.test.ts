import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateTree, imageOf, refOf, type Generated } from '../support/generated-tree.js';

const PROGRAM = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'dist', 'main.js');

type Listed = { readonly path: string; readonly tree: string; readonly image: string; readonly ref: string; readonly kind: string; readonly parents: readonly string[] };

describe('a generated tree of 132 docker-pkg definitions, with neither registry nor engine', () => {
  let folder: string;
  let tree: readonly Generated[];
  // No registry answers at registry.example.org, and no engine at this socket: neither may be asked.
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, [PROGRAM, ...args], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], timeout: 60_000, env: { PATH: process.env['PATH'], HOME: folder, DOCKER_HOST: 'unix:///nowhere.sock' } });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'generated-tree-'));
    tree = generateTree(folder, 22);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is listed whole: path, reference, kind and parents of every image', () => {
    const listed = JSON.parse(run('list', '--json')) as Listed[];
    const byName = (a: { image: string }, b: { image: string }): number => (a.image < b.image ? -1 : 1);
    const expected = tree.map((image) => ({ path: image.path, tree: 'images', image: imageOf(image), ref: refOf(image), kind: 'production', parents: image.parents }));
    expect(listed).toHaveLength(132);
    expect([...listed].sort(byName)).toEqual([...expected].sort(byName));
  });
  it('is listed parents first, in the same order every time', () => {
    const first = run('list', '--json');
    const listed = JSON.parse(first) as Listed[];
    const place = new Map(listed.map(({ ref }, index) => [ref, index]));
    for (const [index, { parents }] of listed.entries()) for (const parent of parents) expect(place.get(parent) ?? -1).toBeLessThan(index);
    expect(run('list', '--json')).toBe(first);
  });
  it('is rendered byte for byte as its templates say', () => {
    const rendered = JSON.parse(run('render', '--all', '--json')) as Record<string, string>;
    expect(rendered).toEqual(Object.fromEntries(tree.map((image) => [imageOf(image), image.dockerfile])));
  });
  it('is rendered one by one by name, too', () => {
    expect(run('render', 'child-7')).toBe(`${tree.find(({ name }) => name === 'child-7')!.dockerfile}\n`);
  });
});
