import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setUpMachine } from './machine.mjs';
import { lastLines, main, readText, run, say, sleep, Stop } from './shell.mjs';
import { buildProgram, installDependencies } from './workspace.mjs';

/** The suites, what they need, how many files of one run at once, and how long (in seconds) before it counts as hung. */
const SUITES = {
  unit: { real: false, workers: availableParallelism(), limit: 120 },
  golden: { real: false, workers: availableParallelism(), limit: 180 },
  integration: { real: true, workers: 2, limit: 600 },
  e2e: { real: true, workers: 2, limit: 1200 },
};

/** Runs the suites named on the command line, or all. The last line is always `N passed, N failed`. */
await main(async () => {
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(SUITES);
  const unknown = names.find((name) => !Object.hasOwn(SUITES, name));
  if (unknown !== undefined) throw new Stop(`"${unknown}" is no suite (${Object.keys(SUITES).join(', ')})`, undefined, 2);

  const total = { passed: 0, failed: 0 };
  const fail = (why) => {
    total.failed++;
    say(why);
  };
  try {
    await prepare(names);
    await checkTypes(fail);
    for (const name of names) await runSuite(name, total, fail);
  } catch (fault) {
    if (!(fault instanceof Stop)) throw fault;
    fail(`${fault.message}${fault.hint === undefined ? '' : `\n  try: ${fault.hint}`}`);
  }
  say(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
});

async function prepare(names) {
  await installDependencies();
  if (!names.some((name) => SUITES[name].real)) return;
  await setUpMachine({ forTests: true });
  await buildProgram();
}

async function checkTypes(fail) {
  const { took, value } = await timed(() => run('node_modules/.bin/tsc', ['--noEmit', '--project', '.']));
  if (value.code === 0) return say(`types: right (${took})`);
  fail(`types: wrong (${took})\n${lastLines(value.output, 30)}`);
}

/** Adds a suite's numbers to the total. A suite that ran nothing, left something out or did not end has failed. */
async function runSuite(name, total, fail) {
  say(`\n${name}`);
  const folder = mkdtempSync(join(tmpdir(), 'build-images-test-'));
  try {
    const file = join(folder, 'result.json');
    const { took, value: ended } = await timed(() => jest(name, file));
    const written = readText(file);
    if (!ended) return fail(`${name}: still running after ${SUITES[name].limit}s, ended`);
    if (written === '') return fail(`${name}: ran no tests`);
    const result = JSON.parse(written);
    total.passed += result.numPassedTests;
    total.failed += result.numFailedTests;
    say(`${name}: ${result.numPassedTests} passed, ${result.numFailedTests} failed in ${took}`);
    if (result.numRuntimeErrorTestSuites > 0) fail(`${name}: ${result.numRuntimeErrorTestSuites} files could not be run`);
    const left = result.numPendingTests + result.numTodoTests;
    if (left > 0) fail(`${name}: ${left} skipped, but every test must run`);
    if (result.numTotalTests === 0) fail(`${name}: ran no tests`);
    if (!result.success && result.numFailedTests + result.numRuntimeErrorTestSuites + left === 0) fail(`${name}: jest says that it failed`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs one suite; false when it had to be ended. It has a process group of its own, so that what its tests started ends with it. */
async function jest(name, outputFile) {
  const { workers, limit } = SUITES[name];
  const args = ['node_modules/jest/bin/jest.js', '--selectProjects', name, `--maxWorkers=${workers}`, '--json', `--outputFile=${outputFile}`];
  const env = { ...process.env, CI: 'true', NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules`.trim() };
  const child = spawn(process.execPath, args, { env, detached: true, stdio: ['ignore', 'ignore', 'inherit'] });
  const end = (signal) => {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // It has ended by itself.
    }
  };
  const interrupt = (signal) => {
    end(signal);
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  let ended = true;
  const hung = setTimeout(async () => {
    ended = false;
    end('SIGTERM');
    await sleep(5000);
    end('SIGKILL');
  }, limit * 1000);
  await new Promise((resolve) => child.on('close', resolve).on('error', resolve));
  clearTimeout(hung);
  process.removeListener('SIGINT', interrupt).removeListener('SIGTERM', interrupt);
  return ended;
}

async function timed(body) {
  const start = Date.now();
  const value = await body();
  return { took: `${((Date.now() - start) / 1000).toFixed(1)}s`, value };
}
