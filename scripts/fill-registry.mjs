import { setUpMachine } from './machine.mjs';
import { registryOf, startRegistry } from './registry.mjs';
import { readText, run, say, show, Stop } from './shell.mjs';
import { buildProgram, installDependencies } from './workspace.mjs';

/** `plan --check`: work is pending. */
const PENDING = 10;
const PROGRAM = ['dist/main.js'];

/**
 * From a fresh machine to a registry that holds the images that `globs` select (none: all); where that is so already, says so.
 * Resolves to the exit code.
 */
export async function fillRegistry(globs, { whenDone = [] } = {}) {
  const start = Date.now();
  await installDependencies();
  await buildProgram();
  await setUpMachine({ forTests: false });
  await startRegistry(registryOf(readText('config.yaml')));

  const selection = globs.flatMap((glob) => ['--select', glob]);
  const pending = await show(process.execPath, [...PROGRAM, 'plan', '--check', ...selection]);
  if (pending !== 0 && pending !== PENDING) return pending;
  if (pending === PENDING) {
    say('');
    const built = await show(process.execPath, [...PROGRAM, ...selection]);
    if (built !== 0) return built;
  }
  const seconds = Math.round((Date.now() - start) / 1000);
  say('');
  say(pending === PENDING ? `Done in ${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, '0')}s.` : `Every one of these images is built and published: nothing was built, nothing was pushed (${seconds}s).`);
  say(`Run one of them:     docker run --rm ${await exampleImage(selection)} python3 --version`);
  for (const line of whenDone) say(line);
  return 0;
}

/** An image to try; the tree knows its name. */
async function exampleImage(selection) {
  const listed = await run(process.execPath, [...PROGRAM, 'list', '--json', ...selection]);
  if (listed.code !== 0) throw new Stop(listed.output.trim());
  const refs = JSON.parse(listed.output).map(({ ref }) => ref);
  const ref = refs.find((name) => name.includes('/python3-')) ?? refs.at(-1);
  return ref.replace(/:[^:/]*$/, ':latest');
}
