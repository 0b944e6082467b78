import { EngineError, EXIT, Fault, RegistryError, type ExitCode } from '../shared/errors.js';
import { docsOf } from '../shared/fault-docs.js';
import { StepFailure } from './step-failure.js';

/** The exit code of what went wrong with one image. A registry that says no to one image has failed that image; one that does not answer has failed the run. */
export function exitOf(error: unknown): ExitCode {
  if (error instanceof RegistryError && (error.trouble === 'quota' || error.trouble === 'immutable-tag')) return EXIT.failed;
  if (error instanceof RegistryError) return error.status !== undefined && error.status < 500 && error.status !== 429 ? EXIT.failed : EXIT.registry;
  if (error instanceof EngineError) return EXIT.engine;
  if (error instanceof Fault) return error.exit === EXIT.archive ? EXIT.archive : EXIT.failed;
  if (error instanceof StepFailure) return EXIT.failed;
  return EXIT.bug;
}

/** The exit code of a run in which these came up. */
export function worstOf(faults: readonly ExitCode[]): ExitCode {
  for (const exit of [EXIT.bug, EXIT.engine, EXIT.registry, EXIT.archive, EXIT.failed]) if (faults.includes(exit)) return exit;
  return EXIT.ok;
}

/** One line that says what went wrong. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The lines below that: what is known, what to try, where to read. Of a bug, where it is. */
export function detailOf(error: unknown): readonly string[] {
  if (error instanceof StepFailure) return error.detail;
  if (error instanceof Fault) {
    const docs = docsOf(error);
    return [...error.hints.map((hint) => `try: ${hint}`), ...(docs === undefined ? [] : [`docs: ${docs}`])];
  }
  return exitOf(error) === EXIT.bug && error instanceof Error ? (error.stack ?? '').split('\n').slice(1, 4) : [];
}
