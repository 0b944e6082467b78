import { engineAnswers, startEngine } from './engine.mjs';
import { install, missingTools } from './packages.mjs';

/** Brings the machine to where images can be built on it: Debian packages, and an engine that runs. Does nothing where all is there. */
export async function setUpMachine({ forTests }) {
  await install(await missingTools({ engineAnswers: await engineAnswers(), forTests }));
  await startEngine();
}
