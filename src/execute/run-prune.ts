import { isDeletion, type PrunePlan, type PruneStep } from '../plan/prune.js';
import { EXIT, RegistryError, type ExitCode } from '../shared/errors.js';
import type { ImageName } from '../shared/image-ref.js';
import type { Happening } from './event.js';
import { detailOf, exitOf, messageOf, worstOf } from './fault-exit.js';
import { schedule } from './schedule.js';

/** How a plan of prune is run. */
export type PruneRun = {
  readonly run: string;
  /** How many images at once. What is of one image goes one after the other. */
  readonly jobs: number;
  /** Does one step and tells what came of it; rejects with what went wrong. */
  readonly act: (step: PruneStep, signal: AbortSignal) => Promise<void>;
  tell(happening: Happening): void;
};

/**
 * Runs a plan of prune in its order. What cannot be deleted stops nothing but itself; an engine or a registry that is gone, or that
 * deletes nothing at all, stops the rest. Resolves to the exit code.
 */
export async function runPrune(plan: PrunePlan, { run, jobs, act, tell }: PruneRun, signal: AbortSignal): Promise<ExitCode> {
  tell({ type: 'prune-started', run, plan });
  const due = new Map<ImageName, PruneStep[]>();
  for (const step of plan.steps.filter(isDeletion)) due.set(step.image, [...(due.get(step.image) ?? []), step]);
  const faults: ExitCode[] = [];
  let stopped: string | undefined;

  const work = async (image: ImageName): Promise<boolean> => {
    for (const step of due.get(image)!) {
      if (stopped !== undefined || signal.aborted) {
        tell({ type: 'not-started', image, because: stopped ?? 'interrupted' });
        return false;
      }
      try {
        await act(step, signal);
      } catch (error) {
        if (signal.aborted) continue;
        const exit = stopsAll(error) ? EXIT.registry : exitOf(error);
        faults.push(exit);
        if (exit === EXIT.engine) stopped ??= 'the engine is gone';
        if (exit === EXIT.registry) stopped ??= 'the registry does not do it';
        tell({ type: 'failed', image, phase: 'delete', message: messageOf(error), detail: detailOf(error), log: undefined, exit });
      }
    }
    return true;
  };
  const results = await schedule([...due.keys()].map((image) => ({ image, parents: [] })), { jobs, run: work, mayStart: () => stopped === undefined && !signal.aborted, onBlocked: () => undefined });
  for (const [image, result] of results) if (result === 'not-started') tell({ type: 'not-started', image, because: stopped ?? 'interrupted' });
  return worstOf(faults);
}

/** Whether a registry's no is about deleting at all: no login for it, or it is switched off. */
function stopsAll(error: unknown): boolean {
  return error instanceof RegistryError && (error.status === 401 || error.status === 403 || error.status === 405);
}
