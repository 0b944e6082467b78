import type { Phase } from './event.js';

/** One image's build, test or publication failed through no fault of engine or registry. One line, and lines that say more. */
export class StepFailure extends Error {
  constructor(
    readonly phase: Phase,
    message: string,
    readonly detail: readonly string[] = [],
  ) {
    super(message);
    this.name = 'StepFailure';
  }
}
