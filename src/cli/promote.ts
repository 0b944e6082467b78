import { planPromote } from '../plan/promote.js';
import { isPublished } from '../plan/publishing.js';
import { isPending, planToJson } from '../plan/step.js';
import { formatPlan, WITHOUT_DRY_RUN } from '../report/format-plan.js';
import { EXIT, UsageError } from '../shared/errors.js';
import { nearHint } from '../shared/near-names.js';
import { readNeeds, readState } from '../state/read-state.js';
import { imageNamed } from './image-named.js';
import { connect } from './outside.js';
import { outsideOf, publishingOf } from './planning.js';
import { execute, lockRun } from './run.js';
import { readConfig, readTree } from './tree.js';
import type { Verb } from './verb.js';

/** Moves `:latest` of one image to its newest published version, whatever it is now. */
export const promote: Verb = async (options, environment) => {
  const tree = await readTree(await readConfig(options, environment), options, environment);
  const { graph } = tree;
  const named = options.images[0]!;
  const image = imageNamed(graph, named);
  if (image === undefined) throw new UsageError(`there is no image "${named}" in the tree${nearHint(named, [...graph.nodes.values()].map(({ definition }) => definition.name))}`);
  // What stands in the other trees is only looked at.
  const own = { ...tree.config, trees: [graph.nodes.get(image)!.tree] };
  const connections = await connect(own, environment);
  try {
    // Asking for a promotion is asking to publish; only --no-publish says otherwise.
    const publishing = await publishingOf(own, connections, { ...options, publish: options.publish ?? true });
    if (!isPublished(publishing, own.trees[0]!.name)) throw new UsageError('promote moves a tag in the registry: --no-publish leaves it nothing to do');
    const lock = options.dryRun ? undefined : await lockRun(own, true, environment);
    try {
      const outside = outsideOf(connections);
      let state = await readState([graph.nodes.get(image)!], outside, environment.signal);
      for (;;) {
        const planned = planPromote(graph, state, image, publishing);
        if ('nothing' in planned) throw new UsageError(planned.nothing);
        if ('need' in planned) {
          state = await readNeeds(graph, state, [planned.need], outside, environment.signal);
          continue;
        }
        const { plan } = planned;
        if (lock !== undefined && plan.steps.some(isPending)) return await execute(tree, { plan, state, definitions: new Map() }, lock, connections, options, environment);
        if (options.json) environment.out(JSON.stringify(planToJson(plan), null, 2));
        else for (const line of formatPlan(plan, true, WITHOUT_DRY_RUN)) environment.out(line);
        return EXIT.ok;
      }
    } finally {
      lock?.release();
    }
  } finally {
    await connections.close();
  }
};
