import { EXIT, type ExitCode } from '../shared/errors.js';

/** Thrown into everything that waits when the process is asked to end. */
export class Interruption extends Error {
  constructor(readonly exit: ExitCode) {
    super('interrupted');
    this.name = 'Interruption';
  }
}

/** How a run that was asked to end ends. */
export function interruptionExit({ reason }: AbortSignal): ExitCode {
  return reason instanceof Interruption ? reason.exit : EXIT.interrupted;
}

/** `interrupted`, `terminated`, `hung up`. */
export function interruptionWord(exit: ExitCode): string {
  return exit === EXIT.hangup ? 'hung up' : exit === EXIT.terminated ? 'terminated' : 'interrupted';
}
