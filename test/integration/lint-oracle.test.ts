import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateTree, refOf, type Generated } from '../support/generated-tree.js';
import { pythonWithDockerPkg } from '../support/python-with-docker-pkg.js';
import { runHere } from '../support/run-in-process.js';

const script = fileURLToPath(new URL('../support/update-with-docker-pkg.py', import.meta.url));
const GROUPS = 8;

let top: string;
let images: readonly Generated[];
beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'build-images-lint-'));
  images = generateTree(join(top, 'drifted'), GROUPS);
  // docker-pkg takes all between two commas for a name.
  for (const { path } of images) {
    const control = join(top, 'drifted/images', path, 'control');
    writeFileSync(control, readFileSync(control, 'utf8').replace(' (>= 1.0)', ''));
  }
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

/** The images whose changelogs docker-pkg gives an entry when the base of each of the first groups is updated. */
function updatedByDockerPkg(python: string, below: string, groups: number): readonly (readonly string[])[] {
  const folders = Array.from({ length: groups }, (_, group) => join(top, `${below}-${group}`));
  for (const folder of folders) cpSync(join(top, below), folder, { recursive: true });
  const work = folders.map((folder, group) => ({ folder, arguments: [`base-${group}`, '--reason', 'x'], env: { DEBFULLNAME: 'A', DEBEMAIL: 'a@example.org' } }));
  execFileSync(python, [script], { input: JSON.stringify(work), stdio: ['pipe', 'ignore', 'pipe'], env: { PATH: process.env['PATH'], HOME: top, PYTHONWARNINGS: 'ignore' } });
  return folders.map((folder) => images.filter(({ path }) => changelogIn(folder, path) !== changelogIn(join(top, below), path)).map(({ name }) => name).sort());
}

const changelogIn = (folder: string, path: string): string => readFileSync(join(folder, 'images', path, 'changelog'), 'utf8');

/** An image and all that its Dockerfiles' FROM and COPY --from make stand on it. */
function descendants(name: string): readonly string[] {
  const found = new Set([name]);
  for (const known of found) {
    const ref = refOf(images.find((image) => image.name === known)!);
    for (const image of images) if (image.dockerfile.includes(ref)) found.add(image.name);
  }
  return [...found].sort();
}

describe('lint --fix, with docker-pkg as the judge', () => {
  it(`in a tree of ${GROUPS * 6} images docker-pkg updates all that stand on an image, which it did not before`, async () => {
    const python = pythonWithDockerPkg();
    if (python === undefined) {
      // No package index to be had: what is written is also held by the unit tests of mending.
      console.warn('docker-pkg could not be installed: its update was not asked');
      return;
    }
    const folder = join(top, 'mended');
    cpSync(join(top, 'drifted'), folder, { recursive: true });
    const fixed = await runHere(['lint', '--fix', '-c', join(folder, 'config.yaml'), join(folder, 'images')], { cwd: folder });
    expect({ exit: fixed.exit, last: fixed.out.split('\n').at(-1) }).toEqual({ exit: 0, last: `nothing found in ${GROUPS * 6} definitions.` });
    const wanted = Array.from({ length: GROUPS }, (_, group) => descendants(`base-${group}`));
    expect(updatedByDockerPkg(python, 'drifted', 1)).toEqual(wanted.slice(0, 1).map((names) => names.filter((name) => !name.startsWith('argument-'))));
    expect(updatedByDockerPkg(python, 'mended', GROUPS)).toEqual(wanted);
    expect(wanted.flat()).toHaveLength(GROUPS * 5);
  }, 300_000);
});
