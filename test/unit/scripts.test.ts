import { existsSync, readdirSync, readFileSync } from 'node:fs';
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

it('every test file that runs on one engine only is there', () => {
  const config = readFileSync(join(PROJECT, 'jest.config.mjs'), 'utf8');
  const listed = [...config.matchAll(/^ {2}'([^']+\.test\.ts)',$/gm)].map(([, path]) => path!);
  expect(listed.length).toBeGreaterThan(5);
  expect(listed.filter((path) => !existsSync(join(PROJECT, 'test', path)))).toEqual([]);
});
