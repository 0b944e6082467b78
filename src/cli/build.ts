import { isPending, planToJson } from '../plan/step.js';
import { formatPlan } from '../report/format-plan.js';
import { EXIT } from '../shared/errors.js';
import { connect } from './outside.js';
import { planning, publishingOf } from './planning.js';
import { execute, lockRun } from './run.js';
import { readConfig, readTree } from './tree.js';
import type { Verb } from './verb.js';

/** Builds what is missing, tests it, publishes it, and moves `:latest`. */
export const build: Verb = async (options, environment) => {
  const tree = await readTree(await readConfig(options, environment), options, environment);
  const connections = await connect(tree.config, options, environment);
  try {
    const publishing = await publishingOf(tree, connections, options);
    if (options.dryRun) {
      const { plan } = await planning(tree, publishing, connections, options, environment);
      if (options.json) environment.out(JSON.stringify(planToJson(plan), null, 2));
      else for (const line of formatPlan(plan, options.all)) environment.out(line);
      return EXIT.ok;
    }
    const lock = await lockRun(tree, publishing.publish, environment);
    try {
      const planned = await planning(tree, publishing, connections, options, environment);
      if (planned.plan.steps.some(isPending)) return await execute(tree, planned, lock, connections, options, environment);
      if (!options.json) for (const line of formatPlan(planned.plan, false)) environment.out(line);
      return EXIT.ok;
    } finally {
      lock.release();
    }
  } finally {
    await connections.close();
  }
};
