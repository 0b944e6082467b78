import argparse from 'argparse';
import { EXIT, type ExitCode } from '../shared/errors.js';

/** What a command line of docker-pkg asks for, in ours; or what it gets printed instead, and the exit code. */
export type DockerPkgAsked =
  | {
      readonly verb: 'build';
      /** The same, for build-images. */
      readonly argv: readonly string[];
      /** As it was typed. */
      readonly directory: string;
      /** What of the log goes to the terminal instead of the file; undefined: nothing. */
      readonly log: 'info' | 'debug' | undefined;
    }
  | { readonly print: string; readonly exit: ExitCode };

/** Ends the reading of a command line. */
class Ending extends Error {
  constructor(
    readonly print: string,
    readonly exit: ExitCode,
  ) {
    super(print);
  }
}

/** Python's parser, in which nothing but its own exit code and printing is changed: it would end the process. */
class Parser extends argparse.ArgumentParser {
  override print_help(): void {
    throw new Ending(this.format_help(), EXIT.ok);
  }

  override error(message: string): never {
    throw new Ending(`${this.format_usage()}${this.prog}: error: ${message}`, EXIT.usage);
  }
}

/** Reads a command line as docker-pkg 4 does, abbreviations and all. */
export function parseDockerPkgArguments(argv: readonly string[]): DockerPkgAsked {
  try {
    return translate(parser().parse_args([...argv]) as Parsed);
  } catch (error) {
    if (error instanceof Ending) return { print: error.print.trimEnd(), exit: error.exit };
    throw error;
  }
}

type Parsed = {
  readonly configfile: string;
  readonly debug: boolean;
  readonly info: boolean;
  readonly directory: string;
} & ({ readonly mode: 'build'; readonly nightly: boolean; readonly snapshot: boolean; readonly use_cache: boolean; readonly no_pull: boolean; readonly select: string | undefined });

function parser(): argparse.ArgumentParser {
  const top = new Parser({ prog: 'docker-pkg', description: 'build-images under the command line of docker-pkg 4', color: false });
  top.add_argument('-c', '--configfile', { default: 'config.yaml', help: 'what the tree is told about the outside (default: config.yaml)' });
  const logging = top.add_argument_group({ title: 'logging' }).add_mutually_exclusive_group();
  logging.add_argument('--debug', { action: 'store_true', help: 'the log on standard error, with what is usually not worth a line' });
  logging.add_argument('--info', { action: 'store_true', help: 'the log on standard error, instead of ./docker-pkg-build.log' });
  const verbs = top.add_subparsers({ dest: 'mode', metavar: '{build,prune,update}', required: true, parser_class: Parser });

  const build = verbs.add_parser('build', { help: 'build what is missing, test it and publish it' });
  const dated = build.add_mutually_exclusive_group();
  dated.add_argument('--nightly', { action: 'store_true', help: "build all that is selected once more, with the day behind the tag" });
  dated.add_argument('--snapshot', { action: 'store_true', help: 'the same, with day and time' });
  build.add_argument('--use-cache', { action: 'store_true', help: "let the engine use its build cache" });
  build.add_argument('--no-pull', { action: 'store_true', help: 'use outside images that the engine has as they are' });
  build.add_argument('--select', { metavar: 'GLOB', help: 'only images whose registry/namespace/name:tag matches' });

  for (const verb of [build]) verb.add_argument('directory', { metavar: 'DIRECTORY', help: 'the tree of definitions' });
  return top;
}

function translate(parsed: Parsed): DockerPkgAsked {
  const { directory } = parsed;
  const option = (name: string, value: string | undefined): readonly string[] => (value === undefined ? [] : [`--${name}=${value}`]);
  const flag = (name: string, given: boolean): readonly string[] => (given ? [`--${name}`] : []);
  const place = directory.startsWith('-') ? `./${directory}` : directory;
  return {
    verb: parsed.mode,
    directory,
    log: parsed.debug ? 'debug' : parsed.info ? 'info' : undefined,
    argv: ['build', ...option('config', parsed.configfile), ...option('select', parsed.select), ...flag('nightly', parsed.nightly), ...flag('snapshot', parsed.snapshot), ...flag('use-cache', parsed.use_cache), ...flag('no-pull', parsed.no_pull), place],
  };
}
