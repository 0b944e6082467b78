import { isPending } from '../plan/step.js';
import { EXIT } from '../shared/errors.js';
import { connect } from './outside.js';
import { planning, publishingOf, readTreeAndState } from './planning.js';
import { execute, lockRun, warmUp } from './run.js';
import { readConfig } from './tree.js';
import type { Verb } from './verb.js';
import { OWN_SHOWING, type Showing } from './watch-run.js';

/** Builds what is missing, tests it, publishes it, and moves `:latest`; shown in one of the ways there are. */
export const buildShown = (showing: Showing): Verb => async (options, environment) => {
  const config = await readConfig(options, environment);
  const connections = await connect(config, environment);
  try {
    const publishing = await publishingOf(config, connections, options);
    // What is planned must still be so when it is done: nobody else writes meanwhile.
    const lock = options.dryRun ? undefined : await lockRun(config, publishing, environment);
    try {
      const { tree, reading } = await readTreeAndState(config, connections, options, environment, lock && (() => warmUp(connections, environment)));
      const planned = await planning(tree, reading, publishing, connections, options, environment);
      if (lock !== undefined && planned.plan.steps.some(isPending)) return await execute(tree, planned, lock, connections, options, environment, showing);
      showing.plan(planned.plan, options, environment);
      return EXIT.ok;
    } finally {
      lock?.release();
    }
  } finally {
    await connections.close();
  }
};

/** As build-images shows it. */
export const build = buildShown(OWN_SHOWING);
