import { isPending, planToJson } from '../plan/step.js';
import { formatPlan } from '../report/format-plan.js';
import { EXIT } from '../shared/errors.js';
import { connect } from './outside.js';
import { planning, publishingOf, readTreeAndState } from './planning.js';
import { execute, lockRun } from './run.js';
import { readConfig } from './tree.js';
import type { Verb } from './verb.js';

/** Builds what is missing, tests it, publishes it, and moves `:latest`. */
export const build: Verb = async (options, environment) => {
  const config = await readConfig(options, environment);
  const connections = await connect(config, options, environment);
  try {
    const publishing = await publishingOf(config, connections, options);
    // What is planned must still be so when it is done: nobody else writes meanwhile.
    const lock = options.dryRun ? undefined : await lockRun(config, publishing.publish, environment);
    try {
      const { tree, reading } = await readTreeAndState(config, connections, options, environment);
      const planned = await planning(tree, reading, publishing, connections, options, environment);
      if (lock !== undefined && planned.plan.steps.some(isPending)) return await execute(tree, planned, lock, connections, options, environment);
      if (options.json) environment.out(JSON.stringify(planToJson(planned.plan), null, options.dryRun ? 2 : 0));
      else for (const line of formatPlan(planned.plan, options.all)) environment.out(line);
      return EXIT.ok;
    } finally {
      lock?.release();
    }
  } finally {
    await connections.close();
  }
};
