import type { Provenance } from '../state/labels.js';
import type { Reason } from './reason.js';

/** Whether an image was made for all that is asked for by now: for the same packages, on the outside parents of today. Of age nobody can tell. */
export function answers(reasons: readonly Reason[], { tried = [], parents }: Provenance): boolean {
  return reasons.every((reason) => {
    if (reason.why === 'packages-outdated') return reason.tried.every((mark) => tried.includes(mark));
    if (reason.why === 'parent-moved') return parents[reason.parent] === reason.to;
    return reason.why !== 'too-old';
  });
}

/** Whether an image that is built for these reasons alone need not be published when it comes out as it is: its definition and parents are what they were. */
export function mayComeOutSame(reasons: readonly Reason[]): boolean {
  return reasons.every((reason) => reason.why === 'packages-outdated' || reason.why === 'too-old' || reason.why === 'age-unknown' || (reason.why === 'parent-refreshed' && reason.ifDiffers));
}
