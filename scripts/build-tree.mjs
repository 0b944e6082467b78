import { fileURLToPath } from 'node:url';
import { fillRegistry } from './fill-registry.mjs';
import { main } from './shell.mjs';

/** From a fresh machine to a registry with every image of the tree. */
await main(() => {
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  return fillRegistry([]);
});
