import { EXIT, Fault, PartlyDone, type ExitCode } from '../shared/errors.js';
import { docsOf } from '../shared/fault-docs.js';
import { parseArguments } from './args.js';
import type { Environment } from './environment.js';
import { interruptionExit, interruptionWord } from './interruption.js';
import { VERBS, type VerbName } from './verbs.js';

/** Does what the command line asks; resolves to the exit code. */
export async function runCommandLine(argv: readonly string[], environment: Environment): Promise<ExitCode> {
  return sayFaults(environment, async (asks) => {
    const asked = await parseArguments(argv, environment.cwd);
    if ('print' in asked) {
      environment.out(asked.print);
      return EXIT.ok;
    }
    asks(asked.verb);
    const verb = await VERBS[asked.verb].load();
    return verb(asked.options, environment);
  });
}

/**
 * The exit code of what is done. Every fault is one line, and what to try.
 * @param act is handed what it tells the verb to as soon as that is known
 */
export async function sayFaults(environment: Environment, act: (asks: (verb: VerbName) => void) => Promise<ExitCode>): Promise<ExitCode> {
  let writes = false;
  try {
    const exit = await act((verb) => void (writes = VERBS[verb].writes));
    // What only reads, or writes files in one go, is done when it ends, however late it was asked to stop.
    return environment.signal.aborted && writes ? interruption(environment, RESUMED) : exit;
  } catch (error) {
    if (environment.signal.aborted) return interruption(environment, writes ? RESUMED : error instanceof Fault ? error.message : 'nothing was changed');
    if (!(error instanceof Fault)) {
      environment.err(`build-images has a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return EXIT.bug;
    }
    // Faults of the outside that come after the first build are events of the run and never get here.
    const isOutside = error.exit === EXIT.engine || error.exit === EXIT.registry || error.exit === EXIT.archive;
    environment.err(writes && isOutside && !(error instanceof PartlyDone) ? `${error.message}. Nothing was built or changed.` : error.message);
    for (const hint of error.hints) environment.err(`  try: ${hint}`);
    const docs = docsOf(error);
    if (docs !== undefined) environment.err(`  docs: ${docs}`);
    return error.exit;
  }
}

const RESUMED = 'what was published stays; run again to go on';

function interruption({ signal, err }: Environment, left: string): ExitCode {
  const exit = interruptionExit(signal);
  err(`${interruptionWord(exit)}: ${left}`);
  return exit;
}
