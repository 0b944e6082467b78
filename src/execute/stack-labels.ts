import type { Control } from '../definition/control.js';
import type { Stack } from '../definition/stack.js';

/**
 * The labels of a stack image, in both generations: `io.buildpacks.stack.*` for platforms before 0.12, `io.buildpacks.base.*`
 * for those since (CNB platform spec, "Target data" and "Stacks (deprecated)").
 * @param created RFC 3339
 */
export function stackLabels(stack: Stack, control: Control | undefined, created: string): Readonly<Record<string, string | undefined>> {
  const both = {
    'distro.name': stack.distro.name,
    'distro.version': stack.distro.version,
    maintainer: control?.maintainer,
    homepage: control?.homepage,
    released: created,
    description: control?.description,
  };
  const run = stack.role === 'run';
  return {
    'io.buildpacks.stack.id': stack.id,
    'io.buildpacks.stack.mixins': JSON.stringify([...stack.mixins].sort()),
    ...Object.fromEntries(Object.entries(both).flatMap(([key, value]) => [[`io.buildpacks.stack.${key}`, value], [`io.buildpacks.base.${key}`, value]])),
    // Of the run image alone: what apps are moved by.
    'io.buildpacks.base.id': run ? stack.id : undefined,
    'io.buildpacks.rebasable': run ? 'true' : undefined,
  };
}
