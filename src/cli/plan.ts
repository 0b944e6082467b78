import { isPending, planToJson } from '../plan/step.js';
import { formatPlan } from '../report/format-plan.js';
import { EXIT } from '../shared/errors.js';
import { connect } from './outside.js';
import { planning, publishingOf, readTreeAndState } from './planning.js';
import { readConfig } from './tree.js';
import type { Verb } from './verb.js';

/** Shows what build would do, and why. */
export const plan: Verb = async (options, environment) => {
  if (options.ifPackage.length + options.ifBase.length > 0) return (await import('./plan-supposed.js')).planIf(options, environment);
  const config = await readConfig(options, environment);
  const connections = await connect(config, environment);
  try {
    const publishing = await publishingOf(config, connections, options);
    const { tree, reading } = await readTreeAndState(config, connections, options, environment);
    const { plan: made } = await planning(tree, reading, publishing, connections, options, environment);
    if (options.json) environment.out(JSON.stringify(planToJson(made), null, 2));
    else for (const line of formatPlan(made, options.all)) environment.out(line);
    return options.check && made.steps.some(isPending) ? EXIT.pending : EXIT.ok;
  } finally {
    await connections.close();
  }
};
