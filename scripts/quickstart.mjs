import { fileURLToPath } from 'node:url';
import { fillRegistry } from './fill-registry.mjs';
import { QUICKSTART_SELECTION } from './quickstart-selection.mjs';
import { main } from './shell.mjs';

/** From a fresh machine to a registry with some images of every sort, within minutes. */
await main(() => {
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  return fillRegistry(QUICKSTART_SELECTION, { whenDone: ['Build all the rest:  npm run build-tree'] });
});
