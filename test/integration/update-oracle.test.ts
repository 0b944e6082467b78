import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pythonWithDockerPkg } from '../support/python-with-docker-pkg.js';
import { runHere } from '../support/run-in-process.js';
import { writeDockerPkgTree, type GeneratedDefinition } from '../support/docker-pkg-tree.js';
import { updateCases } from '../support/update-trees.js';

const script = fileURLToPath(new URL('../support/update-with-docker-pkg.py', import.meta.url));
const cases = updateCases(30);

let top: string;
beforeAll(() => void (top = mkdtempSync(join(tmpdir(), 'build-images-update-'))));
afterAll(() => rmSync(top, { recursive: true, force: true }));

function writeTrees(below: string): void {
  for (const [at, { files }] of cases.entries()) {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(top, below, String(at), path)), { recursive: true });
      writeFileSync(join(top, below, String(at), path), text);
    }
  }
}

/** Lets docker-pkg update trees below a folder; false where it cannot be had. */
function updateWithDockerPkg(work: readonly { readonly folder: string; readonly arguments: readonly string[]; readonly env: Readonly<Record<string, string>> }[]): boolean {
  const python = pythonWithDockerPkg();
  if (python === undefined) {
    // No package index to be had: what docker-pkg writes is also held by the unit tests of entries.
    console.warn('docker-pkg could not be installed: its update was not asked');
    return false;
  }
  const env = { PATH: process.env['PATH'], HOME: top, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', PYTHONWARNINGS: 'ignore' };
  execFileSync(python, [script], { input: JSON.stringify(work), stdio: ['pipe', 'ignore', 'pipe'], env });
  return true;
}

/** The same date everywhere, and without our mark. */
const comparable = (text: string): string => text.replace('   (build-images update)\n', '').replace(/^( -- .*>  ).*$/m, '$1DATE');

describe('update, with docker-pkg\'s own as the judge', () => {
  it('30 trees of 8 to 24 images get the same changelogs, byte by byte', async () => {
    writeTrees('theirs');
    writeTrees('ours');
    if (!updateWithDockerPkg(cases.map((one, at) => ({ folder: join(top, 'theirs', String(at)), arguments: one.arguments, env: one.env })))) return;
    const written = { all: 0, updated: 0 };
    for (const [at, { files, arguments: asked, env }] of cases.entries()) {
      const folder = join(top, 'ours', String(at));
      const { exit, err } = await runHere(['update', ...asked, '--dir', join(folder, 'images'), '-c', join(folder, 'config.yaml')], { cwd: folder, env });
      expect({ exit, err }).toEqual({ exit: 0, err: '' });
      for (const [path, before] of Object.entries(files)) {
        const [theirs, ours] = ['theirs', 'ours'].map((below) => readFileSync(join(top, below, String(at), path), 'utf8')) as [string, string];
        expect({ at, path, text: comparable(ours) }).toEqual({ at, path, text: comparable(theirs) });
        if (path.endsWith('/changelog')) written.all++;
        if (ours !== before) written.updated++;
      }
    }
    expect(written).toEqual({ all: 464, updated: 225 });
  }, 300_000);

  describe.each([['main', 150, 112, 33], ['apps', 38, 5, 2]] as const)('of a generated tree, %s, of %i definitions', (tree, many, wanted, odd) => {
    /** What docker-pkg can bump stands in for what it cannot. */
    const standIn = '7.7';
    const canBump = ({ version }: GeneratedDefinition): boolean => /^[0-9.-]+(?:-s[0-9]+)?$/.test(version);
    const changelogIn = (below: string, { path }: GeneratedDefinition): string => readFileSync(join(top, below, tree, 'images', path, 'changelog'), 'utf8');

    it('an image and all that its Dockerfiles make stand on it get the entries of docker-pkg, had it known of that and of all versions', async () => {
      const all = writeDockerPkgTree(join(top, `drifted-${tree}`)).filter((definition) => definition.tree === tree);
      const ours = `drifted-${tree}`;
      const theirs = `mended-${tree}`;
      cpSync(join(top, ours), join(top, theirs), { recursive: true, verbatimSymlinks: true });
      for (const definition of all) {
        const folder = join(top, theirs, tree, 'images', definition.path);
        const parents = all.filter(({ name, ref }) => definition.uses.includes(ref) || definition.declares.includes(name)).map(({ name }) => name);
        writeFileSync(join(folder, 'control'), `Package: ${definition.name}\nMaintainer: A <a@b>\n${parents.length === 0 ? '' : `Depends: ${parents.join(', ')}\n`}Description: x\n`);
        if (!canBump(definition)) writeFileSync(join(folder, 'changelog'), changelogIn(ours, definition).replace(`(${definition.version})`, `(${standIn})`));
      }
      // docker-pkg takes NAME for a part of any name.
      const named = all.find(({ name }) => !all.some((other) => other.name !== name && other.name.includes(name)) && all.filter(({ declares }) => declares.includes(name)).length > 1)!.name;
      const env = { DEBFULLNAME: 'A', DEBEMAIL: 'a@example.org' };
      const before = all.map((definition) => changelogIn(ours, definition));
      const { exit, err } = await runHere(['update', named, '--reason', 'Fixes', '--dir', join(top, ours, tree, 'images'), '-c', join(top, ours, tree, 'config.yaml')], { cwd: join(top, ours), env });
      expect({ exit, err: exit === 0 ? '' : err, many: all.length }).toEqual({ exit: 0, err: '', many });
      if (!updateWithDockerPkg([{ folder: join(top, theirs, tree), arguments: [named, '--reason', 'Fixes'], env }])) return;
      for (const definition of all) {
        const expected = comparable(changelogIn(theirs, definition));
        const text = canBump(definition) ? expected : expected.replaceAll(`(${standIn}`, `(${definition.version}`);
        expect([definition.name, comparable(changelogIn(ours, definition))]).toEqual([definition.name, text]);
      }
      const updated = all.filter((definition, at) => changelogIn(ours, definition) !== before[at]);
      expect([updated.length, updated.filter((definition) => !canBump(definition)).length]).toEqual([wanted, odd]);
    }, 280_000);
  });
});
