// Runs one of bench/: `npm run bench -- noop`. Benches are TypeScript like the tests whose registry they share.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [name, ...args] = process.argv.slice(2);
if (name === undefined || !existsSync(join(root, 'bench', `${name}.ts`))) {
  console.error('npm run bench -- noop | start | build | tree | base-images | outdated');
  process.exit(2);
}
spawnSync(process.execPath, [join(root, 'scripts/bundle.mjs')], { stdio: 'inherit' });
const folder = mkdtempSync(join(root, 'node_modules', '.bench-'));
try {
  const file = join(folder, `${name}.mjs`);
  await build({ entryPoints: [join(root, 'bench', `${name}.ts`)], outfile: file, bundle: true, format: 'esm', platform: 'node', target: 'node20.19', packages: 'external', logLevel: 'warning' });
  const { status } = spawnSync(process.execPath, [file, ...args], { stdio: 'inherit', cwd: root, env: { ...process.env, BENCH_ROOT: root } });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
