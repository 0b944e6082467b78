import type { Event } from '../execute/event.js';
import type { PruneStep } from '../plan/prune.js';
import type { ImageName } from '../shared/image-ref.js';

/** How pruning an engine is shown to whoever knows docker-pkg. */
export type DockerPkgPruneView = {
  /** What is looked after: all that is selected, whether the engine has anything of it or not. */
  begin(): readonly string[];
  /** Takes note of an event; the end of the run is what is shown. */
  lines(event: Event): readonly string[];
  /** All that is shown of a plan by which nothing goes. */
  nothingToDo(steps: readonly PruneStep[]): readonly string[];
};

/**
 * docker-pkg 4.0.4's terminal, as observed.
 * @param refs the reference that stays of each image, children first
 */
export function createDockerPkgPruneView(refs: ReadonlyMap<ImageName, string>): DockerPkgPruneView {
  const troubled = new Set<ImageName>();
  const note = (steps: readonly PruneStep[]): void => {
    for (const { image, reasons } of steps) if (reasons.some(({ why }) => why === 'in-use')) troubled.add(image);
  };
  const end = (): readonly string[] => [...refs].flatMap(([image, ref]) => [`* Pruning old versions of ${ref}`, ...(troubled.has(image) ? [`* Errors pruning old images for ${ref}`] : [])]);
  return {
    begin: () => ['Will prune old versions of the following images:', ...[...refs.values()].map((ref) => `* ${ref}`), '== Step 1: pruning images'],
    lines(event) {
      if (event.type === 'prune-started') note(event.plan.steps);
      if (event.type === 'kept' || event.type === 'failed' || event.type === 'not-started') troubled.add(event.image);
      return event.type === 'run-finished' ? end() : [];
    },
    nothingToDo(steps) {
      note(steps);
      return end();
    },
  };
}
