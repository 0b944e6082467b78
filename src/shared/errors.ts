/** The exit codes, each with one meaning. README and `--help` print this table; a test compares them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  definition: 3,
  engine: 4,
  registry: 5,
  archive: 6,
  pending: 10,
  bug: 70,
  locked: 75,
  hangup: 129,
  interrupted: 130,
  terminated: 143,
} as const;

/** One of the table's codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each exit code means, in the words of `--help`. */
export const EXIT_MEANING: Readonly<Record<ExitCode, string>> = {
  0: 'done',
  1: 'at least one image failed (others may have been published); which: no image has it',
  2: 'the command line is wrong',
  3: 'a definition or the config is wrong',
  4: 'the engine is unreachable or refuses',
  5: 'the registry is unreachable or refuses',
  6: 'the package archive is unreachable or refuses',
  10: 'plan --check, outdated --check: work is pending; nightly: some was left',
  70: 'a bug in build-images',
  75: 'another run holds the lock',
  129: 'hung up',
  130: 'interrupted',
  143: 'terminated',
};

/** A fault that a person can act on: one line, an exit code, and what to try. Never holds a credential. */
export class Fault extends Error {
  constructor(
    readonly exit: ExitCode,
    message: string,
    /** Lines that say what to try; printed below the message. */
    readonly hints: readonly string[] = [],
  ) {
    super(message);
    this.name = new.target.name;
  }
}

/** The command line asks for something that is not there. */
export class UsageError extends Fault {
  constructor(message: string, hints: readonly string[] = []) {
    super(EXIT.usage, message, hints);
  }
}

/** A fault behind which something stays done; `done` says what, as a sentence. */
export class PartlyDone extends Fault {
  constructor(fault: Fault, done: string) {
    super(fault.exit, `${fault.message}. ${done}`, fault.hints);
  }
}

/** The Docker engine does not answer, or refuses. */
export class EngineError extends Fault {
  constructor(message: string, hints: readonly string[] = []) {
    super(EXIT.engine, message, hints);
  }
}

/** A disk that builds need is full, or nearly: the engine's, or the one of temporary files. */
export class NoSpaceError extends EngineError {}

/** What is wrong with a registry, as far as a person would do another thing about it. */
export type RegistryTrouble = 'unreachable' | 'certificate' | 'no-tls' | 'login' | 'refuses' | 'quota' | 'immutable-tag';

/** A registry does not answer, or refuses. `status`: its HTTP answer, if it gave one. */
export class RegistryError extends Fault {
  constructor(
    message: string,
    readonly registry: string,
    readonly status: number | undefined,
    hints: readonly string[] = [],
    readonly trouble: RegistryTrouble = troubleOf(status),
  ) {
    super(EXIT.registry, message, hints);
  }
}

function troubleOf(status: number | undefined): RegistryTrouble {
  if (status === undefined || status >= 500 || status === 429) return 'unreachable';
  return status === 401 || status === 403 ? 'login' : 'refuses';
}

/** A package archive does not answer, or refuses. */
export class ArchiveError extends Fault {
  constructor(message: string, hints: readonly string[] = []) {
    super(EXIT.archive, message, hints);
  }
}
