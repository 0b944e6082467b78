import type { ExitCode } from '../shared/errors.js';
import type { Environment } from './environment.js';

/** Every option there is; a verb looks at those it knows. */
export type Options = {
  readonly directory: string;
  readonly image: string | undefined;
  readonly config: string;
  readonly select: readonly string[];
  readonly jobs: number | undefined;
  readonly publish: boolean | undefined;
  readonly dryRun: boolean;
  readonly rebuild: boolean;
  readonly onError: 'continue' | 'stop';
  readonly useCache: boolean;
  readonly noPull: boolean;
  readonly strict: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly all: boolean;
  readonly check: boolean;
};

/** One verb of the command line: parses nothing, decides nothing that plan/ can decide. */
export type Verb = (options: Options, environment: Environment) => Promise<ExitCode>;
