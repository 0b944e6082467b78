import { fileURLToPath } from 'node:url';
import { setUpMachine } from './machine.mjs';
import { registryOf, startRegistry } from './registry.mjs';
import { main, readText, run, say, show, Stop } from './shell.mjs';
import { buildProgram, installDependencies } from './workspace.mjs';

/** `plan --check`: work is pending. */
const PENDING = 10;
const PROGRAM = ['dist/main.js'];

/** From a fresh machine to a registry full of images; where that is so already, says so. */
await main(async () => {
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  const start = Date.now();
  await installDependencies();
  await buildProgram();
  await setUpMachine({ forTests: false });
  await startRegistry(registryOf(readText('config.yaml')));

  const pending = await show(process.execPath, [...PROGRAM, 'plan', '--check']);
  if (pending !== 0 && pending !== PENDING) return pending;
  if (pending === PENDING) {
    say('');
    const built = await show(process.execPath, PROGRAM);
    if (built !== 0) return built;
  }
  const took = Math.round((Date.now() - start) / 1000);
  say('');
  say(pending === PENDING ? `Done in ${Math.floor(took / 60)}m ${String(took % 60).padStart(2, '0')}s.` : `Every image is built and published: nothing was built, nothing was pushed (${took}s).`);
  say(`Run one of them:  docker run --rm ${await exampleImage()} python3 --version`);
  return 0;
});

/** An image to try; the tree knows its name. */
async function exampleImage() {
  const listed = await run(process.execPath, [...PROGRAM, 'list', '--json']);
  if (listed.code !== 0) throw new Stop(listed.output.trim());
  const refs = JSON.parse(listed.output).map(({ ref }) => ref);
  const ref = refs.find((name) => name.includes('/python3-')) ?? refs.at(-1);
  return ref.replace(/:[^:/]*$/, ':latest');
}
