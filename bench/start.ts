import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { median } from './timed-process.js';

/** What `--help` costs against bare node, in turns, medians of 31. Usage: npm run bench -- start */

const program = join(process.env['BENCH_ROOT']!, 'dist', 'main.js');
const time = (args: readonly string[]): number => {
  const started = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}`);
  return performance.now() - started;
};
const bare: number[] = [];
const help: number[] = [];
for (let round = 0; round < 31; round++) {
  bare.push(time(['-e', '0']));
  help.push(time([program, '--help']));
}
const ratio = median(help) / median(bare);
console.log(`--help ${median(help).toFixed(0)} ms, bare node ${median(bare).toFixed(0)} ms: ${ratio.toFixed(2)} × (at most 2.20)   ${ratio <= 2.2 ? 'ok' : 'MISSED'}`);
process.exitCode = ratio <= 2.2 ? 0 : 1;
