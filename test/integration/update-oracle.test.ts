import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pythonWithDockerPkg } from '../support/python-with-docker-pkg.js';
import { runHere } from '../support/run-in-process.js';
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

/** The same date everywhere, and without our mark. */
const comparable = (text: string): string => text.replace('   (build-images update)\n', '').replace(/^( -- .*>  ).*$/m, '$1DATE');

describe('update, with docker-pkg\'s own as the judge', () => {
  it('30 trees of 8 to 24 images get the same changelogs, byte by byte', async () => {
    const python = pythonWithDockerPkg();
    if (python === undefined) {
      // No package index to be had: what docker-pkg writes is also held by the unit tests of entries.
      console.warn('docker-pkg could not be installed: its update was not asked');
      return;
    }
    writeTrees('theirs');
    writeTrees('ours');
    const noGit = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', PYTHONWARNINGS: 'ignore' };
    const work = cases.map((one, at) => ({ folder: join(top, 'theirs', String(at)), arguments: one.arguments, env: one.env }));
    execFileSync(python, [script], { input: JSON.stringify(work), stdio: ['pipe', 'ignore', 'pipe'], env: { PATH: process.env['PATH'], HOME: top, ...noGit } });
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
});
