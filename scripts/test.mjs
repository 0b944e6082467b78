import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ON_ONE_ENGINE } from '../jest.config.mjs';
import { ENGINES, machineEngine, startOtherEngine, stopOtherEngine, stopOtherEngines } from './engines.mjs';
import { setUpMachine } from './machine.mjs';
import { lastLines, main, readText, run, say, sleep, Stop } from './shell.mjs';
import { buildProgram, installDependencies } from './workspace.mjs';

/** The suites, what they need, how many files of one run at once, and how long (in seconds) before it counts as hung. */
const SUITES = {
  unit: { real: false, workers: availableParallelism(), limit: 120 },
  golden: { real: false, workers: availableParallelism(), limit: 180 },
  integration: { real: true, workers: 2, limit: 1200 },
  e2e: { real: true, workers: 2, limit: 1800 },
};

/** The process group of the suite that is running. */
let group;

/** Runs the suites that the command line asks for, or all, on the engines that it asks for. The last line is always `N passed, N failed`. */
await main(async () => {
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  const { suites, wanted } = readArguments();
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]]) {
    process.once(signal, async () => {
      endGroup(signal);
      await stopOtherEngines();
      process.exit(code);
    });
  }

  const total = { passed: 0, failed: 0 };
  const fail = (why) => {
    total.failed++;
    say(why);
  };
  const orFail = async (body) => {
    try {
      await body();
    } catch (fault) {
      if (!(fault instanceof Stop)) throw fault;
      fail(`${fault.message}${fault.hint === undefined ? '' : `\n  try: ${fault.hint}`}`);
    }
  };
  await orFail(async () => {
    await prepare(suites);
    await checkTypes(fail);
    const real = suites.filter((name) => SUITES[name].real);
    const machine = real.length === 0 ? undefined : await machineEngine();
    for (const name of suites) {
      if (!SUITES[name].real) await runSuite(name, {}, total, fail);
      else if (wanted === undefined || wanted.includes(machine.name)) await runSuite(name, { title: machine.title }, total, fail);
    }
    if (real.length === 0) return;
    for (const engine of (wanted ?? Object.keys(ENGINES)).filter((name) => name !== machine.name)) {
      await orFail(async () => {
        const env = await startOtherEngine(engine);
        for (const name of real) await runSuite(name, { title: ENGINES[engine].title, env }, total, fail);
      });
      await stopOtherEngine(engine);
    }
  });
  say(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
});

/** `[SUITE…] [--engine NAME]…`; nothing: every suite, on every engine. */
function readArguments() {
  const usage = `npm test -- [${Object.keys(SUITES).join(' | ')}]… [--engine ${Object.keys(ENGINES).join(' | ')}]…`;
  let given;
  try {
    given = parseArgs({ args: process.argv.slice(2), allowPositionals: true, options: { engine: { type: 'string', multiple: true } } });
  } catch (fault) {
    throw new Stop(fault.message, usage, 2);
  }
  const { positionals, values } = given;
  const unknown = [...positionals.filter((name) => !Object.hasOwn(SUITES, name)), ...(values.engine ?? []).filter((name) => !Object.hasOwn(ENGINES, name))][0];
  if (unknown !== undefined) throw new Stop(`"${unknown}" is neither a suite nor an engine`, usage, 2);
  const all = Object.keys(SUITES).filter((name) => values.engine === undefined || SUITES[name].real);
  return { suites: positionals.length > 0 ? positionals : all, wanted: values.engine };
}

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

/** Adds a suite's numbers to the total. A suite that ran nothing, left something out or did not end has failed. `env`: of another engine than the machine's. */
async function runSuite(suite, { title, env }, total, fail) {
  const name = title === undefined ? suite : `${suite} on ${title}`;
  say(`\n${name}`);
  const folder = mkdtempSync(join(tmpdir(), 'build-images-test-'));
  try {
    const file = join(folder, 'result.json');
    const { took, value: ended } = await timed(() => jest(suite, file, env));
    const written = readText(file);
    if (!ended) return fail(`${name}: still running after ${SUITES[suite].limit}s, ended`);
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
async function jest(suite, outputFile, otherEngine) {
  const { workers, limit } = SUITES[suite];
  const once = otherEngine === undefined || ON_ONE_ENGINE.length === 0 ? [] : ['--testPathIgnorePatterns', '/node_modules/', ...ON_ONE_ENGINE.map((path) => `/test/${path.replaceAll('.', '\\.')}$`)];
  const args = ['node_modules/jest/bin/jest.js', '--selectProjects', suite, `--maxWorkers=${workers}`, '--json', `--outputFile=${outputFile}`, ...once];
  const env = { ...process.env, ...otherEngine, CI: 'true', NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules`.trim() };
  const child = spawn(process.execPath, args, { env, detached: true, stdio: ['ignore', 'ignore', 'inherit'] });
  group = child.pid;
  let ended = true;
  const hung = setTimeout(async () => {
    ended = false;
    endGroup('SIGTERM');
    await sleep(5000);
    endGroup('SIGKILL');
  }, limit * 1000);
  await new Promise((resolve) => child.on('close', resolve).on('error', resolve));
  clearTimeout(hung);
  group = undefined;
  return ended;
}

function endGroup(signal) {
  if (group === undefined) return;
  try {
    process.kill(-group, signal);
  } catch {
    // It has ended by itself.
  }
}

async function timed(body) {
  const start = Date.now();
  const value = await body();
  return { took: `${((Date.now() - start) / 1000).toFixed(1)}s`, value };
}
