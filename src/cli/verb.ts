import type { ExitCode } from '../shared/errors.js';
import type { Environment } from './environment.js';
import type { OptionValues } from './options.js';

/** The words of the command line and every option there is; a verb looks at those it knows. */
export type Options = OptionValues & {
  /** The tree of definitions. */
  readonly directory: string;
  /** Whether it was typed. */
  readonly directoryGiven: boolean;
  /** The images that are named, as they were typed; none for a verb that takes none. */
  readonly images: readonly string[];
};

/** One verb of the command line: parses nothing, decides nothing that plan/ can decide. */
export type Verb = (options: Options, environment: Environment) => Promise<ExitCode>;
