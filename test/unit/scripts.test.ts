import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { PROJECT } from '../support/source-tree.js';

it('the scripts import from each other what is there', async () => {
  const entryPoints = readdirSync(join(PROJECT, 'scripts')).filter((name) => name.endsWith('.mjs')).map((name) => join(PROJECT, 'scripts', name));
  expect(entryPoints.length).toBeGreaterThan(5);
  const { errors, warnings } = await build({ entryPoints, bundle: true, write: false, outdir: 'nowhere', format: 'esm', platform: 'node', packages: 'external', logLevel: 'silent' });
  expect([...errors, ...warnings].map(({ text }) => text)).toEqual([]);
});
