import type { PruneStep } from '../plan/prune.js';
import type { Happening } from './event.js';

/** What deleting from an engine needs of it. Rejects with an EngineError when the engine is gone or refuses. */
export interface ImageRemoval {
  /** Takes a name away, and the image with its last one, if it is still that image; else why it stays. Never forces. */
  removeName(ref: string, id: string, signal: AbortSignal): Promise<'removed' | { readonly kept: string }>;
}

/** Takes an image's names away, one after the other, and tells of each. */
export async function deleteLocal(step: PruneStep, removal: ImageRemoval, tell: (happening: Happening) => void, signal: AbortSignal): Promise<void> {
  for (const ref of step.refs) {
    const result = await removal.removeName(ref, step.id, signal);
    tell(result === 'removed' ? { type: 'deleted', image: step.image, id: step.id, refs: [ref] } : { type: 'kept', image: step.image, id: step.id, refs: [ref], because: result.kept });
  }
}
