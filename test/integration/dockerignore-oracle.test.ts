import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { keptEntries, parseDockerignore } from '../../src/definition/dockerignore.js';

const run = promisify(execFile);

/** Debian's own client brings BuildKit with it; a newer one, which needs a plug-in for that, may stand before it in the PATH. */
const docker = existsSync('/usr/bin/docker') ? '/usr/bin/docker' : 'docker';

const { folders, files, cases } = JSON.parse(readFileSync(new URL('../golden/definition/dockerignore.json', import.meta.url), 'utf8')) as {
  readonly folders: readonly string[];
  readonly files: readonly string[];
  readonly cases: readonly { readonly rules: string; readonly ignored: readonly string[] | null }[];
};

/** Where the client of Docker 20.10 has faults that newer ones have not: there the golden test speaks, which is moby's own newer code. */
const NEWER_THAN_20_10: readonly string[] = [
  '**b',
  'x+y',
  '*\n!**/keep.txt',
  'dir/**\n!dir/**/keep.txt',
  '**/node_modules\n!node_modules/n/keep.txt',
  '**/*\n!**/a',
  'dir\n!dir/sub\n*',
  '**/deep\n!**/keep.txt',
  '*/keep.txt\n!dir',
  '(a)|b',
  'a|b',
  '**/*.js\n!lib',
  'dir/*/deep\n!**/deep/keep.txt',
];

/** Everything below a folder, folders too, `/` between names. */
async function walk(root: string, below = ''): Promise<{ type: 'file' | 'directory'; path: string }[]> {
  const found: { type: 'file' | 'directory'; path: string }[] = [];
  for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    found.push({ type: entry.isDirectory() ? 'directory' : 'file', path });
    if (entry.isDirectory()) found.push(...(await walk(root, path)));
  }
  return found;
}

describe('parseDockerignore', () => {
  let root = '';
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'dockerignore-'));
    for (const folder of folders) await mkdir(join(root, 'context', folder), { recursive: true });
    for (const file of files) await writeFile(join(root, 'context', file), 'x');
    await writeFile(join(root, 'Dockerfile'), 'FROM scratch\nCOPY . /\n');
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  it.each(cases.filter(({ rules }) => !NEWER_THAN_20_10.includes(rules)).map(({ rules }, index) => [JSON.stringify(rules), rules, index] as const))('keeps what docker build keeps: %s', async (_, rules, index) => {
    const out = join(root, `out-${index}`);
    await writeFile(join(root, 'Dockerfile.dockerignore'), rules);
    const built = await run(docker, ['build', '-q', '-f', join(root, 'Dockerfile'), '-o', out, join(root, 'context')], { env: { ...process.env, DOCKER_BUILDKIT: '1' } }).then(
      () => true,
      (error: { stderr: string }) => {
        if (!/dockerignore|pattern|not found|COPY/i.test(error.stderr)) throw error;
        return /not found/.test(error.stderr);
      },
    );
    const parsed = parseDockerignore('.dockerignore', rules);
    expect(parsed.ok).toBe(built);
    if (!parsed.ok) return;
    const kept = keptEntries(parsed.value, await walk(join(root, 'context'))).map(({ path }) => path);
    const actual = (await walk(out).catch(() => [])).map(({ path }) => path);
    expect(kept.sort()).toEqual(actual.sort());
  });
});
